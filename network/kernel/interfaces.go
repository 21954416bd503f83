package kernel

import (
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
func (*Network) HostAddrs() ([]network.HostAddr, error) { return listHostAddrs() }

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
		list, err := ownAddrs()
		n.hostAddrs.err = err
		for _, a := range list {
			n.hostAddrs.addrs[a] = true
		}
	}
	a = a.Unmap().WithZone("")
	if n.hostAddrs.err != nil {
		// If nothing else tells, no address counts as the host's until the next attempt.
		return ownsWithout(n.hostAddrs.err, a)
	}
	return n.hostAddrs.addrs[a]
}
