package testutil

import (
	"math/rand/v2"
	"net"
	"net/netip"
	"strconv"
	"testing"
)

// ClosedPort returns an address of a host at which nobody listens, nor receives datagrams. Its port
// lies below those that systems choose (ip(7), ip_local_port_range; RFC 6335, section 6), so that
// other programs do not get it meanwhile.
func ClosedPort(t testing.TB, host string) netip.AddrPort {
	t.Helper()
	for range 100 {
		at := net.JoinHostPort(host, strconv.Itoa(10_000+rand.IntN(20_000)))
		l, err := net.Listen("tcp", at)
		if err != nil {
			continue
		}
		l.Close()
		c, err := net.ListenPacket("udp", at)
		if err != nil {
			continue
		}
		c.Close()
		return netip.MustParseAddrPort(at)
	}
	t.Fatalf("got no free port of %s in 100 attempts, want one", host)
	return netip.AddrPort{}
}
