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

// HostAddrs implements network.Lister.
func (*Network) HostAddrs() (list []network.HostAddr, err error) {
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

// hostAddrsTTL is how long a list of the host's addresses is valid. Making one takes a large part
// of a millisecond.
const hostAddrsTTL = time.Second

// hostAddrCache holds the host's own addresses. mu protects the other fields.
type hostAddrCache struct {
	mu      sync.Mutex
	addrs   map[netip.Addr]bool
	updated time.Time
	// err is the reason why addrs is empty.
	err error
}

// Owns implements network.Owner, from a list that is at most hostAddrsTTL old.
func (n *Network) Owns(a netip.Addr) bool {
	n.hostAddrs.mu.Lock()
	defer n.hostAddrs.mu.Unlock()
	if n.hostAddrs.addrs == nil || time.Since(n.hostAddrs.updated) > hostAddrsTTL {
		n.hostAddrs.addrs, n.hostAddrs.updated = make(map[netip.Addr]bool), time.Now()
		list, err := net.InterfaceAddrs()
		n.hostAddrs.err = err
		for _, i := range list {
			if p, err := netip.ParsePrefix(i.String()); err == nil {
				n.hostAddrs.addrs[p.Addr().WithZone("")] = true
			}
		}
	}
	a = a.Unmap().WithZone("")
	if n.hostAddrs.err != nil {
		// If nothing else tells, no address counts as the host's until the next attempt.
		return ownsWithout(n.hostAddrs.err, a)
	}
	return n.hostAddrs.addrs[a]
}
