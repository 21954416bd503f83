//go:build !portable

package kernel_test

import (
	"net/netip"
	"syscall"
	"testing"
	"time"

	"github.com/wasport/wasport/network"
)

func TestDataDoesNotAllocate(t *testing.T) {
	exchanges(t, func(name string, exchange func()) {
		if n := testing.AllocsPerRun(100, exchange); n != 0 {
			t.Errorf("%s: %v allocations", name, n)
		}
	})
	s, addr := bound(t, network.IPv4, netip.MustParseAddrPort("127.0.0.1:0"))
	b := one(make([]byte, 1))
	deadline := time.Now().Add(time.Hour)
	for name, call := range map[string]func(){
		"poll":              func() { s.Poll(network.Readable | network.Writable) },
		"available":         func() { s.Available() },
		"empty":             func() { s.Recv(b, 0) },
		"ready wait":        func() { s.Wait(network.Writable, time.Time{}) },
		"expired wait":      func() { s.Wait(network.Readable, time.Now().Add(10*time.Microsecond)) },
		"wait and deadline": func() { s.Send(b, addr); s.Wait(network.Readable, deadline); s.Recv(b, 0) },
	} {
		call() // the first wait registers the socket
		if n := testing.AllocsPerRun(100, call); n != 0 {
			t.Errorf("%s: %v allocations", name, n)
		}
	}
}

// A socket whose connection failed is as good as new, which other systems do not promise.
func TestConnectAfterFailure(t *testing.T) {
	eachFamily(t, func(t *testing.T, family network.Family, at netip.AddrPort) {
		gone, addr := listen(t, family, at)
		check(t, gone.Close())
		c := open(t, family, network.Stream)
		for range 2 {
			wantErr(t, "connect", c.Connect(addr), syscall.EINPROGRESS)
			wait(t, c, network.Writable)
			wantErr(t, "finish connect", c.FinishConnect(), syscall.ECONNREFUSED)
		}
		l := open(t, family, network.Stream)
		check(t, l.Bind(addr))
		check(t, l.Listen(1))
		connect(t, c, addr)
	})
}
