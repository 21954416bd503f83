//go:build darwin || dragonfly || freebsd || netbsd || openbsd

package kernel

import (
	"golang.org/x/sys/unix"

	"github.com/wasport/wasport/network"
)

// sysSetMembership4 names the interface by an address: struct ip_mreqn, with an index, is not known
// to all of these systems (ip(4)).
func sysSetMembership4(fd int, join bool, group [4]byte, on network.Interface) error {
	name := unix.IP_DROP_MEMBERSHIP
	if join {
		name = unix.IP_ADD_MEMBERSHIP
	}
	m := unix.IPMreq{Multiaddr: group}
	switch {
	case on.Addr.Is4():
		m.Interface = on.Addr.As4()
	case on.Index != 0:
		a, err := interfaceIPv4(on.Index)
		if err != nil {
			return err
		}
		m.Interface = a.As4()
	}
	return unix.SetsockoptIPMreq(fd, unix.IPPROTO_IP, name, &m)
}

// joinedGroupsOnly does nothing: on these systems a socket receives only from groups that it
// joined.
func joinedGroupsOnly(int, network.Family) {}
