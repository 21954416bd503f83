package dial_test

import (
	"context"
	"net"
	"net/netip"
	"syscall"
	"testing"

	"github.com/wasport/wasport/internal/testutil"
	"github.com/wasport/wasport/network/dial"
	"github.com/wasport/wasport/network/networktest"
)

// hostNet is a Network of the functions of package net.
func hostNet() *dial.Network {
	return dial.New(dial.Config{
		DialContext: new(net.Dialer).DialContext, ListenPacket: net.ListenPacket,
		Listen: func(network, address string) (net.Listener, error) {
			at, err := netip.ParseAddrPort(address)
			if zone := at.Addr().Zone(); err == nil && zone != "" {
				if _, err := net.InterfaceByName(zone); err != nil {
					return nil, syscall.ENODEV // package net returns EINVAL
				}
			}
			return net.Listen(network, address)
		},
		Resolve: func(_ context.Context, network, host string) ([]netip.Addr, error) {
			if host != "Suite.test." {
				return nil, &net.DNSError{Name: host, IsNotFound: true}
			}
			return suiteAddrs, nil
		},
	})
}

var suiteAddrs = []netip.Addr{netip.MustParseAddr("::ffff:192.0.2.7"),
	netip.MustParseAddr("2001:db8::7")}

func TestNetwork(t *testing.T) {
	testutil.NoGoroutineLeak(t)
	networktest.Test(t, hostNet(), networktest.Options{
		Lacks: []networktest.Feature{
			networktest.Backlog,      // a listener of package net accepts on its own
			networktest.BoundStreams, // DialContext takes no local address
			networktest.Broadcast, networktest.DualStack, networktest.Interfaces,
			networktest.Multicast, networktest.OptionValues, networktest.OwnAddresses,
			networktest.UnreachableDatagrams,
		},
		Name: "Suite.test", NameAddrs: []netip.Addr{suiteAddrs[0].Unmap(), suiteAddrs[1]},
	})
}
