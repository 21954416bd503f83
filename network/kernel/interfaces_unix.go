//go:build unix

package kernel

import (
	"fmt"
	"net"
	"net/netip"

	"github.com/wasport/wasport/network"
)

// listHostAddrs lists the addresses of the interfaces that are up, in the order of their indexes.
func listHostAddrs() (list []network.HostAddr, err error) {
	interfaces, err := net.Interfaces()
	if err != nil {
		if list, err = hostAddrsWithout(err); err != nil {
			err = fmt.Errorf("list the interfaces: %w", err)
		}
		return list, err
	}
	for _, i := range interfaces {
		if i.Flags&net.FlagUp == 0 {
			continue
		}
		addrs, err := i.Addrs()
		if err != nil {
			// The interface has been removed meanwhile.
			continue
		}
		for _, a := range addrs {
			if p, err := netip.ParsePrefix(a.String()); err == nil {
				list = append(list,
					network.HostAddr{Name: i.Name, Index: uint32(i.Index),
						Flags: interfaceFlags(i.Flags), Prefix: p})
			}
		}
	}
	return list, nil
}

func interfaceFlags(f net.Flags) (flags network.InterfaceFlags) {
	for _, b := range [...]struct {
		host net.Flags
		ours network.InterfaceFlags
	}{
		{net.FlagUp, network.InterfaceUp}, {net.FlagLoopback, network.InterfaceLoopback},
		{net.FlagMulticast, network.InterfaceMulticast},
		{net.FlagBroadcast, network.InterfaceBroadcast},
		{net.FlagPointToPoint, network.InterfacePointToPoint},
	} {
		if f&b.host != 0 {
			flags |= b.ours
		}
	}
	return flags
}

// ownAddrs lists the host's addresses, without zones.
func ownAddrs() (addrs []netip.Addr, err error) {
	list, err := net.InterfaceAddrs()
	for _, i := range list {
		if p, err := netip.ParsePrefix(i.String()); err == nil {
			addrs = append(addrs, p.Addr().WithZone(""))
		}
	}
	return addrs, err
}
