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

// need asks for a compiler, and for programs beside it.
func need(t *testing.T, programs ...string) {
	t.Helper()
	needs.Compiler(t)
	needs.Programs(t, programs...)
}

func do(t *testing.T, env []string, name string, args ...string) string {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), name, args...)
	cmd.Env = append(os.Environ(), env...)
	var errs strings.Builder
	cmd.Stderr = &errs
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("%s %s: %v\n%s%s", name, strings.Join(args, " "), err, out, errs.String())
	}
	return string(out)
}

// shared is a directory for what several tests need and none changes.
var shared string

func TestMain(m *testing.M) {
	var err error
	if shared, err = os.MkdirTemp("", "wasport-c-"); err != nil {
		panic(err)
	}
	status := m.Run()
	os.RemoveAll(shared)
	os.Exit(status)
}

// command builds wasport, and returns the directory that it is in.
func command(t *testing.T) string {
	dir := filepath.Join(shared, "bin")
	building.Do(func() {
		do(t, nil, "go", "build", "-o", dir+string(filepath.Separator),
			"../../cmd/wasport")
	})
	return dir
}

// install installs the library.
func install(t *testing.T) string {
	prefix := filepath.Join(shared, "prefix")
	installing.Do(func() {
		do(t, nil, "make", "-s", "-C", "../..", "install", "PREFIX="+prefix,
			"OUT="+t.TempDir())
	})
	return prefix
}

var building, installing sync.Once

// greets runs the client, which must tell what it was sent.
func greets(t *testing.T, wasport, client string) {
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
	out := do(t, nil, filepath.Join(wasport, "wasport"), "run", "--no-cache", "--allow-connect",
		"tcp://"+l.Addr().String(), client, host, port)
	if out != "hello\n" {
		t.Errorf("it printed %q", out)
	}
}

func TestPkgConfig(t *testing.T) {
	need(t, "make", "pkg-config")
	prefix, out := install(t), filepath.Join(t.TempDir(), "client.wasm")
	env := []string{"PKG_CONFIG_PATH=" + filepath.Join(prefix, "lib", "pkgconfig")}
	args := strings.Fields(do(t, env, "pkg-config", "--cflags", "wasport"))
	args = append(args, "../../examples/hello/client.c")
	args = append(args, strings.Fields(do(t, env, "pkg-config", "--libs", "wasport"))...)
	do(t, nil, "clang", append(args, "-o", out)...)
	greets(t, command(t), out)
}

func TestCMakeToolchain(t *testing.T) {
	need(t, "cmake", "make")
	wasport, dir := command(t), t.TempDir()
	toolchain, err := filepath.Abs("cmake/wasport-toolchain.cmake")
	if err != nil {
		t.Fatal(err)
	}
	env := []string{"PATH=" + wasport + string(filepath.ListSeparator) + os.Getenv("PATH"),
		"XDG_CACHE_HOME=" + t.TempDir()}
	do(t, env, "cmake", "-S", "../../examples/cmake", "-B", dir, "-DCMAKE_TOOLCHAIN_FILE="+
		toolchain)
	do(t, env, "cmake", "--build", dir)
	greets(t, wasport, filepath.Join(dir, "client.wasm"))
}

// TestCMakePackage finds the package with a compiler that is not ours, as a wasi-sdk's toolchain
// file sets it.
func TestCMakePackage(t *testing.T) {
	need(t, "cmake", "make")
	dir := t.TempDir()
	do(t, nil, "cmake", append([]string{"-S", "../../examples/cmake", "-B", dir},
		cmakePackage(t)...)...)
	do(t, nil, "cmake", "--build", dir)
	greets(t, command(t), filepath.Join(dir, "client"))
}

// TestCXX compiles a program in C++, which uses its library for everything but the sockets, and
// talks to it.
func TestCXX(t *testing.T) {
	need(t)
	needs.CompilerCXX(t)
	wasport, out := filepath.Join(command(t), "wasport"), filepath.Join(t.TempDir(), "lines.wasm")
	env := []string{"XDG_CACHE_HOME=" + t.TempDir()}
	do(t, env, wasport, "c++", "-std=c++17", "-O2", "-Wall", "-Wextra", "-Werror",
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
		t.Errorf("it answered %q, %v", got, err)
	}
	if err := cmd.Wait(); err != nil {
		t.Error(err)
	}
}
