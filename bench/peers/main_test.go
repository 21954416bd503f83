package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

// TestPeer has wazy run a component of the benchmarks.
func TestPeer(t *testing.T) {
	command := filepath.Join(t.TempDir(), "wazy")
	if out, err := exec.Command("go", "build", "-o", command, ".").CombinedOutput(); err != nil {
		t.Fatalf("got %v, want the command built\n%s", err, out)
	}
	for file, want := range map[string]string{
		"../component/hello.wasm": "hello\n", "none.wasm": ""} {
		cmd := exec.Command(command, file)
		cmd.Stderr = os.Stderr
		if out, err := cmd.Output(); string(out) != want || (err == nil) != (want != "") {
			t.Errorf("%s: got %q and %v, want %q", file, out, err, want)
		}
	}
}
