//go:build unix

package main

import (
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// fullPipe returns the write end of a full pipe without a reader (pipe(7)).
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
	w.Fd() // sets blocking mode, which pipes of a shell have
	return w
}

// TestEndOfCommandWithStalledOutput ends the command while its output blocks.
func TestEndOfCommandWithStalledOutput(t *testing.T) {
	const (
		flood       = "testdata/module/flood.wasm"
		keepWriting = "../../internal/integration_test/testdata/outside.wasm"
	)
	for _, test := range []struct {
		name string
		out  bool // stdout is stalled, otherwise stderr
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
				// The test cannot observe that the output is stalled. A signal before the
				// command handles signals kills it; the test then waits longer.
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
					hangs := time.AfterFunc(testTimeout, func() { cmd.Process.Kill() })
					cmd.Wait()
					hangs.Stop()
					state := cmd.ProcessState.Sys().(syscall.WaitStatus)
					if state.Signaled() && state.Signal() == syscall.SIGTERM && wait < testTimeout {
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

// TestTimeoutCoversOpenOfFIFO has the command open outputs that are FIFOs without a reader.
func TestTimeoutCoversOpenOfFIFO(t *testing.T) {
	for _, flag := range []string{"--audit", "--trace-file", "--learn"} {
		t.Run(flag, func(t *testing.T) {
			t.Parallel()
			fifo := filepath.Join(t.TempDir(), "fifo")
			if err := syscall.Mkfifo(fifo, 0o600); err != nil {
				t.Fatal(err)
			}
			cmd := exec.Command("wasport", "run", "--timeout=300ms", flag, fifo,
				"../../internal/guests/exit.wasm", "0")
			if err := cmd.Start(); err != nil {
				t.Fatal(err)
			}
			hangs := time.AfterFunc(testTimeout, func() { cmd.Process.Kill() })
			defer hangs.Stop()
			cmd.Wait()
			if got := cmd.ProcessState.ExitCode(); got != statusTimeout {
				t.Errorf("got exit status %d, want %d", got, statusTimeout)
			}
		})
	}
}

// TestTimeoutCoversReadOfModule has the command read a module from a FIFO: without a writer, and
// with one that writes nothing or only a part.
func TestTimeoutCoversReadOfModule(t *testing.T) {
	for _, row := range []struct {
		name    string
		written string
		open    bool
	}{
		{"no writer", "", false},
		{"silent writer", "", true},
		{"part of a module", "\x00asm\x01\x00\x00\x00", true},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			fifo := filepath.Join(t.TempDir(), "module.wasm")
			if err := syscall.Mkfifo(fifo, 0o600); err != nil {
				t.Fatal(err)
			}
			if row.open {
				w, err := os.OpenFile(fifo, os.O_RDWR, 0) // does not wait for a reader: fifo(7)
				if err != nil {
					t.Fatal(err)
				}
				defer w.Close()
				if _, err := io.WriteString(w, row.written); err != nil {
					t.Fatal(err)
				}
			}
			p := startWasport(t, "run", "--name=web", "--timeout=300ms", fifo)
			status, stderr := p.wait()
			const want = "wasport: web: the time given by --timeout is over\n"
			if status != statusTimeout || stderr != want {
				t.Errorf("got exit status %d and %q, want %d and %q", status, stderr,
					statusTimeout, want)
			}
		})
	}
}

// TestTimeoutCoversCompilation lets the time end while the module is compiled: not before, when the
// command reads it, and not after.
func TestTimeoutCoversCompilation(t *testing.T) {
	const file, want = "../../internal/guests/block.wasm", "wasport: web: the compilation " +
		"was ended: the time given by --timeout is over\n"
	var got []string
	for n := range 64 {
		timeout := time.Millisecond << (n % 8)
		status, stderr := startWasport(t, "run", "--no-cache", "--name=web",
			"--timeout="+timeout.String(), file).wait()
		if status == statusTimeout && stderr == want {
			return
		}
		got = append(got, stderr)
	}
	t.Errorf("got %q, want %q", got, want)
}

// TestModuleFromFIFO has the command run a module that arrives on a FIFO within --timeout.
func TestModuleFromFIFO(t *testing.T) {
	wasm, err := os.ReadFile("../../internal/guests/exit.wasm")
	if err != nil {
		t.Fatal(err)
	}
	fifo := filepath.Join(t.TempDir(), "module.wasm")
	if err := syscall.Mkfifo(fifo, 0o600); err != nil {
		t.Fatal(err)
	}
	p := startWasport(t, "run", "--timeout=1m", "--interpreter", fifo, "7")
	if err := os.WriteFile(fifo, wasm, 0); err != nil {
		t.Fatal(err)
	}
	if status, stderr := p.wait(); status != 7 {
		t.Errorf("got exit status %d, want 7; stderr: %s", status, stderr)
	}
}

// TestInheritedDescriptorIsAppendedTo writes to a descriptor that the shell has opened at the end
// of a file.
func TestInheritedDescriptorIsAppendedTo(t *testing.T) {
	for _, flag := range []string{"--audit", "--trace-file", "--learn"} {
		t.Run(flag, func(t *testing.T) {
			name := filepath.Join(t.TempDir(), "log")
			writeFile(t, name, "# before\n")
			for _, mode := range []int{os.O_APPEND, 0} {
				file, err := os.OpenFile(name, os.O_WRONLY|mode, 0)
				if err != nil {
					t.Fatal(err)
				}
				if _, err := file.Seek(0, io.SeekEnd); err != nil {
					t.Fatal(err)
				}
				cmd := exec.Command("wasport", "run", flag, "/dev/fd/3",
					"../../internal/guests/tcp_client.wasm", "127.0.0.1", "1", "x")
				cmd.ExtraFiles = []*os.File{file}
				cmd.Run()
				file.WriteString("# after\n")
				file.Close()
			}
			got, err := os.ReadFile(name)
			if err != nil {
				t.Fatal(err)
			}
			if !strings.HasPrefix(string(got), "# before\n") ||
				strings.Count(string(got), "# after\n") != 2 ||
				!strings.Contains(string(got), "connect") {
				t.Errorf("got %q, want the earlier lines, and those of two runs", got)
			}
		})
	}
	cmd := exec.Command("wasport", "run", "--audit", "/dev/fd/4", "../../internal/guests/exit.wasm",
		"0")
	if cmd.Run(); cmd.ProcessState.ExitCode() != statusUsage {
		t.Errorf("got exit status %d for a descriptor of the command's own, want %d",
			cmd.ProcessState.ExitCode(), statusUsage)
	}
}
