//go:build unix

package guestc_test

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	guestc "github.com/wasport/wasport/guest/c"
)

// standInClang answers what the library asks of clang, makes the files that it should make, and
// notes its arguments in the file "log" beside it.
const standInClang = `#!/bin/sh
here=$(dirname "$0")
case "$*" in
*-print-libgcc-file-name) echo "$0" ;;
*-print-prog-name=*) echo "$here/${2#*=}" ;;
*)
	echo "$*" >>"$here/log"
	while [ "$1" != -o ]; do shift; done
	: >"$2"
	;;
esac
`

const standInArchiver = "#!/bin/sh\n: >\"$2\"\n"

// makeSDK makes a directory like a wasi-sdk's, with a compiler that compiles nothing, and a C
// library for the targets.
func makeSDK(t *testing.T, targets ...string) string {
	files := []string{"bin/clang", "bin/llvm-ar", "bin/wasm-ld"}
	for _, target := range targets {
		files = append(files, "share/wasi-sysroot/include/"+target+"/stdio.h",
			"share/wasi-sysroot/lib/"+target+"/libc.a")
	}
	dir := makeTree(t, files...)
	for name, text := range map[string]string{"clang": standInClang, "llvm-ar": standInArchiver} {
		if err := os.WriteFile(filepath.Join(dir, "bin", name), []byte(text), 0o777); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// TestThreadsTarget finds the target with threads in the wasi-sdk, and compiles the library and the
// program for it.
func TestThreadsTarget(t *testing.T) {
	for _, target := range []string{"wasm32-wasip1-threads", "wasm32-wasi-threads"} {
		t.Run(target, func(t *testing.T) {
			sdk := makeSDK(t, "wasm32-wasip1", target)
			env := map[string]string{"WASI_SDK_PATH": sdk}
			toolchain, err := guestc.FindThreads(func(name string) string { return env[name] })
			if err != nil {
				t.Fatal(err)
			}
			library, err := toolchain.Library(t.Context(), t.TempDir())
			if err != nil {
				t.Fatal(err)
			}
			checkCompiles(t, filepath.Join(sdk, "bin", "log"), target)
			checkLink(t, library, target)
		})
	}
}

// checkCompiles checks how each file of the library was compiled.
func checkCompiles(t *testing.T, log, target string) {
	t.Helper()
	text, err := os.ReadFile(log)
	if err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(strings.TrimSpace(string(text)), "\n")
	if len(lines) < 40 {
		t.Errorf("got %d calls of clang, want one for each file", len(lines))
	}
	for _, line := range lines {
		if want := "--target=" + target + " -pthread "; !strings.HasPrefix(line, want) {
			t.Errorf("got %s, want %s…", line, want)
		}
	}
}

// checkLink checks how a program with a limit of its own is linked, and how a file is compiled.
func checkLink(t *testing.T, library *guestc.Library, target string) {
	t.Helper()
	const limit = "-Wl,--max-memory=131072"
	link, err := library.Command(t.Context(), false, "-pthread", limit, "a.c", "-o", "a.wasm")
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"--target=" + target, "-pthread", "-Wl,--shared-memory",
		"-Wl,--import-memory", "-Wl,--export-memory", "-Wl,--max-memory=1073741824",
		"-Wl,--stack-first", "-lwasport"} {
		if !slices.Contains(link.Args, want) {
			t.Errorf("got %q, want %s among them", link.Args, want)
		}
	}
	if slices.Index(link.Args, limit) < slices.Index(link.Args, "-Wl,--max-memory=1073741824") {
		t.Errorf("got %q, want the user's limit last", link.Args)
	}
	compile, err := library.Command(t.Context(), false, "-pthread", "-c", "a.c")
	if err != nil {
		t.Fatal(err)
	}
	if line := strings.Join(compile.Args, " "); strings.Contains(line, "memory") {
		t.Errorf("got %s, want no flag of the linker", line)
	}
}

// TestThreadsMissing asks for threads where the C library has none.
func TestThreadsMissing(t *testing.T) {
	sdk := makeSDK(t, "wasm32-wasip1")
	sysroot := filepath.Join(sdk, "share", "wasi-sysroot")
	t.Setenv("PATH", filepath.Join(sdk, "bin"))
	for name, env := range map[string]map[string]string{
		sdk:     {"WASI_SDK_PATH": sdk},
		sysroot: {"WASI_SYSROOT": sysroot},
	} {
		getenv := func(name string) string { return env[name] }
		if _, err := guestc.Find(getenv); err != nil {
			t.Errorf("without threads: got %v, want a toolchain", err)
		}
		_, err := guestc.FindThreads(getenv)
		var missing *guestc.MissingError
		want := "a C library with threads in " + name + ", for -pthread, is missing: set " +
			"WASI_SDK_PATH to where a wasi-sdk is, from " +
			"https://github.com/WebAssembly/wasi-sdk/releases; no package of Debian has it"
		if !errors.As(err, &missing) || err.Error() != want {
			t.Errorf("got %v, want %s", err, want)
		}
	}
}

func TestWantsThreads(t *testing.T) {
	for line, want := range map[string]bool{
		"a.c -o a.wasm":                   false,
		"-pthread a.c":                    true,
		"-pthread a.c -no-pthread":        false,
		"-no-pthread -pthread -c a.c":     true,
		"-lpthread a.c -DX=-pthread":      false,
		"-c a.c -pthreads -Wl,--pthread=": false,
	} {
		if got := guestc.WantsThreads(strings.Fields(line)); got != want {
			t.Errorf("%s: got %t, want %t", line, got, want)
		}
	}
}
