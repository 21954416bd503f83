// Package needs skips tests on machines that lack a program or file, with the Debian package that
// has it. With WASPORT_CI=1 such a test fails instead. It also has the tables of tests that cannot
// pass on a stand-in for a system, such as Wine. The package has no state.
package needs

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// Packages of Debian 12 that compile guests in C, Rust and C++.
const (
	guestPackages    = "clang lld llvm wasi-libc libclang-rt-14-dev-wasm32"
	rustPackages     = "rustc libstd-rust-dev-wasm32 lld"
	guestPackagesCXX = "libc++-14-dev-wasm32 libc++abi-14-dev-wasm32"
)

// packages maps a program to the packages that have it, where the name differs.
var packages = map[string]string{
	"cc": "gcc libc6-dev", "clang++": "clang", "llvm-ar": "llvm", "llvm-nm": "llvm", "npx": "npm",
	"perf": "linux-perf", "sh": "dash", "wasm-ld": "lld", "wasm-validate": "wabt",
	"wat2wasm": "wabt",
}

// Programs skips the test unless all of the programs are installed.
func Programs(t testing.TB, names ...string) {
	t.Helper()
	for _, name := range names {
		if err := program(name); err != nil {
			Missing(t, err)
		}
	}
}

// Compiler skips the test unless guests in C can be compiled.
func Compiler(t testing.TB) {
	t.Helper()
	if err := LackingCompiler(); err != nil {
		Missing(t, err)
	}
}

// CompilerCXX skips the test unless guests in C++ can be compiled.
func CompilerCXX(t testing.TB) {
	t.Helper()
	Compiler(t)
	Programs(t, "clang++")
	if err := file("/usr/include/wasm32-wasi/c++/v1/iostream", guestPackagesCXX); err != nil {
		Missing(t, err)
	}
}

// LackingCompiler returns an error if guests in C cannot be compiled.
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

// Rust returns a Rust compiler for guests and the name of its target: wasm32-wasip1, or wasm32-wasi
// before Rust 1.78. It prefers Debian's compiler, since another may lack the target.
func Rust(t testing.TB) (rustc, target string) {
	t.Helper()
	for _, name := range []string{"/usr/bin/rustc", "rustc"} {
		rustc, err := exec.LookPath(name)
		if err != nil {
			continue
		}
		for _, target := range []string{"wasm32-wasip1", "wasm32-wasi"} {
			cmd := exec.Command(rustc, "--print=target-libdir", "--target", target)
			dir, err := cmd.Output()
			if err != nil {
				continue
			}
			if _, err := os.Stat(strings.TrimSpace(string(dir))); err == nil {
				Programs(t, "wasm-ld")
				return rustc, target
			}
		}
	}
	Missing(t, errors.New("a rustc for wasm32-wasi is missing; on Debian: apt-get install "+
		rustPackages))
	return "", ""
}

// NodeModules skips the test unless npm has installed a command among the packages that a directory
// below the repository's root locks.
func NodeModules(t testing.TB, root, dir, command string) {
	t.Helper()
	if _, err := os.Stat(filepath.Join(root, dir, "node_modules", ".bin", command)); err != nil {
		Missing(t, fmt.Errorf("%s of %s/node_modules is missing: npm ci --prefix %s", command, dir,
			dir))
	}
}

// Missing skips the test, or fails it with WASPORT_CI=1, for the reason err.
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
