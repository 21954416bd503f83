package guestc

import (
	"cmp"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// Toolchain is a clang that compiles to WebAssembly, and the C library that it compiles with. It
// may be used by several goroutines.
type Toolchain struct {
	clang  string
	target string

	// sysroot is empty for Debian's, which is spread over /usr.
	sysroot string

	// threads says that the target has threads.
	threads bool
}

// MissingError is the error of a machine that lacks a part of a toolchain.
type MissingError struct {
	// What names the missing part.
	What string

	// Packages are the packages of Debian that have it, separated by spaces, or empty if none has.
	Packages string
}

func (e *MissingError) Error() string {
	if e.Packages == "" {
		return fmt.Sprintf("%s is missing: set WASI_SDK_PATH to where a wasi-sdk is, from "+
			"https://github.com/WebAssembly/wasi-sdk/releases; no package of Debian has it",
			e.What)
	}
	return fmt.Sprintf("%s is missing\non Debian 12: apt-get install %s\nelsewhere: set "+
		"WASI_SDK_PATH to where a wasi-sdk is, from "+
		"https://github.com/WebAssembly/wasi-sdk/releases",
		e.What, e.Packages)
}

// defaultSDK is the directory in which the documents of the wasi-sdk place it.
const defaultSDK = "/opt/wasi-sdk"

// defaultSysroots are the sysroots of distributions other than Debian.
var defaultSysroots = []string{"/usr/share/wasi-sysroot", "/usr/wasm32-wasi"}

// Find finds a toolchain: the wasi-sdk in WASI_SDK_PATH, or else clang in PATH with the sysroot in
// WASI_SYSROOT or the distribution's. The error is a *MissingError if a part is missing. Find runs
// no program, since configure scripts compile hundreds of times; Library looks for the other parts
// when it needs them.
func Find(getenv func(string) string) (*Toolchain, error) {
	t := &Toolchain{clang: "clang", sysroot: getenv("WASI_SYSROOT")}
	home := getenv("WASI_SDK_PATH")
	if home == "" && t.sysroot == "" && debianTarget() == "" {
		for _, dir := range defaultSysroots {
			if exists(dir) {
				t.sysroot = dir
			}
		}
		if t.sysroot == "" && exists(defaultSDK) {
			home = defaultSDK
		}
	}
	if home != "" {
		t.clang = filepath.Join(home, "bin", "clang")
		if t.sysroot == "" {
			t.sysroot = filepath.Join(home, "share", "wasi-sysroot")
		}
	}
	if err := t.findParts(); err != nil {
		return nil, err
	}
	return t, nil
}

// findParts finds the compiler, the target and the headers.
func (t *Toolchain) findParts() error {
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

// findArchiver finds llvm-ar, and checks that the linker and the compiler's runtime library exist,
// since building the library and linking need them.
func (t *Toolchain) findArchiver() (string, error) {
	if _, err := t.findProgram("wasm-ld"); err != nil {
		return "", err
	}
	builtins, err := t.askClang("-print-libgcc-file-name")
	if err != nil {
		return "", err
	}
	if !exists(builtins) {
		return "", &MissingError{"a part of clang, " + filepath.Base(builtins) + ",", packagesC}
	}
	return t.findProgram("llvm-ar")
}

// findProgram finds one of the programs that come with clang.
func (t *Toolchain) findProgram(name string) (string, error) {
	path, err := t.askClang("-print-prog-name=" + name)
	if err == nil {
		path, err = exec.LookPath(path)
	}
	if errors.Is(err, exec.ErrNotFound) {
		return "", &MissingError{name, packagesC}
	}
	return path, err
}

func (t *Toolchain) askClang(question string) (string, error) {
	out, err := exec.Command(t.clang, "--target="+t.target, question).Output()
	if err != nil {
		return "", fmt.Errorf("%s %s: %w", t.clang, question, err)
	}
	return strings.TrimSpace(string(out)), nil
}

const debianIncludes = "/usr/include"

// debianTarget is the target of Debian's wasi-libc, or empty without one.
func debianTarget() string {
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

// emulations are the parts of POSIX that WASI lacks and wasi-libc emulates on request: signals
// within the process, clocks of the process that count all time, one process number, and memory
// mapped by reading. Ordinary programs need them, so each is requested if the sysroot has it.
var emulations = []string{"signal", "process-clocks", "getpid", "mman"}

func (t *Toolchain) foundEmulations() (list []string) {
	for _, e := range emulations {
		if exists(filepath.Join(cmp.Or(t.sysroot, "/usr"), "lib", t.target, "libwasi-emulated-"+e+
			".a")) {
			list = append(list, e)
		}
	}
	return list
}

// stackFlags give a program a stack of 1 MiB at the lowest addresses, so that an overflow traps.
// The default of wasm-ld is 64 KiB above the program's variables, which an overflow overwrites
// without a trap. The user's own flags come later and take precedence.
var stackFlags = []string{"-Wl,-z,stack-size=1048576", "-Wl,--stack-first"}

// compileFlags are the flags with which clang compiles for wasport, with the headers in a
// directory.
func (t *Toolchain) compileFlags(include string, cxx bool) ([]string, error) {
	flags := []string{"--target=" + t.target}
	if t.threads {
		flags = append(flags, "-pthread")
	}
	if cxx {
		flags = append(flags, "-fno-exceptions") // libc++ for WebAssembly has none
	}
	for _, e := range t.foundEmulations() {
		flags = append(flags, "-D_WASI_EMULATED_"+strings.ToUpper(strings.ReplaceAll(e, "-", "_")))
	}
	if t.sysroot != "" {
		return append(flags, "--sysroot="+t.sysroot, "-isystem", include), nil
	}
	// In Debian's sysroot, clang would find the machine's own headers too, so each directory is
	// named. The flag is unused when linking.
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
