//go:build unix

package bench

import (
	"net/netip"
	"testing"

	"github.com/wasport/wasport"
	"github.com/wasport/wasport/internal/dnstest"
	"github.com/wasport/wasport/network/kernel"
)

// compareCachedLookup has a guest ask for a name that a server answers, again and again. The native
// program asks for localhost, which its C library finds in the hosts file: that library keeps no
// answers of servers.
func compareCachedLookup(b *testing.B, mode mode) {
	server := serveNames(b)
	w := workload{name: "getaddrinfo_cached"}
	natively := workload{subject: "lookup localhost 2000"}
	guest := workload{subject: "lookup service.test 2000"}
	w.comparePrograms(b, "network", mode, func() []func() measurement {
		g := newGuestHost(b, wasport.RuntimeConfig{})
		g.network = kernel.New(kernel.Config{Server: server})
		return []func() measurement{
			func() measurement { return natively.measure(b, native{}) },
			func() measurement { return guest.measure(b, g) },
		}
	})
}

// serveNames starts a server whose answer may be kept for an hour, and returns its address.
func serveNames(tb testing.TB) string {
	tb.Helper()
	s, err := dnstest.Start(netip.MustParseAddr("127.0.0.1"))
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() { s.Close() })
	answer := dnstest.Addrs("127.0.0.1", "::1")
	answer.TTL = 3600
	s.Set("service.test", answer)
	return s.Addr()
}

// TestServedName has a guest look the name up as the benchmark does.
func TestServedName(t *testing.T) {
	g := newGuestHost(t, wasport.RuntimeConfig{})
	g.network = kernel.New(kernel.Config{Server: serveNames(t)})
	m := workload{subject: "lookup service.test 20"}.measure(t, g)
	if m.units != 20 {
		t.Errorf("got %v answers, want 20", m.units)
	}
}
