package guestc

import (
	"cmp"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
)

// Toolchain is a clang that compiles to WebAssembly, and the C library that it compiles with. It
// may be used by several goroutines.
type Toolchain struct {
	clang   string
	target  string
	sysroot string // empty = Debian's, which is spread over /usr
}

// MissingError is the error of a machine that lacks a part of a toolchain.
type MissingError struct {
	What     string // that is missing
	Packages string // of Debian that have it
}

func (e *MissingError) Error() string {
	return fmt.Sprintf("%s is missing\non Debian 12: apt-get install %s\nelsewhere: set "+
		"WASI_SDK_PATH to where a wasi-sdk is, from "+
		"https://github.com/WebAssembly/wasi-sdk/releases",
		e.What, e.Packages)
}

// sdk is where the wasi-sdk's own documents tell to put it.
const sdk = "/opt/wasi-sdk"

// sysroots are where distributions other than Debian put theirs.
var sysroots = []string{"/usr/share/wasi-sysroot", "/usr/wasm32-wasi"}

// Find finds a toolchain: the wasi-sdk that WASI_SDK_PATH names, or else clang from the PATH with
// the sysroot that WASI_SYSROOT names or that the distribution has. The error is a *MissingError if
// one of them is missing. It runs no program, since configure scripts compile hundreds of times;
// Library looks for the other parts when it needs them.
func Find(getenv func(string) string) (*Toolchain, error) {
	t := &Toolchain{clang: "clang", sysroot: getenv("WASI_SYSROOT")}
	home := getenv("WASI_SDK_PATH")
	if home == "" && t.sysroot == "" && debianTarget() == "" {
		for _, dir := range sysroots {
			if exists(dir) {
				t.sysroot = dir
			}
		}
		if t.sysroot == "" && exists(sdk) {
			home = sdk
		}
	}
	if home != "" {
		t.clang = filepath.Join(home, "bin", "clang")
		if t.sysroot == "" {
			t.sysroot = filepath.Join(home, "share", "wasi-sysroot")
		}
	}
	if err := t.resolve(); err != nil {
		return nil, err
	}
	return t, nil
}

// resolve finds the parts by what is known already.
func (t *Toolchain) resolve() error {
	var err error
	if t.clang, err = exec.LookPath(t.clang); err != nil {
		return &MissingError{"clang", packagesC}
	}
	switch {
	case t.sysroot == "":
		if t.target = debianTarget(); t.target == "" {
			return &MissingError{"a C library for WebAssembly, wasi-libc", packagesC}
		}
	case exists(filepath.Join(t.sysroot, "lib", "wasm32-wasip1")):
		t.target = "wasm32-wasip1"
	default:
		t.target = "wasm32-wasi"
	}
	if t.sysroot != "" && !exists(filepath.Join(t.sysroot, "include")) {
		return &MissingError{"a C library for WebAssembly in " + t.sysroot, packagesC}
	}
	return nil
}

// archiver finds llvm-ar, and sees to it that the other parts that are used less often are there as
// well.
func (t *Toolchain) archiver() (string, error) {
	if _, err := t.program("wasm-ld"); err != nil {
		return "", err
	}
	builtins, err := t.ask("-print-libgcc-file-name")
	if err != nil {
		return "", err
	}
	if !exists(builtins) {
		return "", &MissingError{"a part of clang, " + filepath.Base(builtins) + ",", packagesC}
	}
	return t.program("llvm-ar")
}

// program finds one of the programs that come with clang.
func (t *Toolchain) program(name string) (string, error) {
	path, err := t.ask("-print-prog-name=" + name)
	if err == nil {
		path, err = exec.LookPath(path)
	}
	if errors.Is(err, exec.ErrNotFound) {
		return "", &MissingError{name, packagesC}
	}
	return path, err
}

func (t *Toolchain) ask(question string) (string, error) {
	out, err := exec.Command(t.clang, "--target="+t.target, question).Output()
	if err != nil {
		return "", fmt.Errorf("%s %s: %w", t.clang, question, err)
	}
	return strings.TrimSpace(string(out)), nil
}

const debianIncludes = "/usr/include"

// debianTarget is the target that Debian's wasi-libc is for, or empty without one.
func debianTarget() string {
	if runtime.GOOS != "linux" {
		return ""
	}
	for _, target := range []string{"wasm32-wasi", "wasm32-wasip1"} {
		if exists(filepath.Join(debianIncludes, target, "stdio.h")) {
			return target
		}
	}
	return ""
}

func exists(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}

// emulations are the parts of POSIX that WASI lacks, and wasi-libc makes do without for who asks:
// signals that nobody else sends, clocks of a process that count all time, numbers of processes of
// which there is one, memory that is mapped by reading. Ordinary programs need them, so they are
// asked for.
var emulations = []string{"signal", "process-clocks", "getpid", "mman"}

func (t *Toolchain) emulated() (list []string) {
	for _, e := range emulations {
		if exists(filepath.Join(cmp.Or(t.sysroot, "/usr"), "lib", t.target, "libwasi-emulated-"+e+
			".a")) {
			list = append(list, e)
		}
	}
	return list
}

// stackFlags give a program a stack of 1 MiB with nothing below it, so that one that overflows
// traps. The linker's own choice is 64 KiB above the program's variables, which an overflow
// overwrites in silence. What the user says of either comes after them, and wins.
var stackFlags = []string{"-Wl,-z,stack-size=1048576", "-Wl,--stack-first"}

// flags are what makes clang compile for wasport, with the headers in a directory.
func (t *Toolchain) flags(include string, cxx bool) ([]string, error) {
	flags := []string{"--target=" + t.target}
	if cxx {
		flags = append(flags, "-fno-exceptions") // which libc++ is built without
	}
	for _, e := range t.emulated() {
		flags = append(flags, "-D_WASI_EMULATED_"+strings.ToUpper(strings.ReplaceAll(e, "-", "_")))
	}
	if t.sysroot != "" {
		return append(flags, "--sysroot="+t.sysroot, "-isystem", include), nil
	}
	// clang would find the machine's own headers in Debian's sysroot too; so the directories are
	// named one by one.
	// as when linking
	flags = append(flags, "--sysroot=/usr", "--start-no-unused-arguments", "-nostdlibinc",
		"--end-no-unused-arguments")
	libc := filepath.Join(debianIncludes, t.target)
	if cxx {
		dir := filepath.Join(libc, "c++", "v1")
		if !exists(dir) {
			return nil, &MissingError{"libc++ for WebAssembly", packagesCXX}
		}
		flags = append(flags, "-isystem", dir)
	}
	return append(flags, "-isystem", include, "-isystem", libc), nil
}
