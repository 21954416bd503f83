package main

import (
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

// TestHandler serves requests by the server of examples/httpserver.
func TestHandler(t *testing.T) {
	if testing.Short() {
		t.Skip("builds Go's net/http for wasip1")
	}
	file := filepath.Join(t.TempDir(), "server.wasm")
	build := exec.Command("go", "build", "-o", file,
		"github.com/wasport/wasport/examples/httpserver")
	build.Env = append(os.Environ(), "GOOS=wasip1", "GOARCH=wasm")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	handler, err := handlerOf(t.Context(), file)
	if err != nil {
		t.Fatal(err)
	}
	for range 3 {
		w := httptest.NewRecorder()
		handler.ServeHTTP(w, httptest.NewRequest("GET", "/world", nil))
		if got, want := w.Body.String(), "hello world, from WebAssembly\n"; got != want {
			t.Errorf("got status %d, %q; want %q", w.Code, got, want)
		}
	}
}
