package kernel_test

import (
	"fmt"
	"net/netip"
	"testing"
	"time"

	"github.com/wasport/wasport/network"
	"github.com/wasport/wasport/network/kernel"
)

// exchanges are the ways to send to oneself and receive.
func exchanges(t testing.TB, test func(name string, exchange func())) {
	for _, l := range loopbacks {
		at := netip.AddrPortFrom(l.addr, 0)
		for _, n := range []int{1, 3, 20} {
			from, into := make([][]byte, n), make([][]byte, n)
			for i := range n {
				from[i], into[i] = make([]byte, 64/n), make([]byte, 64/n)
			}
			size := 64 / n * n
			c, s := pair(t, l.family, at)
			test(fmt.Sprintf("%v/tcp/%d", l.family, n), func() {
				if got, err := c.Send(from, none); got != size || err != nil {
					t.Fatalf("send: got %d, %v; want %d", got, err, size)
				}
				if r, err := s.Recv(into, 0); r.N != size || err != nil {
					t.Fatalf("receive: got %d, %v; want %d", r.N, err, size)
				}
			})
			a, _ := bound(t, l.family, at)
			b, to := bound(t, l.family, at)
			test(fmt.Sprintf("%v/udp/%d", l.family, n), func() {
				if got, err := a.Send(from, to); got != size || err != nil {
					t.Fatalf("send: got %d, %v; want %d", got, err, size)
				}
				if r, err := b.Recv(into, 0); r.N != size || err != nil {
					t.Fatalf("receive: got %d, %v; want %d", r.N, err, size)
				}
			})
		}
	}
}

func BenchmarkExchange64(b *testing.B) {
	exchanges(b, func(name string, exchange func()) {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				exchange()
			}
		})
	})
}

func BenchmarkCall(b *testing.B) {
	s, _ := bound(b, network.IPv4, netip.MustParseAddrPort("127.0.0.1:0"))
	buf := one(make([]byte, 64))
	for name, call := range map[string]func(){
		"recv-empty": func() { s.Recv(buf, 0) },
		"poll":       func() { s.Poll(network.Readable) },
		"available":  func() { s.Available() },
		"local-addr": func() { s.LocalAddr() },
		"wait-ready": func() { s.Wait(network.Writable, time.Time{}) },
	} {
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				call()
			}
		})
	}
}

// Two goroutines, each waiting for the other.
func BenchmarkPingPong64(b *testing.B) {
	c, s := pair(b, network.IPv4, netip.MustParseAddrPort("127.0.0.1:0"))
	for _, e := range []network.Socket{c, s} {
		check(b, e.SetOption(network.NoDelay, 1))
	}
	turn := func(s network.Socket, buf [][]byte) error {
		for {
			_, err := s.Recv(buf, 0)
			if err == nil {
				return nil
			}
			if _, err := s.Wait(network.Readable, time.Time{}); err != nil {
				return err
			}
		}
	}
	go func() {
		buf := one(make([]byte, 64))
		for turn(s, buf) == nil {
			s.Send(buf, none)
		}
	}()
	buf := one(make([]byte, 64))
	for b.Loop() {
		c.Send(buf, none)
		check(b, turn(c, buf))
	}
}

func BenchmarkConnectAccept(b *testing.B) {
	l, addr := listen(b, network.IPv4, netip.MustParseAddrPort("127.0.0.1:0"))
	for b.Loop() {
		c, err := kernel.New(kernel.Config{}).Open(network.IPv4, network.Stream)
		check(b, err)
		check(b, c.SetOption(network.Linger, 0))
		connect(b, c, addr)
		wait(b, l, network.Readable)
		s, _, err := l.Accept()
		check(b, err)
		s.Close()
		c.Close()
	}
}
