//go:build unix

package main

import (
	"os"
	"path/filepath"
	"syscall"
	"testing"
	"time"
)

// TestReloadRefusesPolicyInGuestDirectory replaces the policy's symbolic link by one to a file that
// the guest may write.
func TestReloadRefusesPolicyInGuestDirectory(t *testing.T) {
	dir := t.TempDir()
	at := func(name string) string { return filepath.Join(dir, name) }
	writeFile(t, at("net.toml"), `allow = ["listen tcp://127.0.0.1:0 from 127.0.0.1"]`)
	if err := os.Mkdir(at("data"), 0o700); err != nil {
		t.Fatal(err)
	}
	writeFile(t, at("data/net.toml"), `allow = ["connect any", "listen any"]`)
	if err := os.Symlink("net.toml", at("link")); err != nil {
		t.Fatal(err)
	}
	r := startWasport(t, "run", "--dir", at("data"), "--policy", at("link"),
		"../../internal/guests/tcp_server.wasm",
		"127.0.0.1", "1")
	if !r.guestAddr().IsValid() {
		t.Fatal("got no line with the guest's address, want one")
	}
	if err := os.Symlink("data/net.toml", at("new")); err != nil {
		t.Fatal(err)
	}
	if err := os.Rename(at("new"), at("link")); err != nil {
		t.Fatal(err)
	}
	r.cmd.Process.Signal(syscall.SIGHUP)
	r.waitForLine(`^wasport: warning: the policy stays as it is: policy .*/link: it lies beneath .*/data, `)
}

// TestSignalDuringBlockedReload ends the command while it reads a policy from a silent FIFO.
func TestSignalDuringBlockedReload(t *testing.T) {
	file := filepath.Join(t.TempDir(), "net.toml")
	writeFile(t, file, `allow = ["listen tcp://127.0.0.1:0"]`)
	r := startWasport(t, "run", "--policy", file, "../../internal/guests/tcp_server.wasm",
		"127.0.0.1", "1")
	if !r.guestAddr().IsValid() {
		t.Fatal("got no line with the guest's address, want one")
	}
	if err := os.Remove(file); err != nil {
		t.Fatal(err)
	}
	if err := syscall.Mkfifo(file, 0o600); err != nil {
		t.Fatal(err)
	}
	r.cmd.Process.Signal(syscall.SIGHUP)
	hangs := time.AfterFunc(testTimeout, func() { r.cmd.Process.Kill() })
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
