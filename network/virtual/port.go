package virtual

import (
	"net/netip"
	"syscall"

	"github.com/wasport/wasport/network"
)

// The range of ports that a host chooses from (ip(7), ip_local_port_range).
const (
	firstEphemeral = 32768
	lastEphemeral  = 60999
)

// port holds the sockets of a host that have a port, of one protocol. It is protected by world.mu.
type port struct {
	users map[*base]struct{}
	// listeners and receivers are in the order in which they came.
	listeners []*tcpSocket
	receivers []*udpSocket
}

func (h *Host) ports(typ network.Type) map[uint16]*port {
	if typ == network.Stream {
		return h.tcp
	}
	return h.udp
}

// freePort returns a port that no socket of the type has.
func (h *Host) freePort(typ network.Type) (uint16, error) {
	taken := h.ports(typ)
	for range lastEphemeral - firstEphemeral + 1 {
		n := h.nextPort
		if h.nextPort++; h.nextPort > lastEphemeral {
			h.nextPort = firstEphemeral
		}
		if taken[n] == nil {
			return n, nil
		}
	}
	return 0, syscall.EADDRINUSE
}

// take gives a socket a port. world.mu is held.
func (s *base) take(n uint16) *port {
	ports := s.host.ports(s.typ)
	p := ports[n]
	if p == nil {
		p = &port{users: make(map[*base]struct{})}
		ports[n] = p
	}
	p.users[s] = struct{}{}
	return p
}

// releasePort takes the port from a socket. world.mu is held.
func (s *base) releasePort() *port {
	ports := s.host.ports(s.typ)
	p := ports[s.local.Port()]
	if p == nil {
		return nil
	}
	delete(p.users, s)
	if len(p.users) == 0 {
		delete(ports, s.local.Port())
	}
	return p
}

// conflicts reports whether a socket that has a port keeps another one from it (socket(7),
// SO_REUSEADDR and SO_REUSEPORT).
func (s *base) conflicts(other *base, at netip.Addr) bool {
	if !overlap(at, s.isV6Only(), other.local.Addr(), other.isV6Only()) {
		return false
	}
	if s.flag(network.ReusePort) && other.flag(network.ReusePort) ||
		s.shares && other.shares {
		return false
	}
	return !s.flag(network.ReuseAddr) || !other.flag(network.ReuseAddr) || other.listening
}

// overlap reports whether a packet can be for both of two local addresses.
func overlap(a netip.Addr, aOnly6 bool, b netip.Addr, bOnly6 bool) bool {
	anyA, anyB := a.IsUnspecified(), b.IsUnspecified()
	fourA, fourB := a.Unmap().Is4(), b.Unmap().Is4()
	switch {
	case fourA != fourB:
		// An IPv6 socket for every address takes IPv4 too, unless it is for IPv6 only.
		return fourB && anyA && !aOnly6 || fourA && anyB && !bOnly6
	case anyA || anyB:
		return true
	}
	return a.Unmap().WithZone("") == b.Unmap().WithZone("")
}

// bindTo gives a socket a local address, which the host may choose the port of. world.mu is held.
func (s *base) bindTo(to netip.AddrPort) error {
	if s.local.Port() != 0 {
		return syscall.EINVAL
	}
	if err := s.host.checkLocal(to.Addr(), s.typ); err != nil {
		return err
	}
	n := to.Port()
	s.portChosen = n == 0
	if n == 0 {
		var err error
		if n, err = s.host.freePort(s.typ); err != nil {
			return err
		}
	} else if p := s.host.ports(s.typ)[n]; p != nil {
		for other := range p.users {
			if s.conflicts(other, to.Addr()) {
				return syscall.EADDRINUSE
			}
		}
	}
	s.local = netip.AddrPortFrom(to.Addr(), n)
	s.addrChosen = to.Addr().IsUnspecified()
	s.take(n)
	return nil
}

// matches tells how well a local address fits a destination: 0 for not at all, and more for an
// exact address and for one of the same family (compute_score of net/ipv4/udp.c).
func (s *base) matches(to netip.Addr) int {
	local := s.local.Addr().Unmap().WithZone("")
	score := 1
	if s.family == network.IPv4 == to.Is4() {
		score++
	} else if s.isV6Only() || to.Is6() {
		return 0
	}
	switch {
	case local.IsUnspecified():
	case local == to:
		score += 2
	default:
		return 0
	}
	return score
}
