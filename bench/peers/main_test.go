package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// TestPeer has wazy run a component of the benchmarks.
func TestPeer(t *testing.T) {
	command := filepath.Join(t.TempDir(), "wazy")
	if out, err := exec.Command("go", "build", "-o", command, ".").CombinedOutput(); err != nil {
		t.Fatalf("got %v, want the command built\n%s", err, out)
	}
	for _, row := range []struct {
		args []string
		want string
	}{
		{[]string{"../component/hello.wasm"}, "hello\n"},
		{[]string{"../component/datagram.wasm", "send", "1", "64", "0"}, "result 0 "},
		{[]string{"none.wasm"}, ""},
	} {
		cmd := exec.Command(command, row.args...)
		cmd.Stderr = os.Stderr
		out, err := cmd.Output()
		if !strings.HasPrefix(string(out), row.want) || (err == nil) != (row.want != "") {
			t.Errorf("%q: got %q and %v, want %q", row.args, out, err, row.want)
		}
	}
}
