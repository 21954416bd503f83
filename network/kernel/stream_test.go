package kernel_test

import (
	"bytes"
	"net/netip"
	"os"
	"syscall"
	"testing"
	"time"

	"github.com/wasport/wasport/network"
)

const errInProgress = syscall.EINPROGRESS

func TestStreamBetweenTwoSockets(t *testing.T) {
	eachFamily(t, func(t *testing.T, family network.Family, at netip.AddrPort) {
		l, addr := listen(t, family, at)
		if _, _, err := l.Accept(); err != syscall.EAGAIN {
			t.Errorf("accept without a client: got %v, want EAGAIN", err)
		}
		c := open(t, family, network.Stream)
		if err := c.Connect(addr); err != syscall.EINPROGRESS {
			t.Fatalf("connect: got %v, want EINPROGRESS", err)
		}
		wait(t, c, network.Writable)
		check(t, c.FinishConnect())
		check(t, c.FinishConnect())
		wantErr(t, "connect again", c.Connect(addr), syscall.EISCONN)
		s, from := accept(t, l)

		local := must[netip.AddrPort](t)(c.LocalAddr())
		if from != local || must[netip.AddrPort](t)(s.RemoteAddr()) != local {
			t.Errorf("accept: got peer %v, want %v", from, local)
		}
		if remote := must[netip.AddrPort](t)(c.RemoteAddr()); remote != addr {
			t.Errorf("got peer %v, want %v", remote, addr)
		}
		if s.Family() != family || s.Type() != network.Stream {
			t.Errorf("accept: got a socket of %v %v, want %v %v",
				s.Family(), s.Type(), family, network.Stream)
		}

		b := make([]byte, 16)
		if _, err := s.Recv(one(b), 0); err != syscall.EAGAIN {
			t.Errorf("receive before anything was sent: got %v, want EAGAIN", err)
		}
		// An address that a stream is sent to is ignored.
		if n, err := c.Send([][]byte{[]byte("one "), nil, []byte("two "), []byte("three")},
			netip.MustParseAddrPort("192.0.2.1:9")); n != 13 || err != nil {
			t.Fatalf("send: got %d, %v; want 13", n, err)
		}
		wait(t, s, network.Readable)
		if n := must[int](t)(s.Available()); n != 13 {
			t.Errorf("available: got %d, want 13", n)
		}
		r, err := s.Recv(one(b), network.Peek)
		if err != nil || string(b[:r.N]) != "one two three" || r.From != local || r.Truncated {
			t.Errorf("peek: got %q, %+v, %v; want all 13 bytes", b[:r.N], r, err)
		}
		parts := [][]byte{make([]byte, 5), {}, make([]byte, 3), make([]byte, 9)}
		r, err = s.Recv(parts, 0)
		if got := bytes.Join(parts, nil); err != nil || r.N != 13 ||
			string(got[:13]) != "one two three" || r.From != local {
			t.Errorf("receive: got %q, %+v, %v; want all 13 bytes", got, r, err)
		}

		check(t, c.Shutdown(network.ShutWrite))
		if r := recv(t, s, b); r.N != 0 {
			t.Errorf("end of the stream: got %d bytes, want 0", r.N)
		}
		if n, err := s.Send(one([]byte("back")), none); n != 4 || err != nil {
			t.Errorf("send into the open half: got %d, %v; want 4", n, err)
		}
		if r := recv(t, c, b); string(b[:r.N]) != "back" || r.From != addr {
			t.Errorf("got %q from %v, want \"back\" from %v", b[:r.N], r.From, addr)
		}
	})
}

func TestUnconnectedStream(t *testing.T) {
	eachFamily(t, func(t *testing.T, family network.Family, at netip.AddrPort) {
		s := open(t, family, network.Stream)
		_, err := s.Send(one([]byte("x")), none)
		wantErr(t, "send", err, syscall.EPIPE)
		_, err = s.Recv(one(make([]byte, 1)), 0)
		wantErr(t, "receive", err, syscall.ENOTCONN)
		wantErr(t, "shutdown", s.Shutdown(network.ShutBoth), syscall.ENOTCONN)
		wantErr(t, "shutdown of nothing", s.Shutdown(0), syscall.EINVAL)
		_, err = s.RemoteAddr()
		wantErr(t, "remote address", err, syscall.ENOTCONN)
		wantErr(t, "finish connect", s.FinishConnect(), syscall.ENOTCONN)
		_, _, err = s.Accept()
		wantErr(t, "accept", err, syscall.EINVAL)
		unspecified := netip.IPv4Unspecified()
		if family == network.IPv6 {
			unspecified = netip.IPv6Unspecified()
		}
		if a := must[netip.AddrPort](t)(s.LocalAddr()); a != netip.AddrPortFrom(unspecified, 0) {
			t.Errorf("local address: got %v, want %v with port 0", a, unspecified)
		}
		if got := must[network.Events](t)(s.Poll(network.Readable |
			network.Writable)); got&network.Hangup == 0 {
			t.Errorf("poll: got events %b, want Hangup among them", got)
		}
	})
}

func TestBind(t *testing.T) {
	eachFamily(t, func(t *testing.T, family network.Family, at netip.AddrPort) {
		s := open(t, family, network.Stream)
		check(t, s.Bind(at))
		wantErr(t, "bind twice", s.Bind(at), syscall.EINVAL)
		_, addr := listen(t, family, at)
		other := open(t, family, network.Stream)
		wantErr(t, "bind to a taken address", other.Bind(addr), syscall.EADDRINUSE)
		wantErr(t, "bind to nothing", other.Bind(none), syscall.EINVAL)
		foreign, mismatch := netip.MustParseAddrPort("192.0.2.77:0"), syscall.EINVAL
		v6 := netip.MustParseAddrPort("[::1]:0")
		if family == network.IPv4 {
			mismatch = syscall.EAFNOSUPPORT
			wantErr(t, "bind to IPv6", other.Bind(v6), mismatch)
			wantErr(t, "connect to IPv6", other.Connect(v6), mismatch)
		} else {
			wantErr(t, "bind to IPv4", other.Bind(foreign), mismatch)
			wantErr(t, "connect to IPv4", other.Connect(foreign), mismatch)
			foreign = netip.MustParseAddrPort("[2001:db8::77]:0")
			wantErr(t, "bind to a zone that is not",
				other.Bind(netip.MustParseAddrPort("[fe80::1%nosuchif]:0")), syscall.ENODEV)
		}
		wantErr(t, "bind to another's address", other.Bind(foreign), syscall.EADDRNOTAVAIL)
	})
}

func TestConnectRefused(t *testing.T) {
	eachFamily(t, func(t *testing.T, family network.Family, at netip.AddrPort) {
		l, addr := listen(t, family, at)
		check(t, l.Close())
		c := open(t, family, network.Stream)
		wantErr(t, "connect", c.Connect(addr), syscall.EINPROGRESS)
		if got := wait(t, c, network.Writable); got&network.Failed == 0 {
			t.Errorf("refused connection: got events %b, want Failed among them", got)
		}
		wantErr(t, "finish connect", c.FinishConnect(), syscall.ECONNREFUSED)
		wantErr(t, "finish connect once more", c.FinishConnect(), syscall.ENOTCONN)

		// A guest without SO_ERROR calls connect(2) again.
		c = open(t, family, network.Stream)
		wantErr(t, "connect", c.Connect(addr), syscall.EINPROGRESS)
		wait(t, c, network.Writable)
		wantErr(t, "connect again", c.Connect(addr), syscall.ECONNREFUSED)

		c = open(t, family, network.Stream)
		wantErr(t, "connect", c.Connect(addr), syscall.EINPROGRESS)
		wait(t, c, network.Writable)
		e := must[int64](t)(c.Option(network.PendingError))
		if syscall.Errno(e) != syscall.ECONNREFUSED {
			t.Errorf("pending error: got %d, want ECONNREFUSED", e)
		}
		if e := must[int64](t)(c.Option(network.PendingError)); e != 0 {
			t.Errorf("pending error, read again: got %d, want 0", e)
		}
		wantErr(t, "finish connect without the error", c.FinishConnect(), syscall.ECONNABORTED)
	})
}

func TestConnectAgain(t *testing.T) {
	eachFamily(t, func(t *testing.T, family network.Family, at netip.AddrPort) {
		_, addr := listen(t, family, at)
		c := open(t, family, network.Stream)
		wantErr(t, "connect", c.Connect(addr), syscall.EINPROGRESS)
		wait(t, c, network.Writable)
		check(t, c.Connect(addr))
		wantErr(t, "third connect", c.Connect(addr), syscall.EISCONN)
		check(t, c.FinishConnect())
	})
}

// A listener with a full queue answers no more, so that a connection to it stays under way.
func TestConnectPending(t *testing.T) {
	eachFamily(t, func(t *testing.T, family network.Family, at netip.AddrPort) {
		l := open(t, family, network.Stream)
		check(t, l.Bind(at))
		check(t, l.Listen(0))
		addr := must[netip.AddrPort](t)(l.LocalAddr())
		connect(t, open(t, family, network.Stream), addr)
		for range 3 {
			c := open(t, family, network.Stream)
			wantErr(t, "connect", c.Connect(addr), syscall.EINPROGRESS)
			if got, _ := c.Poll(network.Writable); got != 0 {
				continue
			}
			wantErr(t, "connect again", c.Connect(addr), syscall.EALREADY)
			wantErr(t, "finish connect", c.FinishConnect(), syscall.EALREADY)
			_, err := c.Wait(network.Writable, time.Now().Add(20*time.Millisecond))
			wantErr(t, "wait", err, os.ErrDeadlineExceeded)
			_, err = c.Send(one([]byte("x")), none)
			wantErr(t, "send", err, syscall.EAGAIN)
			return
		}
		t.Fatal("got every connection accepted, want one that stays under way")
	})
}

func TestPeerAfterReset(t *testing.T) {
	eachFamily(t, func(t *testing.T, family network.Family, at netip.AddrPort) {
		c, s := pair(t, family, at)
		addr := must[netip.AddrPort](t)(s.RemoteAddr())
		if n, err := c.Send(one([]byte("last words")), none); n != 10 || err != nil {
			t.Fatalf("send: got %d, %v; want 10", n, err)
		}
		if r := recv(t, s, make([]byte, 16)); r.From != addr {
			t.Errorf("got sender %v, want %v", r.From, addr)
		}
		check(t, c.SetOption(network.Linger, 0))
		check(t, c.Close())
		for got := network.Events(0); got&network.Failed == 0; {
			got = wait(t, s, 0)
		}
		_, err := s.Recv(one(make([]byte, 1)), 0)
		wantErr(t, "receive after a reset", err, syscall.ECONNRESET)
		_, err = s.Send(one([]byte("x")), none)
		wantErr(t, "send after a reset", err, syscall.EPIPE)
	})
}

// Close does not wait for the peer, even with a linger time.
func TestCloseDoesNotLinger(t *testing.T) {
	const seconds = 5
	eachFamily(t, func(t *testing.T, family network.Family, at netip.AddrPort) {
		l, addr := listen(t, family, at)
		check(t, l.SetOption(network.Linger, seconds)) // which the accepted ones inherit
		for _, accepted := range []bool{false, true} {
			c := open(t, family, network.Stream)
			if err := c.Connect(addr); err != nil && err != syscall.EINPROGRESS {
				t.Fatal(err)
			}
			wait(t, c, network.Writable)
			s, _ := accept(t, l)
			check(t, c.SetOption(network.Linger, seconds))
			if accepted {
				c = s
			}
			for {
				if _, err := c.Send(one(make([]byte, 1<<16)), none); err != nil {
					break
				}
			}
			begin := time.Now()
			check(t, c.Close())
			if took := time.Since(begin); took > seconds*time.Second/2 {
				t.Errorf("accepted %v: got a close of %v, want no wait", accepted, took)
			}
		}

		c, s := pair(t, family, at)
		check(t, c.SetOption(network.Linger, seconds))
		check(t, c.SetOption(network.Linger, 0))
		check(t, c.Close())
		wait(t, s, network.Readable)
		_, err := s.Recv(one(make([]byte, 1)), 0)
		wantErr(t, "receive after a reset", err, syscall.ECONNRESET)
	})
}

func TestFullStream(t *testing.T) {
	eachFamily(t, func(t *testing.T, family network.Family, at netip.AddrPort) {
		c, s := pair(t, family, at)
		block := bytes.Repeat([]byte("0123456789abcdef"), 4096)
		var sent, got int
		for {
			n, err := c.Send(one(block), none)
			if err == syscall.EAGAIN {
				break
			}
			check(t, err)
			sent += n
		}
		_, err := c.Wait(network.Writable, time.Now().Add(time.Millisecond))
		wantErr(t, "wait on a full stream", err, os.ErrDeadlineExceeded)
		done := make(chan error, 1)
		go func() {
			_, err := c.Wait(network.Writable, soon())
			done <- err
		}()
		b := make([]byte, 1<<16)
		for got < sent {
			got += recv(t, s, b).N
		}
		check(t, <-done)
		if n, err := c.Send(one(block), none); n == 0 || err != nil {
			t.Errorf("send: got %d, %v; want more than 0", n, err)
		}
	})
}

// More buffers than the kernel takes in one call.
func TestMoreBuffersThanOneCallTakes(t *testing.T) {
	eachFamily(t, func(t *testing.T, family network.Family, at netip.AddrPort) {
		c, s := pair(t, family, at)
		var bufs [][]byte
		for i := range 2000 {
			bufs = append(bufs, []byte{byte(i)})
		}
		if n, err := c.Send(bufs, none); n != 1024 || err != nil {
			t.Fatalf("send: got %d, %v; want 1024", n, err)
		}
		into := make([][]byte, 2000)
		for i := range into {
			into[i] = make([]byte, 1)
		}
		wait(t, s, network.Readable)
		if r, err := s.Recv(into, 0); r.N != 1024 || err != nil {
			t.Fatalf("receive: got %+v, %v; want 1024 bytes", r, err)
		}
		for i := range 1024 {
			if into[i][0] != byte(i) {
				t.Fatalf("byte %d: got %d, want %d", i, into[i][0], byte(i))
			}
		}
		d := open(t, family, network.Datagram)
		_, err := d.Send(bufs, must[netip.AddrPort](t)(s.LocalAddr()))
		wantErr(t, "send a datagram of too many buffers", err, syscall.EMSGSIZE)
	})
}

func TestListenOnUnboundSocket(t *testing.T) {
	eachFamily(t, func(t *testing.T, family network.Family, at netip.AddrPort) {
		l := open(t, family, network.Stream)
		check(t, l.Listen(1))
		if a := must[netip.AddrPort](t)(l.LocalAddr()); a.Port() == 0 || !a.Addr().IsUnspecified() {
			t.Errorf("got local address %v, want an unspecified one with a port", a)
		}
		if v := must[int64](t)(l.Option(network.AcceptConn)); v != 1 {
			t.Errorf("AcceptConn: got %d, want 1", v)
		}
		if n := must[int](t)(l.Available()); n != 0 {
			t.Errorf("available on a listener: got %d, want 0", n)
		}
		done := make(chan error, 1)
		go func() {
			_, err := l.Wait(network.Readable, soon())
			done <- err
		}()
		check(t, l.Shutdown(network.ShutBoth))
		check(t, <-done)
		if got := must[network.Events](t)(l.Poll(network.Readable)); got&network.Hangup == 0 {
			t.Errorf("listener after shutdown: got events %b, want Hangup", got)
		}
		_, _, err := l.Accept()
		wantErr(t, "accept", err, syscall.EINVAL)
	})
}

// An IPv4 client of an IPv6 listener shows its address as an IPv6 socket sees it.
func TestMappedPeer(t *testing.T) {
	l, addr := listen(t, network.IPv6, netip.MustParseAddrPort("[::]:0"))
	c := open(t, network.IPv4, network.Stream)
	connect(t, c, netip.AddrPortFrom(netip.MustParseAddr("127.0.0.1"), addr.Port()))
	s, from := accept(t, l)
	if want := netip.MustParseAddr("::ffff:127.0.0.1"); from.Addr() != want {
		t.Errorf("got peer %v, want %v", from.Addr(), want)
	}
	if a := must[netip.AddrPort](t)(s.LocalAddr()); !a.Addr().Is4In6() {
		t.Errorf("got local address %v, want an IPv4-mapped one", a)
	}
	check(t, func() error { _, err := c.Send(one([]byte("x")), none); return err }())
	if r := recv(t, s, make([]byte, 1)); r.From != from {
		t.Errorf("got sender %v, want %v", r.From, from)
	}
}
