package rustguest_test

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/wasport/wasport"
	"github.com/wasport/wasport/internal/needs"
)

// built is what the tests compiled, each once.
var built struct {
	sync.Mutex
	dir     string
	runtime *wasport.Runtime
	done    map[string]bool // files in dir
	modules map[string]*wasport.Module
}

func TestMain(m *testing.M) {
	dir, err := os.MkdirTemp("", "rustguest")
	if err != nil {
		panic(err)
	}
	rt, err := wasport.NewRuntime(context.Background(), wasport.RuntimeConfig{})
	if err != nil {
		panic(err)
	}
	built.dir, built.runtime = dir, rt
	built.done = make(map[string]bool)
	built.modules = make(map[string]*wasport.Module)
	status := m.Run()
	rt.Close(context.Background())
	os.RemoveAll(dir)
	os.Exit(status)
}

// toolchain is a compiler and what it compiles for. The zero target is this machine.
type toolchain struct{ rustc, target string }

func toolchains(t *testing.T) (native, wasi toolchain) {
	t.Helper()
	rustc, target := needs.Rust(t)
	return toolchain{rustc, ""}, toolchain{rustc, target}
}

// dir is where the results for the target are.
func (c toolchain) dir() string { return filepath.Join(built.dir, "for-"+c.target) }

// command runs a program of the toolchain on the crate or on a source that uses it.
func (c toolchain) command(program string, args ...string) *exec.Cmd {
	args = append(args, "--edition=2021", "-L", c.dir())
	if c.target != "" {
		args = append(args, "--target", c.target)
	}
	return exec.Command(filepath.Join(filepath.Dir(c.rustc), program), args...)
}

// build compiles a source, after the crate that it uses, and returns the file. A warning is an
// error.
func (c toolchain) build(t *testing.T, source string) string {
	t.Helper()
	built.Lock()
	defer built.Unlock()
	c.compile(t, "src/lib.rs", "--crate-type=rlib", "--crate-name=wasport_net")
	c.compile(t, source, "--extern=wasport_net")
	name := strings.TrimSuffix(filepath.Base(source), ".rs")
	if c.target != "" {
		name += ".wasm"
	}
	return filepath.Join(c.dir(), name)
}

func (c toolchain) compile(t *testing.T, source string, flags ...string) {
	t.Helper()
	if key := c.target + source; built.done[key] {
		return
	} else {
		built.done[key] = true
	}
	cmd := c.command("rustc", append(flags, "-O", "-Dwarnings", "--out-dir", c.dir(), source)...)
	if text, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("rustc %s: %v\n%s", source, err, text)
	}
}

// guest is a source compiled as a guest.
func guest(t *testing.T, source string) *wasport.Module {
	t.Helper()
	_, wasi := toolchains(t)
	file := wasi.build(t, source)
	built.Lock()
	defer built.Unlock()
	if m, ok := built.modules[source]; ok {
		return m
	}
	wasm, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	m, err := built.runtime.Compile(context.Background(), wasm, wasport.CompileConfig{})
	if err != nil {
		t.Fatal(err)
	}
	built.modules[source] = m
	return m
}
