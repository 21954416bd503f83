package virtual

import (
	"net"
	"net/netip"
	"slices"
	"syscall"

	"github.com/wasport/wasport/network"
)

// membership is a group that a socket has joined on one of its host's interfaces.
type membership struct {
	socket *udpSocket
	group  netip.Addr
	index  uint32
}

// maxMemberships is the number of groups of one socket (ip(7), igmp_max_memberships).
const maxMemberships = 20

// Join joins a multicast group. Errors: EADDRINUSE if the socket is a member, EINVAL for an address
// that is no group, ENOPROTOOPT for an IPv6 group on an IPv4 socket, ENODEV if there is no such
// interface, and ENOBUFS beyond 20 groups.
func (s *udpSocket) Join(group netip.Addr, on network.Interface) error {
	w := s.host.world
	w.mu.Lock()
	defer w.mu.Unlock()
	group, index, err := s.membershipOn(group, on)
	switch {
	case err != nil:
		return err
	case !group.IsMulticast():
		return syscall.EINVAL
	case s.membership(group, index) != nil:
		return syscall.EADDRINUSE
	case len(s.memberships) == maxMemberships:
		return syscall.ENOBUFS
	}
	m := &membership{s, group, index}
	s.memberships = append(s.memberships, m)
	w.members[group] = append(w.members[group], m)
	return nil
}

// Leave leaves a multicast group. It returns EADDRNOTAVAIL if the socket is not a member, and
// otherwise the errors of Join.
func (s *udpSocket) Leave(group netip.Addr, on network.Interface) error {
	w := s.host.world
	w.mu.Lock()
	defer w.mu.Unlock()
	group, index, err := s.membershipOn(group, on)
	if err != nil {
		return err
	}
	m := s.membership(group, index)
	if m == nil {
		return syscall.EADDRNOTAVAIL
	}
	s.leave(m)
	return nil
}

func (s *udpSocket) leave(m *membership) {
	is := func(other *membership) bool { return other == m }
	s.memberships = slices.DeleteFunc(s.memberships, is)
	members := s.host.world.members
	if rest := slices.DeleteFunc(members[m.group], is); len(rest) > 0 {
		members[m.group] = rest
	} else {
		delete(members, m.group)
	}
}

func (s *udpSocket) membership(group netip.Addr, index uint32) *membership {
	for _, m := range s.memberships {
		if m.group == group && m.index == index {
			return m
		}
	}
	return nil
}

// membershipOn checks the arguments of Join and Leave, and finds the interface.
func (s *udpSocket) membershipOn(group netip.Addr, on network.Interface) (netip.Addr, uint32,
	error) {
	switch {
	case s.closed.Load():
		return group, 0, net.ErrClosed
	case !group.IsValid():
		return group, 0, syscall.EINVAL
	case group.Is6() && s.family != network.IPv6:
		return group, 0, syscall.ENOPROTOOPT
	}
	group = group.WithZone("")
	if on.Index > ethIndex {
		return group, 0, syscall.ENODEV
	}
	if on.Index != 0 {
		return group, on.Index, nil
	}
	if a := on.Addr; a.IsValid() && !a.IsUnspecified() {
		index := s.host.interfaceWith(a)
		if index == 0 {
			return group, 0, syscall.ENODEV
		}
		return group, index, nil
	}
	return group, s.host.defaultInterface(group), nil
}

// interfaceWith returns the index of the interface with an address, or 0.
func (h *Host) interfaceWith(a netip.Addr) uint32 {
	switch a = a.Unmap().WithZone(""); {
	case a.IsLoopback():
		return loIndex
	case h.hasAddr(a):
		return ethIndex
	}
	return 0
}

// defaultInterface is where groups are if nothing is said: eth0, if it has an address of the
// family.
func (h *Host) defaultInterface(group netip.Addr) uint32 {
	if _, ok := h.ownAddr(group); ok {
		return ethIndex
	}
	return loIndex
}

// sendToGroup sends to the members on the interface: those on this host unless the option says
// otherwise, and those on others if the datagram may leave it. world.mu is held.
func (s *udpSocket) sendToGroup(bufs [][]byte, to netip.AddrPort) error {
	index, hops, loop := s.groupOptions(to.Addr())
	source := s.local.Addr().Unmap().WithZone("")
	if source.IsUnspecified() || source.IsMulticast() {
		source = loopback4
		if to.Addr().Is6() {
			source = netip.IPv6Loopback()
		}
		if index == ethIndex {
			own, ok := s.host.ownAddr(to.Addr())
			if !ok {
				return syscall.ENETUNREACH
			}
			source = own
		}
	}
	if index == ethIndex && s.host.world.mtu < maxMTU && s.host.tooLong(bufs, to.Addr()) {
		return syscall.EMSGSIZE
	}
	from := netip.AddrPortFrom(source, s.local.Port())
	leaves := index == ethIndex && hops > 0 && !to.Addr().IsInterfaceLocalMulticast()
	loop = loop || index == loIndex // which gives back all that is sent on it
	for _, m := range s.host.world.members[to.Addr()] {
		here := m.socket.host == s.host
		if m.index == index && (here && loop || !here && leaves && !m.socket.host.removed) &&
			m.socket.accepts(from, to) {
			m.socket.receive(bufs, from)
		}
	}
	return nil
}

// groupOptions returns the interface, the number of hops and the loop option for a group.
func (s *udpSocket) groupOptions(group netip.Addr) (index uint32, hops int64, loop bool) {
	if group.Is4() {
		hops, loop = s.value(network.MulticastTTL), s.flag(network.MulticastLoop4)
		index = s.host.interfaceWith(addrOfValue(s.value(network.MulticastInterface4)))
	} else {
		hops, loop = s.value(network.MulticastHops), s.flag(network.MulticastLoop6)
		index = uint32(s.value(network.MulticastInterface6))
	}
	if index == 0 {
		index = s.host.defaultInterface(group)
	}
	return index, hops, loop
}

// accepts reports whether a datagram to a group, or to all, is for the socket.
func (s *udpSocket) accepts(from, to netip.AddrPort) bool {
	if s.local.Port() != to.Port() || s.matches(to.Addr()) == 0 {
		return false
	}
	peer := s.peer.Load()
	return peer == nil || unmapped(*peer) == from
}

// sendToAll sends to every socket on a port: of all hosts, or of this one for the broadcast address
// of loopback. world.mu is held.
func (s *udpSocket) sendToAll(bufs [][]byte, to netip.AddrPort) error {
	hosts, source := s.host.world.hosts, loopback4
	if to.Addr() != broadcast4 {
		hosts = []*Host{s.host}
	} else if own, ok := s.host.ownAddr(to.Addr()); ok {
		source = own
	} else {
		return syscall.ENETUNREACH
	}
	from := netip.AddrPortFrom(source, s.local.Port())
	for _, h := range hosts {
		if p := h.udp[to.Port()]; p != nil {
			for _, r := range p.receivers {
				if r.accepts(from, to) {
					r.receive(bufs, from)
				}
			}
		}
	}
	return nil
}
