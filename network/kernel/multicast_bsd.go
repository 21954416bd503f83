//go:build darwin || dragonfly || freebsd || netbsd || openbsd

package kernel

import (
	"golang.org/x/sys/unix"

	"github.com/wasport/wasport/network"
)

// sysMember4 names the interface by an address, which is what all of these systems know.
func sysMember4(fd int, join bool, group [4]byte, on network.Interface) error {
	name := unix.IP_DROP_MEMBERSHIP
	if join {
		name = unix.IP_ADD_MEMBERSHIP
	}
	m := unix.IPMreq{Multiaddr: group}
	switch {
	case on.Addr.Is4():
		m.Interface = on.Addr.As4()
	case on.Index != 0:
		a, err := addressOf(on.Index)
		if err != nil {
			return err
		}
		m.Interface = a.As4()
	}
	return unix.SetsockoptIPMreq(fd, unix.IPPROTO_IP, name, &m)
}

// ownGroupsOnly is what these systems do by themselves.
func ownGroupsOnly(int, network.Family) {}
