//go:build !portable

package wasi2

import (
	"io"
	"net"
	"net/netip"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/wasport/wasport/internal/sendbehind"
	"github.com/wasport/wasport/network"
	"github.com/wasport/wasport/network/kernel"
)

// countingNetwork counts the sends that its sockets get one by one, and those that they hold.
type countingNetwork struct {
	network.Network
	plain, held atomic.Int32
	// flushed is the value of held at the last flush, which may be that of a timer.
	flushed atomic.Int32
}

func (n *countingNetwork) Open(f network.Family, typ network.Type) (network.Socket, error) {
	s, err := n.Network.Open(f, typ)
	if err != nil {
		return nil, err
	}
	return &countingSocket{s, s.(behindSocket), n}, nil
}

type behindSocket sendbehind.Socket

type countingSocket struct {
	network.Socket
	behindSocket
	on *countingNetwork
}

func (s *countingSocket) Send(bufs [][]byte, to netip.AddrPort) (int, error) {
	s.on.plain.Add(1)
	return s.Socket.Send(bufs, to)
}

func (s *countingSocket) Hold(bufs [][]byte, to netip.AddrPort) sendbehind.Result {
	result := s.behindSocket.Hold(bufs, to)
	if result != sendbehind.Refused {
		s.on.held.Add(1)
	}
	return result
}

func (s *countingSocket) Flush() error {
	s.on.flushed.Store(s.on.held.Load())
	return s.behindSocket.Flush()
}

// TestSmallWritesAreHeld writes small pieces as wasi-libc does.
func TestSmallWritesAreHeld(t *testing.T) {
	n := &countingNetwork{Network: kernel.New(kernel.Config{})}
	c := newNetCallerWith(t, n, []string{}, anyLoopback...)
	l := listenLoopback(t)
	_, _, out := c.connect(families[0], l.Addr().(*net.TCPAddr).AddrPort())
	peer, err := l.Accept()
	if err != nil {
		t.Fatal(err)
	}
	defer peer.Close()
	for range 200 {
		c.send(out, "0123456789")
	}
	n.wantHeld(t, 200)
	n.wantFlushed(t, c)
	got, want := make([]byte, 2000), strings.Repeat("0123456789", 200)
	if _, err := io.ReadFull(peer, got); err != nil || string(got) != want {
		t.Errorf("got %q, %v, want all pieces", got, err)
	}
}

// TestOtherCallsFlush holds writes, and then makes a call by which a component could notice it.
func TestOtherCallsFlush(t *testing.T) {
	n := &countingNetwork{Network: kernel.New(kernel.Config{})}
	c := newNetCallerWith(t, n, []string{}, anyLoopback...)
	l := listenLoopback(t)
	to := l.Addr().(*net.TCPAddr).AddrPort()
	socket, in, out := c.connect(families[0], to)
	_, _, other := c.connect(families[0], to)
	ready, spare := c.handle(tcpMethod+"subscribe", socket), c.handle(createTCP, 0)
	for name, call := range map[string]func(){
		"look":         func() { c.call("io/poll.[method]pollable.ready", ready) },
		"receive":      func() { c.call(inStream+"read", in, 1) },
		"subscribe":    func() { c.handle(inStream+"subscribe", in) },
		"clock":        func() { c.call("clocks/wall-clock.now") },
		"random":       func() { c.call("random/random.get-random-u64") },
		"option":       func() { c.call(tcpMethod+"keep-alive-enabled", socket) },
		"address":      func() { c.call(tcpMethod+"local-address", socket) },
		"a new socket": func() { c.handle(createTCP, 0) },
		"close":        func() { c.dropAll("sockets/tcp.tcp-socket", spare) },
		"another send": func() { c.send(other, "x") },
	} {
		for tries := 0; n.held.Load() == n.flushed.Load(); tries++ { // the timer may be first
			if tries == 100 {
				t.Fatal("got no write held, want some")
			}
			for range 8 {
				c.send(out, "0123456789")
			}
		}
		call()
		if flushed, held := n.flushed.Load(), n.held.Load(); flushed != held {
			t.Errorf("%s: got %d of %d held writes flushed, want all", name, flushed, held)
		}
	}
}

// TestDatagramsAreHeld sends datagrams as wasi-libc does.
func TestDatagramsAreHeld(t *testing.T) {
	n := &countingNetwork{Network: kernel.New(kernel.Config{})}
	c := newNetCallerWith(t, n, []string{}, anyLoopback...)
	a, b := c.udpEnd(families[0], families[0].loopback), c.udpEnd(families[0], families[0].loopback)
	for range 48 {
		c.sends("ok(1)", a, "data", b.at)
	}
	n.wantHeld(t, 48)
	n.wantFlushed(t, c)
	for range 3 {
		c.wants(received(repeated("data", a.at, 16)...), receiving+"receive", b.in, 16)
	}
}

func (n *countingNetwork) wantHeld(t *testing.T, sends int) {
	t.Helper()
	held, plain := int(n.held.Load()), int(n.plain.Load())
	if held < sends/2 || plain+held != sends {
		t.Errorf("got %d sends held and %d plain, want most of %d held", held, plain, sends)
	}
}

// wantFlushed makes another call.
func (n *countingNetwork) wantFlushed(t *testing.T, c *netCaller) {
	t.Helper()
	c.call("clocks/monotonic-clock.now")
	if flushed, held := n.flushed.Load(), n.held.Load(); flushed != held {
		t.Errorf("got %d of %d held sends flushed by another call, want all", flushed, held)
	}
}
