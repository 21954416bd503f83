package guard

import (
	"net/netip"

	"github.com/wasport/wasport/network"
	"github.com/wasport/wasport/policy"
)

// SO_REUSEADDR shares a port among datagram sockets, even of different users (socket(7), and
// udp_lib_lport_inuse in net/ipv4/udp.c of Linux). Each of the sockets then receives the datagrams
// to a group, but only the latest receives those to a unicast address, which it so takes from the
// others. The guard therefore keeps the option itself, and sets it in the kernel only where that
// takes no datagram from another program.

// emulatesReuse reports whether the guard keeps the value of an option.
func (s *socket) emulatesReuse(o network.Option) bool {
	return o == network.ReuseAddr && s.protocol == policy.UDP && !s.sharedWithOwner
}

// reuseRequested reports whether the guest set SO_REUSEADDR.
func (s *socket) reuseRequested() bool {
	s.addrMu.Lock()
	defer s.addrMu.Unlock()
	return s.reuseAddr
}

// requestReuse keeps the value of SO_REUSEADDR. It returns the errors that getsockopt(2) has, such
// as that of a closed socket.
func (s *socket) requestReuse(v int64) error {
	s.addrMu.Lock()
	defer s.addrMu.Unlock()
	if _, err := s.Socket.Option(network.ReuseAddr); err != nil {
		return err
	}
	s.reuseAddr = v != 0
	return nil
}

// bindKernel binds the socket in the kernel. addrMu is held.
//
// A socket that is bound to a group receives no other datagrams, so it may share its port. Programs
// that receive from groups mostly bind to every address of the host; such a socket shares the
// datagrams to groups if a rule lets the guest join any.
func (s *socket) bindKernel(local netip.AddrPort) error {
	a := local.Addr().Unmap()
	group := a.IsMulticast()
	everyAddr := a.IsUnspecified() && s.receivesOneFamily() && s.net.Policy().MayJoin()
	if !s.reuseAddr || !group && !everyAddr {
		return s.Socket.Bind(local)
	}
	if group && local.Port() != 0 {
		if err := s.Socket.SetOption(network.ReuseAddr, 1); err != nil {
			return err
		}
	}
	bind := s.Socket.Bind
	if sharer, ok := s.Socket.(network.Sharer); ok {
		bind = sharer.BindShared
	}
	err := bind(local)
	if err != nil && group {
		s.Socket.SetOption(network.ReuseAddr, 0) // the guest may bind it elsewhere next
	}
	return err
}

// receivesOneFamily reports whether the socket receives datagrams of one family alone. A dual-stack
// socket would lose its IPv4 datagrams to a later socket on 0.0.0.0, which the kernel prefers
// (ipv6(7), IPV6_V6ONLY).
func (s *socket) receivesOneFamily() bool {
	if s.Family() == network.IPv4 {
		return true
	}
	only, err := s.Socket.Option(network.V6Only)
	return err == nil && only != 0
}
