package components

import (
	"bytes"
	"context"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/wasport/wasport"
)

// wasip2 returns the folder of wazy's components for WASI 0.2.
var wasip2 = sync.OnceValues(func() (string, error) {
	out, err := exec.Command("go", "list", "-m", "-f", "{{.Dir}}", "github.com/samyfodil/wazy").
		Output()
	return filepath.Join(strings.TrimSpace(string(out)), "imports", "wasip2", "testdata"), err
})

// read reads a file of wazy's testdata. It returns nil if there is none.
func read(t testing.TB, name string) []byte {
	t.Helper()
	dir, err := wasip2()
	if err != nil {
		t.Fatal(err)
	}
	b, err := os.ReadFile(filepath.Join(dir, filepath.FromSlash(name)))
	if err != nil && !os.IsNotExist(err) {
		t.Fatal(err)
	}
	return b
}

// program compiles a component of wazy's.
func program(t testing.TB, name string) *wasport.Module {
	t.Helper()
	wasm := read(t, name+".component.wasm")
	if wasm == nil {
		t.Fatalf("wazy has no component %s", name)
	}
	ctx := context.Background()
	rt, err := wasport.NewRuntime(ctx, wasport.RuntimeConfig{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { rt.Close(ctx) })
	mod, err := rt.Compile(ctx, wasm, wasport.CompileConfig{})
	if err != nil {
		t.Fatal(err)
	}
	return mod
}

// output is what a guest printed, and how it ended.
type output struct {
	stdout, stderr bytes.Buffer
	status         wasport.Status
	err            error
}

// run runs a component to its end. The first argument is its name.
func run(t *testing.T, name string, c wasport.Config) *output {
	t.Helper()
	var o output
	c.Args = append([]string{name}, c.Args...)
	c.Stderr = &o.stderr
	if c.Stdout == nil {
		c.Stdout = &o.stdout
	}
	o.status, o.err = program(t, name).Run(context.Background(), c)
	return &o
}

// mount makes a directory with files, which the guest has as /.
func mount(t *testing.T, files map[string]string) (wasport.Dir, string) {
	t.Helper()
	dir := t.TempDir()
	for name, text := range files {
		path := filepath.Join(dir, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(path), 0o777); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	return wasport.Dir{Host: dir, Guest: "/"}, dir
}

// check compares the output and the end of a guest.
func (o *output) check(t *testing.T, stdout string, code uint32) {
	t.Helper()
	if o.err != nil || o.status.Code != code {
		t.Errorf("got status %d and error %v, want status %d; stderr: %s", o.status.Code, o.err,
			code, &o.stderr)
	}
	if got := o.stdout.String(); got != stdout {
		t.Errorf("got\n%s\nwant\n%s", got, stdout)
	}
}

// readFile returns the text of a file that a guest wrote.
func readFile(t *testing.T, path ...string) string {
	t.Helper()
	b, err := os.ReadFile(filepath.Join(path...))
	if err != nil {
		t.Error(err)
	}
	return string(b)
}

// stdin returns a reader, nil for nothing.
func stdin(b []byte) io.Reader {
	if b == nil {
		return nil
	}
	return bytes.NewReader(b)
}
