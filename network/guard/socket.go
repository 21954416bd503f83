package guard

import (
	"net/netip"
	"sync"

	"github.com/wasport/wasport/network"
	"github.com/wasport/wasport/policy"
)

// socket judges the operations of a socket that name an address, and what comes in.
type socket struct {
	network.Socket
	net      *Network
	protocol policy.Protocol

	mu     sync.Mutex
	bound  netip.AddrPort // where it listens or receives; invalid while unbound
	chosen bool           // the port was the guest's choice, or that of whoever handed the socket over
	peer   netip.AddrPort // that datagrams are connected to
	heard  map[netip.AddrPort]struct{}
	judged judgement // of the address last sent to

	receiving sync.Mutex // held while a datagram is received, if Options.Shared
}

// judgement is a permission that holds as long as the policy does.
type judgement struct {
	to     netip.AddrPort
	policy *policy.Policy
}

func (n *Network) guard(s network.Socket) *socket {
	g := &socket{Socket: s, net: n, protocol: policy.TCP}
	if s.Type() == network.Datagram {
		g.protocol = policy.UDP
	}
	return g
}

// unspecified is the address that an unbound socket gets.
func (s *socket) unspecified() netip.AddrPort {
	if s.Family() == network.IPv6 {
		return netip.AddrPortFrom(netip.IPv6Unspecified(), 0)
	}
	return netip.AddrPortFrom(netip.IPv4Unspecified(), 0)
}

func (s *socket) local() (at netip.AddrPort, chosen bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.bound.IsValid() {
		return s.unspecified(), false
	}
	return s.bound, s.chosen
}

func (s *socket) Bind(a netip.AddrPort) error {
	chosen := a.Port() != 0
	if err := s.net.judge(policy.Request{Op: policy.OpBind, Protocol: s.protocol, Local: a, Ephemeral: !chosen}); err != nil {
		return err
	}
	if err := s.Socket.Bind(a); err != nil {
		return err
	}
	s.settle(chosen)
	return nil
}

// settle notes the address that the socket has got.
func (s *socket) settle(chosen bool) {
	if at, err := s.Socket.LocalAddr(); err == nil {
		s.mu.Lock()
		s.bound, s.chosen = at, chosen
		s.mu.Unlock()
	}
}

func (s *socket) Listen(backlog int) error {
	at, chosen := s.local()
	if err := s.net.judge(policy.Request{Op: policy.OpListen, Protocol: s.protocol, Local: at, Ephemeral: !chosen}); err != nil {
		return err
	}
	if err := s.Socket.Listen(backlog); err != nil {
		return err
	}
	s.settle(chosen)
	return nil
}

// Accept closes the connections of peers that are not admitted, and goes on to the next.
func (s *socket) Accept() (network.Socket, netip.AddrPort, error) {
	for {
		c, from, err := s.Socket.Accept()
		if err != nil {
			return nil, from, err
		}
		if s.admits(policy.OpAccept, from) {
			return s.net.guard(c), from, nil
		}
		s.net.dropped.Add(1)
		c.Close()
	}
}

func (s *socket) admits(op policy.Op, from netip.AddrPort) bool {
	at, chosen := s.local()
	r := policy.Request{Op: op, Protocol: s.protocol, Local: at, Ephemeral: !chosen, Remote: from}
	return s.net.policy.Load().Decide(r, s.net.pins).Allowed
}

func (s *socket) Connect(a netip.AddrPort) error {
	if err := s.net.judge(policy.Request{Op: policy.OpConnect, Protocol: s.protocol, Remote: a}); err != nil {
		return err
	}
	err := s.Socket.Connect(a)
	if err == nil && s.protocol == policy.UDP {
		s.mu.Lock()
		s.peer = a
		s.mu.Unlock()
	}
	return err
}

func (s *socket) Join(group netip.Addr, on network.Interface) error {
	r := policy.Request{Op: policy.OpJoin, Protocol: s.protocol, Remote: netip.AddrPortFrom(group, 0)}
	if err := s.net.judge(r); err != nil {
		return err
	}
	return s.Socket.Join(group, on)
}
