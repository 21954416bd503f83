//go:build unix

package main

import (
	"os"
	"path/filepath"
	"syscall"
	"testing"
)

// TestReloadFromTheGuest has the name of a policy lead to a file of the guest's, and has it read again.
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
	r := begin(t, "run", "--dir", at("data"), "--policy", at("link"), "../../guest/c/test/tcp_server.wasm",
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
