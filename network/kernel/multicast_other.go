//go:build !linux

package kernel

import (
	"net/netip"
	"syscall"
)

// interfaceIPv4 returns the first IPv4 address of an interface.
func interfaceIPv4(index uint32) (netip.Addr, error) {
	list, err := listHostAddrs()
	if err != nil {
		return netip.Addr{}, syscall.ENODEV
	}
	err = syscall.ENODEV
	for _, a := range list {
		if a.Index != index {
			continue
		}
		if a.Prefix.Addr().Is4() {
			return a.Prefix.Addr(), nil
		}
		err = syscall.EADDRNOTAVAIL
	}
	return netip.Addr{}, err
}
