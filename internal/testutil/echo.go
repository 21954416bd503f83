package testutil

import (
	"io"
	"net"
	"net/netip"
	"testing"
)

// StartEcho starts a server that sends back all that it receives, and returns its address.
func StartEcho(t testing.TB) string {
	t.Helper()
	return StartServer(t, func(c net.Conn) {
		defer c.Close()
		io.Copy(c, c)
	}).String()
}

// StartServer accepts connections on loopback until the end of the test, and hands each to serve on
// a goroutine of its own.
func StartServer(t testing.TB, serve func(net.Conn)) netip.AddrPort {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go serve(c)
		}
	}()
	return l.Addr().(*net.TCPAddr).AddrPort()
}
