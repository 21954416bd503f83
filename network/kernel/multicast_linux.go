package kernel

import (
	"golang.org/x/sys/unix"

	"github.com/wasport/wasport/network"
)

func sysMember4(fd int, join bool, group [4]byte, on network.Interface) error {
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

// ownGroupsOnly keeps from a socket what is sent to multicast groups that it has not joined. By
// default Linux lets it hear those that any other program of the host has joined (IP_MULTICAST_ALL
// in ip(7)).
func ownGroupsOnly(fd int, family network.Family) {
	unix.SetsockoptInt(fd, unix.IPPROTO_IP, unix.IP_MULTICAST_ALL, 0)
	if family == network.IPv6 {
		unix.SetsockoptInt(fd, unix.IPPROTO_IPV6, unix.IPV6_MULTICAST_ALL, 0)
	}
}
