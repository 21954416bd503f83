package main

import (
	"net"
	"strings"
	"syscall"
	"testing"
)

// TestListenersOfBothFamiliesShareAPort opens one port for IPv4 and for IPv6, each by a socket of
// its own family.
func TestListenersOfBothFamiliesShareAPort(t *testing.T) {
	for _, network := range []string{"tcp", "udp"} {
		t.Run(network, func(t *testing.T) {
			var v4 syscall.Conn
			for _, host := range []string{"0.0.0.0", "[::ffff:0.0.0.0]"} {
				s, err := listenAddr{network, host + ":0"}.open()
				if err != nil {
					t.Fatal(err)
				}
				defer s.(interface{ Close() error }).Close()
				if got := localAddr(s); !strings.HasPrefix(got, "0.0.0.0:") {
					t.Errorf("%s: got address %s, want 0.0.0.0", host, got)
				}
				v4 = s
			}
			_, port, err := net.SplitHostPort(localAddr(v4))
			if err != nil {
				t.Fatal(err)
			}
			v6, err := listenAddr{network, "[::]:" + port}.open()
			if err != nil {
				if l, err := net.Listen("tcp6", "[::1]:0"); err != nil {
					t.Skip("this host has no IPv6")
				} else {
					l.Close()
				}
				t.Fatalf("[::] beside 0.0.0.0: got %v, want no error", err)
			}
			defer v6.(interface{ Close() error }).Close()
			if got, want := localAddr(v6), "[::]:"+port; got != want {
				t.Errorf("got %s, want %s", got, want)
			}
		})
	}
}

func localAddr(s syscall.Conn) string {
	switch s := s.(type) {
	case *net.TCPListener:
		return s.Addr().String()
	case *net.UDPConn:
		return s.LocalAddr().String()
	}
	return ""
}
