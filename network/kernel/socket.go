package kernel

import (
	"net"
	"net/netip"
	"sync"
	"sync/atomic"
	"syscall"

	"github.com/wasport/wasport/internal/shortcut"
	"github.com/wasport/wasport/network"
)

// socket is a socket of the kernel. Its methods are system calls between acquire and release. Its
// fields hold only facts that the kernel does not report again.
type socket struct {
	handle
	family network.Family
	typ    network.Type
	// knownWhole tells that nobody but this package has had the stream, so that the kernel is not
	// asked for what follows from the calls made: see BufferLimits and Unsent.
	knownWhole bool

	// connMu protects connectTo and every change of conn. Connect and FinishConnect of a stream
	// hold it during their system call, so that two threads cannot both complete one connection.
	connMu sync.Mutex
	conn   connCell
	// connectTo is the destination while conn is stateConnecting.
	connectTo netip.AddrPort

	// sizesSet tells which buffer sizes were set: recvSizeSet, sendSizeSet.
	sizesSet   atomic.Uint32
	congestion congestion
	// hasSent tells that a call has tried to send.
	hasSent atomic.Bool
	// peer caches the peer of a connected stream.
	peer atomic.Pointer[netip.AddrPort]

	// remembered holds options that the kernel does not.
	remembered rememberedOptions
	// told is the failure that a caller was told of.
	told atomic.Int32
	// controlAsked tells that an option has asked for control data.
	controlAsked atomic.Bool
	// ahead is nil where the kernel can peek at datagrams.
	ahead *ahead
	// oneAddr is true once the socket was bound to one address, or may have been by its owner.
	// Others have every local address of their family while they have no peer.
	oneAddr atomic.Bool
	// ended holds the directions that Shutdown has ended, as a network.How.
	ended atomic.Uint32
	// waker is set if Shutdown has ended the listener, and the kernel has not.
	waker atomic.Pointer[socket]
	// lost is the local address of an ended listener that could not be bound anew, or nil.
	lost atomic.Pointer[netip.AddrPort]
	// behind is nil before the first Hold.
	behind atomic.Pointer[heldSends]
	// finishing tells that finishHeld has begun.
	finishing atomic.Bool
}

var (
	_ network.Socket       = (*socket)(nil)
	_ network.Disconnecter = (*socket)(nil)
)

func newSocket(fd descriptor, family network.Family, typ network.Type) *socket {
	s := new(socket)
	s.init(fd, family, typ)
	return s
}

func (s *socket) init(fd descriptor, family network.Family, typ network.Type) {
	s.fd, s.family, s.typ = fd, family, typ
	if typ == network.Datagram && !kernelPeeks() {
		s.ahead = new(ahead)
	}
}

// newAccepted is newSocket for a connection from a peer. It allocates once.
func newAccepted(fd descriptor, family network.Family, from netip.AddrPort) *socket {
	both := &struct {
		socket
		from netip.AddrPort
	}{from: from}
	both.init(fd, family, network.Stream)
	both.peer.Store(&both.from)
	return &both.socket
}

func (n *Network) open(family network.Family, typ network.Type) (network.Socket, error) {
	fd, err := sysSocket(family, typ)
	if err != nil {
		return nil, err
	}
	s := newSocket(fd, family, typ)
	s.knownWhole = typ == network.Stream && n.shortcuts.Has(shortcut.RawCalls)
	return s, nil
}

func (s *socket) Family() network.Family { return s.family }
func (s *socket) Type() network.Type     { return s.typ }

// checkAddr returns the error that Linux has for an address that the socket cannot take. Other
// systems answer with other errnos, so the address is judged before they see it.
func (s *socket) checkAddr(a netip.AddrPort) error {
	switch {
	case !a.IsValid(), s.family == network.Unix:
		return syscall.EINVAL
	case s.family == network.IPv4 && !a.Addr().Is4():
		return syscall.EAFNOSUPPORT
	case s.family == network.IPv6 && a.Addr().Is4():
		return syscall.EINVAL
	}
	return nil
}

func (s *socket) Bind(to netip.AddrPort) error {
	if !s.acquire() {
		return net.ErrClosed
	}
	defer s.release()
	if err := s.checkAddr(to); err != nil {
		return err
	}
	err := sysBind(s.fd, to)
	if err == nil {
		s.oneAddr.Store(!to.Addr().IsUnspecified())
		s.setState(stateBound)
	}
	return err
}

func (s *socket) Listen(backlog int) error {
	if !s.acquire() {
		return net.ErrClosed
	}
	defer s.release()
	if err := s.rebind(); err != nil {
		return err
	}
	err := s.listen(backlog)
	if err == nil {
		s.keepUnused()
		s.setWaker(nil)
		s.setState(stateListening)
	}
	return err
}

func (s *socket) Accept() (network.Socket, netip.AddrPort, error) {
	if !s.acquire() {
		return nil, netip.AddrPort{}, net.ErrClosed
	}
	defer s.release()
	if s.typ != network.Stream {
		return nil, netip.AddrPort{}, syscall.EOPNOTSUPP
	}
	if s.waker.Load() != nil {
		return nil, netip.AddrPort{}, syscall.EINVAL
	}
	fd, from, err := sysAccept(s.fd)
	if err == syscall.EAGAIN && s.family == network.Unix && unixListenerEnded(s.fd) {
		err = syscall.EINVAL
	}
	if err != nil {
		return nil, netip.AddrPort{}, err
	}
	from = s.visibleAddr(from)
	c := newAccepted(fd, s.family, from)
	c.conn.store(stateConnected)
	// An accepted socket inherits the options of its listener (socket(7), tcp(7)).
	c.mayLinger.Store(s.mayLinger.Load())
	c.remembered.inherit(&s.remembered)
	c.sizesSet.Store(s.sizesSet.Load())
	c.knownWhole = s.knownWhole
	return c, from, nil
}

// Connect starts a connection. A second Connect of a stream reports the progress of the first:
// EALREADY while it is under way, its result once, and EISCONN after success (POSIX, connect).
func (s *socket) Connect(to netip.AddrPort) error {
	if !s.acquire() {
		return net.ErrClosed
	}
	defer s.release()
	if err := s.checkAddr(to); err != nil {
		return err
	}
	s.connMu.Lock()
	defer s.connMu.Unlock()
	if s.typ == network.Stream {
		switch s.conn.load() {
		case stateConnected, stateListening:
			return syscall.EISCONN
		case stateConnecting:
			return s.completeConnect()
		}
	}
	if err := s.rebind(); err != nil {
		return err
	}
	s.told.Store(0)
	err := sysConnect(s.fd, to)
	switch err {
	case nil:
		s.conn.store(stateConnected)
	case syscall.EINPROGRESS:
		s.connectTo = to
		s.conn.store(stateConnecting)
	default:
		s.tell(err)
	}
	return err
}

// Disconnect releases the peer of a datagram socket.
func (s *socket) Disconnect() error {
	if !s.acquire() {
		return net.ErrClosed
	}
	defer s.release()
	if s.typ != network.Datagram {
		return syscall.EOPNOTSUPP
	}
	s.connMu.Lock()
	defer s.connMu.Unlock()
	err := sysDisconnect(s.fd, s.family)
	if err == nil {
		s.conn.store(s.unconnectedState())
	}
	return err
}

// FinishConnect completes a connection that Connect started. If none is under way, it returns nil
// on a connected socket and ENOTCONN on others.
func (s *socket) FinishConnect() error {
	if !s.acquire() {
		return net.ErrClosed
	}
	defer s.release()
	s.connMu.Lock()
	defer s.connMu.Unlock()
	if s.conn.load() == stateConnecting {
		return s.completeConnect()
	}
	_, err := s.remoteAddr()
	return err
}

// completeConnect asks for the result of a connection under way. The caller holds connMu.
func (s *socket) completeConnect() error {
	err := s.finishConnect()
	switch err {
	case syscall.EALREADY:
		return err
	case nil:
		s.conn.store(stateConnected)
	default:
		s.tell(err)
		s.conn.store(s.unconnectedState())
	}
	s.connectTo = netip.AddrPort{}
	return err
}

func (s *socket) Send(bufs [][]byte, to netip.AddrPort) (int, error) {
	if !s.acquire() {
		return 0, net.ErrClosed
	}
	if s.typ == network.Stream {
		to = netip.AddrPort{}
	} else if sendsNowhere && !to.IsValid() && s.conn.load() != stateConnected {
		s.release()
		return 0, nowhereError(bufs)
	}
	if s.held() != nil {
		if err := s.flushFirst(); err != nil {
			s.release()
			return 0, err
		}
	}
	n, err := s.sendNow(bufs, to)
	s.release()
	return n, err
}

// sendNow is Send for a caller that has acquired the socket, and flushed it.
func (s *socket) sendNow(bufs [][]byte, to netip.AddrPort) (int, error) {
	if !s.hasSent.Load() {
		s.hasSent.Store(true)
	}
	n, err := sysSend(s.fd, s.typ, bufs, to)
	if err == syscall.EAFNOSUPPORT && s.family == network.IPv6 && to.Addr().Is4() {
		// Linux takes a name of IPv4 (ipv6(7)), Gramine only the mapped one of IPv6.
		n, err = sysSend(s.fd, s.typ, bufs, mapped(to))
	}
	if err != nil {
		err = s.sendError(err, to)
	}
	if s.typ == network.Datagram {
		err = s.congestion.outcome(err)
	}
	return n, err
}

func (s *socket) Recv(bufs [][]byte, flags network.RecvFlags) (network.Received, error) {
	if !s.acquire() {
		return network.Received{}, net.ErrClosed
	}
	var r network.Received
	var err error
	if s.typ == network.Stream {
		if r.N, err = s.recvStream(bufs, flags); err == nil {
			r.From = s.peerAddr()
		}
	} else {
		if s.ahead == nil {
			r, err = sysRecvFrom(s.fd, bufs, flags)
		} else {
			r, err = s.recvDatagram(bufs, flags, nil)
		}
		err = datagramError(err)
	}
	s.release()
	return r, err
}

// recvStream receives from a stream that the caller has acquired.
func (s *socket) recvStream(bufs [][]byte, flags network.RecvFlags) (int, error) {
	n, err := sysRecv(s.fd, bufs, flags)
	if err != nil {
		err = s.recvError(err)
	}
	return n, err
}

// peerAddr returns the peer of a stream. It asks the kernel once, since the peer cannot change, and
// since getpeername(2) reports ENOTCONN after a reset.
func (s *socket) peerAddr() netip.AddrPort {
	if p := s.peer.Load(); p != nil {
		return *p
	}
	p, err := sysGetpeername(s.fd)
	if err == nil {
		p = s.visibleAddr(p)
		s.peer.Store(&p)
	}
	return p
}

// visibleAddr returns an address of the kernel as the contract of network.Socket has it. The system
// calls return none for a Unix-domain socket.
func (s *socket) visibleAddr(a netip.AddrPort) netip.AddrPort {
	if s.family == network.Unix {
		return netip.AddrPortFrom(netip.IPv4Unspecified(), 0)
	}
	return a
}

// totalLen returns the number of bytes in bufs.
func totalLen(bufs [][]byte) (n int) {
	for _, b := range bufs {
		n += len(b)
	}
	return n
}

func (s *socket) Shutdown(how network.How) error {
	if !s.acquire() {
		return net.ErrClosed
	}
	defer s.release()
	if how < network.ShutRead || how > network.ShutBoth {
		return syscall.EINVAL
	}
	if err := s.flushFirst(); err == syscall.EAGAIN {
		return syscall.ENOBUFS
	}
	return s.shutdown(how)
}

func (s *socket) LocalAddr() (netip.AddrPort, error) {
	if !s.acquire() {
		return netip.AddrPort{}, net.ErrClosed
	}
	defer s.release()
	return s.localAddr()
}

func (s *socket) RemoteAddr() (netip.AddrPort, error) {
	if !s.acquire() {
		return netip.AddrPort{}, net.ErrClosed
	}
	defer s.release()
	return s.remoteAddr()
}

func (s *socket) Poll(want network.Events) (network.Events, error) {
	if !s.acquire() {
		return 0, net.ErrClosed
	}
	got, err := s.pollNow(want)
	s.release()
	return got, err
}

func (s *socket) Readiness() network.Readiness {
	if s.ahead != nil {
		return network.Readiness{Control: s.control, Notify: s.ahead.notify}
	}
	return network.Readiness{Control: s.control}
}

func (s *socket) Available() (int, error) {
	if !s.acquire() {
		return 0, net.ErrClosed
	}
	defer s.release()
	if n, ok := s.ahead.size(); ok {
		return n, nil
	}
	n, err := sysAvailable(s.fd)
	if err != nil {
		return 0, nil // FIONREAD fails on a listener, which has no bytes (tcp(7)).
	}
	return n, nil
}
