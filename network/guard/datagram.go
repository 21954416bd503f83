package guard

import (
	"net/netip"
	"syscall"

	"github.com/wasport/wasport/network"
	"github.com/wasport/wasport/policy"
)

// Send judges where a datagram goes; what goes along a stream was judged when that was connected.
func (s *socket) Send(bufs [][]byte, to netip.AddrPort) (int, error) {
	now := s.net.now.Load()
	if s.protocol == policy.TCP {
		to = netip.AddrPort{}
	} else {
		var err error
		if to, err = s.aim(to); err != nil {
			return 0, err
		}
		if err := s.mayReach(now, to); err != nil {
			return 0, err
		}
	}
	if now.bytes() {
		return s.sendWithin(now, bufs, to)
	}
	n, err := s.Socket.Send(bufs, to)
	if err == nil {
		s.net.counters.sent.Add(uint64(n))
	}
	return n, err
}

// mayReach judges the destination of a datagram. Whom the guest has heard from where it may listen
// it may answer, as a server does, unless a deny refuses it; else it needs permission to connect.
func (s *socket) mayReach(now *regime, to netip.AddrPort) error {
	s.mu.Lock()
	if !to.IsValid() {
		to = s.peer
	}
	known := s.sentTo.has(s.net, now, to)
	s.mu.Unlock()
	// without a destination there is nothing to judge: the send fails by itself
	if known || !to.IsValid() {
		return nil
	}
	own := s.net.owns(to.Addr())
	r := policy.Request{Op: policy.OpConnect, Protocol: policy.UDP, Remote: to, Own: own}
	d := s.decide(now, r)
	// What a rule allows need not be looked for among the answers, except to learn that no rule was
	// needed.
	if d.Rule == nil || d.Allowed && s.net.options.Learner != nil {
		if answer := s.mayAnswer(now, to); answer.Allowed {
			s.net.allowed(r, answer)
			s.reached(now, to, answer)
			return nil
		}
	}
	if err := s.act(now, r, d); err != nil {
		return err
	}
	if d.Allowed {
		s.reached(now, to, d)
	}
	return nil
}

func (s *socket) reached(now *regime, to netip.AddrPort, d policy.Decision) {
	s.mu.Lock()
	s.sentTo.add(s.net, now, to, d.Name != "")
	s.mu.Unlock()
}

// mayAnswer decides whether something may be sent to an address since it came from there, by the
// rule that let it in.
func (s *socket) mayAnswer(now *regime, to netip.AddrPort) policy.Decision {
	s.mu.Lock()
	// and may be forgotten among the contacts, since it is not noted there each time
	heard := s.gotFrom.has(s.net, now, to)
	s.mu.Unlock()
	if !heard && !s.net.contacts.has(contactOf(s.number, to)) {
		return policy.Decision{}
	}
	at, chosen := s.local()
	d := s.decide(now, policy.Request{Op: policy.OpReceive, Protocol: policy.UDP, Local: at,
		Ephemeral: !chosen, Remote: to})
	if !d.Allowed || d.Rule.Action() != policy.Listen {
		return policy.Decision{}
	}
	return d
}

// Recv drops datagrams from those that the guest may not hear, and goes on to the next.
func (s *socket) Recv(bufs [][]byte, flags network.RecvFlags) (network.Received, error) {
	now := s.net.now.Load()
	if now.bytes() {
		return s.recvWithin(now, bufs, flags)
	}
	r, err := s.receive(bufs, flags)
	if err == nil {
		s.net.counters.received.Add(uint64(s.unseen(r, flags)))
	}
	return r, err
}

// unseen is the number of bytes that the guest has received, or peeked at, for the first time. A
// datagram counts whole, however much of it fits: it has come, and the rest of it is lost.
//
// Each byte that is added to seen was counted, and is taken from it once. So several threads may
// get into each other's way, and count too much, but never too little.
func (s *socket) unseen(r network.Received, flags network.RecvFlags) int {
	size := int64(max(r.N, r.Size))
	if s.grant != nil { // others may have taken what was seen
		return int(size)
	}
	for {
		seen := s.seen.Load()
		var left int64
		switch {
		case flags&network.Peek != 0:
			left = max(seen, size)
		case s.protocol == policy.TCP:
			left = max(seen-size, 0)
		}
		if s.seen.CompareAndSwap(seen, left) {
			return int(max(size-seen, 0))
		}
	}
}

func (s *socket) receive(bufs [][]byte, flags network.RecvFlags) (network.Received, error) {
	switch {
	case s.protocol == policy.TCP:
		return s.Socket.Recv(bufs, flags)
	case s.net.options.Shared:
		return s.recvApart(bufs, flags)
	}
	return s.hearOnly(bufs, flags)
}

// hearOnly receives into bufs what may be received. What may not has been there for a moment, and
// nothing tells how much it was.
func (s *socket) hearOnly(bufs [][]byte, flags network.RecvFlags) (network.Received, error) {
	for range maxStrangers {
		r, err := s.Socket.Recv(bufs, flags)
		if err != nil || s.hears(r.From) {
			return r, err
		}
		s.net.counters.datagrams.Add(1)
		wipe(bufs)
		if flags&network.Peek != 0 { // it is still there
			if _, err := s.Socket.Recv(nil, 0); err != nil {
				return network.Received{}, err
			}
		}
	}
	return network.Received{}, syscall.EAGAIN
}

// wipe clears what any datagram can have filled. Buffers may be gigabytes, and a stranger's
// datagram must not cost that much.
func wipe(bufs [][]byte) {
	left := maxDatagram
	for _, b := range bufs {
		b = b[:min(len(b), left)]
		clear(b)
		left -= len(b)
	}
}

// hears judges the source of a datagram, by the policy that holds now that it is here.
func (s *socket) hears(from netip.AddrPort) bool {
	if !from.IsValid() {
		return false
	}
	now := s.net.now.Load()
	s.mu.Lock()
	known := s.gotFrom.has(s.net, now, from)
	isPeer := from == s.peer
	s.mu.Unlock()
	if known {
		return true
	}
	var r policy.Request
	var d policy.Decision
	own := s.net.owns(from.Addr())
	if isPeer { // and so may be heard, until it is the peer no more
		r = policy.Request{Op: policy.OpConnect, Protocol: policy.UDP, Remote: from, Own: own}
		d = s.decide(now, r)
	}
	if isPeer = d.Allowed; !isPeer {
		at, chosen := s.local()
		r = policy.Request{Op: policy.OpReceive, Protocol: policy.UDP, Local: at,
			Ephemeral: !chosen, Remote: from, Own: own}
		d = s.decide(now, r)
	}
	if !d.Allowed {
		return s.turnAway(now, r, d)
	}
	s.learn(r)
	s.net.allowed(r, d)
	if d.Rule.Action() == policy.Listen {
		s.net.contacts.add(contactOf(s.number, from))
	}
	s.mu.Lock()
	if !isPeer || from == s.peer {
		s.gotFrom.add(s.net, now, from, d.Name != "")
	}
	s.mu.Unlock()
	return true
}

// Available does not count what will be dropped.
func (s *socket) Available() (int, error) {
	n, err := s.Socket.Available()
	if n == 0 || err != nil || s.protocol == policy.TCP {
		return n, err
	}
	switch _, err := s.receive(nil, network.Peek); err {
	case nil:
		return s.Socket.Available()
	case syscall.EAGAIN:
		return 0, nil
	default:
		return 0, err
	}
}
