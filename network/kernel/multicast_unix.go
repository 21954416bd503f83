//go:build unix

package kernel

import (
	"net"
	"net/netip"
	"syscall"

	"golang.org/x/sys/unix"

	"github.com/wasport/wasport/network"
)

// Join joins a multicast group. Errors, on every system those of Linux: EADDRINUSE when the socket is in it already, EINVAL when it is
// no multicast address, EPROTO on a stream, ENOPROTOOPT for an IPv6 group on an IPv4 socket, ENODEV when there is no such interface.
func (s *socket) Join(group netip.Addr, on network.Interface) error {
	return s.membership(group, on, sysJoin4, unix.IPV6_JOIN_GROUP)
}

// Leave leaves a multicast group; EADDRNOTAVAIL when the socket is not in it, and the other errors of Join.
func (s *socket) Leave(group netip.Addr, on network.Interface) error {
	return s.membership(group, on, sysLeave4, unix.IPV6_LEAVE_GROUP)
}

func (s *socket) membership(group netip.Addr, on network.Interface, four func(int, [4]byte, network.Interface) error, six int) error {
	if !s.acquire() {
		return net.ErrClosed
	}
	defer s.release()
	switch {
	case !group.IsValid():
		return syscall.EINVAL
	case group.Is4():
		if s.typ == network.Stream {
			return syscall.EPROTO
		}
		return four(s.fd, group.As4(), on)
	case s.family != network.IPv6:
		return syscall.ENOPROTOOPT
	case s.typ == network.Stream:
		return syscall.EPROTO
	}
	return unix.SetsockoptIPv6Mreq(s.fd, unix.IPPROTO_IPV6, six, &unix.IPv6Mreq{Multiaddr: group.As16(), Interface: on.Index})
}
