//go:build unix

package bench

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// commandHost runs programs by a command. In its text {} stands for the module, and {name} for its
// name without ".wasm". dir has the modules, among Modules.
type commandHost struct{ text, dir string }

// name is that of the host in the figures.
func (c commandHost) name() string {
	if *againstName != "" {
		return *againstName
	}
	first, _, _ := strings.Cut(c.text, " ")
	return filepath.Base(first)
}

func (c commandHost) start(tb testing.TB, words []string) *program {
	tb.Helper()
	command := c.command(tb, words)
	return startProcess(tb, exec.Command(command[0], command[1:]...))
}

// command returns the words of a process that runs a program.
func (c commandHost) command(tb testing.TB, words []string) []string {
	tb.Helper()
	module := filepath.Join(buildDir, words[0]+".wasm")
	wasm, err := Modules.ReadFile(c.dir + words[0] + ".wasm")
	if err == nil {
		err = os.WriteFile(module, wasm, 0o666)
	}
	if err != nil {
		tb.Fatal(err)
	}
	fill := strings.NewReplacer("{}", module, "{name}", words[0])
	filled := fill.Replace(c.text)
	if filled == c.text {
		tb.Fatalf("got -against %q, want {} in it, for the module, or {name}", c.text)
	}
	return append(strings.Fields(filled), words[1:]...)
}

// TestCommandHost has the command run a workload, as a host to compare with.
func TestCommandHost(t *testing.T) {
	command := buildCommand(t)
	w := workload{subject: "pingpong client tcp PORT 10", peer: "pingpong server tcp"}
	host := commandHost{text: command +
		" run --no-cache --interpreter --allow-connect loopback {}"}
	if m := w.measure(t, host); m.units != 10 || m.cpu <= 0 || m.peerCPU <= 0 {
		t.Errorf("got %v, want 10 round trips and the processor time of both ends", m)
	}
}

// buildCommand builds wasport.
func buildCommand(tb testing.TB) string {
	tb.Helper()
	command := filepath.Join(buildDir, "wasport")
	build := exec.Command("go", "build", "-o", command, "./cmd/wasport")
	build.Dir = ".."
	// As releases are: with cgo, a cached start takes a tenth longer, for the loader of libraries.
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		tb.Fatalf("got %v, want the command built\n%s", err, out)
	}
	return command
}
