package guestc_test

import (
	"bytes"
	"io/fs"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/wasport/wasport"
	guestc "github.com/wasport/wasport/guest/c"
	"github.com/wasport/wasport/internal/needs"
)

// buildLibrary builds wasport's library with the toolchain of this machine, in dir.
func buildLibrary(t *testing.T) (l *guestc.Library, dir string) {
	needCompiler(t)
	toolchain, err := guestc.Find(os.Getenv)
	if err == nil {
		dir = t.TempDir()
		l, err = toolchain.Library(t.Context(), dir)
	}
	if err != nil {
		needs.Missing(t, err)
	}
	return l, dir
}

// listHeaders lists the headers that programs include.
func listHeaders(t *testing.T) (list []string) {
	include := os.DirFS("include")
	err := fs.WalkDir(include, ".", func(name string, d fs.DirEntry, err error) error {
		if err == nil && !d.IsDir() && !strings.HasPrefix(path.Base(name), "__") {
			list = append(list, name)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return list
}

// TestHeadersCompileAloneAndTogether includes every header alone, twice, and all of them in both
// orders, in several versions of C and C++, with all warnings.
func TestHeadersCompileAloneAndTogether(t *testing.T) {
	l, _ := buildLibrary(t)
	list := listHeaders(t)
	var forwards, backwards string
	texts := make(map[string]string)
	for _, h := range list {
		line := "#include <" + h + ">\n"
		texts[h] = line + line
		forwards, backwards = forwards+line, line+backwards
	}
	texts["all"], texts["all, the other way round"] = forwards, backwards
	for _, std := range []string{"c99", "gnu11", "c++11", "c++17"} {
		for name, text := range texts {
			t.Run(std+"/"+name, func(t *testing.T) {
				cxx := strings.Contains(std, "++")
				language := "c"
				if cxx {
					language = "c++"
				}
				cmd, err := l.Command(t.Context(), cxx, "-std="+std, "-Wall", "-Wextra",
					"-Wpedantic", "-Werror", "-fsyntax-only", "-x", language, "-")
				if err != nil {
					needs.Missing(t, err)
				}
				cmd.Stdin = strings.NewReader(text)
				if out, err := cmd.CombinedOutput(); err != nil {
					t.Errorf("got %v, want no warning:\n%s", err, out)
				}
			})
		}
	}
}

// TestWasportHeaderWithoutLibc compiles wasport.h where there is no C library.
func TestWasportHeaderWithoutLibc(t *testing.T) {
	needCompiler(t)
	cmd := exec.CommandContext(t.Context(), "clang", "--target=wasm32", "-std=c11",
		"-ffreestanding", "-nostdlibinc", "-Wall", "-Wextra", "-Werror", "-fsyntax-only",
		"include/wasport.h")
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Errorf("got %v, want no warning:\n%s", err, out)
	}
}

// TestDeclaredImportsExistInHost checks that the host has every function that wasport.h declares,
// with the same type.
func TestDeclaredImportsExistInHost(t *testing.T) {
	l, dir := buildLibrary(t)
	cmd, err := l.Command(t.Context(), false, "-E", "include/wasport.h")
	if err != nil {
		t.Fatal(err)
	}
	text, err := cmd.Output()
	if err != nil {
		t.Fatal(err)
	}
	program := "#include <wasport.h>\nvoid *volatile all[] = {"
	names := regexp.MustCompile(`int32_t (wasport_\w+)\s*\(`).FindAllSubmatch(text, -1)
	for _, m := range names {
		program += "(void *)" + string(m[1]) + ", "
	}
	program += "};\nint main(void) { return all[0] == 0; }\n"
	file := filepath.Join(dir, "all.wasm")
	if cmd, err = l.Command(t.Context(), false, "-x", "c", "-", "-o", file); err != nil {
		t.Fatal(err)
	}
	cmd.Stdin = strings.NewReader(program)
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("got %v, want a module\n%s", err, out)
	}
	wasm, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	rt, err := wasport.NewRuntime(t.Context(), wasport.RuntimeConfig{})
	if err != nil {
		t.Fatal(err)
	}
	defer rt.Close(t.Context())
	// Compile refuses a module whose imports the host lacks.
	mod, err := rt.Compile(t.Context(), wasm, wasport.CompileConfig{})
	if err != nil {
		t.Fatal(err)
	}
	count := 0
	for _, i := range mod.Imports() {
		if i.Module == "wasport_sockets" || strings.HasPrefix(i.Name, "sock_") {
			count++
		}
	}
	if count != len(names) || count < 68 {
		t.Errorf("got %d imports, want %d as declared, and at least 68", count, len(names))
	}
}

var declared = regexp.MustCompile(
	`(?m)^(?:extern )?(?:const )?(?:struct )?\w+ \*?\*?(\w+)\([^;{]*\)[^;{]*;`,
)

// TestDeclaredFunctionsAreDefined checks that every function that the headers declare can be
// linked, from either library or from Debian's wasi-libc, but for those whose use is an error.
func TestDeclaredFunctionsAreDefined(t *testing.T) {
	_, dir := buildLibrary(t)
	needCompiler(t, "llvm-nm")
	archives, err := filepath.Glob(filepath.Join(dir, "*", "libwasport*.a"))
	if err != nil || len(archives) != 2 {
		t.Fatalf("got %v, %v, want two libraries", archives, err)
	}
	for _, archive := range archives {
		symbols := runProgram(t, nil, "llvm-nm", "--defined-only", "--extern-only",
			"--format=just-symbols", archive, "/usr/lib/wasm32-wasi/libc.a")
		defined := make(map[string]bool)
		for _, s := range strings.Fields(symbols) {
			defined[s] = true
		}
		count := 0
		for _, h := range listHeaders(t) {
			text, err := os.ReadFile(filepath.Join("include", h))
			if err != nil {
				t.Fatal(err)
			}
			for _, m := range declared.FindAllSubmatch(text, -1) {
				name := string(m[1])
				unavailable := bytes.Contains(m[0], []byte("_WASPORT_NO_JUMP"))
				if count++; !defined[name] && !unavailable {
					t.Errorf("%s declares %s: got no definition, want one in %s", h, name,
						filepath.Base(archive))
				}
			}
		}
		if count < 50 {
			t.Errorf("got %d functions in the headers, want at least 50", count)
		}
	}
}
