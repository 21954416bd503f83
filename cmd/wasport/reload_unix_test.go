//go:build unix

package main

import (
	"os"
	"path/filepath"
	"syscall"
	"testing"
	"time"
)

// TestReloadFromTheGuest has the name of a policy lead to a file of the guest's, and has it read
// again.
func TestReloadFromTheGuest(t *testing.T) {
	dir := t.TempDir()
	at := func(name string) string { return filepath.Join(dir, name) }
	write(t, at("net.toml"), `allow = ["listen tcp://127.0.0.1:0 from 127.0.0.1"]`)
	if err := os.Mkdir(at("data"), 0o700); err != nil {
		t.Fatal(err)
	}
	write(t, at("data/net.toml"), `allow = ["connect any", "listen any"]`)
	if err := os.Symlink("net.toml", at("link")); err != nil {
		t.Fatal(err)
	}
	r := begin(t, "run", "--dir", at("data"), "--policy", at("link"),
		"../../internal/guests/tcp_server.wasm",
		"127.0.0.1", "1")
	if !r.listening().IsValid() {
		t.Fatal("it does not listen")
	}
	if err := os.Symlink("data/net.toml", at("new")); err != nil {
		t.Fatal(err)
	}
	if err := os.Rename(at("new"), at("link")); err != nil {
		t.Fatal(err)
	}
	r.cmd.Process.Signal(syscall.SIGHUP)
	r.told(`^wasport: warning: the policy stays as it is: policy .*/link: it lies beneath .*/data, `)
}

// TestReloadThatBlocks ends the command while it reads a policy from a FIFO that gives it nothing.
func TestReloadThatBlocks(t *testing.T) {
	file := filepath.Join(t.TempDir(), "net.toml")
	write(t, file, `allow = ["listen tcp://127.0.0.1:0"]`)
	r := begin(t, "run", "--policy", file, "../../internal/guests/tcp_server.wasm", "127.0.0.1",
		"1")
	if !r.listening().IsValid() {
		t.Fatal("it does not listen")
	}
	if err := os.Remove(file); err != nil {
		t.Fatal(err)
	}
	if err := syscall.Mkfifo(file, 0o600); err != nil {
		t.Fatal(err)
	}
	r.cmd.Process.Signal(syscall.SIGHUP)
	hangs := time.AfterFunc(patience, func() { r.cmd.Process.Kill() })
	defer hangs.Stop()
	w, err := os.OpenFile(file, os.O_WRONLY, 0) // once it is being read
	if err != nil {
		t.Fatal(err)
	}
	defer w.Close()
	r.cmd.Process.Signal(syscall.SIGTERM)
	r.cmd.Wait()
	if got, want := r.cmd.ProcessState.ExitCode(), statusSignal+int(syscall.SIGTERM); got != want {
		t.Errorf("got exit status %d, want %d", got, want)
	}
}
