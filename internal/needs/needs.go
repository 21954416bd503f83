// Package needs is how tests ask for what a machine may lack: without it they are skipped, and say
// what they skipped and which of Debian's packages has it. With WASPORT_CI=1 they fail instead.
package needs

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"testing"
)

// The packages of Debian 12 that compile guests in C and in C++.
const (
	guestPackages    = "clang lld llvm wasi-libc libclang-rt-14-dev-wasm32"
	guestPackagesCXX = "libc++-14-dev-wasm32 libc++abi-14-dev-wasm32"
)

// packages are those that have a program, where they are called otherwise.
var packages = map[string]string{
	"cc": "gcc libc6-dev", "clang++": "clang", "llvm-ar": "llvm", "llvm-nm": "llvm", "sh": "dash",
	"wasm-ld": "lld", "wasm-validate": "wabt", "wat2wasm": "wabt",
}

// Programs asks for programs.
func Programs(t testing.TB, names ...string) {
	t.Helper()
	for _, name := range names {
		if err := program(name); err != nil {
			Missing(t, err)
		}
	}
}

// Compiler asks for all that compiles guests in C.
func Compiler(t testing.TB) {
	t.Helper()
	if err := LackingCompiler(); err != nil {
		Missing(t, err)
	}
}

// CompilerCXX asks for all that compiles guests in C++.
func CompilerCXX(t testing.TB) {
	t.Helper()
	Compiler(t)
	Programs(t, "clang++")
	if err := file("/usr/include/wasm32-wasi/c++/v1/iostream", guestPackagesCXX); err != nil {
		Missing(t, err)
	}
}

// LackingCompiler returns what is missing to compile guests in C, or nil.
func LackingCompiler() error {
	errs := []error{
		file("/usr/include/wasm32-wasi/stdio.h", guestPackages),
		file("/usr/lib/wasm32-wasi/libc.a", guestPackages),
	}
	for _, name := range []string{"clang", "wasm-ld", "llvm-ar"} {
		errs = append(errs, program(name))
	}
	return errors.Join(errs...)
}

// Missing skips a test because of what is missing, or fails it.
func Missing(t testing.TB, err error) {
	t.Helper()
	if os.Getenv("WASPORT_CI") == "1" {
		t.Fatalf("%s needs what is missing: %v", t.Name(), err)
	} else {
		t.Skipf("skipped %s: %v", t.Name(), err)
	}
}

func program(name string) error {
	if _, err := exec.LookPath(name); err == nil {
		return nil
	}
	list := name
	if other, ok := packages[name]; ok {
		list = other
	}
	return fmt.Errorf("%s is missing; on Debian: apt-get install %s", name, list)
}

func file(path, list string) error {
	if _, err := os.Stat(path); err == nil {
		return nil
	}
	return fmt.Errorf("%s is missing; on Debian: apt-get install %s", path, list)
}
