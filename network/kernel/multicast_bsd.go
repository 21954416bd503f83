//go:build darwin || dragonfly || freebsd || netbsd || openbsd

package kernel

import (
	"net"
	"net/netip"
	"syscall"

	"golang.org/x/sys/unix"

	"github.com/wasport/wasport/network"
)

func sysJoin4(fd int, group [4]byte, on network.Interface) error {
	return membership4(fd, unix.IP_ADD_MEMBERSHIP, group, on)
}

func sysLeave4(fd int, group [4]byte, on network.Interface) error {
	return membership4(fd, unix.IP_DROP_MEMBERSHIP, group, on)
}

// membership4 names the interface by an address, which is what all of these systems know.
func membership4(fd, name int, group [4]byte, on network.Interface) error {
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

// addressOf is the first IPv4 address of an interface.
func addressOf(index uint32) (netip.Addr, error) {
	i, err := net.InterfaceByIndex(int(index))
	if err != nil {
		return netip.Addr{}, syscall.ENODEV
	}
	all, err := i.Addrs()
	if err != nil {
		return netip.Addr{}, syscall.ENODEV
	}
	for _, a := range all {
		if p, err := netip.ParsePrefix(a.String()); err == nil && p.Addr().Is4() {
			return p.Addr(), nil
		}
	}
	return netip.Addr{}, syscall.EADDRNOTAVAIL
}
