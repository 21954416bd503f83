package guard

import (
	"encoding/binary"
	"math"
	"net/netip"
	"syscall"

	"github.com/wasport/wasport/network"
	"github.com/wasport/wasport/policy"
)

// The interface that a guest names is judged as well as the group. Else it could find out which
// addresses and interfaces the host has, by trying, and send from where it has no business. One
// that the guest may not know and one that there is not answer alike, without asking the kernel.

// membership is how a guest has joined a group.
type membership struct {
	group netip.Addr
	on    network.Interface
}

// Join needs a join rule for the group, and an interface that the guest may know, or none: then the
// host chooses.
func (s *socket) Join(group netip.Addr, on network.Interface) error {
	to := netip.AddrPortFrom(group, 0)
	r := policy.Request{Op: policy.OpJoin, Protocol: s.protocol, Remote: to}
	if err := s.enforce(s.net.now.Load(), r); err != nil {
		return err
	}
	if !s.net.knowsInterface(on) {
		return syscall.ENODEV
	}
	s.joining.Lock()
	defer s.joining.Unlock()
	if err := s.Socket.Join(group, on); err != nil {
		return err
	}
	if s.joined == nil {
		s.joined = make(map[membership]struct{})
	}
	s.joined[membership{group, on}] = struct{}{}
	return nil
}

// Leave needs no permission for what the guest has joined. What somebody else has joined with a
// socket that was handed over stays so.
func (s *socket) Leave(group netip.Addr, on network.Interface) error {
	s.joining.Lock()
	defer s.joining.Unlock()
	m := membership{group, on}
	if _, ok := s.joined[m]; !ok && (s.shared || !s.net.knowsInterface(on)) {
		return syscall.EADDRNOTAVAIL
	}
	err := s.Socket.Leave(group, on)
	if err == nil {
		delete(s.joined, m)
	}
	return err
}

// leaveAll undoes what the guest has joined with a socket that lives on without it.
func (s *socket) leaveAll() {
	s.joining.Lock()
	defer s.joining.Unlock()
	for m := range s.joined {
		s.Socket.Leave(m.group, m.on)
	}
	s.joined = nil
}

// interfaceOf is the interface that the value of an option names, and the error of one that there
// is not.
func interfaceOf(o network.Option, v int64) (on network.Interface, absent error) {
	if o == network.MulticastInterface6 {
		return network.Interface{Index: uint32(v)}, syscall.ENODEV
	}
	var b [4]byte
	binary.BigEndian.PutUint32(b[:], uint32(v))
	return network.Interface{Addr: netip.AddrFrom4(b)}, syscall.EADDRNOTAVAIL
}

// mayChoose judges the interface that a socket is to send to groups from.
func (s *socket) mayChoose(o network.Option, v int64) error {
	if o == network.MulticastInterface6 && s.Family() == network.IPv4 {
		return syscall.ENOPROTOOPT
	}
	if v < 0 || v > math.MaxUint32 {
		return syscall.EINVAL
	}
	if on, absent := interfaceOf(o, v); !s.net.knowsInterface(on) {
		return absent
	}
	return nil
}
