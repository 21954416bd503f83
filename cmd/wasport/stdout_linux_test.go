package main

import (
	"os"
	"os/exec"
	"strings"
	"testing"
)

// TestOutputThatCannotBeWrittenFails runs each command that prints with a full stdout.
func TestOutputThatCannotBeWrittenFails(t *testing.T) {
	full, err := os.OpenFile("/dev/full", os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer full.Close()
	net, hello := "../../examples/net.toml", "testdata/module/hello.wasm"
	for _, args := range []string{
		"--help", "--version", "version", "man", "help", "help run", "run --help", "cc --help",
		"completion bash", "completion zsh", "completion fish", "inspect " + hello,
		"inspect --json " + hello, "inspect testdata/module/mismatch.wasm",
		"run -f add testdata/module/functions.wasm 1 2", "policy fmt " + net,
		"policy check " + net + " connect tcp://127.0.0.1:80",
		"policy explain " + net + " connect tcp://127.0.0.1:22", "demo",
	} {
		t.Run(args, func(t *testing.T) {
			stderr, status := runWithStdout(t, full, strings.Fields(args)...)
			if status != 1 || !strings.HasSuffix(stderr, ": no space left on device\n") {
				t.Errorf("got status %d and %q, want 1 and that no space is left", status, stderr)
			}
		})
	}
}

// TestLostTraceIsWarnedOf writes the trace and the audit to a full file.
func TestLostTraceIsWarnedOf(t *testing.T) {
	for flag, want := range map[string]string{
		"--trace-file": "warning: --trace-file: calls are not recorded any more",
		"--audit":      "warning: --audit: decisions are not recorded any more",
	} {
		stderr, _ := runWithStdout(t, nil, "run", flag, "/dev/full",
			"../../internal/guests/tcp_client.wasm", "127.0.0.1", "9", "x")
		if strings.Count(stderr, want) != 1 {
			t.Errorf("%s: got %q, want one %q", flag, stderr, want)
		}
	}
}

// runWithStdout runs the command with that stdout.
func runWithStdout(t *testing.T, stdout *os.File, args ...string) (stderr string, status int) {
	t.Helper()
	cmd := exec.Command("wasport", args...)
	cmd.Env = append(os.Environ(), "GORACE=atexit_sleep_ms=0", "XDG_CACHE_HOME="+t.TempDir())
	var text strings.Builder
	cmd.Stderr = &text
	if stdout != nil {
		cmd.Stdout = stdout
	}
	cmd.Run()
	return text.String(), cmd.ProcessState.ExitCode()
}
