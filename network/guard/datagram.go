package guard

import (
	"net/netip"

	"github.com/wasport/wasport/network"
	"github.com/wasport/wasport/policy"
)

// Send judges where a datagram goes; what goes along a stream was judged when that was connected.
func (s *socket) Send(bufs [][]byte, to netip.AddrPort) (int, error) {
	if s.protocol == policy.UDP {
		if err := s.mayReach(to); err != nil {
			return 0, err
		}
	}
	return s.Socket.Send(bufs, to)
}

// mayReach judges the destination of a datagram. A guest that receives on a port of its own choice may answer whom it heard from, as a
// server does; else it needs permission to connect.
func (s *socket) mayReach(to netip.AddrPort) error {
	p := s.net.policy.Load()
	s.mu.Lock()
	if !to.IsValid() {
		to = s.peer
	}
	_, heard := s.heard[to]
	known := s.judged == judgement{to, p}
	s.mu.Unlock()
	if known || !to.IsValid() { // without a destination there is nothing to judge: the send fails by itself
		return nil
	}
	r := policy.Request{Op: policy.OpConnect, Protocol: policy.UDP, Remote: to}
	d := p.Decide(r, s.net.pins)
	switch {
	case d.Allowed && d.Name == "":
		s.mu.Lock()
		s.judged = judgement{to, p}
		s.mu.Unlock()
	case d.Allowed:
	case heard && s.admits(policy.OpReceive, to):
	default:
		return s.net.refused(p, r, d)
	}
	return nil
}

// Recv drops datagrams from those that the guest may not hear, and goes on to the next.
func (s *socket) Recv(bufs [][]byte, flags network.RecvFlags) (network.Received, error) {
	switch {
	case s.protocol == policy.TCP:
		return s.Socket.Recv(bufs, flags)
	case s.net.options.Shared:
		return s.recvApart(bufs, flags)
	}
	return s.hearOnly(bufs, flags)
}

// hearOnly receives the next datagram that the guest may hear.
func (s *socket) hearOnly(bufs [][]byte, flags network.RecvFlags) (network.Received, error) {
	for {
		r, err := s.Socket.Recv(bufs, flags)
		if err != nil || s.hears(r.From) {
			return r, err
		}
		s.net.dropped.Add(1)
		wipe(bufs, r.N)
		if flags&network.Peek != 0 { // it is still there
			if _, err := s.Socket.Recv(nil, 0); err != nil {
				return network.Received{}, err
			}
		}
	}
}

// maxHeard bounds how many senders a socket remembers, to whom it may reply.
const maxHeard = 4096

func (s *socket) hears(from netip.AddrPort) bool {
	s.mu.Lock()
	_, heard := s.heard[from]
	peer, chosen := s.peer, s.chosen
	s.mu.Unlock()
	if from == peer {
		r := policy.Request{Op: policy.OpConnect, Protocol: policy.UDP, Remote: from}
		if s.net.policy.Load().Decide(r, s.net.pins).Allowed {
			return true
		}
	}
	if !s.admits(policy.OpReceive, from) {
		return false
	}
	if chosen && !heard {
		s.mu.Lock()
		if s.heard == nil || len(s.heard) >= maxHeard {
			s.heard = make(map[netip.AddrPort]struct{})
		}
		s.heard[from] = struct{}{}
		s.mu.Unlock()
	}
	return true
}

// wipe clears the first n bytes of bufs.
func wipe(bufs [][]byte, n int) {
	for _, b := range bufs {
		b = b[:min(len(b), n)]
		clear(b)
		n -= len(b)
	}
}
