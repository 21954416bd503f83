// Package guesttest builds Go programs for tests, natively and as guests, and runs them.
//
// It has the code that tests of several Go modules share. The programs and the comparisons belong
// to the tests.
package guesttest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/wasport/wasport"
	"github.com/wasport/wasport/internal/testutil"
	"github.com/wasport/wasport/policy"
)

// Programs builds each program once. Its methods may be called from several goroutines.
type Programs struct {
	dir     string
	runtime *wasport.Runtime

	// mu protects the two maps, and is held while a program is built.
	mu      sync.Mutex
	files   map[string]string
	modules map[string]*wasport.Module
}

// Main sets *programs, runs a package's tests, deletes the programs, and returns the exit status.
func Main(m *testing.M, programs **Programs) int {
	dir, err := os.MkdirTemp("", "wasport-programs")
	if err != nil {
		panic(err)
	}
	defer os.RemoveAll(dir)
	rt, err := wasport.NewRuntime(context.Background(), wasport.RuntimeConfig{})
	if err != nil {
		panic(err)
	}
	defer rt.Close(context.Background())
	*programs = &Programs{dir: dir, runtime: rt, files: make(map[string]string),
		modules: make(map[string]*wasport.Module)}
	return m.Run()
}

// Native builds a package for this machine, with flags of go build, and returns the file.
func (p *Programs) Native(t testing.TB, pkg string, flags ...string) string {
	t.Helper()
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.build(t, "", pkg, flags)
}

// Wasm builds a package for GOOS=wasip1, and returns the file.
func (p *Programs) Wasm(t testing.TB, pkg string, flags ...string) string {
	t.Helper()
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.build(t, "wasip1", pkg, flags)
}

// Guest builds a package for GOOS=wasip1, and compiles the module.
func (p *Programs) Guest(t testing.TB, pkg string, flags ...string) *wasport.Module {
	t.Helper()
	p.mu.Lock()
	defer p.mu.Unlock()
	file := p.build(t, "wasip1", pkg, flags)
	if m, ok := p.modules[file]; ok {
		return m
	}
	wasm, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	m, err := p.runtime.Compile(context.Background(), wasm, wasport.CompileConfig{})
	if err != nil {
		t.Fatal(err)
	}
	p.modules[file] = m
	return m
}

func (p *Programs) build(t testing.TB, goos, pkg string, flags []string) string {
	t.Helper()
	key := fmt.Sprint(goos, pkg, flags)
	if file, ok := p.files[key]; ok {
		return file
	}
	file := filepath.Join(p.dir, fmt.Sprintf("%d-%s", len(p.files), filepath.Base(pkg)))
	args := append([]string{"build", "-o", file}, flags...)
	cmd := exec.Command("go", append(args, pkg)...)
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
	if goos != "" {
		cmd.Env = append(cmd.Env, "GOOS="+goos, "GOARCH=wasm")
	}
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v: %v\n%s", cmd, err, out)
	}
	p.files[key] = file
	return file
}

// Policy returns a policy of rules, each a line.
func Policy(t testing.TB, rules string) *policy.Policy {
	t.Helper()
	return testutil.Policy(t, strings.Split(rules, "\n")...)
}

// Output runs a guest, which must end with status 0, and returns its stdout.
func Output(t testing.TB, m *wasport.Module, c wasport.Config) string {
	t.Helper()
	var out, errs bytes.Buffer
	c.Stdout, c.Stderr = &out, &errs
	status, err := m.Run(t.Context(), c)
	if err != nil || status.Code != 0 {
		t.Errorf("got status %d, %v, want 0; the guest printed\n%s%s",
			status.Code, err, &out, &errs)
	}
	return out.String()
}

// NativeOutput runs a native program, which must end with status 0, and returns its stdout.
func NativeOutput(t testing.TB, file string, env []string, args ...string) string {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), file, args...)
	cmd.Env = append(os.Environ(), env...)
	out, err := cmd.Output()
	if err != nil {
		var exit *exec.ExitError
		if errors.As(err, &exit) {
			out = append(out, exit.Stderr...)
		}
		t.Fatalf("natively: got %v, want no error\n%s", err, out)
	}
	return string(out)
}

// Serve starts a guest whose first line has the addresses of its servers, and returns them. The end
// of the test ends it.
func Serve(t testing.TB, m *wasport.Module, c wasport.Config) []string {
	t.Helper()
	r, w := io.Pipe()
	c.Stdout, c.Stderr = w, os.Stderr
	ctx, stop := context.WithCancel(context.Background())
	g, err := m.Start(ctx, c)
	if err != nil {
		stop()
		t.Fatal(err)
	}
	go func() {
		g.Wait()
		w.Close()
	}()
	t.Cleanup(func() {
		stop()
		r.Close()
		g.Wait()
	})
	return firstLine(t, r)
}

// ServeNative does the same with a native program.
func ServeNative(t testing.TB, cmd *exec.Cmd) []string {
	t.Helper()
	cmd.Stderr = os.Stderr
	out, err := cmd.StdoutPipe()
	if err == nil {
		err = cmd.Start()
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		cmd.Process.Kill()
		cmd.Wait()
	})
	return firstLine(t, out)
}

func firstLine(t testing.TB, r io.Reader) []string {
	t.Helper()
	var line []byte
	for b := make([]byte, 1); ; {
		if _, err := io.ReadFull(r, b); err != nil {
			t.Fatalf("got %q, %v, want a line with the server's addresses", line, err)
		}
		if b[0] == '\n' {
			return strings.Fields(string(line))
		}
		line = append(line, b[0])
	}
}
