package kernel

import (
	"net"
	"net/netip"
	"syscall"

	"github.com/wasport/wasport/network"
)

// Join joins a multicast group. The errors are those of Linux (ip(7), ipv6(7)) on every system:
// EADDRINUSE if the socket is a member already, EINVAL if the address is not a multicast address,
// EPROTO on a stream, ENOPROTOOPT for an IPv6 group on an IPv4 socket, and ENODEV if there is no
// such interface.
func (s *socket) Join(group netip.Addr, on network.Interface) error {
	return s.changeMembership(true, group, on)
}

// Leave leaves a multicast group. It returns EADDRNOTAVAIL if the socket is not a member, and
// otherwise the errors of Join.
func (s *socket) Leave(group netip.Addr, on network.Interface) error {
	return s.changeMembership(false, group, on)
}

func (s *socket) changeMembership(join bool, group netip.Addr, on network.Interface) error {
	if !s.acquire() {
		return net.ErrClosed
	}
	defer s.release()
	switch {
	case !group.IsValid():
		return syscall.EINVAL
	case group.Is6() && s.family != network.IPv6:
		return syscall.ENOPROTOOPT
	case s.typ == network.Stream:
		return syscall.EPROTO
	case join && !group.IsMulticast():
		return syscall.EINVAL
	case group.Is4():
		return sysSetMembership4(s.fd, join, group.As4(), on)
	}
	return sysSetMembership6(s.fd, join, group.As16(), on.Index)
}
