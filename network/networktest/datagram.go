package networktest

import (
	"bytes"
	"net/netip"
	"syscall"

	"github.com/wasport/wasport/internal/needs"
	"github.com/wasport/wasport/network"
)

var datagramParts = []part{
	{"datagrams", []Feature{Datagrams}, testDatagrams},
	{"datagrams truncated", []Feature{Datagrams}, testTruncation},
	{"datagrams peeked", []Feature{Datagrams, Peek}, testPeekDatagram},
	{"datagrams too long", []Feature{Datagrams}, testTooLong},
	{"datagrams connected", []Feature{Datagrams}, testConnectedDatagrams},
	{"datagrams in use", []Feature{Datagrams, AddressInUse}, testDatagramInUse},
	{"datagrams shut down", []Feature{Datagrams}, testDatagramShutdown},
	{"datagrams shut down for reading", []Feature{Datagrams, ShutdownRead},
		testDatagramShutdownRead},
	{"datagrams disconnected", []Feature{Datagrams, Disconnect}, testDisconnect},
	{"address of disconnected", []Feature{Datagrams, Disconnect}, testAddressOfDisconnected},
	{"datagrams unread", []Feature{Datagrams}, testUnreadDatagrams},
	{"datagrams to nobody", []Feature{Datagrams, UnreachableDatagrams}, testDatagramRefused},
	{"broadcast", []Feature{Datagrams, Broadcast}, testBroadcast},
}

func testDatagrams(e env) {
	a, from := e.bound(network.Datagram)
	b, to := e.bound(network.Datagram)
	calls{bind: syscall.EINVAL, listen: syscall.EOPNOTSUPP, accept: syscall.EOPNOTSUPP,
		send: syscall.EDESTADDRREQ, remote: syscall.ENOTCONN}.compare(e, a, to)
	_, err := b.Recv(one(make([]byte, 1)), 0)
	e.wantErr("receive nothing", err, syscall.EAGAIN)
	e.wantEvents("no datagram", b, network.Writable)
	buf := make([]byte, 16)
	for _, bufs := range [][][]byte{{[]byte("hello")}, {[]byte("he"), nil, []byte("llo")}, {nil},
		nil} {
		text := bytes.Join(bufs, nil)
		if n, err := a.Send(bufs, to); n != len(text) || err != nil {
			e.Fatalf("send: got %d, %v; want %d", n, err, len(text))
		}
		r := e.recv(b, buf)
		if r.N != len(text) || !bytes.Equal(buf[:r.N], text) || r.From != from || r.Truncated ||
			r.Size != 0 && r.Size != r.N {
			e.Errorf("got %q, %+v; want %q from %v", buf[:r.N], r, text, from)
		}
	}
	// A socket that sends is bound.
	s := e.open(network.Datagram)
	e.send(s, "x", to)
	if a := must[netip.AddrPort](e)(s.LocalAddr()); a.Port() == 0 {
		e.Errorf("local address after a send: got %v, want a port", a)
	}
	e.recv(b, buf)
}

func testTruncation(e env) {
	a, from := e.bound(network.Datagram)
	b, to := e.bound(network.Datagram)
	for _, into := range [][][]byte{{make([]byte, 4)}, {make([]byte, 1), {}, make([]byte, 3)}, {{}},
		nil} {
		e.send(a, "toolong", to)
		e.wait(b, network.Readable)
		size := len(bytes.Join(into, nil))
		r, err := b.Recv(into, 0)
		if got := bytes.Join(into, nil); err != nil || r.N != size || r.From != from ||
			r.Size != 0 && r.Size != 7 || !r.Truncated ||
			!bytes.Equal(got, []byte("tool")[:size]) {
			e.Errorf("receive: got %q, %+v, %v; want %d bytes of \"tool\"", got, r, err, size)
		}
		if got := e.poll(b, network.Readable); got != 0 {
			e.Errorf("after a truncated datagram: got events %04b, want none", got)
		}
	}
}

func testPeekDatagram(e env) {
	a, from := e.bound(network.Datagram)
	b, to := e.bound(network.Datagram)
	e.send(a, "first", to)
	e.send(a, "second", to)
	for _, size := range []int{0, 3, 16} {
		e.wait(b, network.Readable)
		buf := make([]byte, size)
		r, err := b.Recv(one(buf), network.Peek)
		want := "first"[:min(size, 5)]
		if err != nil || string(buf[:r.N]) != want || r.From != from || r.Truncated != (size < 5) {
			e.Errorf("peek: got %q, %+v, %v; want %q", buf[:r.N], r, err, want)
		}
	}
	for _, want := range []string{"first", "second"} {
		buf := make([]byte, 16)
		if r := e.recv(b, buf); string(buf[:r.N]) != want {
			e.Errorf("got %q, want %q", buf[:r.N], want)
		}
	}
}

func testTooLong(e env) {
	a, to := e.bound(network.Datagram)
	_, err := a.Send(one(make([]byte, 1<<16)), to)
	e.wantErr("send too much", err, syscall.EMSGSIZE)
	_, err = a.Send(one(nil), netip.AddrPortFrom(e.otherAddr(), 9))
	e.wantErrno("send to the wrong family", err)
}

// otherAddr is an address that a socket of this family cannot take.
func (e env) otherAddr() netip.Addr {
	if e.family == network.IPv4 {
		return netip.IPv6Loopback()
	}
	return netip.Addr{}
}

func testConnectedDatagrams(e env) {
	a, from := e.bound(network.Datagram)
	b, to := e.bound(network.Datagram)
	c, other := e.bound(network.Datagram)
	e.wantErrno("connect to nothing", a.Connect(none))
	e.check(a.Connect(to))
	e.check(a.FinishConnect())
	if r := must[netip.AddrPort](e)(a.RemoteAddr()); r != to {
		e.Errorf("got peer %v, want %v", r, to)
	}
	e.send(a, "to the peer", none)
	buf := make([]byte, 16)
	e.recv(b, buf)
	e.send(a, "elsewhere", other)
	e.recv(c, buf)
	// It receives from its peer alone.
	e.send(c, "not the peer", from)
	e.send(b, "the peer", from)
	if r := e.recv(a, buf); string(buf[:r.N]) != "the peer" || r.From != to {
		e.Errorf("got %q from %v, want \"the peer\" from %v", buf[:r.N], r.From, to)
	}
	e.check(a.Connect(other))
	if r := must[netip.AddrPort](e)(a.RemoteAddr()); r != other {
		e.Errorf("got peer %v, want %v", r, other)
	}
}

func testDatagramInUse(e env) {
	s, addr := e.bound(network.Datagram)
	other := e.open(network.Datagram)
	e.wantErr("bind to a taken address", other.Bind(addr), syscall.EADDRINUSE)
	e.check(s.Close())
	e.check(other.Bind(addr))
	// Streams and datagrams have ports of their own. Another program may have the stream's.
	for range 20 {
		if e.open(network.Stream).Bind(addr) == nil {
			return
		}
		_, addr = e.bound(network.Datagram)
	}
	e.Errorf("got no stream at the port of a datagram socket, want one")
}

func testDatagramShutdown(e env) {
	s, to := e.bound(network.Datagram)
	e.wantState("shutdown without a peer", e.open(network.Datagram).Shutdown(network.ShutBoth),
		syscall.ENOTCONN)
	e.check(s.Connect(to))
	e.check(s.Shutdown(network.ShutWrite))
	_, err := s.Send(one([]byte("x")), none)
	e.wantErr("send after shutdown", err, syscall.EPIPE)
}

func testDatagramShutdownRead(e env) {
	a, atA := e.bound(network.Datagram)
	b, atB := e.bound(network.Datagram)
	e.check(a.Connect(atB))
	e.check(b.Connect(atA))
	e.send(a, "kept", none)
	e.wait(b, network.Readable)
	done := make(chan error, 1)
	go func() { _, err := a.Wait(network.Readable, soon()); done <- err }()
	e.check(a.Shutdown(network.ShutRead))
	e.check(<-done)
	e.check(b.Shutdown(network.ShutRead))
	e.recvText(b, "kept") // a datagram that came before the shutdown
	e.wait(b, network.Readable)
	e.send(b, "the other way", none)
}

func testDisconnect(e env) {
	stream := e.open(network.Stream)
	d, ok := stream.(network.Disconnecter)
	if !ok {
		e.Fatal("got a stream without Disconnect, want one that has it")
	}
	e.wantErrno("disconnect a stream", d.Disconnect())
	s, own := e.open(network.Datagram), e.gone(network.Datagram)
	e.check(s.Bind(own)) // to a port that the host did not choose, and so does not release
	peer, to := e.bound(network.Datagram)
	e.check(s.Connect(to))
	e.check(s.(network.Disconnecter).Disconnect())
	_, err := s.RemoteAddr()
	e.wantErr("remote address", err, syscall.ENOTCONN)
	_, err = s.Send(one([]byte("x")), none)
	e.wantErr("send nowhere", err, syscall.EDESTADDRREQ)
	e.check(s.(network.Disconnecter).Disconnect())
	if a := must[netip.AddrPort](e)(s.LocalAddr()); a.Port() != own.Port() {
		e.Errorf("local address: got %v, want port %d as bound", a, own.Port())
	}
	// It receives from any sender again.
	third, _ := e.bound(network.Datagram)
	for _, from := range []network.Socket{peer, third} {
		e.send(from, "x", own)
		e.recv(s, make([]byte, 1))
	}
}

// testAddressOfDisconnected releases the peer of a socket on every address, and of an unbound one.
// A policy judges senders by the local address.
func testAddressOfDisconnected(e env) {
	every := netip.IPv4Unspecified()
	if e.family == network.IPv6 {
		every = netip.IPv6Unspecified()
	}
	_, peer := e.bound(network.Datagram)
	for _, bind := range []bool{true, false} {
		s := e.open(network.Datagram)
		if bind {
			e.check(s.Bind(netip.AddrPortFrom(every, 0)))
		}
		for range 2 {
			e.check(s.Connect(peer))
			e.check(s.(network.Disconnecter).Disconnect())
			if got := must[netip.AddrPort](e)(s.LocalAddr()); got.Addr() != every {
				e.Errorf("bound %v: got the local address %v, want %v", bind, got, every)
			}
		}
	}
}

// testUnreadDatagrams sends more than any buffer takes. The rest is lost, and the queue is bounded.
func testUnreadDatagrams(e env) {
	s, to := e.bound(network.Datagram)
	a := e.open(network.Datagram)
	const sent = 20_000
	for range sent {
		if _, err := a.Send(one(make([]byte, 8<<10)), to); err != nil && err != syscall.EAGAIN &&
			err != syscall.ENOBUFS {
			e.Fatal(err)
		}
	}
	e.wait(s, network.Readable) // A goroutine may bring them.
	received := 0
	for b := one(make([]byte, 8<<10)); ; received++ {
		if _, err := s.Recv(b, 0); err != nil {
			e.wantErr("receive", err, syscall.EAGAIN)
			break
		}
	}
	if received == 0 || received == sent {
		e.Errorf("got %d of %d datagrams, want some and not all", received, sent)
	}
}

func testDatagramRefused(e env) {
	needs.NotWine(e)
	addr := e.gone(network.Datagram)
	s := e.open(network.Datagram)
	e.check(s.Connect(addr))
	e.send(s, "x", none)
	if got := e.wait(s, network.Readable); got&network.Failed == 0 {
		e.Errorf("got events %04b, want Failed among them", got)
	}
	_, err := s.Recv(one(make([]byte, 1)), 0)
	e.wantErr("receive", err, syscall.ECONNREFUSED)
	_, err = s.Recv(one(make([]byte, 1)), 0)
	e.wantErr("receive, the error being told", err, syscall.EAGAIN)
}

func testBroadcast(e env) {
	if e.family == network.IPv6 {
		e.Skip("IPv6 has no broadcast")
	}
	s := e.open(network.Datagram)
	_, err := s.Send(one([]byte("x")), netip.MustParseAddrPort("127.255.255.255:9"))
	e.wantErr("broadcast", err, syscall.EACCES)
}
