package kernel_test

import (
	"fmt"
	"net/netip"
	"syscall"
	"testing"
	"time"

	"github.com/wasport/wasport/internal/testutil"
	"github.com/wasport/wasport/network"
)

const errInProgress = syscall.EINPROGRESS

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

// TestListenAfterShutdown ends a listener, which then refuses, keeps its address and its options,
// and can listen again.
func TestListenAfterShutdown(t *testing.T) {
	addr := testutil.ClosedPort(t, "127.0.0.1")
	l := open(t, network.IPv4, network.Stream)
	check(t, l.SetOption(network.ReuseAddr, 1))
	check(t, l.SetOption(network.KeepAlive, 1))
	check(t, l.Bind(addr))
	for round := range 3 {
		check(t, l.Listen(1))
		c := open(t, network.IPv4, network.Stream)
		connect(t, c, addr)
		accept(t, l)
		check(t, l.Shutdown(network.ShutRead))
		late := open(t, network.IPv4, network.Stream)
		err := late.Connect(addr)
		if err == syscall.EINPROGRESS {
			wait(t, late, network.Writable)
			err = late.FinishConnect()
		}
		wantErr(t, fmt.Sprintf("connect after shutdown %d", round), err, syscall.ECONNREFUSED)
		if got := must[netip.AddrPort](t)(l.LocalAddr()); got != addr {
			t.Errorf("after shutdown %d: got local address %v, want %v", round, got, addr)
		}
		if got := must[int64](t)(l.Option(network.KeepAlive)); got != 1 {
			t.Errorf("after shutdown %d: got keep alive %d, want 1", round, got)
		}
	}
}
