//go:build unix

package main

import (
	"os"
	"os/exec"
	"syscall"
	"testing"
	"time"
)

// fullPipe makes a pipe that takes nothing more, and that nobody reads.
func fullPipe(t *testing.T) *os.File {
	t.Helper()
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { r.Close(); w.Close() })
	for {
		w.SetWriteDeadline(time.Now().Add(10 * time.Millisecond))
		if _, err := w.Write(make([]byte, 1<<16)); err != nil {
			break
		}
	}
	w.Fd() // puts it into blocking mode, as a shell hands it on
	return w
}

// TestStalledOutput ends the command although what takes its output does not.
func TestStalledOutput(t *testing.T) {
	const flood, keepWriting = "testdata/module/flood.wasm", "../../testdata/outside.wasm"
	for _, test := range []struct {
		name string
		out  bool // stdout is stalled, else stderr
		args []string
	}{
		{"refusals", false, []string{flood}},
		{"trace", false, []string{"--trace", flood}},
		{"trace on stdout", true, []string{"--trace-file=-", flood}},
		{"audit on stderr", false, []string{"--audit=/dev/stderr", flood}},
		{"audit on stdout", true, []string{"--audit=-", flood}},
		{"learning to stdout", true, []string{"--learn=-", flood}},
		{"the guest's stdout", true, []string{"-f", "keep_writing", keepWriting}},
		{"metrics", false, []string{"--metrics=127.0.0.1:0", flood}},
	} {
		for _, end := range []struct {
			name   string
			status int
		}{{"timeout", statusTimeout}, {"SIGTERM", statusSignal + int(syscall.SIGTERM)}} {
			t.Run(test.name+", "+end.name, func(t *testing.T) {
				t.Parallel()
				args := []string{"run", "--resolver=127.0.0.1:1"}
				if end.name == "timeout" {
					args = append(args, "--timeout=300ms")
				}
				var stdout, stderr *os.File
				if test.out {
					stdout = fullPipe(t)
				} else {
					stderr = fullPipe(t)
				}
				// That it is stalled already cannot be seen from outside; a signal that comes
				// before the command looks out for it ends it at once.
				for wait := 500 * time.Millisecond; ; wait *= 2 {
					cmd := exec.Command("wasport", append(args, test.args...)...)
					cmd.Env = append(os.Environ(), "GORACE=atexit_sleep_ms=0")
					if test.out {
						cmd.Stdout = stdout
					} else {
						cmd.Stderr = stderr
					}
					if err := cmd.Start(); err != nil {
						t.Fatal(err)
					}
					if end.name == "SIGTERM" {
						time.Sleep(wait)
						cmd.Process.Signal(syscall.SIGTERM)
					}
					hangs := time.AfterFunc(patience, func() { cmd.Process.Kill() })
					cmd.Wait()
					hangs.Stop()
					state := cmd.ProcessState.Sys().(syscall.WaitStatus)
					if state.Signaled() && state.Signal() == syscall.SIGTERM && wait < patience {
						continue
					}
					if got := state.ExitStatus(); got != end.status {
						t.Errorf("got exit status %d, want %d", got, end.status)
					}
					return
				}
			})
		}
	}
}
