//go:build unix

package integration_test

import (
	"context"
	"net"
	"path/filepath"
	"syscall"
	"testing"

	"github.com/wasport/wasport"
)

// TestAcceptOnUnixListener has a guest in C serve a connection of a Unix-domain listener, without a
// policy.
func TestAcceptOnUnixListener(t *testing.T) {
	path := filepath.Join(t.TempDir(), "s")
	l, err := net.ListenUnix("unix", &net.UnixAddr{Name: path, Net: "unix"})
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	g := startGuestWith(t, context.Background(), wasport.Config{Sockets: []syscall.Conn{l}},
		"listen_fd")
	if at := g.readListenAddr(); at.String() != "0.0.0.0:0" {
		t.Errorf("got a listener on %v, want 0.0.0.0:0", at)
	}
	c, err := net.Dial("unix", path)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	g.expectLines("accepted 0.0.0.0 0")
	writeText(t, c, "hello")
	expectText(t, c, "hello")
	g.waitExit(0)
}
