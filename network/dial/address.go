package dial

import (
	"net"
	"net/netip"
	"syscall"

	"github.com/wasport/wasport/network"
)

// checkAddr returns the error that Linux has for an address that a socket cannot take.
func checkAddr(family network.Family, a netip.AddrPort) error {
	switch {
	case !a.IsValid():
		return syscall.EINVAL
	case family == network.IPv4 && !a.Addr().Is4():
		return syscall.EAFNOSUPPORT
	case family == network.IPv6 && a.Addr().Is4():
		return syscall.EINVAL
	}
	return nil
}

// unspecified is the address of an unbound socket.
func unspecified(family network.Family) netip.AddrPort {
	if family == network.IPv6 {
		return netip.AddrPortFrom(netip.IPv6Unspecified(), 0)
	}
	return netip.AddrPortFrom(netip.IPv4Unspecified(), 0)
}

// addrOf returns an address of the program's as one of a family. It is invalid if the address is
// not one of IP, or if that of IPv6 is meant for a socket of IPv4.
func addrOf(a net.Addr, family network.Family) netip.AddrPort {
	var at netip.AddrPort
	switch a := a.(type) {
	case nil:
	case *net.TCPAddr:
		at = a.AddrPort()
	case *net.UDPAddr:
		at = a.AddrPort()
	default:
		at, _ = netip.ParseAddrPort(a.String())
	}
	host := at.Addr().Unmap()
	switch {
	case !host.IsValid() || host.Is6() && family == network.IPv4:
		return netip.AddrPort{}
	case host.Is4() && family == network.IPv6:
		host = netip.AddrFrom16(host.As16())
	}
	return netip.AddrPortFrom(host, at.Port())
}

// localOf returns the local address of a connection or a listener, or the unspecified one.
func localOf(a net.Addr, family network.Family) netip.AddrPort {
	if at := addrOf(a, family); at.IsValid() {
		return at
	}
	return unspecified(family)
}

// networkName returns the name that package net has for a kind of socket: "tcp4", for example.
func networkName(prefix string, family network.Family) string {
	if family == network.IPv6 {
		return prefix + "6"
	}
	return prefix + "4"
}
