package kernel

import (
	"fmt"
	"net"
	"net/netip"
	"sync"
	"time"

	"github.com/wasport/wasport/network"
)

var (
	_ network.Lister = (*Network)(nil)
	_ network.Owner  = (*Network)(nil)
)

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

// ownFor is how long the list of the host's own addresses counts, which takes a good part of a
// millisecond to make.
const ownFor = time.Second

// own is the list of the host's own addresses.
type own struct {
	mu    sync.Mutex
	addrs map[netip.Addr]bool
	made  time.Time
}

// Owns reports whether an address is one of the host's, as they were within the last second.
func (n *Network) Owns(a netip.Addr) bool {
	n.own.mu.Lock()
	defer n.own.mu.Unlock()
	if n.own.addrs == nil || time.Since(n.own.made) > ownFor {
		n.own.addrs, n.own.made = make(map[netip.Addr]bool), time.Now()
		list, _ := net.InterfaceAddrs() // without a list there is none of which it is known
		for _, i := range list {
			if p, err := netip.ParsePrefix(i.String()); err == nil {
				n.own.addrs[p.Addr().WithZone("")] = true
			}
		}
	}
	return n.own.addrs[a.Unmap().WithZone("")]
}
