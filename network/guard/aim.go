package guard

import (
	"net/netip"
	"syscall"
)

// aim returns the address that stands for one that the guest named: the one that is judged,
// recorded and handed on.
//
// A kernel takes the unspecified address of a destination for the source address of the socket, if
// it has one, and for loopback else. Which of the two it will be is not known here, so it becomes
// loopback before anybody looks at it. A zone remains where it chooses an interface, and then the
// guest must know that; elsewhere systems ignore it, or differ. ENODEV without such an interface.
func (s *socket) aim(to netip.AddrPort) (netip.AddrPort, error) {
	a := to.Addr()
	switch {
	case !a.IsValid() || !a.Unmap().WithZone("").IsUnspecified():
	case a.Is4():
		a = netip.AddrFrom4([4]byte{127, 0, 0, 1})
	case a.Is4In6():
		a = netip.AddrFrom16(netip.AddrFrom4([4]byte{127, 0, 0, 1}).As16())
	default:
		a = netip.IPv6Loopback()
	}
	a, err := s.zoned(a)
	return netip.AddrPortFrom(a, to.Port()), err
}

// zoned returns an address with its zone if that means something: it names the interface of an
// address that is the same on each.
func (s *socket) zoned(a netip.Addr) (netip.Addr, error) {
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
