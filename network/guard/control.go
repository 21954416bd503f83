package guard

import (
	"net/netip"
	"syscall"
	"time"

	"github.com/wasport/wasport/network"
	"github.com/wasport/wasport/policy"
)

var _ network.Controller = (*socket)(nil)

// packetInfo are the fields that name an address or an interface of the host.
const packetInfo = network.PacketInfo4 | network.PacketInfo6

// SendControl judges the source that the control data names as well as the destination.
func (s *socket) SendControl(bufs [][]byte, to netip.AddrPort, c *network.Control) (int, error) {
	return s.send(bufs, to, c)
}

// RecvControl is Recv with the control data that the guest may know.
func (s *socket) RecvControl(bufs [][]byte, flags network.RecvFlags,
	c *network.Control) (network.Received, error) {
	return s.recv(bufs, flags, c)
}

// baseSend sends by the guarded socket. c may be nil.
func (s *socket) baseSend(bufs [][]byte, to netip.AddrPort, c *network.Control) (int, error) {
	if c == nil || c.Fields == 0 {
		return s.Socket.Send(bufs, to)
	}
	base, ok := s.Socket.(network.Controller)
	if !ok {
		return 0, syscall.EOPNOTSUPP
	}
	return base.SendControl(bufs, to, c)
}

// baseRecv receives by the guarded socket. c may be nil.
func (s *socket) baseRecv(bufs [][]byte, flags network.RecvFlags,
	c *network.Control) (network.Received, error) {
	if c == nil {
		return s.Socket.Recv(bufs, flags)
	}
	base, ok := s.Socket.(network.Controller)
	if !ok {
		*c = network.Control{}
		return s.Socket.Recv(bufs, flags)
	}
	return base.RecvControl(bufs, flags, c)
}

// authorizeControl judges the source address that a datagram is to have, as a bind to that address
// and the socket's port, and the interface that it is to leave by.
func (s *socket) authorizeControl(active *policySnapshot, c *network.Control) error {
	if c.Fields&packetInfo == 0 {
		return nil
	}

	// 1. Interface: one that the guest may not know gives the error of one that does not exist.
	if c.Interface != 0 &&
		(s.net.options.Learner != nil || !s.knowsIndex(active, c.Interface)) &&
		!s.net.knowsInterface(network.Interface{Index: c.Interface}) {
		return syscall.ENODEV
	}

	// 2. Remembered: the socket's own address was judged when it got it, and the verdict on one of
	// the latest sources still holds. Without a source the host chooses, as for every datagram.
	if !c.Source.IsValid() || c.Source.Unmap().IsUnspecified() {
		return nil
	}
	local, explicitPort := s.boundAddr()
	at := netip.AddrPortFrom(c.Source, local.Port())
	if at == local {
		return nil
	}
	s.mu.Lock()
	cached := s.datagram.sourceCache != nil && s.datagram.sourceCache.has(s.net, active, at)
	s.mu.Unlock()
	if cached {
		return nil
	}

	// 3. Rule.
	r := policy.Request{Op: policy.OpBind, Protocol: s.protocol, Local: at,
		Ephemeral: !explicitPort}
	d := s.decide(active, &r)
	if err := s.enforceDecision(active, &r, d); err != nil {
		return err
	}
	if d.Allowed {
		s.mu.Lock()
		if s.datagram.sourceCache == nil {
			s.datagram.sourceCache = new(verdictCache)
		}
		s.datagram.sourceCache.add(s.net, active, at, d.Name != "")
		s.mu.Unlock()
	}
	return nil
}

// hideUnknown removes interfaces, and addresses of theirs, that the guest may not know. The
// destination stays: a guest finds the address that a peer reaches it by from the local address of
// a connected socket, too.
func (s *socket) hideUnknown(c *network.Control) {
	if c.Fields&packetInfo == 0 {
		return
	}
	active := s.net.active.Load()
	if c.Interface != 0 && !s.knowsIndex(active, c.Interface) {
		c.Interface = 0
	}
	if c.Source.IsValid() && c.Source != c.Destination && !s.net.options.DryRun &&
		!s.net.knowsAddr(active.policy, c.Source) {
		c.Source = netip.Addr{}
	}
}

// knownIndex remembers for a moment whether the guest may know an interface, since a list of the
// host's addresses for each datagram would cost more than the datagram.
type knownIndex struct {
	snapshot *policySnapshot
	index    uint32
	known    bool
	// expires is the time since Network.created.
	expires time.Duration
}

// knowsIndex reports whether the guest may know an interface, without a record.
func (s *socket) knowsIndex(active *policySnapshot, index uint32) bool {
	if s.net.options.DryRun {
		return true
	}
	now := time.Since(s.net.created)
	slot := &s.datagram.indices[index%uint32(len(s.datagram.indices))]
	s.mu.Lock()
	k := *slot
	s.mu.Unlock()
	if k.snapshot == active && k.index == index && now < k.expires {
		return k.known
	}
	k = knownIndex{snapshot: active, index: index, expires: now + lookupVerdictLife}
	for _, h := range s.net.hostAddrs() {
		k.known = k.known || h.Index == index && s.net.knowsAddr(active.policy, h.Prefix.Addr())
	}
	s.mu.Lock()
	*slot = k
	s.mu.Unlock()
	return k.known
}
