package kernel

import (
	"golang.org/x/sys/unix"

	"github.com/wasport/wasport/network"
)

func sysSetMembership4(fd int, join bool, group [4]byte, on network.Interface) error {
	name := unix.IP_DROP_MEMBERSHIP
	if join {
		name = unix.IP_ADD_MEMBERSHIP
	}
	m := unix.IPMreqn{Multiaddr: group, Ifindex: int32(on.Index)}
	if on.Addr.Is4() {
		m.Address = on.Addr.As4()
	}
	return unix.SetsockoptIPMreqn(fd, unix.IPPROTO_IP, name, &m)
}

// joinedGroupsOnly lets a socket receive only from multicast groups that it joined. By default,
// Linux also delivers datagrams to the groups that any other program of the host has joined (ip(7),
// IP_MULTICAST_ALL).
func joinedGroupsOnly(fd int, family network.Family) {
	unix.SetsockoptInt(fd, unix.IPPROTO_IP, unix.IP_MULTICAST_ALL, 0)
	if family == network.IPv6 {
		unix.SetsockoptInt(fd, unix.IPPROTO_IPV6, unix.IPV6_MULTICAST_ALL, 0)
	}
}
