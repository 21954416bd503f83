package guard

import (
	"net/netip"
	"sync"
	"sync/atomic"
	"syscall"

	"github.com/wasport/wasport/network"
	"github.com/wasport/wasport/policy"
)

// socket judges the operations of a socket that name an address, and what comes in.
type socket struct {
	network.Socket
	net      *Network
	protocol policy.Protocol
	number   uint64
	grant    *policy.Policy // what handing it over allows; nil if the guest opened it
	waiting                 // for limits
	charge   charge         // protected by net.memory.mu

	// somebody else has the socket too, and goes on to use it: what it is must not change
	shared bool
	dual   bool // it is shared, and on every address of both families

	receiving sync.Mutex // held while a datagram is received, if Options.Shared
	// held while the socket gets an address of its own or of a peer, so that the guard's idea of it
	// is the kernel's
	moving  sync.Mutex
	joining sync.Mutex // held while a membership changes; guards joined
	closed  atomic.Bool
	seen    atomic.Int64 // bytes at the head of the queue that were peeked at and charged

	joined map[membership]struct{} // by the guest
	reuse  bool                    // SO_REUSEADDR of datagrams, as set; guarded by moving

	strangerTold atomic.Bool // OnStranger was called

	mu    sync.Mutex
	bound netip.AddrPort // where it listens or receives; invalid while unbound
	// the port was the guest's choice, or that of whoever handed the socket over
	chosen   bool
	peer     netip.AddrPort // that datagrams are connected to
	underway bool           // a stream's connection was started and has not failed; maybe it stands
	sentTo   *judged        // of datagrams
	gotFrom  *judged
}

func (n *Network) guard(s network.Socket) *socket {
	g := &socket{Socket: s, net: n, protocol: policy.TCP, number: n.sockets.Add(1)}
	if s.Type() == network.Datagram {
		g.protocol, g.sentTo, g.gotFrom = policy.UDP, new(judged), new(judged)
	}
	return g
}

// local is where the socket is, as far as it has been said: an unbound one gets the unspecified
// address.
func (s *socket) local() (at netip.AddrPort, chosen bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case s.bound.IsValid():
		return s.bound, s.chosen
	case s.Family() == network.IPv6:
		return netip.AddrPortFrom(netip.IPv6Unspecified(), 0), false
	}
	return netip.AddrPortFrom(netip.IPv4Unspecified(), 0), false
}

// settle notes the address that the socket has got.
func (s *socket) settle(chosen bool) {
	if at, err := s.Socket.LocalAddr(); err == nil && at.Port() != 0 {
		s.mu.Lock()
		s.bound, s.chosen = at, chosen
		s.mu.Unlock()
	}
}

// decide asks the policy and, for a socket that was handed over, what that allows.
func (s *socket) decide(now *regime, r policy.Request) policy.Decision {
	d := now.policy.Decide(r, s.net.pins)
	if s.grant != nil && !d.Allowed {
		return s.decideHanded(now.policy, r, d)
	}
	return d
}

// enforce judges what the guest wants of the socket.
func (s *socket) enforce(now *regime, r policy.Request) error {
	return s.act(now, r, s.decide(now, r))
}

// act acts on a decision about what the guest wants of the socket.
func (s *socket) act(now *regime, r policy.Request, d policy.Decision) error {
	if d.Allowed {
		s.learn(r)
	}
	return s.net.enforce(now, r, d)
}

// learn notes what the guest needs a rule for.
func (s *socket) learn(r policy.Request) {
	if l := s.net.options.Learner; l != nil && (s.grant == nil || !s.grant.Decide(r, nil).Allowed) {
		l.Request(r)
	}
}

// Bind is EINVAL for a socket that has an address, as in bind(2): no rule could help.
func (s *socket) Bind(a netip.AddrPort) error {
	if at, err := s.Socket.LocalAddr(); err == nil && at.Port() != 0 {
		return syscall.EINVAL
	}
	if s.shared {
		return s.keep("bind")
	}
	host, err := s.zoned(a.Addr())
	if err != nil {
		return err
	}
	a = netip.AddrPortFrom(host, a.Port())
	chosen := a.Port() != 0
	r := policy.Request{Op: policy.OpBind, Protocol: s.protocol, Local: a, Ephemeral: !chosen}
	if err := s.enforce(s.net.now.Load(), r); err != nil {
		return err
	}
	s.moving.Lock()
	defer s.moving.Unlock()
	if err := s.place(a); err != nil {
		return err
	}
	s.settle(chosen)
	return nil
}

// Listen fails as listen(2) does where no rule could help: EOPNOTSUPP for datagrams, EINVAL once
// the socket is connected, or is about to be. A socket that was handed over and listens goes on as
// it is: its owner has chosen how many may wait.
func (s *socket) Listen(backlog int) error {
	if s.protocol == policy.UDP {
		return syscall.EOPNOTSUPP
	}
	s.moving.Lock()
	defer s.moving.Unlock()
	if s.begun() {
		return syscall.EINVAL
	}
	at, chosen := s.local()
	if at.Port() == 0 { // a connect that failed may have bound it
		s.settle(false)
		at, chosen = s.local()
	}
	if s.shared && at.Port() == 0 { // it would be bound as well
		return s.keep("listen")
	}
	r := policy.Request{Op: policy.OpListen, Protocol: s.protocol, Local: at, Ephemeral: !chosen}
	if err := s.enforce(s.net.now.Load(), r); err != nil {
		return err
	}
	if s.shared && s.listens.Load() {
		return nil
	}
	backlog, err := s.net.chargeQueue(s.net.now.Load(), s, backlog)
	if err != nil {
		return err
	}
	if err := s.Socket.Listen(backlog); err != nil {
		return err
	}
	s.settle(chosen)
	s.listens.Store(true)
	return nil
}

// maxStrangers bounds how many strangers are turned away by one call, which is then tried again if
// the guest still wants it.
const maxStrangers = 64

// Accept closes the connections of peers that are not admitted, and goes on to the next. EMFILE
// beyond the limit of sockets, ENOBUFS beyond that of their memory.
func (s *socket) Accept() (network.Socket, netip.AddrPort, error) {
	now := s.net.now.Load()
	if err := s.net.reserve(now); err != nil {
		return nil, netip.AddrPort{}, err
	}
	if err := s.net.mayCharge(now); err != nil {
		s.net.release()
		return nil, netip.AddrPort{}, err
	}
	for range maxStrangers {
		c, from, err := s.Socket.Accept()
		if err != nil {
			s.net.release()
			return nil, from, err
		}
		if s.admits(from) {
			g := s.net.guard(c)
			g.underway = true
			if err := s.net.chargeSocket(now, g); err != nil { // another thread took the rest
				g.Close()
				return nil, from, err
			}
			return g, from, nil
		}
		s.net.counters.accepted.Add(1)
		c.Close()
	}
	s.net.release()
	return nil, netip.AddrPort{}, syscall.EAGAIN
}

// admits judges who has connected, by the policy that holds now that it has.
func (s *socket) admits(from netip.AddrPort) bool {
	now := s.net.now.Load()
	at, chosen := s.local()
	r := policy.Request{Op: policy.OpAccept, Protocol: s.protocol, Local: at, Ephemeral: !chosen,
		Remote: from}
	d := s.decide(now, r)
	if !d.Allowed {
		return s.turnAway(now, r, d)
	}
	s.learn(r)
	s.net.allowed(r, d)
	return true
}

// Connect is EAGAIN beyond the limit of connects, and EACCES for a socket that was handed over,
// which may be connected to where it is and to nothing else. It is EISCONN, as in connect(2), where
// no rule could help: the socket listens, or has a connection of which the guest knows.
func (s *socket) Connect(a netip.AddrPort) error {
	if s.listens.Load() || s.begun() && !s.connects.Load() {
		return syscall.EISCONN
	}
	a, err := s.aim(a)
	if err != nil {
		return err
	}
	s.mu.Lock()
	underway, peer := s.underway, s.peer
	s.mu.Unlock()
	if s.shared && a != peer {
		return s.keep("connect")
	}
	now := s.net.now.Load()
	own := s.net.owns(a.Addr())
	r := policy.Request{Op: policy.OpConnect, Protocol: s.protocol, Remote: a, Own: own}
	if err := s.enforce(now, r); err != nil {
		return err
	}
	if s.shared {
		return nil
	}
	if !underway { // or it is only asked what became of the connection
		if err := s.net.mayStart(now, r); err != nil {
			return err
		}
	}
	s.moving.Lock()
	defer s.moving.Unlock()
	err = s.Socket.Connect(a)
	s.progress(err)
	if err == nil && s.protocol == policy.UDP {
		s.point(a)
	}
	return err
}

// Disconnect releases the peer, and what was let in because it came from there is let in no more. A
// socket that was handed over shares its peer with others: EACCES.
func (s *socket) Disconnect() error {
	d, ok := s.Socket.(network.Disconnecter)
	switch {
	case !ok:
		return syscall.EOPNOTSUPP
	case s.shared:
		return s.keep("connect")
	}
	s.moving.Lock()
	defer s.moving.Unlock()
	if err := d.Disconnect(); err != nil {
		return err
	}
	at, err := s.Socket.LocalAddr() // where the host's choice of an address and a port is undone
	s.mu.Lock()
	defer s.mu.Unlock()
	s.peer, s.gotFrom = netip.AddrPort{}, new(judged)
	if err == nil && at != s.bound {
		s.bound, s.chosen = at, false
	}
	return nil
}

// FinishConnect tells the result of what Connect was allowed to start.
func (s *socket) FinishConnect() error {
	err := s.Socket.FinishConnect()
	s.progress(err)
	return err
}

// progress notes whether a stream has a connection, or one on its way, by what an attempt at it
// returned.
func (s *socket) progress(err error) {
	if s.protocol == policy.UDP {
		return
	}
	underway := err == nil || err == syscall.EINPROGRESS || err == syscall.EALREADY ||
		err == syscall.EISCONN
	s.mu.Lock()
	s.underway = underway
	s.mu.Unlock()
	s.connects.Store(underway && err != nil && err != syscall.EISCONN)
}

// begun reports whether a stream has a connection, or one on its way.
func (s *socket) begun() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.underway
}

// point notes where datagrams go from now on: to where the kernel says, which may spell the address
// in its own way.
func (s *socket) point(a netip.AddrPort) {
	if peer, err := s.Socket.RemoteAddr(); err == nil {
		a = peer
	}
	s.mu.Lock()
	s.peer = a
	s.mu.Unlock()
}

// Shutdown is refused for a socket that was handed over, since it would end it for its owner too.
func (s *socket) Shutdown(how network.How) error {
	if s.shared {
		return s.keep("shutdown")
	}
	return s.Socket.Shutdown(how)
}

func (s *socket) Close() error {
	if !s.closed.CompareAndSwap(false, true) {
		return s.Socket.Close()
	}
	s.net.release()
	unsent := unsentOf(s)
	s.waiting.end()
	if s.shared {
		s.leaveAll()
	}
	err := s.Socket.Close()
	// ends the sending, so calls that wait must find the socket closed by now
	s.net.discharge(s, unsent)
	return err
}
