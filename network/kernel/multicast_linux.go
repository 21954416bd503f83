package kernel

import (
	"golang.org/x/sys/unix"

	"github.com/wasport/wasport/network"
)

func sysJoin4(fd int, group [4]byte, on network.Interface) error {
	return unix.SetsockoptIPMreqn(fd, unix.IPPROTO_IP, unix.IP_ADD_MEMBERSHIP, mreqn(group, on))
}

func sysLeave4(fd int, group [4]byte, on network.Interface) error {
	return unix.SetsockoptIPMreqn(fd, unix.IPPROTO_IP, unix.IP_DROP_MEMBERSHIP, mreqn(group, on))
}

func mreqn(group [4]byte, on network.Interface) *unix.IPMreqn {
	m := &unix.IPMreqn{Multiaddr: group, Ifindex: int32(on.Index)}
	if on.Addr.Is4() {
		m.Address = on.Addr.As4()
	}
	return m
}
