//go:build unix

package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/wasport/wasport/internal/needs"
)

// stackGuest computes without an end or, with an argument, sleeps.
const stackGuest = `#include <stdio.h>
#include <unistd.h>

static volatile unsigned count;

__attribute__((noinline)) static int compute(void)
{
	for (unsigned i = 0;; i++)
		if (count++ == 1 && i > 1u << 31)
			return 1;
}

int main(int argc, char **argv)
{
	puts("started");
	fflush(stdout);
	return argc > 1 ? (int)sleep(1000) : compute();
}
`

// TestQuitPrintsStacks sends SIGQUIT while a guest computes, and while one waits. The guest goes
// on.
func TestQuitPrintsStacks(t *testing.T) {
	needs.Compiler(t)
	dir := t.TempDir()
	source, module := filepath.Join(dir, "a.c"), filepath.Join(dir, "a.wasm")
	if err := os.WriteFile(source, []byte(stackGuest), 0o644); err != nil {
		t.Fatal(err)
	}
	out, err := exec.Command("wasport", "cc", "-g", "-O2", source, "-o", module).CombinedOutput()
	if err != nil {
		t.Fatalf("wasport cc: got %v, want no error\n%s", err, out)
	}
	computes := []string{"wasport: thread 0 computes", "  at compute(",
		"       " + source + ":", "  at main(i32,i32) i32", "       " + source + ":"}
	for name, test := range map[string]struct {
		args, want []string
	}{
		"computing":   {[]string{"run", module}, computes},
		"interpreted": {[]string{"run", "--interpreter", module}, computes},
		"not interrupted": {[]string{"run", "--no-interrupt", module}, []string{"wasport: " +
			"thread 0 computes; it has no stack to show because of --no-interrupt"}},
		"waiting": {[]string{"run", module, "x"},
			[]string{"wasport: thread 0 is in poll_oneoff"}},
	} {
		t.Run(name, func(t *testing.T) {
			p := startWasport(t, test.args...)
			if line, err := p.out.ReadString('\n'); line != "started\n" {
				t.Fatalf("got output %q, %v, want started", line, err)
			}
			for range 2 { // The guest survives the first.
				p.quitUntil(test.want)
			}
			p.cmd.Process.Signal(os.Interrupt)
			want := 130
			if name == "not interrupted" {
				want = -1 // the signal itself ends the process
			}
			if status, stderr := p.wait(); status != want || strings.Contains(stderr, "goroutine") {
				t.Errorf("got status %d and %s, want %d without stacks of Go", status, stderr, want)
			}
		})
	}
}

// quitUntil sends signals until the output has lines that begin as wanted. A guest that has just
// written its first output does not wait yet, or is not in the function yet.
func (p *process) quitUntil(want []string) {
	p.t.Helper()
	p.cmd.Process.Signal(syscall.SIGQUIT)
	found := 0
	for line := range p.lines {
		if !strings.HasPrefix(line, want[found]) {
			found = 0
			p.cmd.Process.Signal(syscall.SIGQUIT)
		} else if found++; found == len(want) {
			return
		}
	}
	p.t.Fatalf("got no lines %q, want them", want)
}
