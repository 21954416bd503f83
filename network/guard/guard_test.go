package guard_test

import (
	"net"
	"net/netip"
	"os"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/wasport/wasport/internal/testutil"
	"github.com/wasport/wasport/network"
	"github.com/wasport/wasport/network/guard"
	"github.com/wasport/wasport/network/kernel"
	"github.com/wasport/wasport/policy"
)

// testTimeout bounds the wait for an event that should come at once.
const testTimeout = 10 * time.Second

var (
	nobody = netip.AddrPort{}
	here   = netip.MustParseAddrPort("127.0.0.1:0")
)

func fields(s string) []string { return strings.Fields(s) }

func at(text string) netip.AddrPort { return netip.MustParseAddrPort(text) }

// guarded returns the host's network under rules.
func guarded(t testing.TB, text ...string) *guard.Network {
	t.Helper()
	return guard.New(kernel.New(kernel.Config{}), testutil.Policy(t, text...), guard.Options{})
}

func open(t testing.TB, n network.Network, f network.Family, typ network.Type) network.Socket {
	t.Helper()
	s, err := n.Open(f, typ)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return s
}

func wantErr(t testing.TB, what string, got, want error) {
	t.Helper()
	if want == syscall.EACCES {
		if r, ok := got.(*policy.Refusal); ok {
			got = r.Unwrap()
		}
	}
	if got != want {
		t.Errorf("%s: %v, want %v", what, got, want)
	}
}

func local(t testing.TB, s network.Socket) netip.AddrPort {
	t.Helper()
	a, err := s.LocalAddr()
	if err != nil {
		t.Fatal(err)
	}
	return a
}

// listener is a stream socket of the host. It sends the text of each connection to the channel.
func listener(t testing.TB, on string) (netip.AddrPort, <-chan string) {
	t.Helper()
	l, err := net.Listen("tcp", on)
	if err != nil {
		t.Skip("not on this host: ", err)
	}
	heard := make(chan string, 16)
	done := make(chan struct{})
	go func() {
		defer close(done)
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			b := make([]byte, 64)
			c.SetDeadline(time.Now().Add(testTimeout))
			n, _ := c.Read(b)
			c.Close()
			heard <- string(b[:n])
		}
	}()
	t.Cleanup(func() { l.Close(); <-done })
	return l.Addr().(*net.TCPAddr).AddrPort(), heard
}

// udpSocket returns a datagram socket of the host.
func udpSocket(t testing.TB, on string) (*net.UDPConn, netip.AddrPort) {
	t.Helper()
	c, err := net.ListenPacket("udp", on)
	if err != nil {
		t.Skip("not on this host: ", err)
	}
	t.Cleanup(func() { c.Close() })
	c.SetDeadline(time.Now().Add(testTimeout))
	return c.(*net.UDPConn), c.LocalAddr().(*net.UDPAddr).AddrPort()
}

// expectNothing fails if a socket of the host has a datagram. A datagram over loopback is in the
// queue when sendto(2) returns.
func expectNothing(t testing.TB, c *net.UDPConn) {
	t.Helper()
	c.SetReadDeadline(time.Now().Add(time.Millisecond))
	b := make([]byte, 64)
	if n, err := c.Read(b); err == nil {
		t.Errorf("got %q at %v, want nothing", b[:n], c.LocalAddr())
	}
	c.SetReadDeadline(time.Now().Add(testTimeout))
}

func expectDatagram(t testing.TB, c *net.UDPConn, want string) netip.AddrPort {
	t.Helper()
	b := make([]byte, 64)
	n, from, err := c.ReadFromUDPAddrPort(b)
	if err != nil || string(b[:n]) != want {
		t.Fatalf("%q and %v have come, not %q", b[:n], err, want)
	}
	return from
}

// connect connects a stream and waits for the result.
func connect(t testing.TB, s network.Socket, to netip.AddrPort) error {
	t.Helper()
	err := s.Connect(to)
	if err != syscall.EINPROGRESS {
		return err
	}
	if _, err := s.Wait(network.Writable, time.Now().Add(testTimeout)); err != nil {
		t.Fatal(err)
	}
	return s.FinishConnect()
}

// receive waits for a datagram or for bytes, and returns them.
func receive(t testing.TB, s network.Socket) (string, netip.AddrPort) {
	t.Helper()
	b := make([]byte, 64)
	for {
		r, err := s.Recv([][]byte{b}, 0)
		switch err {
		case nil:
			return string(b[:r.N]), r.From
		case syscall.EAGAIN:
			if _, err := s.Wait(network.Readable, time.Now().Add(testTimeout)); err != nil {
				t.Fatal(err)
			}
		default:
			t.Fatal(err)
		}
	}
}

// accept waits for a connection. It returns nil if none is admitted.
func accept(t testing.TB, s network.Socket, deadline time.Time) network.Socket {
	t.Helper()
	for {
		c, _, err := s.Accept()
		switch err {
		case nil:
			t.Cleanup(func() { c.Close() })
			return c
		case syscall.EAGAIN:
			switch _, err := s.Wait(network.Readable, deadline); err {
			case nil:
			case os.ErrDeadlineExceeded:
				return nil
			default:
				t.Fatal(err)
			}
		default:
			t.Fatal(err)
		}
	}
}
