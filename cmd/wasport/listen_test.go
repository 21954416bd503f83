package main

import (
	"net"
	"strings"
	"syscall"
	"testing"
)

// TestListenByFamily opens the same port for each family: neither socket is in the way of the
// other, or hears for it.
func TestListenByFamily(t *testing.T) {
	for _, network := range []string{"tcp", "udp"} {
		t.Run(network, func(t *testing.T) {
			var four syscall.Conn
			for _, host := range []string{"0.0.0.0", "[::ffff:0.0.0.0]"} {
				s, err := listenAddr{network, host + ":0"}.open()
				if err != nil {
					t.Fatal(err)
				}
				defer s.(interface{ Close() error }).Close()
				if got := localAddr(s); !strings.HasPrefix(got, "0.0.0.0:") {
					t.Errorf("%s is opened at %s", host, got)
				}
				four = s
			}
			_, port, err := net.SplitHostPort(localAddr(four))
			if err != nil {
				t.Fatal(err)
			}
			six, err := listenAddr{network, "[::]:" + port}.open()
			if err != nil {
				if l, err := net.Listen("tcp6", "[::1]:0"); err != nil {
					t.Skip("this host has no IPv6")
				} else {
					l.Close()
				}
				t.Fatalf("beside 0.0.0.0: %v", err)
			}
			defer six.(interface{ Close() error }).Close()
			if got, want := localAddr(six), "[::]:"+port; got != want {
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
