//go:build !linux

package kernel

import (
	"net"
	"net/netip"
	"syscall"
)

// interfaceIPv4 returns the first IPv4 address of an interface.
func interfaceIPv4(index uint32) (netip.Addr, error) {
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
