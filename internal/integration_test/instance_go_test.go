package integration_test

import (
	"bytes"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/wasport/wasport"
	"github.com/wasport/wasport/internal/needs"
)

// goLibrary is a library in Go.
const goLibrary = `package main

import "time"

var sum int32

//go:wasmexport add
func add(n int32) int32 { sum += n; return sum }

//go:wasmexport sleep
func sleep(ms int32) int32 { time.Sleep(time.Duration(ms) * time.Millisecond); return ms }

func main() {}
`

// TestGoLibraryAsInstance calls a library that Go's compiler made. Go's runtime ends the program if
// its poll fails, so a call that is cancelled while it waits ends the instance.
func TestGoLibraryAsInstance(t *testing.T) {
	if !canMeasure {
		t.Skip("compiles a library of Go only without -race")
	}
	dir := t.TempDir()
	for name, content := range map[string]string{
		"main.go": goLibrary, "go.mod": "module library\n",
	} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	needs.Programs(t, "go")
	build := exec.CommandContext(t.Context(), "go", "build", "-buildmode=c-shared", "-o",
		"library.wasm")
	build.Dir, build.Env = dir, append(os.Environ(), "GOOS=wasip1", "GOARCH=wasm", "GOFLAGS=")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	wasm, err := os.ReadFile(filepath.Join(dir, "library.wasm"))
	if err != nil {
		t.Fatal(err)
	}
	var stderr bytes.Buffer
	i := newInstance(t, compileModule(t, wasm), wasport.Config{Stderr: &stderr})
	for n := range uint64(100) {
		if got := mustCall(t, i, "add", 2); got != 2*(n+1) {
			t.Fatalf("got %d, want %d", got, 2*(n+1))
		}
	}
	if got := mustCall(t, i, "sleep", 1); got != 1 {
		t.Errorf("got %d from a sleep, want 1", got)
	}
	err = cutCall(t.Context(), errors.New("enough"), i.Call, "sleep", 1_000_000)
	if err == nil || i.Err() == nil {
		t.Errorf("got %v and the instance's %v, want errors", err, i.Err())
	}
	i.Close()
	if !strings.Contains(stderr.String(), "poll_oneoff failed") {
		t.Errorf("got %q, want the error of Go's runtime", stderr.String())
	}
}
