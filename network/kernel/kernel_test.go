package kernel_test

import (
	"errors"
	"net"
	"net/netip"
	"testing"
	"time"

	"github.com/wasport/wasport/network"
	"github.com/wasport/wasport/network/kernel"
)

// loopbacks holds the addresses of the tests, one for each family.
var loopbacks = []struct {
	family network.Family
	addr   netip.Addr
}{
	{network.IPv4, netip.MustParseAddr("127.0.0.1")},
	{network.IPv6, netip.IPv6Loopback()},
}

// eachFamily runs a test with each family.
func eachFamily(t *testing.T, test func(t *testing.T, family network.Family, at netip.AddrPort)) {
	for _, l := range loopbacks {
		t.Run(l.family.String(),
			func(t *testing.T) { test(t, l.family, netip.AddrPortFrom(l.addr, 0)) })
	}
}

func must[T any](t testing.TB) func(T, error) T {
	return func(v T, err error) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
}

func check(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func wantErr(t testing.TB, call string, err, want error) {
	t.Helper()
	if !errors.Is(err, want) {
		t.Errorf("%s: got %v, want %v", call, err, want)
	}
}

func open(t testing.TB, family network.Family, typ network.Type) network.Socket {
	t.Helper()
	s, err := kernel.New(kernel.Config{}).Open(family, typ)
	check(t, err)
	t.Cleanup(func() { s.Close() })
	return s
}

func soon() time.Time { return time.Now().Add(10 * time.Second) }

func wait(t testing.TB, s network.Socket, want network.Events) network.Events {
	t.Helper()
	got, err := s.Wait(want, soon())
	check(t, err)
	return got
}

// listen returns a listener and its address.
func listen(t testing.TB, family network.Family, at netip.AddrPort) (network.Socket,
	netip.AddrPort) {
	t.Helper()
	l := open(t, family, network.Stream)
	check(t, l.Bind(at))
	check(t, l.Listen(128))
	addr, err := l.LocalAddr()
	check(t, err)
	return l, addr
}

func accept(t testing.TB, l network.Socket) (network.Socket, netip.AddrPort) {
	t.Helper()
	wait(t, l, network.Readable)
	c, from, err := l.Accept()
	check(t, err)
	t.Cleanup(func() { c.Close() })
	return c, from
}

// pair returns both ends of a TCP connection.
func pair(t testing.TB, family network.Family, at netip.AddrPort) (client, server network.Socket) {
	t.Helper()
	l, addr := listen(t, family, at)
	client = open(t, family, network.Stream)
	connect(t, client, addr)
	server, _ = accept(t, l)
	l.Close()
	return client, server
}

func connect(t testing.TB, s network.Socket, to netip.AddrPort) {
	t.Helper()
	err := s.Connect(to)
	if errors.Is(err, errInProgress) {
		wait(t, s, network.Writable)
		err = s.FinishConnect()
	}
	check(t, err)
}

// bound returns a bound datagram socket and its address.
func bound(t testing.TB, family network.Family, at netip.AddrPort) (network.Socket,
	netip.AddrPort) {
	t.Helper()
	s := open(t, family, network.Datagram)
	check(t, s.Bind(at))
	addr, err := s.LocalAddr()
	check(t, err)
	return s, addr
}

func recv(t testing.TB, s network.Socket, b []byte) network.Received {
	t.Helper()
	wait(t, s, network.Readable)
	r, err := s.Recv([][]byte{b}, 0)
	check(t, err)
	return r
}

var none netip.AddrPort

func one(b []byte) [][]byte { return [][]byte{b} }

var errClosed = net.ErrClosed

func TestOwnsLoopbackOnly(t *testing.T) {
	n := kernel.New(kernel.Config{})
	for text, want := range map[string]bool{"127.0.0.1": true, "::ffff:127.0.0.1": true,
		"198.51.100.1": false, "2001:db8::1": false} {
		t.Run(text, func(t *testing.T) {
			if got := n.Owns(netip.MustParseAddr(text)); got != want {
				t.Errorf("got %v, want %v", got, want)
			}
		})
	}
}
