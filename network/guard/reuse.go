package guard

import (
	"net/netip"

	"github.com/wasport/wasport/network"
	"github.com/wasport/wasport/policy"
)

// SO_REUSEADDR shares a port among sockets for datagrams, of whatever user (socket(7), and udp_lib_lport_inuse in net/ipv4/udp.c
// of Linux). What is sent to a group then comes to each of them, but what is sent to one address comes to the latest, which so
// takes it from the others. Therefore the wish is kept here, and granted where it takes nothing from anybody.

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

// place binds the socket, with moving held. A socket that is bound to a group hears nothing else, and so may share its port.
func (s *socket) place(at netip.AddrPort) error {
	if s.reuse && at.Port() != 0 && at.Addr().Unmap().IsMulticast() {
		if err := s.Socket.SetOption(network.ReuseAddr, 1); err != nil {
			return err
		}
	}
	return s.Socket.Bind(at)
}
