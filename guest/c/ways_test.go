package guestc_test

import (
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/wasport/wasport/internal/needs"
)

// The ways in which programs are compiled that do not end at wasport cc by themselves. Each
// compiles examples/hello/client.c, which must then do its work.

// needCompiler skips the test without a compiler for guests, and without other programs.
func needCompiler(t *testing.T, programs ...string) {
	t.Helper()
	needs.Compiler(t)
	needs.Programs(t, programs...)
}

func runProgram(t *testing.T, env []string, name string, args ...string) string {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), name, args...)
	cmd.Env = append(os.Environ(), env...)
	var errs strings.Builder
	cmd.Stderr = &errs
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("%s %s: got %v, want success\n%s%s", name, strings.Join(args, " "), err, out,
			errs.String())
	}
	return string(out)
}

// sharedDir holds the command and the installed library, which tests share and do not change.
var sharedDir string

func TestMain(m *testing.M) {
	var err error
	if sharedDir, err = os.MkdirTemp("", "wasport-c-"); err != nil {
		panic(err)
	}
	status := m.Run()
	os.RemoveAll(sharedDir)
	os.Exit(status)
}

// buildWasport builds the command wasport, once, and returns its directory.
func buildWasport(t *testing.T) string {
	dir := filepath.Join(sharedDir, "bin")
	buildOnce.Do(func() {
		runProgram(t, nil, "go", "build", "-o", dir+string(filepath.Separator),
			"../../cmd/wasport")
	})
	return dir
}

// installLibrary installs the library, once, and returns the prefix.
func installLibrary(t *testing.T) string {
	prefix := filepath.Join(sharedDir, "prefix")
	installOnce.Do(func() {
		runProgram(t, nil, "make", "-s", "-C", "../..", "install", "PREFIX="+prefix,
			"OUT="+t.TempDir())
	})
	return prefix
}

var buildOnce, installOnce sync.Once

// checkClient runs the client against a server, and compares its output with the server's.
func checkClient(t *testing.T, wasport, client string) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			io.WriteString(c, "hello\n")
			c.Close()
		}
	}()
	host, port, _ := net.SplitHostPort(l.Addr().String())
	out := runProgram(
		t,
		nil,
		filepath.Join(wasport, "wasport"),
		"run",
		"--no-cache",
		"--allow-connect",
		"tcp://"+l.Addr().String(),
		client,
		host,
		port,
	)
	if out != "hello\n" {
		t.Errorf("got %q, want %q", out, "hello\n")
	}
}

func TestCompileWithPkgConfig(t *testing.T) {
	needCompiler(t, "make", "pkg-config")
	prefix, out := installLibrary(t), filepath.Join(t.TempDir(), "client.wasm")
	env := []string{"PKG_CONFIG_PATH=" + filepath.Join(prefix, "lib", "pkgconfig")}
	args := strings.Fields(runProgram(t, env, "pkg-config", "--cflags", "wasport"))
	args = append(args, "../../examples/hello/client.c")
	args = append(args, strings.Fields(runProgram(t, env, "pkg-config", "--libs", "wasport"))...)
	runProgram(t, nil, "clang", append(args, "-o", out)...)
	checkClient(t, buildWasport(t), out)
}

func TestCompileWithCMakeToolchain(t *testing.T) {
	needCompiler(t, "cmake", "make")
	wasport, dir := buildWasport(t), t.TempDir()
	toolchain, err := filepath.Abs("cmake/wasport-toolchain.cmake")
	if err != nil {
		t.Fatal(err)
	}
	env := []string{"PATH=" + wasport + string(filepath.ListSeparator) + os.Getenv("PATH"),
		"XDG_CACHE_HOME=" + t.TempDir()}
	runProgram(t, env, "cmake", "-S", "../../examples/cmake", "-B", dir, "-DCMAKE_TOOLCHAIN_FILE="+
		toolchain)
	runProgram(t, env, "cmake", "--build", dir)
	checkClient(t, wasport, filepath.Join(dir, "client.wasm"))
}

// TestCompileWithCMakePackage finds the package with a compiler that the package does not set, as a
// wasi-sdk's toolchain file does.
func TestCompileWithCMakePackage(t *testing.T) {
	needCompiler(t, "cmake", "make")
	dir := t.TempDir()
	runProgram(t, nil, "cmake", append([]string{"-S", "../../examples/cmake", "-B", dir},
		cmakePackageArgs(t)...)...)
	runProgram(t, nil, "cmake", "--build", dir)
	checkClient(t, buildWasport(t), filepath.Join(dir, "client"))
}

// TestCompileCXX compiles a program in C++ that uses its standard library, and talks to it.
func TestCompileCXX(t *testing.T) {
	needCompiler(t)
	needs.CompilerCXX(t)
	wasport, out := filepath.Join(
		buildWasport(t),
		"wasport",
	), filepath.Join(t.TempDir(), "lines.wasm")
	env := []string{"XDG_CACHE_HOME=" + t.TempDir()}
	runProgram(t, env, wasport, "c++", "-std=c++17", "-O2", "-Wall", "-Wextra", "-Werror",
		"../../examples/cpp/lines.cpp", "-o", out)

	cmd := exec.CommandContext(t.Context(), wasport, "run", "--no-cache", "--allow-listen",
		"loopback", out)
	stdout, err := cmd.StdoutPipe()
	if err == nil {
		err = cmd.Start()
	}
	if err != nil {
		t.Fatal(err)
	}
	var port int
	if _, err := fmt.Fscanf(stdout, "listening on port %d\n", &port); err != nil {
		t.Fatal(err)
	}
	c, err := net.Dial("tcp", fmt.Sprintf("127.0.0.1:%d", port))
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	if _, err := io.WriteString(c, "one two three\n\n  four  five\nend\n"); err != nil {
		t.Fatal(err)
	}
	got, err := io.ReadAll(c)
	if want := "3 words\n0 words\n2 words\n1 words\n"; err != nil || string(got) != want {
		t.Errorf("got %q, %v, want %q", got, err, want)
	}
	if err := cmd.Wait(); err != nil {
		t.Error(err)
	}
}
