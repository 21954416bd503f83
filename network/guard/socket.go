package guard

import (
	"errors"
	"net/netip"
	"sync"
	"sync/atomic"
	"syscall"

	"github.com/wasport/wasport/internal/recvwait"
	"github.com/wasport/wasport/internal/sendbehind"
	"github.com/wasport/wasport/network"
	"github.com/wasport/wasport/policy"
)

// socket is a Socket that judges each call that names an address, and each incoming connection and
// datagram.
type socket struct {
	network.Socket
	net      *Network
	protocol policy.Protocol

	// behind is the guarded socket, if it can hold sends; else nil.
	behind sendbehind.Socket

	// waiting is the guarded socket, if it can wait within a receive; else nil.
	waiting recvwait.Socket

	// id tells the sockets of a Network apart in knownSenders.
	id uint64

	// conn is the connState of a stream.
	conn atomic.Uint32

	waitState

	// charge is the memory charged for the socket. It is protected by net.memory.mu.
	charge socketCharge

	// adoptGrant has the rules that adopting the socket stands for. It is nil if the guest opened
	// the socket.
	adoptGrant *policy.Policy

	// sharedWithOwner tells that the owner of an adopted socket goes on to use it, so that the
	// guest must not change it.
	sharedWithOwner bool

	// dualStack tells that an adopted socket is bound to every address of both families.
	dualStack bool

	// reuseAddr is the SO_REUSEADDR of a datagram socket, as the guest set it. It is protected by
	// addrMu.
	reuseAddr bool

	// explicitPort tells that the guest, or the owner of an adopted socket, chose the port. It is
	// protected by mu.
	explicitPort bool

	closed atomic.Bool

	// deniedPeerReported tells that OnDeniedPeer was called for this socket.
	deniedPeerReported atomic.Bool

	// peekedBytes is the number of bytes at the head of the receive queue that were peeked at, and
	// so were charged already.
	peekedBytes atomic.Int64

	// recvMu is held while a datagram is received, if Options.Shared.
	recvMu sync.Mutex

	// addrMu is held while the kernel gives the socket a local or a remote address, so that the
	// copies below are the kernel's addresses.
	addrMu sync.Mutex
	// path is that of a Unix-domain socket, as the guest sees it, or "".
	path string
	// waitsFor is the path where the last ConnectUnix found the backlog full, or "".
	waitsFor string

	// joinMu is held while a membership changes.
	joinMu sync.Mutex
	// memberships are those that the guest joined.
	memberships map[membership]struct{}

	// mu protects the fields below.
	mu sync.Mutex
	// localAddr is the address where the socket listens or receives. It is invalid while unbound.
	localAddr netip.AddrPort
	// datagram is nil for a stream.
	datagram *datagramState
}

func (n *Network) guard(s network.Socket) *socket {
	g := &socket{Socket: s, net: n, protocol: policy.TCP, id: n.socketCount.Add(1)}
	g.behind, _ = s.(sendbehind.Socket)
	g.waiting, _ = s.(recvwait.Socket)
	if s.Type() == network.Datagram {
		g.protocol, g.datagram = policy.UDP, new(datagramState)
	}
	return g
}

// boundAddr returns the local address as far as the guard has noted it. An unbound socket has the
// unspecified address of its family.
func (s *socket) boundAddr() (local netip.AddrPort, explicitPort bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case s.localAddr.IsValid():
		return s.localAddr, s.explicitPort
	case s.Family() == network.IPv6:
		return netip.AddrPortFrom(netip.IPv6Unspecified(), 0), false
	}
	return netip.AddrPortFrom(netip.IPv4Unspecified(), 0), false
}

// noteLocalAddr copies the local address from the kernel (getsockname(2)).
func (s *socket) noteLocalAddr(explicitPort bool) {
	if local, err := s.Socket.LocalAddr(); err == nil && local.Port() != 0 {
		s.mu.Lock()
		s.localAddr, s.explicitPort = local, explicitPort
		if s.datagram != nil {
			s.datagram.released = netip.AddrPort{}
		}
		s.mu.Unlock()
	}
}

// notePeer copies the remote address from the kernel (getpeername(2)), which may spell it otherwise
// than the guest did.
func (s *socket) notePeer(peer netip.AddrPort) {
	if kernelPeer, err := s.Socket.RemoteAddr(); err == nil {
		peer = kernelPeer
	}
	s.mu.Lock()
	s.datagram.peer = peer
	s.mu.Unlock()
}

// hasPeer reports whether a datagram socket is connected to an address.
func (s *socket) hasPeer(a netip.AddrPort) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.datagram != nil && a == s.datagram.peer
}

// decide asks the policy. For an adopted socket it also asks adoptGrant.
func (s *socket) decide(active *policySnapshot, r *policy.Request) policy.Decision {
	d := active.policy.Decide(*r, s.net.pins)
	if s.adoptGrant != nil && !d.Allowed {
		return s.decideAdopted(active.policy, r, d)
	}
	return d
}

// enforce decides on a request of the guest, and returns the error if it is refused.
func (s *socket) enforce(active *policySnapshot, r *policy.Request) error {
	return s.enforceDecision(active, r, s.decide(active, r))
}

// enforceDecision is enforce with a decision that was made already.
func (s *socket) enforceDecision(active *policySnapshot, r *policy.Request,
	d policy.Decision) error {
	if d.Allowed {
		s.learn(r)
	}
	return s.net.enforce(active, r, d)
}

// learn gives an allowed request to the Learner, unless adoptGrant allows it without a rule.
func (s *socket) learn(r *policy.Request) {
	if l := s.net.options.Learner; l != nil &&
		(s.adoptGrant == nil || !s.adoptGrant.Decide(*r, nil).Allowed) {
		l.Request(*r)
	}
}

// Bind returns EINVAL for a socket that has an address (bind(2)). It asks no rule then, since no
// rule could help. A bind to the address that Disconnect released is judged as the one by which the
// host chose the port: the guest did not choose it.
func (s *socket) Bind(a netip.AddrPort) error {
	local, err := s.Socket.LocalAddr()
	if err == nil && local.Port() != 0 || s.Family() == network.Unix {
		return syscall.EINVAL
	}
	if s.sharedWithOwner {
		return s.refuseAlter("bind")
	}
	host, err := s.normalizeZone(a.Addr())
	if err != nil {
		return err
	}
	a = netip.AddrPortFrom(host, a.Port())
	s.mu.Lock()
	explicitPort := a.Port() != 0 && (s.datagram == nil || a != s.datagram.released)
	s.mu.Unlock()
	r := policy.Request{Op: policy.OpBind, Protocol: s.protocol, Local: a, Ephemeral: !explicitPort}
	if err := s.enforce(s.net.active.Load(), &r); err != nil {
		return err
	}
	s.addrMu.Lock()
	defer s.addrMu.Unlock()
	if err := s.bindKernel(a); err != nil {
		if errors.Is(err, syscall.EACCES) {
			s.net.bindForbidden.Store(true)
		}
		return err
	}
	s.noteLocalAddr(explicitPort)
	return nil
}

// Listen returns the errors of listen(2) for which no rule could help: EOPNOTSUPP for a datagram
// socket, EINVAL if a connection is established or under way (POSIX, listen). An adopted socket
// that listens keeps its backlog, which its owner chose.
func (s *socket) Listen(backlog int) error {
	if s.protocol == policy.UDP {
		return syscall.EOPNOTSUPP
	}
	defer s.watchAgain(network.Readable | network.Writable) // its events change
	s.addrMu.Lock()
	defer s.addrMu.Unlock()
	if s.state().hasConnection() {
		return syscall.EINVAL
	}
	if s.Family() == network.Unix {
		if s.adoptGrant != nil {
			return nil
		}
		return s.listenUnix(backlog)
	}
	local, explicitPort := s.boundAddr()
	if local.Port() == 0 { // a connect(2) that failed may have bound the socket
		s.noteLocalAddr(false)
		local, explicitPort = s.boundAddr()
	}
	if s.sharedWithOwner && local.Port() == 0 { // listen(2) would bind the socket as well
		return s.refuseAlter("listen")
	}
	r := policy.Request{Op: policy.OpListen, Protocol: s.protocol, Local: local,
		Ephemeral: !explicitPort}
	if err := s.enforce(s.net.active.Load(), &r); err != nil {
		return err
	}
	if s.sharedWithOwner && s.state() == stateListening {
		return nil
	}
	if err := s.listenKernel(backlog); err != nil {
		return err
	}
	s.noteLocalAddr(explicitPort)
	return nil
}

// listenKernel charges the backlog and listens.
func (s *socket) listenKernel(backlog int) error {
	backlog, err := s.net.chargeBacklog(s.net.active.Load(), s, backlog)
	if err != nil {
		return err
	}
	if err := s.Socket.Listen(backlog); err != nil {
		return err
	}
	s.setState(stateListening)
	return nil
}

// maxDeniedPerCall bounds the number of peers that one call turns away. The call then returns
// EAGAIN, so that a flood from outside cannot hold a thread of the guest.
const maxDeniedPerCall = 64

// Accept closes each connection from a peer that is not admitted, and takes the next one. Errors:
// EMFILE beyond the limit of sockets, ENOBUFS beyond the limit of their memory (accept(2)).
func (s *socket) Accept() (network.Socket, netip.AddrPort, error) {
	defer s.watchAgain(network.Readable)
	active := s.net.active.Load()
	if err := s.net.reserveSocket(active); err != nil {
		return nil, netip.AddrPort{}, err
	}
	if err := s.net.checkSocketMemory(active); err != nil {
		s.net.releaseSocket()
		return nil, netip.AddrPort{}, err
	}
	for range maxDeniedPerCall {
		c, from, err := s.Socket.Accept()
		if err != nil {
			s.net.releaseSocket()
			return nil, from, err
		}
		if s.admitPeer(from) {
			g := s.net.guard(c)
			g.setState(stateConnected)
			if err := s.net.chargeSocket(active, g); err != nil { // another thread took the rest
				g.Close()
				return nil, from, err
			}
			return g, from, nil
		}
		s.net.counters.droppedConns.Add(1)
		c.Close()
	}
	s.net.releaseSocket()
	return nil, netip.AddrPort{}, syscall.EAGAIN
}

// admitPeer judges the peer of an incoming connection. It reads the policy anew, since the policy
// may have changed after Accept began.
func (s *socket) admitPeer(from netip.AddrPort) bool {
	active := s.net.active.Load()
	if s.Family() == network.Unix {
		return s.admitUnixPeer(active)
	}
	local, explicitPort := s.boundAddr()
	r := policy.Request{Op: policy.OpAccept, Protocol: s.protocol, Local: local,
		Ephemeral: !explicitPort, Remote: from}
	d := s.decide(active, &r)
	if !d.Allowed {
		return s.rejectPeer(active, &r, d)
	}
	s.learn(&r)
	s.net.noteAllowed(&r, d)
	return true
}

// Connect returns EISCONN, without asking a rule, for a listener and for a connection that the
// guest knows of (POSIX, connect). It returns EAGAIN beyond the limit of connects. An adopted
// socket may be connected to the peer that it has, and to no other: EACCES.
func (s *socket) Connect(a netip.AddrPort) error {
	defer s.watchAgain(network.Readable | network.Writable) // its events change
	// 1. State: no rule helps a socket that cannot be connected.
	state := s.state()
	if state == stateListening || state == stateConnected {
		return syscall.EISCONN
	}

	// 2. Address: judge the one that the kernel will be given.
	a, err := s.normalizeDest(a)
	if err != nil {
		return err
	}
	if s.sharedWithOwner && !s.hasPeer(a) {
		return s.refuseAlter("connect")
	}

	// 3. Rule.
	active := s.net.active.Load()
	r, name := s.connectRequest(a)
	if err := s.enforce(active, &r); err != nil {
		return err
	}
	if s.sharedWithOwner {
		return nil
	}

	// 4. Limit: a second Connect, which only asks for the result of the first, is not charged.
	if state != stateConnecting {
		if err := s.net.chargeConnect(active, r); err != nil {
			return err
		}
	}

	// 5. Kernel.
	s.addrMu.Lock()
	defer s.addrMu.Unlock()
	if name != "" {
		err = connectName(s.Socket, name, a)
	} else {
		err = s.Socket.Connect(a)
	}
	s.noteConnectResult(err)
	if err == nil && s.protocol == policy.UDP {
		s.notePeer(a)
	}
	return err
}

// connectRequest returns the request to connect to an address, and the name for which the address
// stands, or "". No datagram reaches a name.
func (s *socket) connectRequest(a netip.AddrPort) (r policy.Request, name string) {
	r = policy.Request{Op: policy.OpConnect, Protocol: s.protocol, Remote: a}
	if s.protocol == policy.TCP {
		name = s.net.standIns.name(a.Addr())
	}
	if name != "" {
		r.Remote, r.Name, r.Remotely = netip.AddrPortFrom(netip.Addr{}, a.Port()), name, true
	} else {
		r.Own = s.net.ownsPublicAddr(a.Addr())
	}
	return r, name
}

// connectName connects to exactly the name that was judged.
func connectName(s network.Socket, name string, as netip.AddrPort) error {
	c, ok := s.(network.NameConnecter)
	if !ok {
		return syscall.EHOSTUNREACH
	}
	return c.ConnectName(name, as)
}

// Disconnect releases the peer of a datagram socket (connect(2), AF_UNSPEC). Verdicts that were
// given because a sender was the peer end with it. An adopted socket shares its peer with its
// owner: EACCES.
func (s *socket) Disconnect() error {
	d, ok := s.Socket.(network.Disconnecter)
	switch {
	case !ok || s.protocol != policy.UDP:
		return syscall.EOPNOTSUPP
	case s.sharedWithOwner:
		return s.refuseAlter("connect")
	}
	s.addrMu.Lock()
	defer s.addrMu.Unlock()
	if err := d.Disconnect(); err != nil {
		return err
	}
	local, err := s.Socket.LocalAddr()
	s.mu.Lock()
	defer s.mu.Unlock()
	s.datagram.peer, s.datagram.recvCache = netip.AddrPort{}, verdictCache{}
	if err == nil && local != s.localAddr { // the kernel released the address or port that it chose
		if !s.explicitPort {
			s.datagram.released = s.localAddr
		}
		s.localAddr, s.explicitPort = local, false
	}
	return nil
}

// FinishConnect returns the result of a connection that Connect was allowed to start.
func (s *socket) FinishConnect() error {
	err := s.Socket.FinishConnect()
	s.noteConnectResult(err)
	return err
}

// Shutdown returns EACCES for an adopted socket, since shutdown(2) ends the connection for its
// owner too.
func (s *socket) Shutdown(how network.How) error {
	if s.sharedWithOwner {
		return s.refuseAlter("shutdown")
	}
	return s.Socket.Shutdown(how)
}

// Close refunds the socket and its memory. If the host has yet to send data, the socket counts, and
// the memory of these data, until they are sent.
func (s *socket) Close() error {
	if !s.closed.CompareAndSwap(false, true) {
		return s.Socket.Close()
	}
	unsent := takeUnsent(s)
	s.endWaits()
	if s.sharedWithOwner {
		s.leaveMemberships()
	}
	err := s.Socket.Close()
	s.wakeClosed()
	// refundSocket ends the stream. It comes after Close, so that a blocked call finds the socket
	// closed and not at its end.
	s.net.refundSocket(s, unsent)
	return err
}
