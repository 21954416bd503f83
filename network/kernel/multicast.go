package kernel

import (
	"net"
	"net/netip"
	"syscall"

	"github.com/wasport/wasport/network"
)

// Join joins a multicast group. Errors, on every system those of Linux: EADDRINUSE when the socket
// is in it already, EINVAL when it is no multicast address, EPROTO on a stream, ENOPROTOOPT for an
// IPv6 group on an IPv4 socket, ENODEV when there is no such interface.
func (s *socket) Join(group netip.Addr, on network.Interface) error {
	return s.membership(true, group, on)
}

// Leave leaves a multicast group; EADDRNOTAVAIL when the socket is not in it, and the other errors
// of Join.
func (s *socket) Leave(group netip.Addr, on network.Interface) error {
	return s.membership(false, group, on)
}

func (s *socket) membership(join bool, group netip.Addr, on network.Interface) error {
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
		return sysMember4(s.fd, join, group.As4(), on)
	}
	return sysMember6(s.fd, join, group.As16(), on.Index)
}
