package networktest

import (
	"net/netip"
	"syscall"

	"github.com/wasport/wasport/network"
)

var connectParts = []part{
	{"connect", nil, testConnect},
	{"connect bound", []Feature{BoundStreams}, testConnectBound},
	{"refused", nil, testRefused},
	{"refused, connect again", nil, testRefusedConnectAgain},
	{"refused, pending error", nil, testRefusedPendingError},
	{"connect after failure", []Feature{Reconnect}, testReconnect},
	{"dual stack", []Feature{DualStack}, testDualStack},
}

func testConnect(e env) {
	l, addr := e.listen()
	c := e.open(network.Stream)
	if e.start(c, addr) {
		// The result can be asked for in two ways, and each repeats it as POSIX says.
		e.wait(c, network.Writable)
		e.check(c.Connect(addr))
	}
	e.wantErr("a further connect", c.Connect(addr), syscall.EISCONN)
	e.check(c.FinishConnect())
	if a := must[netip.AddrPort](e)(c.RemoteAddr()); a != addr {
		e.Errorf("got peer %v, want %v", a, addr)
	}
	if a := must[netip.AddrPort](e)(c.LocalAddr()); a.Port() == 0 || a.Addr() != e.at.Addr() {
		e.Errorf("got local address %v, want %v with a port", a, e.at.Addr())
	}
	e.accept(l)
}

func testConnectBound(e env) {
	l, addr := e.listen()
	c, local := e.bound(network.Stream)
	e.connect(c, addr)
	if a := must[netip.AddrPort](e)(c.LocalAddr()); a != local {
		e.Errorf("got local address %v, want %v as bound", a, local)
	}
	if _, from := e.accept(l); from != local {
		e.Errorf("got peer %v, want %v", from, local)
	}
}

func testRefused(e env) {
	addr := e.gone(network.Stream)
	c := e.open(network.Stream)
	err := c.Connect(addr)
	if err == syscall.EINPROGRESS {
		if got := e.wait(c, network.Writable); got&(network.Failed|network.Writable) == 0 {
			e.Errorf("got events %04b, want Writable or Failed among them", got)
		}
		if got := e.poll(c, network.Writable); got&network.Failed == 0 && !e.lacks(StateEvents) {
			e.Errorf("got events %04b, want Failed among them", got)
		}
		err = c.FinishConnect()
	}
	e.wantErr("connect", err, syscall.ECONNREFUSED)
	e.wantState("finish connect once more", c.FinishConnect(), syscall.ENOTCONN)
	_, err = c.RemoteAddr()
	e.wantState("remote address", err, syscall.ENOTCONN)
}

// A guest without SO_ERROR calls connect(2) again.
func testRefusedConnectAgain(e env) {
	addr := e.gone(network.Stream)
	c := e.open(network.Stream)
	if err := c.Connect(addr); err == syscall.EINPROGRESS {
		e.wait(c, network.Writable)
		e.wantErr("connect again", c.Connect(addr), syscall.ECONNREFUSED)
	}
}

func testRefusedPendingError(e env) {
	addr := e.gone(network.Stream)
	c := e.open(network.Stream)
	if err := c.Connect(addr); err != syscall.EINPROGRESS {
		return
	}
	e.wait(c, network.Writable)
	v := must[int64](e)(c.Option(network.PendingError))
	if syscall.Errno(v) != syscall.ECONNREFUSED {
		e.Errorf("pending error: got %d, want ECONNREFUSED", v)
	}
	if v := must[int64](e)(c.Option(network.PendingError)); v != 0 {
		e.Errorf("pending error, read again: got %d, want 0", v)
	}
	e.wantState("finish connect without the error", c.FinishConnect(), syscall.ECONNABORTED)
}

func testReconnect(e env) {
	addr := e.gone(network.Stream)
	c := e.open(network.Stream)
	for range 2 {
		e.wantErr("connect", e.fail(c, addr), syscall.ECONNREFUSED)
	}
	l, open := e.listen()
	e.connect(c, open)
	s, _ := e.accept(l)
	e.send(c, "at last", none)
	e.recvText(s, "at last")
}

// testDualStack runs once, with the family that both sockets are not.
func testDualStack(e env) {
	if e.family != network.IPv6 || len(e.options.Addrs) < 2 {
		e.Skip("this takes both families")
	}
	four := e.options.Addrs[0]
	if !four.Is4() {
		four = e.options.Addrs[1]
	}
	listen := func(only int64) (l, c network.Socket, to netip.AddrPort) {
		l = e.open(network.Stream)
		e.check(l.SetOption(network.V6Only, only))
		e.check(l.Bind(netip.AddrPortFrom(netip.IPv6Unspecified(), 0)))
		e.check(l.Listen(1))
		port := must[netip.AddrPort](e)(l.LocalAddr()).Port()
		c, err := e.network.Open(network.IPv4, network.Stream)
		e.check(err)
		e.Cleanup(func() { c.Close() })
		return l, c, netip.AddrPortFrom(four, port)
	}
	l, c, to := listen(0)
	e.connect(c, to)
	s, from := e.accept(l)
	if want := netip.AddrFrom16(four.As16()); from.Addr() != want {
		e.Errorf("got peer %v, want %v", from.Addr(), want)
	}
	if a := must[netip.AddrPort](e)(s.LocalAddr()); !a.Addr().Is4In6() {
		e.Errorf("got local address %v, want an IPv4-mapped one", a)
	}
	e.send(c, "x", none)
	if r := e.recv(s, make([]byte, 1)); r.From != from {
		e.Errorf("got sender %v, want %v", r.From, from)
	}

	err := error(nil)
	for range 20 { // Another program may listen at the same port by IPv4.
		_, c, to := listen(1)
		if err = e.fail(c, to); err != nil {
			break
		}
	}
	e.wantErr("connect by IPv4", err, syscall.ECONNREFUSED)
}
