package guard

import (
	"net/netip"
	"syscall"
)

// normalizeDest returns the address that is judged, recorded and passed on in place of the address
// that a guest named. It returns ENODEV if the zone names no interface that the guest may know.
//
// Linux sends to an unspecified destination by the source address of the socket, if it has one, and
// by loopback otherwise (ip(7), INADDR_ANY). The guard cannot know which, so it replaces the
// address by loopback before it is judged.
func (s *socket) normalizeDest(to netip.AddrPort) (netip.AddrPort, error) {
	a := to.Addr()
	if !a.IsValid() || a.Is4() && a != netip.IPv4Unspecified() {
		return to, nil // none, or one that has one meaning and no zone
	}
	switch {
	case !a.Unmap().WithZone("").IsUnspecified():
	case a.Is4():
		a = netip.AddrFrom4([4]byte{127, 0, 0, 1})
	case a.Is4In6():
		a = netip.AddrFrom16(netip.AddrFrom4([4]byte{127, 0, 0, 1}).As16())
	default:
		a = netip.IPv6Loopback()
	}
	a, err := s.normalizeZone(a)
	return netip.AddrPortFrom(a, to.Port()), err
}

// normalizeZone removes a zone that chooses no interface. A zone has a meaning for addresses that
// are unique on one link alone (RFC 4007, section 6); for others systems ignore it, or differ. It
// returns ENODEV if the guest may not know the interface.
func (s *socket) normalizeZone(a netip.Addr) (netip.Addr, error) {
	switch {
	case a.Zone() == "":
		return a, nil
	case !a.IsLinkLocalUnicast() && !a.IsLinkLocalMulticast() && !a.IsInterfaceLocalMulticast():
		return a.WithZone(""), nil
	case !s.net.knowsZone(a.Zone()):
		return a, syscall.ENODEV
	}
	return a, nil
}
