package guestc_test

import (
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

func library(t *testing.T) (l *guestc.Library, dir string) {
	need(t)
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

// headers are those that programs include.
func headers(t *testing.T) (list []string) {
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

// TestHeaders includes every header alone, twice, and all of them in both orders, in C and C++ of
// several years, with all warnings.
func TestHeaders(t *testing.T) {
	l, _ := library(t)
	list := headers(t)
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
					t.Errorf("%v\n%s", err, out)
				}
			})
		}
	}
}

// TestFreestanding compiles wasport.h where there is no C library.
func TestFreestanding(t *testing.T) {
	need(t)
	cmd := exec.CommandContext(t.Context(), "clang", "--target=wasm32", "-std=c11",
		"-ffreestanding", "-nostdlibinc", "-Wall", "-Wextra", "-Werror", "-fsyntax-only",
		"include/wasport.h")
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Errorf("%v\n%s", err, out)
	}
}

// TestImports checks that the host has every function that wasport.h declares, with the same type.
func TestImports(t *testing.T) {
	l, dir := library(t)
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
		t.Fatalf("%v\n%s", err, out)
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
	// which refuses what it lacks
	mod, err := rt.Compile(t.Context(), wasm, wasport.CompileConfig{})
	if err != nil {
		t.Fatal(err)
	}
	count := 0
	for _, i := range mod.Imports() {
		if strings.HasPrefix(i.Name, "sock_") {
			count++
		}
	}
	if count != len(names) || count < 57 {
		t.Errorf("%d functions are imported of %d that are declared", count, len(names))
	}
}

var declared = regexp.MustCompile(`(?m)^(?:extern )?(?:const )?(?:struct )?\w+ \*?\*?(\w+)\([^;{]*\)[^;{]*;`)

// TestDeclared checks that what the headers declare is there to be linked, in either library or in
// Debian's wasi-libc.
func TestDeclared(t *testing.T) {
	_, dir := library(t)
	need(t, "llvm-nm")
	archives, err := filepath.Glob(filepath.Join(dir, "*", "libwasport*.a"))
	if err != nil || len(archives) != 2 {
		t.Fatal(archives, err)
	}
	for _, archive := range archives {
		symbols := do(t, nil, "llvm-nm", "--defined-only", "--extern-only", "--format=just-symbols",
			archive, "/usr/lib/wasm32-wasi/libc.a")
		defined := make(map[string]bool)
		for _, s := range strings.Fields(symbols) {
			defined[s] = true
		}
		count := 0
		for _, h := range headers(t) {
			text, err := os.ReadFile(filepath.Join("include", h))
			if err != nil {
				t.Fatal(err)
			}
			for _, m := range declared.FindAllSubmatch(text, -1) {
				name := string(m[1])
				if count++; !defined[name] {
					t.Errorf("%s declares %s, which %s does not have", h, name,
						filepath.Base(archive))
				}
			}
		}
		if count < 50 {
			t.Errorf("only %d functions were found in the headers", count)
		}
	}
}
