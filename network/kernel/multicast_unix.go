//go:build unix

package kernel

import "golang.org/x/sys/unix"

func sysSetMembership6(fd int, join bool, group [16]byte, index uint32) error {
	name := unix.IPV6_LEAVE_GROUP
	if join {
		name = unix.IPV6_JOIN_GROUP
	}
	return unix.SetsockoptIPv6Mreq(fd, unix.IPPROTO_IPV6, name,
		&unix.IPv6Mreq{Multiaddr: group, Interface: index})
}
