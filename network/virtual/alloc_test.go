package virtual_test

import (
	"fmt"
	"net"
	"net/netip"
	"testing"
	"time"

	"github.com/wasport/wasport/network"
)

func TestDataDoesNotAllocate(t *testing.T) {
	h := hosts(t, "a", "b")
	l := listen(t, h[0], "0.0.0.0:7", 1)
	c := dial(t, h[1], "10.0.0.1:7")
	check(t, c.FinishConnect())
	s, _, err := l.Accept()
	check(t, err)
	d, to := bind(t, h[0], network.Datagram, "0.0.0.0:7"), netip.MustParseAddrPort("10.0.0.1:7")
	from := bind(t, h[1], network.Datagram, "0.0.0.0:0")
	for _, n := range []int{1, 20, 4096} {
		bufs := [][]byte{make([]byte, n), nil, make([]byte, n)}
		for name, exchange := range map[string]func(){
			"tcp": func() { c.Send(bufs, none); s.Recv(bufs, network.Peek); s.Recv(bufs, 0) },
			"udp": func() { from.Send(bufs, to); d.Recv(bufs, network.Peek); d.Recv(bufs, 0) },
		} {
			t.Run(fmt.Sprintf("%s/%d", name, n), func(t *testing.T) {
				exchange() // makes the rings
				if got := testing.AllocsPerRun(100, exchange); got != 0 {
					t.Errorf("got %v allocations, want none", got)
				}
			})
		}
	}
	b := [][]byte{make([]byte, 1)}
	for name, call := range map[string]func(){
		"poll":       func() { s.Poll(network.Readable | network.Writable) },
		"available":  func() { s.Available() },
		"empty":      func() { s.Recv(b, 0) },
		"ready wait": func() { s.Wait(network.Writable, time.Time{}) },
	} {
		if got := testing.AllocsPerRun(100, call); got != 0 {
			t.Errorf("%s: got %v allocations, want none", name, got)
		}
	}
}

func TestConnDoesNotAllocate(t *testing.T) {
	h := hosts(t, "a", "b")
	l, err := h[0].Listen("tcp", ":7")
	check(t, err)
	defer l.Close()
	c, err := h[1].Dial("tcp", "a:7")
	check(t, err)
	defer c.Close()
	s, err := l.Accept()
	check(t, err)
	defer s.Close()
	b := make([]byte, 64)
	exchange := func(from, to net.Conn) {
		from.Write(b)
		to.Read(b)
	}
	exchange(c, s)
	if got := testing.AllocsPerRun(100, func() { exchange(c, s) }); got != 0 {
		t.Errorf("got %v allocations, want none", got)
	}
}

// BenchmarkExchange64 sends 64 bytes and receives them.
func BenchmarkExchange64(b *testing.B) {
	h := hosts(b, "a")[0]
	l := listen(b, h, "127.0.0.1:7", 1)
	c := dial(b, h, "127.0.0.1:7")
	s, _, err := l.Accept()
	check(b, err)
	d, to := bind(b, h, network.Datagram, "127.0.0.1:7"), netip.MustParseAddrPort("127.0.0.1:7")
	bufs := one(make([]byte, 64))
	b.Run("tcp", func(b *testing.B) {
		for b.Loop() {
			c.Send(bufs, none)
			s.Recv(bufs, 0)
		}
	})
	b.Run("udp", func(b *testing.B) {
		for b.Loop() {
			d.Send(bufs, to)
			d.Recv(bufs, 0)
		}
	})
}
