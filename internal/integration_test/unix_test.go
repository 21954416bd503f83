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

// TestConnectionsAreHandedOver has a guest answer on a connection of its host's.
func TestConnectionsAreHandedOver(t *testing.T) {
	m := compileTestdata(t, "instance")
	for _, row := range []struct{ network, address string }{
		{"tcp", "127.0.0.1:0"}, {"unix", filepath.Join(t.TempDir(), "s")},
	} {
		t.Run(row.network, func(t *testing.T) {
			l, err := net.Listen(row.network, row.address)
			if err != nil {
				t.Fatal(err)
			}
			defer l.Close()
			peer, err := net.Dial(row.network, l.Addr().String())
			if err != nil {
				t.Fatal(err)
			}
			defer peer.Close()
			c, err := l.Accept()
			if err != nil {
				t.Fatal(err)
			}
			i := newInstance(t, m, wasport.Config{Sockets: []syscall.Conn{c.(syscall.Conn)}})
			c.Close() // the guest has a descriptor of its own
			for _, text := range []string{"hello\n", "again\n"} {
				writeText(t, peer, text)
				mustCall(t, i, "take", 3)
				mustCall(t, i, "give", 3)
				expectText(t, peer, text)
			}
		})
	}
}

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
	g.expectLines("listening ? 0") // neither of IPv4 nor of IPv6
	c, err := net.Dial("unix", path)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	g.expectLines("accepted ? 0")
	writeText(t, c, "hello")
	expectText(t, c, "hello")
	g.waitExit(0)
}
