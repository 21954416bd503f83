package guestc_test

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	guestc "github.com/wasport/wasport/guest/c"
)

// makeTree makes executable files in a new directory.
func makeTree(t *testing.T, files ...string) string {
	dir := t.TempDir()
	for _, f := range files {
		path := filepath.Join(dir, filepath.FromSlash(f))
		if err := os.MkdirAll(filepath.Dir(path), 0o777); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte("#!/bin/sh\n"), 0o777); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

func TestFindToolchainParts(t *testing.T) {
	sysroot := makeTree(t, "include/stdio.h", "lib/wasm32-wasi/libc.a")
	for name, test := range map[string]struct {
		path    string // PATH
		env     map[string]string
		missing string
	}{
		"no clang": {makeTree(t), nil, "clang"},
		"no sdk": {makeTree(t, "clang", "clang.exe"),
			map[string]string{"WASI_SDK_PATH": makeTree(t)}, "clang"},
		"sdk with no libc": {makeTree(t),
			map[string]string{"WASI_SDK_PATH": makeTree(t, "bin/clang", "bin/clang.exe")},
			"a C library for WebAssembly in "},
		"sdk": {makeTree(t),
			map[string]string{"WASI_SDK_PATH": makeTree(t, "bin/clang", "bin/clang.exe",
				"share/wasi-sysroot/include/wasm32-wasip1/stdio.h")}, ""},
		"clang and sysroot": {makeTree(t, "clang", "clang.exe"),
			map[string]string{"WASI_SYSROOT": sysroot}, ""},
		"sysroot of nothing": {makeTree(t, "clang", "clang.exe"),
			map[string]string{"WASI_SYSROOT": makeTree(t)}, "a C library for WebAssembly in "},
	} {
		t.Run(name, func(t *testing.T) {
			t.Setenv("PATH", test.path)
			_, err := guestc.Find(func(name string) string { return test.env[name] })
			var missing *guestc.MissingError
			switch {
			case test.missing == "":
				if err != nil {
					t.Error(err)
				}
			case !errors.As(err, &missing) || !strings.HasPrefix(missing.What, test.missing):
				t.Errorf("got %v, want a MissingError of %q", err, test.missing)
			}
		})
	}
}

// TestLibraryBuiltBySeveralAtOnce builds the library in one directory from several goroutines, and
// compiles with it.
func TestLibraryBuiltBySeveralAtOnce(t *testing.T) {
	needCompiler(t)
	toolchain, err := guestc.Find(os.Getenv)
	if err != nil {
		t.Fatal(err)
	}
	dir, out := t.TempDir(), t.TempDir()
	var all sync.WaitGroup
	for _, name := range []string{"a.wasm", "b.wasm", "c.wasm"} {
		all.Go(func() {
			library, err := toolchain.Library(t.Context(), dir)
			var cmd *exec.Cmd
			if err == nil {
				cmd, err = library.Command(t.Context(), false, "../../examples/hello/client.c",
					"-o", filepath.Join(out, name))
			}
			if err == nil {
				var text []byte
				if text, err = cmd.CombinedOutput(); len(text) > 0 {
					t.Errorf("got %s, want no output", text)
				}
			}
			if err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
	left, err := os.ReadDir(dir)
	if err != nil || len(left) != 1 {
		t.Errorf("got %v, %v, want the library alone", left, err)
	}
	modules, err := filepath.Glob(filepath.Join(out, "*.wasm"))
	if err != nil || len(modules) != 3 {
		t.Errorf("got %v, %v, want 3 modules", modules, err)
	}
}
