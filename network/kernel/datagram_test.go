package kernel_test

import (
	"bytes"
	"net/netip"
	"syscall"
	"testing"

	"github.com/wasport/wasport/network"
)

func TestDatagramBetweenTwoSockets(t *testing.T) {
	eachFamily(t, func(t *testing.T, family network.Family, at netip.AddrPort) {
		a, from := bound(t, family, at)
		b, to := bound(t, family, at)
		buf := make([]byte, 16)
		_, err := b.Recv(one(buf), 0)
		wantErr(t, "receive nothing", err, syscall.EAGAIN)
		_, err = a.Send(one([]byte("x")), none)
		wantErr(t, "send nowhere", err, syscall.EDESTADDRREQ)
		wantErr(t, "listen", a.Listen(1), syscall.EOPNOTSUPP)
		_, _, err = a.Accept()
		wantErr(t, "accept", err, syscall.EOPNOTSUPP)
		// shutdown(2) returns an error although it has an effect.
		wantErr(t, "shutdown", open(t, family, network.Datagram).Shutdown(network.ShutBoth),
			syscall.ENOTCONN)

		for _, bufs := range [][][]byte{{[]byte("hello")}, {[]byte("he"), nil, []byte("llo")},
			{nil}, nil} {
			text := bytes.Join(bufs, nil)
			if n, err := a.Send(bufs, to); n != len(text) || err != nil {
				t.Fatalf("send: got %d, %v; want %d", n, err, len(text))
			}
			r := recv(t, b, buf)
			if r.N != len(text) || r.Size != len(text) || !bytes.Equal(buf[:r.N], text) ||
				r.From != from || r.Truncated {
				t.Errorf("got %q, %+v; want %q", buf[:r.N], r, text)
			}
		}

		for _, into := range [][][]byte{{make([]byte, 4)}, {make([]byte, 1), {}, make([]byte, 3)},
			{{}}, nil} {
			check(t, func() error { _, err := a.Send(one([]byte("toolong")), to); return err }())
			wait(t, b, network.Readable)
			size := len(bytes.Join(into, nil))
			r, err := b.Recv(into, network.Peek)
			if err != nil || r.N != size || r.Size != 7 || !r.Truncated || r.From != from {
				t.Errorf("peek: got %+v, %v; want %d of 7 bytes from %v", r, err, size, from)
			}
			r, err = b.Recv(into, 0)
			if got := bytes.Join(into, nil); err != nil || r.N != size || r.Size != 7 ||
				!r.Truncated || !bytes.Equal(got, []byte("tool")[:size]) {
				t.Errorf("receive: got %q, %+v, %v; want %d bytes of \"tool\"", got, r, err, size)
			}
			if got := must[network.Events](t)(b.Poll(network.Readable)); got != 0 {
				t.Errorf("after a truncated datagram: got events %b, want none", got)
			}
		}

		_, err = a.Send(one(make([]byte, 1<<16)), to)
		wantErr(t, "send too much", err, syscall.EMSGSIZE)

		check(t, a.Connect(to))
		if r := must[netip.AddrPort](t)(a.RemoteAddr()); r != to {
			t.Errorf("got peer %v, want %v", r, to)
		}
		if n, err := a.Send(one([]byte("x")), none); n != 1 || err != nil {
			t.Errorf("send to the peer: got %d, %v; want 1", n, err)
		}
		recv(t, b, buf)
		_, elsewhere := bound(t, family, at)
		check(t, a.Connect(elsewhere))
		if r := must[netip.AddrPort](t)(a.RemoteAddr()); r != elsewhere {
			t.Errorf("got peer %v, want %v", r, elsewhere)
		}
		wantErr(t, "connect to nothing", a.Connect(none), syscall.EINVAL)
	})
}

// A datagram to an unused port is reported as an error of the connected socket (udp(7)).
func TestDatagramRefused(t *testing.T) {
	eachFamily(t, func(t *testing.T, family network.Family, at netip.AddrPort) {
		gone, addr := bound(t, family, at)
		check(t, gone.Close())
		s := open(t, family, network.Datagram)
		check(t, s.Connect(addr))
		if _, err := s.Send(one([]byte("x")), none); err != nil {
			t.Fatal(err)
		}
		if got := wait(t, s, network.Readable); got&network.Failed == 0 {
			t.Errorf("got events %b, want Failed among them", got)
		}
		_, err := s.Recv(one(make([]byte, 1)), 0)
		wantErr(t, "receive", err, syscall.ECONNREFUSED)
	})
}

func TestBroadcastNeedsOption(t *testing.T) {
	s := open(t, network.IPv4, network.Datagram)
	_, err := s.Send(one([]byte("x")), netip.MustParseAddrPort("127.255.255.255:9"))
	wantErr(t, "broadcast", err, syscall.EACCES)
}
