package virtual

import (
	"net"
	"net/netip"
	"slices"
	"syscall"

	"github.com/wasport/wasport/network"
)

// A Host is a machine in a World: a network.Network for guests, and Dial, Listen and ListenPacket
// for Go code.
type Host struct {
	world *World
	name  string
	// addrs are the addresses that other hosts reach, unmapped.
	addrs []netip.Addr

	// The fields below are protected by world.mu.

	tcp, udp map[uint16]*port
	// nextPort is where the search for a free port begins.
	nextPort uint16
	// rotation distributes connections among listeners that share a port.
	rotation uint
	// listened is closed by the next Listen. It is nil if nobody waits.
	listened chan struct{}
	// removed tells that Close was called.
	removed bool
}

var (
	_ network.Network = (*Host)(nil)
	_ network.Lister  = (*Host)(nil)
	_ network.Owner   = (*Host)(nil)
)

// Name returns the name that World.Host was given.
func (h *Host) Name() string { return h.name }

// Addrs returns the addresses that other hosts reach.
func (h *Host) Addrs() []netip.Addr { return append([]netip.Addr(nil), h.addrs...) }

// Close takes the host out of its world: its name and addresses can be given to another. Sockets
// that are open stay open until they are closed, with their connections, but no other host reaches
// them anew. Open is ENETDOWN from now on.
func (h *Host) Close() error {
	w := h.world
	w.mu.Lock()
	defer w.mu.Unlock()
	if h.removed {
		return net.ErrClosed
	}
	h.removed = true
	for _, a := range h.addrs {
		delete(w.byAddr, a)
	}
	delete(w.byName, canonicalName(h.name))
	w.hosts = slices.DeleteFunc(w.hosts, func(other *Host) bool { return other == h })
	return nil
}

func (h *Host) isRemoved() bool {
	h.world.mu.RLock()
	defer h.world.mu.RUnlock()
	return h.removed
}

// Open makes an unbound socket. It is ENETDOWN after Close.
func (h *Host) Open(family network.Family, typ network.Type) (network.Socket, error) {
	if family != network.IPv4 && family != network.IPv6 {
		return nil, syscall.EAFNOSUPPORT
	}
	if h.isRemoved() {
		return nil, syscall.ENETDOWN
	}
	switch typ {
	case network.Stream:
		return newTCPSocket(h, family), nil
	case network.Datagram:
		return newUDPSocket(h, family), nil
	}
	return nil, syscall.EINVAL
}

// The interfaces of a host, by the indices that Linux gives them.
const (
	loIndex  = 1
	ethIndex = 2
)

// HostAddrs lists the addresses of lo and of eth0.
func (h *Host) HostAddrs() ([]network.HostAddr, error) {
	const flags = network.InterfaceUp | network.InterfaceMulticast
	lo := network.HostAddr{Name: "lo", Index: loIndex,
		Flags: network.InterfaceUp | network.InterfaceLoopback}
	list := []network.HostAddr{lo, lo}
	list[0].Prefix = netip.PrefixFrom(loopback4, 8)
	list[1].Prefix = netip.PrefixFrom(netip.IPv6Loopback(), 128)
	for _, a := range h.addrs {
		list = append(list, network.HostAddr{Name: "eth0", Index: ethIndex, Flags: flags,
			Prefix: netip.PrefixFrom(a, a.BitLen())})
	}
	return list, nil
}

// Owns reports whether an address is one of the host's, or reaches the host of the gateway's
// network: a rule for the internet covers neither.
func (h *Host) Owns(a netip.Addr) bool {
	if h.isLocal(a) {
		return true
	}
	owner, ok := h.gateway().(network.Owner)
	return ok && owner.Owns(a)
}

// isLocal reports whether packets to an address stay on the host.
func (h *Host) isLocal(a netip.Addr) bool {
	a = a.Unmap().WithZone("")
	return a.IsLoopback() || h.hasAddr(a)
}

// gateway returns the network beyond the world, or nil.
func (h *Host) gateway() network.Network {
	h.world.mu.RLock()
	defer h.world.mu.RUnlock()
	return h.world.gateway
}

var loopback4 = netip.AddrFrom4([4]byte{127, 0, 0, 1})

func (h *Host) hasAddr(a netip.Addr) bool {
	for _, own := range h.addrs {
		if own == a {
			return true
		}
	}
	return false
}

// ownAddr returns the address from which the host sends to another one, of its family.
func (h *Host) ownAddr(to netip.Addr) (netip.Addr, bool) {
	for _, a := range h.addrs {
		if a.Is4() == to.Is4() {
			return a, true
		}
	}
	return netip.Addr{}, false
}

// source returns the address that a packet to another one comes from, as routes of Linux say.
func (h *Host) source(to netip.Addr) (netip.Addr, bool) {
	switch {
	case h.hasAddr(to):
		return to, true
	case to.IsLoopback() && to.Is4():
		return loopback4, true
	case to.IsLoopback():
		return to, true
	}
	return h.ownAddr(to)
}

// mtu returns the size of the largest packet to an address.
func (h *Host) mtu(to netip.Addr) int {
	if h.isLocal(to) {
		return maxMTU
	}
	return h.world.mtu
}

// route returns the host that has an address. It returns nil and no error for one that lies beyond
// the gateway. world.mu is held.
func (h *Host) route(to netip.Addr) (*Host, error) {
	switch {
	case h.isLocal(to):
		return h, nil
	case h.world.byAddr[to] != nil:
		return h.world.byAddr[to], nil
	case h.world.gateway != nil && !to.IsMulticast() && to != broadcast4:
		return nil, nil
	}
	return nil, syscall.ENETUNREACH
}

var broadcast4 = netip.AddrFrom4([4]byte{255, 255, 255, 255})

// checkLocal judges an address to bind to, and returns its index of an interface.
func (h *Host) checkLocal(a netip.Addr, typ network.Type) error {
	if zone := a.Zone(); zone != "" {
		if _, ok := interfaceOf(zone); !ok {
			return syscall.ENODEV
		}
	}
	a = a.Unmap().WithZone("")
	if a.IsUnspecified() || a.IsLoopback() || h.hasAddr(a) ||
		typ == network.Datagram && (a.IsMulticast() || a == broadcast4) {
		return nil
	}
	return syscall.EADDRNOTAVAIL
}

// interfaceOf returns the index of the interface that a zone names, by number or by name.
func interfaceOf(zone string) (uint32, bool) {
	switch zone {
	case "lo", "1":
		return loIndex, true
	case "eth0", "2":
		return ethIndex, true
	}
	return 0, false
}
