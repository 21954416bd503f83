package guard_test

import (
	"net/netip"
	"strings"
	"testing"

	"github.com/wasport/wasport/internal/testutil"
	"github.com/wasport/wasport/network"
	"github.com/wasport/wasport/network/guard"
	"github.com/wasport/wasport/network/kernel"
	"github.com/wasport/wasport/policy"
)

// FuzzDestination connects and sends to any address. The host never gets the unspecified address,
// and always gets the address that the policy allows.
func FuzzDestination(f *testing.F) {
	for _, text := range []string{"0.0.0.0", "::", "::ffff:0.0.0.0", "::1", "fe80::1%2", "::%1",
		"ff02::1%out", "10.0.0.1", "::1%1"} {
		a := netip.MustParseAddr(text)
		f.Add(a.AsSlice(), a.Zone(), uint16(80), false)
		f.Add(a.AsSlice(), a.Zone(), uint16(80), true)
	}
	rules := testutil.Policy(f, "allow connect loopback", "allow connect link-local:80",
		"allow connect multicast",
		"allow connect 10.0.0.0/8:80", "deny connect 10.99.0.0/16", "deny connect 127.0.0.2")
	f.Fuzz(func(t *testing.T, b []byte, zone string, port uint16, stream bool) {
		a, ok := netip.AddrFromSlice(b)
		if !ok || strings.ContainsAny(zone, " ]") {
			return
		}
		if a.Is6() {
			a = a.WithZone(zone)
		}
		base := &fakeHost{Network: kernel.New(kernel.Config{})}
		n := guard.New(base, rules, guard.Options{})
		typ := network.Datagram
		if stream {
			typ = network.Stream
		}
		s, err := n.Open(network.IPv4, typ)
		if err != nil {
			t.Skip(err)
		}
		defer s.Close()
		to := netip.AddrPortFrom(a, port)
		s.Connect(to)
		if !stream { // on which an address means nothing
			s.Send(nil, to)
		}
		for _, asked := range base.asked {
			_, text, _ := strings.Cut(asked, " ")
			used, err := netip.ParseAddrPort(text)
			if err != nil {
				t.Fatal(err)
			}
			r := policy.Request{Op: policy.OpConnect, Protocol: policy.UDP, Remote: used}
			if stream {
				r.Protocol = policy.TCP
			}
			if used.Addr().Unmap().WithZone("").IsUnspecified() || !rules.Decide(r, nil).Allowed {
				t.Errorf("%v: got the host asked to %s, want the judged address", to, asked)
			}
			z := used.Addr().Zone()
			onLink := used.Addr().IsLinkLocalUnicast() || used.Addr().IsLinkLocalMulticast() ||
				used.Addr().IsInterfaceLocalMulticast()
			if z != "" && (!onLink || z != "1" && z != "in") {
				t.Errorf("%v: got the host asked to %s, want no interface unknown to the guest, "+
					"and none for an address that needs none", to, asked)
			}
		}
	})
}
