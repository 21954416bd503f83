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

// built has the results of compilations, so that each source is compiled once.
var built struct {
	dir     string
	runtime *wasport.Runtime

	// mu protects the maps, and is held while a source is compiled.
	mu sync.Mutex
	// sources has the target and the source of each file in dir.
	sources map[string]bool
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
	built.sources = make(map[string]bool)
	built.modules = make(map[string]*wasport.Module)
	status := m.Run()
	rt.Close(context.Background())
	os.RemoveAll(dir)
	os.Exit(status)
}

// toolchain is a compiler and its target. The empty target is this machine.
type toolchain struct{ rustc, target string }

func toolchains(t *testing.T) (native, wasi toolchain) {
	t.Helper()
	rustc, target := needs.Rust(t)
	return toolchain{rustc, ""}, toolchain{rustc, target}
}

// dir returns the directory of the results for the target.
func (c toolchain) dir() string { return filepath.Join(built.dir, "for-"+c.target) }

// command returns a command of the toolchain, rustc or rustdoc, that finds the compiled crate.
func (c toolchain) command(program string, args ...string) *exec.Cmd {
	args = append(args, "--edition=2021", "-L", c.dir())
	if c.target != "" {
		args = append(args, "--target", c.target)
	}
	return exec.Command(filepath.Join(filepath.Dir(c.rustc), program), args...)
}

// build compiles the crate and a source that uses it, and returns the file. A warning is an error.
func (c toolchain) build(t *testing.T, source string) string {
	t.Helper()
	built.mu.Lock()
	defer built.mu.Unlock()
	c.compile(t, "src/lib.rs", "--crate-type=rlib", "--crate-name=wasport_net")
	c.compile(t, source, "--extern=wasport_net")
	name := strings.TrimSuffix(filepath.Base(source), ".rs")
	if c.target != "" {
		name += ".wasm"
	}
	return filepath.Join(c.dir(), name)
}

// compile runs rustc on a source. The caller holds built.mu.
func (c toolchain) compile(t *testing.T, source string, flags ...string) {
	t.Helper()
	key := c.target + source
	if built.sources[key] {
		return
	}
	built.sources[key] = true
	cmd := c.command("rustc", append(flags, "-O", "-Dwarnings", "--out-dir", c.dir(), source)...)
	if text, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("rustc %s: got %v, want no error\n%s", source, err, text)
	}
}

// compileGuest compiles a source to a module.
func compileGuest(t *testing.T, source string) *wasport.Module {
	t.Helper()
	_, wasi := toolchains(t)
	file := wasi.build(t, source)
	built.mu.Lock()
	defer built.mu.Unlock()
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
