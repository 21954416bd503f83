package kernel

import (
	"fmt"
	"net"
	"net/netip"

	"github.com/wasport/wasport/network"
)

var _ network.Lister = (*Network)(nil)

// HostAddrs lists the addresses of the host's interfaces.
func (*Network) HostAddrs() ([]network.HostAddr, error) {
	interfaces, err := net.Interfaces()
	if err != nil {
		return nil, fmt.Errorf("list the interfaces: %w", err)
	}
	var list []network.HostAddr
	for _, i := range interfaces {
		if i.Flags&net.FlagUp == 0 {
			continue
		}
		addrs, err := i.Addrs()
		if err != nil {
			continue // it went away meanwhile
		}
		for _, a := range addrs {
			if p, err := netip.ParsePrefix(a.String()); err == nil {
				list = append(list, network.HostAddr{Name: i.Name, Index: uint32(i.Index), Flags: interfaceFlags(i.Flags), Prefix: p})
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
		{net.FlagMulticast, network.InterfaceMulticast}, {net.FlagBroadcast, network.InterfaceBroadcast},
		{net.FlagPointToPoint, network.InterfacePointToPoint},
	} {
		if f&b.host != 0 {
			flags |= b.ours
		}
	}
	return flags
}
