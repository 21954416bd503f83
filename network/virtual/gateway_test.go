package virtual_test

import (
	"fmt"
	"io"
	"net"
	"net/netip"
	"syscall"
	"testing"
	"time"

	"github.com/wasport/wasport/internal/testutil"
	"github.com/wasport/wasport/network"
	"github.com/wasport/wasport/network/kernel"
	"github.com/wasport/wasport/network/virtual"
)

// The public address of the tests, which beyond the gateway is the machine's loopback.
var public = netip.MustParseAddr("192.0.2.80")

// internet is the machine's network, with public in place of 127.0.0.1.
type internet struct{ network.Network }

func (n internet) Open(family network.Family, typ network.Type) (network.Socket, error) {
	s, err := n.Network.Open(family, typ)
	return translated{s}, err
}

type translated struct{ network.Socket }

func translate(a netip.AddrPort) netip.AddrPort {
	if a.Addr() == public {
		return netip.AddrPortFrom(netip.MustParseAddr("127.0.0.1"), a.Port())
	}
	return a
}

func (s translated) Connect(to netip.AddrPort) error { return s.Socket.Connect(translate(to)) }

func (s translated) Send(bufs [][]byte, to netip.AddrPort) (int, error) {
	return s.Socket.Send(bufs, translate(to))
}

// insideOf returns a host behind a gateway.
func insideOf(t *testing.T, gateway network.Network) *virtual.Host {
	t.Helper()
	w := virtual.New()
	h, err := w.Host("inside")
	check(t, err)
	w.Gateway(gateway)
	return h
}

func TestGatewayToKernel(t *testing.T) {
	testutil.NoGoroutineLeak(t)
	h := insideOf(t, internet{kernel.New(kernel.Config{Hosts: map[string][]netip.Addr{
		"public.test": {public}}})})
	l, err := net.Listen("tcp4", "127.0.0.1:0")
	check(t, err)
	defer l.Close()
	go echoAll(l)
	port := l.Addr().(*net.TCPAddr).Port

	c, err := h.Dial("tcp", fmt.Sprintf("public.test:%d", port))
	check(t, err)
	defer c.Close()
	if got, want := c.RemoteAddr().String(), fmt.Sprintf("%v:%d", public, port); got != want {
		t.Errorf("got peer %s, want %s", got, want)
	}
	if got := c.LocalAddr().(*net.TCPAddr).IP.String(); got != h.Addrs()[0].String() {
		t.Errorf("got local address %s, want that of the host in the world", got)
	}
	exchangeBulk(t, c)

	// The host's loopback is its own: nobody listens there.
	if c, err := h.Dial("tcp", fmt.Sprintf("127.0.0.1:%d", port)); err == nil {
		c.Close()
		t.Error("got a connection to the machine's loopback, want none")
	}
	if !h.Owns(netip.MustParseAddr("127.0.0.1")) || h.Owns(public) {
		t.Error("got other own addresses than loopback, want loopback")
	}
}

func TestGatewayRefusedAndAgain(t *testing.T) {
	testutil.NoGoroutineLeak(t)
	h := insideOf(t, internet{kernel.New(kernel.Config{})})
	gone := netip.AddrPortFrom(public, testutil.ClosedPort(t, "127.0.0.1").Port())
	s, err := h.Open(network.IPv4, network.Stream)
	check(t, err)
	defer s.Close()
	for range 2 {
		if err := s.Connect(gone); err != syscall.EINPROGRESS {
			t.Fatalf("connect: got %v, want EINPROGRESS", err)
		}
		_, err := s.Wait(network.Writable, time.Now().Add(10*time.Second))
		check(t, err)
		if err := s.FinishConnect(); err != syscall.ECONNREFUSED {
			t.Fatalf("finish connect: got %v, want ECONNREFUSED", err)
		}
	}
	// The socket can now be connected inside.
	inside, err := h.Listen("tcp4", "127.0.0.1:0")
	check(t, err)
	defer inside.Close()
	if err := s.Connect(inside.Addr().(*net.TCPAddr).AddrPort()); err != syscall.EINPROGRESS {
		t.Fatalf("connect inside: got %v, want EINPROGRESS", err)
	}
	check(t, s.FinishConnect())
}

// A datagram socket reaches hosts on both sides, and those on both sides answer it.
func TestGatewayDatagrams(t *testing.T) {
	testutil.NoGoroutineLeak(t)
	outer := hosts(t, "outer", "other")
	h := insideOf(t, outer[0])
	far, err := outer[1].ListenPacket("udp4", ":7")
	check(t, err)
	defer far.Close()
	near, err := h.ListenPacket("udp4", "127.0.0.1:7")
	check(t, err)
	defer near.Close()
	for _, echo := range []net.PacketConn{far, near} {
		go func() {
			b := make([]byte, 16)
			for {
				n, from, err := echo.ReadFrom(b)
				if err != nil {
					return
				}
				echo.WriteTo(b[:n], from)
			}
		}()
	}
	c, err := h.ListenPacket("udp4", ":0")
	check(t, err)
	defer c.Close()
	// 10.0.0.2 is the second host of the outer world alone.
	for _, to := range []string{"10.0.0.2:7", "127.0.0.1:7", "10.0.0.2:7"} {
		addr := net.UDPAddrFromAddrPort(netip.MustParseAddrPort(to))
		_, err := c.WriteTo([]byte("ping"), addr)
		check(t, err)
		check(t, c.SetReadDeadline(time.Now().Add(10*time.Second)))
		b := make([]byte, 16)
		n, from, err := c.ReadFrom(b)
		if err != nil || string(b[:n]) != "ping" || from.String() != to {
			t.Errorf("got %q from %v, %v; want ping from %s", b[:n], from, err, to)
		}
	}
	d, err := h.Dial("udp", "10.0.0.2:7")
	check(t, err)
	defer d.Close()
	_, err = d.Write([]byte("pong"))
	check(t, err)
	b := make([]byte, 16)
	if n, err := d.Read(b); string(b[:n]) != "pong" || err != nil {
		t.Errorf("got %q, %v; want pong", b[:n], err)
	}
}

// echoAll sends back all that the connections of a listener bring.
func echoAll(l net.Listener) {
	for {
		c, err := l.Accept()
		if err != nil {
			return
		}
		go func() {
			defer c.Close()
			io.Copy(struct{ io.Writer }{c}, struct{ io.Reader }{c})
		}()
	}
}

// exchangeBulk sends to an echo, and compares the bytes that come back.
func exchangeBulk(t *testing.T, c net.Conn) {
	t.Helper()
	const total = 1 << 20
	sent := make([]byte, total)
	for i := range sent {
		sent[i] = byte(i ^ i>>8)
	}
	go c.Write(sent)
	got := make([]byte, total)
	check(t, c.SetReadDeadline(time.Now().Add(30*time.Second)))
	_, err := io.ReadFull(c, got)
	check(t, err)
	if string(got) != string(sent) {
		t.Error("got other bytes back, want those that were sent")
	}
}
