package guard

import (
	"net/netip"
	"syscall"

	"github.com/wasport/wasport/network"
	"github.com/wasport/wasport/policy"
)

// datagramState is the part of a datagram socket that a stream does without. It is protected by
// socket.mu.
type datagramState struct {
	// peer is the remote address of a connected socket.
	peer netip.AddrPort
	// released is the local address whose port the host chose, and which Disconnect released.
	released netip.AddrPort
	// sendCache and recvCache hold the latest verdicts.
	sendCache, recvCache verdictCache
	// sourceCache holds the latest verdicts on sources of datagrams. It is nil before the first.
	sourceCache *verdictCache
	// indices are the interfaces that datagrams came or left by, at index%len.
	indices [4]knownIndex
}

// Send judges the destination of a datagram. A stream was judged when it was connected.
func (s *socket) Send(bufs [][]byte, to netip.AddrPort) (int, error) {
	return s.send(bufs, to, nil)
}

// send is Send with control data, or nil.
func (s *socket) send(bufs [][]byte, to netip.AddrPort, c *network.Control) (int, error) {
	active := s.net.active.Load()
	if s.protocol == policy.TCP {
		to = netip.AddrPort{}
	} else {
		var err error
		if to, err = s.normalizeDest(to); err != nil {
			return 0, err
		}
		if err := s.authorizeSend(active, to); err != nil {
			return 0, err
		}
		if c != nil {
			if err := s.authorizeControl(active, c); err != nil {
				return 0, err
			}
		}
	}
	if active.limitsBytes() {
		n, err := s.sendLimited(active, bufs, to, c)
		s.watchAfter(network.Writable, n, bufs)
		return n, err
	}
	var n int
	var err error
	if c == nil {
		n, err = s.Socket.Send(bufs, to)
	} else {
		n, err = s.baseSend(bufs, to, c)
	}
	if err == nil {
		s.net.counters.sentBytes.Add(uint64(n))
	}
	if s.mayWatch() {
		s.watchAfter(network.Writable, n, bufs)
	}
	return n, err
}

// authorizeSend judges the destination of a datagram: the peer if to is invalid. A guest may send
// where a rule lets it connect, and may answer a sender that a listen rule admitted, as a server
// does, unless a deny rule refuses the address.
func (s *socket) authorizeSend(active *policySnapshot, to netip.AddrPort) error {
	// 1. Remembered: the verdict on one of the latest destinations still holds. Without any
	// destination there is nothing to judge, and sendto(2) fails with EDESTADDRREQ.
	s.mu.Lock()
	if !to.IsValid() {
		to = s.datagram.peer
	}
	cached := s.datagram.sendCache.has(s.net, active, to)
	s.mu.Unlock()
	if cached || !to.IsValid() {
		return nil
	}

	// 2. Rule: ask for a connect.
	own := s.net.ownsPublicAddr(to.Addr())
	r := policy.Request{Op: policy.OpConnect, Protocol: policy.UDP, Remote: to, Own: own}
	d := s.decide(active, &r)

	// 3. Reply: if no rule has decided, the guest may answer a sender. With a Learner the reply
	// comes before a rule that allows, so that no rule is learnt that the guest does not need.
	if d.Rule == nil || d.Allowed && s.net.options.Learner != nil {
		if reply := s.decideReply(active, to); reply.Allowed {
			s.net.noteAllowed(&r, reply)
			s.cacheAllowed(active, to, reply)
			return nil
		}
	}

	// 4. Connect: act on the decision of step 2.
	if err := s.enforceDecision(active, &r, d); err != nil {
		return err
	}
	if d.Allowed {
		s.cacheAllowed(active, to, d)
	}
	return nil
}

// cacheAllowed remembers that datagrams may be sent to an address.
func (s *socket) cacheAllowed(active *policySnapshot, to netip.AddrPort, d policy.Decision) {
	s.mu.Lock()
	s.datagram.sendCache.add(s.net, active, to, d.Name != "")
	s.mu.Unlock()
}

// decideReply decides whether the guest may answer an address, by the listen rule that admitted a
// datagram from there.
func (s *socket) decideReply(active *policySnapshot, to netip.AddrPort) policy.Decision {
	s.mu.Lock()
	received := s.datagram.recvCache.has(s.net, active, to)
	s.mu.Unlock()
	// A sender in recvCache is not added to senders again, so that senders may have dropped it.
	if !received && !s.net.senders.has(knownSenderOf(s.id, to)) {
		return policy.Decision{}
	}
	local, explicitPort := s.boundAddr()
	d := s.decide(active, &policy.Request{Op: policy.OpReceive, Protocol: policy.UDP, Local: local,
		Ephemeral: !explicitPort, Remote: to})
	if !d.Allowed || d.Rule.Action() != policy.ActionListen {
		return policy.Decision{}
	}
	return d
}

// Recv drops each datagram from a sender that is not admitted, and receives the next one.
func (s *socket) Recv(bufs [][]byte, flags network.RecvFlags) (network.Received, error) {
	return s.recv(bufs, flags, nil)
}

// recv is Recv, which fills in *c unless c is nil.
func (s *socket) recv(bufs [][]byte, flags network.RecvFlags,
	c *network.Control) (network.Received, error) {
	active := s.net.active.Load()
	if active.limitsBytes() {
		r, err := s.recvLimited(active, bufs, flags, c)
		s.watchAfter(network.Readable, r.N, bufs)
		return r, err
	}
	r, err := s.recvAdmitted(bufs, flags, c)
	if err == nil {
		s.net.counters.receivedBytes.Add(uint64(s.countUnpeeked(r, flags)))
	}
	if s.mayWatch() {
		s.watchAfter(network.Readable, r.N, bufs)
	}
	return r, err
}

// countUnpeeked returns the number of bytes that the guest has now received, or peeked at, for the
// first time (recv(2), MSG_PEEK). A datagram counts with its whole length even if the buffers are
// shorter, since its rest is lost.
//
// Each byte that is added to peekedBytes was counted, and is subtracted once. Threads that receive
// at the same time may therefore count a byte twice, but never miss one.
func (s *socket) countUnpeeked(r network.Received, flags network.RecvFlags) int {
	size := int64(max(r.N, r.Size))
	if s.adoptGrant != nil { // the owner may have taken the bytes that were peeked at
		return int(size)
	}
	for {
		peeked := s.peekedBytes.Load()
		var left int64
		switch {
		case flags&network.Peek != 0:
			left = max(peeked, size)
		case s.protocol == policy.TCP:
			left = max(peeked-size, 0)
		}
		if left == peeked || s.peekedBytes.CompareAndSwap(peeked, left) {
			return int(max(size-peeked, 0))
		}
	}
}

// recvAdmitted receives the bytes of a stream, or a datagram from an admitted sender.
func (s *socket) recvAdmitted(bufs [][]byte, flags network.RecvFlags,
	c *network.Control) (network.Received, error) {
	switch {
	case s.protocol == policy.TCP:
		return s.baseRecv(bufs, flags, c)
	case s.net.options.Shared:
		return s.recvStaged(bufs, flags, c)
	}
	return s.recvFiltered(bufs, flags, c)
}

// recvFiltered receives a datagram from an admitted sender into bufs. A datagram from a sender that
// is not admitted is briefly in bufs, then wiped; its length is not reported.
func (s *socket) recvFiltered(bufs [][]byte, flags network.RecvFlags,
	c *network.Control) (network.Received, error) {
	for range maxDeniedPerCall {
		var r network.Received
		var err error
		if c == nil {
			r, err = s.Socket.Recv(bufs, flags)
		} else {
			r, err = s.baseRecv(bufs, flags, c)
		}
		if err != nil {
			return r, err
		}
		if s.admitSender(r.From) {
			if c != nil {
				s.hideUnknown(c)
			}
			return r, nil
		}
		s.net.counters.droppedDatagrams.Add(1)
		wipe(bufs)
		if flags&network.Peek != 0 { // MSG_PEEK left the datagram in the queue
			if _, err := s.Socket.Recv(nil, 0); err != nil {
				return network.Received{}, err
			}
		}
	}
	return network.Received{}, syscall.EAGAIN
}

// wipe clears the bytes that the longest datagram can have filled. It does not clear the rest of
// the buffers, which may have gigabytes: a datagram from outside must not cost that much.
func wipe(bufs [][]byte) {
	left := maxDatagram
	for _, b := range bufs {
		b = b[:min(len(b), left)]
		clear(b)
		left -= len(b)
	}
}

// admitSender judges the sender of a datagram. It reads the policy anew, since the policy may have
// changed while Recv waited for the kernel.
func (s *socket) admitSender(from netip.AddrPort) bool {
	if !from.IsValid() {
		return false
	}

	// 1. Remembered: the verdict on one of the latest senders still holds.
	active := s.net.active.Load()
	s.mu.Lock()
	cached := s.datagram.recvCache.has(s.net, active, from)
	isPeer := from == s.datagram.peer
	s.mu.Unlock()
	if cached {
		return true
	}

	// 2. Peer: the guest may receive where it may connect, as long as the sender is the peer.
	var r policy.Request
	var d policy.Decision
	own := s.net.ownsPublicAddr(from.Addr())
	if isPeer {
		r = policy.Request{Op: policy.OpConnect, Protocol: policy.UDP, Remote: from, Own: own}
		d = s.decide(active, &r)
	}

	// 3. Rule: any other sender needs a listen rule, or a connect rule if the port is ephemeral.
	if isPeer = d.Allowed; !isPeer {
		local, explicitPort := s.boundAddr()
		r = policy.Request{Op: policy.OpReceive, Protocol: policy.UDP, Local: local,
			Ephemeral: !explicitPort, Remote: from, Own: own}
		d = s.decide(active, &r)
	}
	if !d.Allowed {
		return s.rejectPeer(active, &r, d)
	}
	s.learn(&r)
	s.net.noteAllowed(&r, d)

	// 4. Remember: a sender that a listen rule admitted may be answered. The verdict on a peer is
	// cached only while the sender is the peer, since Disconnect may have come meanwhile.
	if d.Rule.Action() == policy.ActionListen {
		s.net.senders.add(knownSenderOf(s.id, from))
	}
	s.mu.Lock()
	if !isPeer || from == s.datagram.peer {
		s.datagram.recvCache.add(s.net, active, from, d.Name != "")
	}
	s.mu.Unlock()
	return true
}

// Available returns the length of the next datagram that Recv would deliver (FIONREAD, udp(7)). It
// drops the datagrams before it that are not admitted.
func (s *socket) Available() (int, error) {
	n, err := s.Socket.Available()
	if n == 0 || err != nil || s.protocol == policy.TCP {
		return n, err
	}
	switch _, err := s.recvAdmitted(nil, network.Peek, nil); err {
	case nil:
		return s.Socket.Available()
	case syscall.EAGAIN:
		return 0, nil
	default:
		return 0, err
	}
}
