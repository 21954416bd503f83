package kernel

import (
	"net/netip"
	"strconv"
)

// address4 converts an address of an IPv4 socket.
func address4(a [4]byte, port uint16) netip.AddrPort {
	return netip.AddrPortFrom(netip.AddrFrom4(a), port)
}

// address6 converts an address of an IPv6 socket. It stays an IPv6 address even if it is
// IPv4-mapped (RFC 4291, section 2.5.5.2). An interface's index becomes a numeric zone.
func address6(a [16]byte, port uint16, index uint32) netip.AddrPort {
	addr := netip.AddrFrom16(a)
	if index != 0 {
		addr = addr.WithZone(strconv.FormatUint(uint64(index), 10))
	}
	return netip.AddrPortFrom(addr, port)
}

func parseIndex(zone string) (uint32, bool) {
	n, err := strconv.ParseUint(zone, 10, 32)
	return uint32(n), err == nil
}

// mapped returns an IPv4 address as one of IPv6 (RFC 4291, section 2.5.5.2).
func mapped(a netip.AddrPort) netip.AddrPort {
	return netip.AddrPortFrom(netip.AddrFrom16(a.Addr().As16()), a.Port())
}

// loopbackIfUnspecified replaces the unspecified address by the loopback address, which Linux
// connects to in its place. Windows fails with WSAEADDRNOTAVAIL.
func loopbackIfUnspecified(to netip.AddrPort) netip.AddrPort {
	switch a := to.Addr(); {
	case !a.IsUnspecified():
		return to
	case a.Is4():
		return netip.AddrPortFrom(netip.AddrFrom4([4]byte{127, 0, 0, 1}), to.Port())
	default:
		return netip.AddrPortFrom(netip.IPv6Loopback(), to.Port())
	}
}
