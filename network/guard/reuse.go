package guard

import (
	"net/netip"

	"github.com/wasport/wasport/network"
	"github.com/wasport/wasport/policy"
)

// SO_REUSEADDR shares a port among sockets for datagrams, of whatever user (socket(7), and
// udp_lib_lport_inuse in net/ipv4/udp.c of Linux). What is sent to a group then comes to each of
// them, but what is sent to one address comes to the latest, which so takes it from the others.
// Therefore the wish is kept here, and granted where it takes nothing from anybody.

func (s *socket) keepsReuse(o network.Option) bool {
	return o == network.ReuseAddr && s.protocol == policy.UDP && !s.shared
}

func (s *socket) reuses() bool {
	s.moving.Lock()
	defer s.moving.Unlock()
	return s.reuse
}

func (s *socket) setReuse(v int64) error {
	s.moving.Lock()
	defer s.moving.Unlock()
	if _, err := s.Socket.Option(network.ReuseAddr); err != nil { // it is closed, say
		return err
	}
	s.reuse = v != 0
	return nil
}

// place binds the socket, with moving held. One that is bound to a group hears nothing else, and so
// may share its port. One on every address of the host, where programs that hear groups are mostly
// bound, shares what is sent to groups if the guest may join any.
func (s *socket) place(at netip.AddrPort) error {
	a := at.Addr().Unmap()
	group := a.IsMulticast()
	every := a.IsUnspecified() && s.oneFamily() && s.net.Policy().MayJoin()
	if !s.reuse || !group && !every {
		return s.Socket.Bind(at)
	}
	if group && at.Port() != 0 {
		if err := s.Socket.SetOption(network.ReuseAddr, 1); err != nil {
			return err
		}
	}
	bind := s.Socket.Bind
	if sharer, ok := s.Socket.(network.Sharer); ok {
		bind = sharer.BindShared
	}
	err := bind(at)
	if err != nil && group {
		s.Socket.SetOption(network.ReuseAddr, 0) // the next bind may be to no group
	}
	return err
}

// oneFamily reports whether the socket hears one family alone. What hears both would lose what is
// sent by IPv4 to a later one on 0.0.0.0, which the kernel prefers.
func (s *socket) oneFamily() bool {
	if s.Family() == network.IPv4 {
		return true
	}
	only, err := s.Socket.Option(network.V6Only)
	return err == nil && only != 0
}
