package networktest

import (
	"net"
	"net/netip"
	"syscall"

	"github.com/wasport/wasport/network"
)

var stateParts = []part{
	{"open refused", nil, testOpenRefused},
	{"unconnected stream", nil, testUnconnectedStream},
	{"bound stream", nil, testBoundStream},
	{"listening", nil, testListening},
	{"listen unbound", nil, testListenUnbound},
	{"shutdown of listener", nil, testListenerShutdown},
	{"connecting", []Feature{Backlog}, testConnecting},
	{"connected", nil, testConnected},
	{"closed", nil, testClosed},
	{"bind", nil, testBind},
	{"bind in use", []Feature{AddressInUse}, testBindInUse},
}

// calls are the methods of a socket in a wrong state, each with the errno that it must have. A
// method with a nil error is not called.
type calls struct {
	bind, listen, accept, connect, finish, send, recv, shutdown, remote error
}

// compare makes each call.
func (c calls) compare(e env, s network.Socket, to netip.AddrPort) {
	e.Helper()
	for _, call := range []struct {
		name string
		want error
		make func() error
	}{
		{"bind", c.bind, func() error { return s.Bind(e.at) }},
		{"listen", c.listen, func() error { return s.Listen(1) }},
		{"accept", c.accept, func() error { _, _, err := s.Accept(); return err }},
		{"connect", c.connect, func() error { return s.Connect(to) }},
		{"finish connect", c.finish, s.FinishConnect},
		{"send", c.send, func() error { _, err := s.Send(one([]byte("x")), none); return err }},
		{"receive", c.recv, func() error {
			_, err := s.Recv(one(make([]byte, 1)), 0)
			return err
		}},
		{"shutdown", c.shutdown, func() error { return s.Shutdown(network.ShutBoth) }},
		{"remote address", c.remote, func() error { _, err := s.RemoteAddr(); return err }},
	} {
		if call.want != nil {
			e.wantState(call.name, call.make(), call.want)
		}
	}
}

// wantEvents compares the events of Poll when all are asked for. It wants no more than those asked
// for when some are, besides Hangup and Failed.
func (e env) wantEvents(state string, s network.Socket, want network.Events) {
	e.Helper()
	const both = network.Readable | network.Writable
	got := e.poll(s, both)
	if got != want && !e.lacks(StateEvents) || got&want&both != want&both {
		e.Errorf("%s: got events %04b, want %04b", state, got, want)
	}
	for _, ask := range []network.Events{0, network.Readable, network.Writable} {
		if narrow := e.poll(s, ask); narrow&both&^ask != 0 || narrow&^both != got&^both {
			e.Errorf("%s, asked for %04b: got events %04b, want %04b", state, ask, narrow,
				got&(ask|^both))
		}
	}
}

func testOpenRefused(e env) {
	_, err := e.network.Open(network.AnyFamily, network.Stream)
	e.wantErr("open no family", err, syscall.EAFNOSUPPORT)
	_, err = e.network.Open(e.family, network.AnyType)
	e.wantErr("open no type", err, syscall.EINVAL)
}

func (e env) unspecified() netip.Addr {
	if e.family == network.IPv6 {
		return netip.IPv6Unspecified()
	}
	return netip.IPv4Unspecified()
}

func testUnconnectedStream(e env) {
	s := e.open(network.Stream)
	// A poll(2) of a stream that was never connected does not block.
	e.wantEvents("unconnected", s, network.Writable|network.Hangup)
	calls{accept: syscall.EINVAL, finish: syscall.ENOTCONN, send: syscall.EPIPE,
		recv: syscall.ENOTCONN, shutdown: syscall.ENOTCONN,
		remote: syscall.ENOTCONN}.compare(e, s, e.at)
	e.wantErr("shutdown of nothing", s.Shutdown(0), syscall.EINVAL)
	if a := must[netip.AddrPort](e)(s.LocalAddr()); a != netip.AddrPortFrom(e.unspecified(), 0) {
		e.Errorf("local address: got %v, want %v with port 0", a, e.unspecified())
	}
	if n := must[int](e)(s.Available()); n != 0 {
		e.Errorf("available: got %d, want 0", n)
	}
}

func testBoundStream(e env) {
	s, addr := e.bound(network.Stream)
	e.wantEvents("bound", s, network.Writable|network.Hangup)
	calls{bind: syscall.EINVAL, accept: syscall.EINVAL, finish: syscall.ENOTCONN,
		send: syscall.EPIPE, recv: syscall.ENOTCONN, shutdown: syscall.ENOTCONN,
		remote: syscall.ENOTCONN}.compare(e, s, e.at)
	if a := must[netip.AddrPort](e)(s.LocalAddr()); a != addr {
		e.Errorf("local address: got %v, want %v", a, addr)
	}
	e.check(s.Listen(1))
}

func testListening(e env) {
	l, addr := e.listen()
	calls{bind: syscall.EINVAL, accept: syscall.EAGAIN, connect: syscall.EISCONN,
		finish: syscall.ENOTCONN, send: syscall.EPIPE, recv: syscall.ENOTCONN,
		remote: syscall.ENOTCONN}.compare(e, l, addr)
	_, _, err := l.Accept()
	e.wantErr("accept", err, syscall.EAGAIN)
	e.wantEvents("nobody comes", l, 0)
	e.check(l.Listen(2)) // which changes the backlog
	if v := must[int64](e)(l.Option(network.AcceptConn)); v != 1 {
		e.Errorf("AcceptConn: got %d, want 1", v)
	}
	if n := must[int](e)(l.Available()); n != 0 {
		e.Errorf("available: got %d, want 0", n)
	}
	c := e.open(network.Stream)
	e.connect(c, addr)
	e.waitFor(l, network.Readable)
	e.wantEvents("somebody comes", l, network.Readable)
	s, from := e.accept(l)
	if local := must[netip.AddrPort](e)(c.LocalAddr()); from != local {
		e.Errorf("accept: got peer %v, want %v", from, local)
	}
	if v := must[int64](e)(s.Option(network.AcceptConn)); v != 0 {
		e.Errorf("AcceptConn of a connection: got %d, want 0", v)
	}
	e.wantEvents("taken", l, 0)
}

func testListenUnbound(e env) {
	l := e.open(network.Stream)
	if v := must[int64](e)(l.Option(network.AcceptConn)); v != 0 {
		e.Errorf("AcceptConn before Listen: got %d, want 0", v)
	}
	e.check(l.Listen(1))
	a := must[netip.AddrPort](e)(l.LocalAddr())
	if a.Port() == 0 || !a.Addr().IsUnspecified() {
		e.Errorf("got local address %v, want an unspecified one with a port", a)
	}
	e.connect(e.open(network.Stream), netip.AddrPortFrom(e.at.Addr(), a.Port()))
	e.accept(l)
}

func testListenerShutdown(e env) {
	l, addr := e.listen()
	done := make(chan error, 1)
	go func() { _, err := l.Wait(network.Readable, soon()); done <- err }()
	e.check(l.Shutdown(network.ShutBoth))
	e.check(<-done)
	_, _, err := l.Accept()
	e.wantState("accept", err, syscall.EINVAL)
	if got := e.poll(l, network.Readable); got&network.Hangup == 0 {
		e.Errorf("got events %04b, want Hangup among them", got)
	}
	if !e.lacks(ShutdownRefuses) {
		e.wantErr("connect", e.fail(e.open(network.Stream), addr), syscall.ECONNREFUSED)
	}
}

func testConnecting(e env) {
	l := e.open(network.Stream)
	e.check(l.Bind(e.at))
	e.check(l.Listen(0))
	addr := must[netip.AddrPort](e)(l.LocalAddr())
	e.connect(e.open(network.Stream), addr)
	var waiting network.Socket
	for range 8 {
		c := e.open(network.Stream)
		if e.start(c, addr) && e.poll(c, network.Writable) == 0 {
			waiting = c
			break
		}
	}
	if waiting == nil {
		e.Fatal("got every connection accepted, want one that stays under way")
	}
	e.wantEvents("connecting", waiting, 0)
	calls{bind: syscall.EINVAL, listen: syscall.EINVAL, accept: syscall.EINVAL,
		remote: syscall.ENOTCONN}.compare(e, waiting, addr)
	e.wantErr("connect again", waiting.Connect(addr), syscall.EALREADY)
	e.wantErr("finish connect", waiting.FinishConnect(), syscall.EALREADY)
	_, err := waiting.Send(one([]byte("x")), none)
	e.wantErr("send", err, syscall.EAGAIN)
	_, err = waiting.Recv(one(make([]byte, 1)), 0)
	e.wantErr("receive", err, syscall.EAGAIN)
	_, err = waiting.Wait(network.Writable, afterMoment())
	e.wantDeadline("wait", err)
	done := make(chan error, 1)
	go func() { _, err := waiting.Wait(network.Writable, soon()); done <- err }()
	e.check(waiting.Close())
	e.wantErr("wait after close", <-done, net.ErrClosed)
}

func testConnected(e env) {
	c, s := e.pair()
	addr := must[netip.AddrPort](e)(c.RemoteAddr())
	for name, end := range map[string]network.Socket{"client": c, "server": s} {
		calls{bind: syscall.EINVAL, listen: syscall.EINVAL, accept: syscall.EINVAL,
			connect: syscall.EISCONN, recv: syscall.EAGAIN}.compare(e, end, addr)
		_, err := end.Recv(one(make([]byte, 1)), 0)
		e.wantErr("receive before anything was sent", err, syscall.EAGAIN)
		e.wantEvents(name+" idle", end, network.Writable)
		e.check(end.FinishConnect())
	}
	if a := must[netip.AddrPort](e)(s.LocalAddr()); a != addr {
		e.Errorf("local address of the server: got %v, want %v", a, addr)
	}
	local := must[netip.AddrPort](e)(c.LocalAddr())
	if a := must[netip.AddrPort](e)(s.RemoteAddr()); a != local {
		e.Errorf("remote address of the server: got %v, want %v", a, local)
	}
}

func testClosed(e env) {
	s := e.open(network.Stream)
	e.check(s.Close())
	for name, call := range closedCalls(e, s) {
		e.wantErr(name+" after close", call(), net.ErrClosed)
	}
	if way := s.Readiness(); way.Control != nil {
		e.wantErr("control after close", way.Control(func(uintptr) {
			e.Error("got a call of f, want net.ErrClosed")
		}), net.ErrClosed)
	}
}

func testBind(e env) {
	s := e.open(network.Stream)
	e.wantErrno("bind to nothing", s.Bind(none))
	e.wantErrno("connect to nothing", s.Connect(none))
	if e.family == network.IPv4 {
		v6 := netip.MustParseAddrPort("[::1]:0")
		e.wantErr("bind to IPv6", s.Bind(v6), syscall.EAFNOSUPPORT)
		e.wantErr("connect to IPv6", s.Connect(v6), syscall.EAFNOSUPPORT)
	} else {
		v4 := netip.MustParseAddrPort("192.0.2.77:0")
		e.wantErr("bind to IPv4", s.Bind(v4), syscall.EINVAL)
		e.wantErr("connect to IPv4", s.Connect(v4), syscall.EINVAL)
	}
	e.check(s.Bind(e.at)) // a refused call leaves the socket unbound
	e.wantState("bind twice", s.Bind(e.at), syscall.EINVAL)
}

func testBindInUse(e env) {
	_, addr := e.listen()
	other := e.open(network.Stream)
	e.wantErr("bind to a taken address", other.Bind(addr), syscall.EADDRINUSE)
	foreign := netip.MustParseAddrPort("192.0.2.77:0")
	if e.family == network.IPv6 {
		foreign = netip.MustParseAddrPort("[2001:db8::77]:0")
		e.wantErr("bind to a zone that is not",
			other.Bind(netip.MustParseAddrPort("[fe80::1%nosuchif]:0")), syscall.ENODEV)
	}
	e.wantErr("bind to another's address", other.Bind(foreign), syscall.EADDRNOTAVAIL)
	e.check(other.Bind(e.at))
}
