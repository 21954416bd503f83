package guestc_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/wasport/wasport/internal/needs"
)

// processC is a program that uses the emulations of wasi-libc, and arrays on the stack: of 80 kB,
// and of 2 MB if it has an argument.
const processC = `
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

static int global = 42;
static volatile sig_atomic_t caught;
static void catch(int number) { caught = number; }

__attribute__((__noinline__)) static int some(void)
{
	volatile char a[80000];
	for (unsigned i = 0; i < sizeof a; i++)
		a[i] = 1;
	return a[4];
}

__attribute__((__noinline__)) static int much(void)
{
	volatile char a[2000000];
	for (unsigned i = 0; i < sizeof a; i++)
		a[i] = 1;
	return a[4];
}

int main(int argc, char **argv)
{
	void *page = mmap(NULL, 65536, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANON, -1, 0);
	(void)argv;
	signal(SIGTERM, catch);
	raise(SIGTERM);
	printf("%d %d %d %d %d\n", caught == SIGTERM, getpid() > 0, clock() != (clock_t)-1, page != MAP_FAILED,
		argc > 1 ? much() : some());
	printf("%d\n", global);
	return 0;
}
`

// cmakeLists compiles processC by CMake.
const cmakeLists = `
cmake_minimum_required(VERSION 3.18)
project(process C)
find_package(wasport REQUIRED)
add_executable(process process.c)
set_target_properties(process PROPERTIES SUFFIX .wasm)
target_link_libraries(process wasport::wasport)
`

// compileWays compile process.c in a directory to process.wasm there.
var compileWays = map[string]func(t *testing.T, wasport, dir string){
	"wasport cc": func(t *testing.T, wasport, dir string) {
		compileWith(t, filepath.Join(wasport, "wasport"), dir, []string{"cc"}, nil)
	},
	"clang, with what pkg-config says": func(t *testing.T, _, dir string) {
		needCompiler(t, "make", "pkg-config")
		env := []string{"PKG_CONFIG_PATH=" + filepath.Join(installLibrary(t), "lib", "pkgconfig")}
		version := runProgram(t, env, "pkg-config", "--modversion", "wasport")
		if version == "0\n" || !strings.Contains(version, ".") {
			t.Errorf("got version %q, want the library's", version)
		}
		compileWith(t, "clang", dir,
			strings.Fields(runProgram(t, env, "pkg-config", "--cflags", "wasport")),
			strings.Fields(runProgram(t, env, "pkg-config", "--libs", "wasport")))
	},
	"CMake, with the toolchain file": func(t *testing.T, wasport, dir string) {
		needCompiler(t, "cmake", "make")
		toolchain, err := filepath.Abs("cmake/wasport-toolchain.cmake")
		if err != nil {
			t.Fatal(err)
		}
		env := []string{"PATH=" + wasport + string(filepath.ListSeparator) + os.Getenv("PATH")}
		runProgram(t, env, "cmake", "-S", dir, "-B", dir, "-DCMAKE_TOOLCHAIN_FILE="+toolchain)
		runProgram(t, env, "cmake", "--build", dir)
	},
	"CMake, with the package": func(t *testing.T, _, dir string) {
		needCompiler(t, "cmake", "make")
		runProgram(
			t,
			nil,
			"cmake",
			append([]string{"-S", dir, "-B", dir}, cmakePackageArgs(t)...)...)
		runProgram(t, nil, "cmake", "--build", dir)
	},
}

func compileWith(t *testing.T, compiler, dir string, before, after []string) {
	t.Helper()
	args := append(before, "-O1", "-Wall", "-Wextra", "-Werror", filepath.Join(dir, "process.c"))
	args = append(append(args, after...), "-o", filepath.Join(dir, "process.wasm"))
	runProgram(t, nil, compiler, args...)
}

// TestDocumentedWaysToCompile compiles a program in each way that the documents describe. Its stack
// must have room for 80 kB, and an overflow must be a trap that names the stack and the function.
func TestDocumentedWaysToCompile(t *testing.T) {
	needCompiler(t)
	t.Setenv("XDG_CACHE_HOME", t.TempDir())
	wasport := buildWasport(t)
	for name, compile := range compileWays {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			for file, text := range map[string]string{"process.c": processC,
				"CMakeLists.txt": cmakeLists} {
				if err := os.WriteFile(filepath.Join(dir, file), []byte(text), 0o600); err != nil {
					t.Fatal(err)
				}
			}
			compile(t, wasport, dir)
			run := []string{"run", "--no-cache", filepath.Join(dir, "process.wasm")}
			got := runProgram(t, nil, filepath.Join(wasport, "wasport"), run...)
			if want := "1 1 1 1 1\n42\n"; got != want {
				t.Errorf("got %q, want %q", got, want)
			}
			checkOverflow(t, filepath.Join(wasport, "wasport"), append(run, "much"))
		})
	}
}

// TestStackSizeSetByUser links with other stack sizes than the default.
func TestStackSizeSetByUser(t *testing.T) {
	needCompiler(t)
	t.Setenv("XDG_CACHE_HOME", t.TempDir())
	wasport, dir := filepath.Join(buildWasport(t), "wasport"), t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "process.c"), []byte(processC), 0o600); err != nil {
		t.Fatal(err)
	}
	run := []string{"run", "--no-cache", filepath.Join(dir, "process.wasm")}

	compileWith(t, wasport, dir, []string{"cc"}, []string{"-Wl,-z,stack-size=4194304"})
	if got, want := runProgram(t, nil, wasport,
		append(run, "much")...), "1 1 1 1 1\n42\n"; got != want {
		t.Errorf("with 4 MiB: got %q, want %q", got, want)
	}
	compileWith(t, wasport, dir, []string{"cc"}, []string{"-Wl,-z,stack-size=65536"})
	checkOverflow(t, wasport, run)
}

// checkOverflow runs a program, the stack of which must overflow.
func checkOverflow(t *testing.T, wasport string, args []string) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), wasport, args...)
	out, err := cmd.CombinedOutput()
	first, rest, _ := strings.Cut(string(out), "\n")
	const want = "wasport: trap: out of bounds memory access: stack overflow, see "
	if cmd.ProcessState == nil || cmd.ProcessState.ExitCode() != 126 ||
		!strings.HasPrefix(first, want) {
		t.Errorf("got %v\n%s, want status 126 and\n%s…", err, out, want)
	}
	if at, _, _ := strings.Cut(rest, "\n"); !strings.Contains(at, "main") &&
		!strings.Contains(at, "much") &&
		!strings.Contains(at, "some") {
		t.Errorf("got %q, want the function that overflowed", at)
	}
}

// cmakePackageArgs are arguments for cmake that set a compiler, as a wasi-sdk's toolchain file
// does, and find the installed package.
func cmakePackageArgs(t *testing.T) []string {
	needs.Compiler(t) // of Debian, which the sysroot is made of
	prefix, sysroot := installLibrary(t), t.TempDir()
	for _, part := range []string{"include", "lib"} {
		if err := os.Mkdir(filepath.Join(sysroot, part), 0o777); err != nil {
			t.Fatal(err)
		}
		if err := os.Symlink("/usr/"+part+"/wasm32-wasi",
			filepath.Join(sysroot, part, "wasm32-wasi")); err != nil {
			t.Fatal(err)
		}
	}
	return []string{"-DCMAKE_SYSTEM_NAME=Generic", "-DCMAKE_PREFIX_PATH=" + prefix,
		"-DCMAKE_C_COMPILER=clang", "-DCMAKE_C_COMPILER_TARGET=wasm32-wasi", "-DCMAKE_SYSROOT=" +
			sysroot}
}
