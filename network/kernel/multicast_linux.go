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
