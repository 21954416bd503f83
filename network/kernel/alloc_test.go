//go:build windows || (linux && !portable)

package kernel_test

import (
	"net/netip"
	"testing"
	"time"

	"github.com/wasport/wasport/network"
)

func TestDataDoesNotAllocate(t *testing.T) {
	exchanges(t, func(name string, exchange func()) {
		if n := testing.AllocsPerRun(100, exchange); n != 0 {
			t.Errorf("%s: got %v allocations, want none", name, n)
		}
	})
	s, addr := bound(t, network.IPv4, netip.MustParseAddrPort("127.0.0.1:0"))
	b := one(make([]byte, 1))
	deadline := time.Now().Add(time.Hour)
	for name, call := range map[string]func(){
		"poll":       func() { s.Poll(network.Readable | network.Writable) },
		"available":  func() { s.Available() },
		"empty":      func() { s.Recv(b, 0) },
		"ready wait": func() { s.Wait(network.Writable, time.Time{}) },
		"expired wait": func() {
			s.Wait(network.Readable, time.Now().Add(10*time.Microsecond))
		},
		"wait and deadline": func() {
			s.Send(b, addr)
			s.Wait(network.Readable, deadline)
			s.Recv(b, 0)
		},
	} {
		call() // the first wait registers the socket
		if n := testing.AllocsPerRun(100, call); n != 0 {
			t.Errorf("%s: got %v allocations, want none", name, n)
		}
	}
}
