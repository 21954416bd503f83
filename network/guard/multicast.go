package guard

import (
	"encoding/binary"
	"math"
	"net/netip"
	"syscall"

	"github.com/wasport/wasport/network"
	"github.com/wasport/wasport/policy"
)

// The guard judges the interface that a guest names as well as the group. Otherwise the guest could
// find the addresses and interfaces of the host by trying, and could send from an address that no
// rule grants. An interface that the guest may not know gives the error of one that does not exist,
// and the kernel is not asked.

// membership is a group that a guest joined, and the interface that it named.
type membership struct {
	group netip.Addr
	iface network.Interface
}

// Join needs a join rule for the group. It returns ENODEV for an interface that the guest may not
// know. The host chooses the interface if none is named (ip(7), IP_ADD_MEMBERSHIP).
func (s *socket) Join(group netip.Addr, iface network.Interface) error {
	remote := netip.AddrPortFrom(group, 0)
	r := policy.Request{Op: policy.OpJoin, Protocol: s.protocol, Remote: remote}
	if err := s.enforce(s.net.active.Load(), &r); err != nil {
		return err
	}
	if !s.net.knowsInterface(iface) {
		return syscall.ENODEV
	}
	s.joinMu.Lock()
	defer s.joinMu.Unlock()
	if err := s.Socket.Join(group, iface); err != nil {
		return err
	}
	if s.memberships == nil {
		s.memberships = make(map[membership]struct{})
	}
	s.memberships[membership{group, iface}] = struct{}{}
	return nil
}

// Leave needs no permission for a group that the guest joined. It returns EADDRNOTAVAIL for a group
// that the owner of an adopted socket joined.
func (s *socket) Leave(group netip.Addr, iface network.Interface) error {
	s.joinMu.Lock()
	defer s.joinMu.Unlock()
	m := membership{group, iface}
	_, ok := s.memberships[m]
	if !ok && (s.sharedWithOwner || !s.net.knowsInterface(iface)) {
		return syscall.EADDRNOTAVAIL
	}
	err := s.Socket.Leave(group, iface)
	if err == nil {
		delete(s.memberships, m)
	}
	return err
}

// leaveMemberships leaves the groups that the guest joined with an adopted socket. close(2) does
// not leave them, since the owner still has the socket open.
func (s *socket) leaveMemberships() {
	s.joinMu.Lock()
	defer s.joinMu.Unlock()
	for m := range s.memberships {
		s.Socket.Leave(m.group, m.iface)
	}
	s.memberships = nil
}

// optionInterface returns the interface that the value of an option names, and the error that the
// kernel gives for an interface that does not exist.
func optionInterface(o network.Option, v int64) (iface network.Interface, notFound error) {
	if o == network.MulticastInterface6 {
		return network.Interface{Index: uint32(v)}, syscall.ENODEV
	}
	var b [4]byte
	binary.BigEndian.PutUint32(b[:], uint32(v))
	return network.Interface{Addr: netip.AddrFrom4(b)}, syscall.EADDRNOTAVAIL
}

// checkMulticastInterface judges the interface from which a socket is to send to groups
// (IP_MULTICAST_IF in ip(7), IPV6_MULTICAST_IF in ipv6(7)).
func (s *socket) checkMulticastInterface(o network.Option, v int64) error {
	if o == network.MulticastInterface6 && s.Family() == network.IPv4 {
		return syscall.ENOPROTOOPT
	}
	if v < 0 || v > math.MaxUint32 {
		return syscall.EINVAL
	}
	if iface, notFound := optionInterface(o, v); !s.net.knowsInterface(iface) {
		return notFound
	}
	return nil
}
