package kernel

import (
	"net/netip"
	"slices"
	"sync/atomic"
	"syscall"

	"github.com/wasport/wasport/network"
)

// connState is the state of a socket, by the names of the table in the doc of network.Socket. The
// kernel judges every call by its own state (RFC 9293, section 3.3.2); this one exists for the
// calls that kernels answer differently: a second Connect, FinishConnect, and those below that a
// kernel other than Linux refuses, or takes, in the wrong state.
//
//	state            entered by                            left by
//	stateOpen        Open                                  Bind, Listen, Connect
//	stateBound       Bind                                  Listen, Connect
//	stateConnecting  Connect of a stream: EINPROGRESS      FinishConnect, a second Connect
//	stateConnected   Connect, FinishConnect, Accept        Disconnect of a datagram socket
//	stateListening   Listen                                Shutdown of the receiving direction
//	stateClosed      Close, from every state               nothing
//
// A connection that fails, Disconnect, and Shutdown of a listener lead back to stateBound if the
// socket still has a local port, and to stateOpen otherwise.
type connState uint8

const (
	stateOpen connState = iota
	stateBound
	stateConnecting
	stateConnected
	stateListening
	stateClosed
)

func (c connState) String() string {
	return [...]string{"open", "bound", "connecting", "connected", "listening", "closed"}[c]
}

// connCell holds a connState. A caller that stores one holds socket.connMu, or has made the
// socket.
type connCell struct{ v atomic.Uint32 }

func (c *connCell) load() connState             { return connState(c.v.Load()) }
func (c *connCell) store(to connState)          { c.v.Store(uint32(to)) }
func (c *connCell) is(states ...connState) bool { return slices.Contains(states, c.load()) }

// state returns the state of the socket. stateClosed is not stored: the handle knows it.
func (s *socket) state() connState {
	if s.closed() {
		return stateClosed
	}
	return s.conn.load()
}

// setState stores a new state after a system call that has succeeded.
func (s *socket) setState(c connState) {
	s.connMu.Lock()
	defer s.connMu.Unlock()
	s.conn.store(c)
}

// unconnectedState returns stateBound if the socket has a local port, and stateOpen otherwise.
func (s *socket) unconnectedState() connState {
	if local, err := sysGetsockname(s.fd); err == nil && local.Port() != 0 {
		return stateBound
	}
	return stateOpen
}

// adopted takes the state of a socket that was made elsewhere.
func (s *socket) adopted() {
	s.oneAddr.Store(true)
	s.conn.store(s.adoptedState())
}

// adoptedState asks the kernel for the state of a socket that was made elsewhere.
func (s *socket) adoptedState() connState {
	if _, err := sysGetpeername(s.fd); err == nil {
		return stateConnected
	}
	o := options[network.AcceptConn]
	if n, err := getInt(s.fd, o.level, o.name); err == nil && n != 0 {
		return stateListening
	}
	return s.unconnectedState()
}

// listen binds an unbound socket first where the system wants it: POSIX, listen, leaves that to
// the system.
func (s *socket) listen(backlog int) error {
	err := sysListen(s.fd, backlog)
	if s.typ != network.Stream || s.conn.load() != stateOpen ||
		err != syscall.EINVAL && err != syscall.EDESTADDRREQ {
		return err
	}
	if err := sysBind(s.fd, netip.AddrPortFrom(s.unspecified(), 0)); err != nil {
		return err
	}
	s.setState(stateBound)
	return sysListen(s.fd, backlog)
}

func (s *socket) unspecified() netip.Addr {
	if s.family == network.IPv6 {
		return netip.IPv6Unspecified()
	}
	return netip.IPv4Unspecified()
}

// localAddr returns the unspecified address of the family for an unbound socket, for which some
// systems have none (getsockname of Winsock: WSAEINVAL), and for a datagram socket whose peer was
// released unless it has an address of its own: Wine still has that of the interface to the peer. A
// policy judges the senders of datagrams by this address.
func (s *socket) localAddr() (netip.AddrPort, error) {
	a, err := sysGetsockname(s.fd)
	if s.family == network.Unix {
		return s.visibleAddr(a), err
	}
	if lost := s.lost.Load(); lost != nil {
		return *lost, nil
	}
	if (err != nil || !a.IsValid()) && s.conn.load() == stateOpen {
		return netip.AddrPortFrom(s.unspecified(), 0), nil
	}
	if err == nil && s.typ == network.Datagram && !s.oneAddr.Load() && !s.conn.is(stateConnected) {
		return netip.AddrPortFrom(s.unspecified(), a.Port()), nil
	}
	return a, err
}

// remoteAddr returns ENOTCONN without a connection, where some systems have another errno, or the
// address that the socket connects to.
func (s *socket) remoteAddr() (netip.AddrPort, error) {
	switch s.conn.load() {
	case stateConnected:
	case stateConnecting:
		if got, err := pollNow(s.fd, network.Writable); got == 0 || err != nil {
			return netip.AddrPort{}, syscall.ENOTCONN
		}
	default:
		return netip.AddrPort{}, syscall.ENOTCONN
	}
	if s.failed() {
		return netip.AddrPort{}, syscall.ENOTCONN
	}
	a, err := sysGetpeername(s.fd)
	if err != nil {
		return netip.AddrPort{}, peerNameError(err)
	}
	return s.visibleAddr(a), nil
}

// peerNameError converts an error of getpeername(2), which is EINVAL after a shutdown on macOS.
func peerNameError(err error) error {
	if err == syscall.EINVAL {
		return syscall.ENOTCONN
	}
	return err
}

// shutdown ends directions of a connection, and a listener where the system does not. Linux has
// ENOTCONN for a datagram socket without a peer, and ends the directions even so.
func (s *socket) shutdown(how network.How) error {
	state := s.conn.load()
	// SHUT_RD, SHUT_WR and SHUT_RDWR are 0, 1 and 2 on every system.
	err := sysShutdown(s.fd, s.typ, int(how)-1)
	switch {
	case state == stateListening:
		if err == nil && how&network.ShutRead != 0 {
			s.setState(s.unconnectedState())
		}
		if err != syscall.ENOTCONN {
			return err
		}
		if how&network.ShutRead == 0 {
			return nil
		}
		return s.endListening()
	case err != nil:
		return err
	case s.failed():
		return syscall.ENOTCONN
	}
	s.ended.Or(uint32(how))
	// A system that does not end the receiving direction itself wakes nothing either.
	s.sets.wake()
	if s.typ == network.Datagram && state != stateConnected {
		return syscall.ENOTCONN
	}
	return nil
}

// endListening ends a listener of a system whose shutdown(2) cannot: Accept is EINVAL from now on,
// and a connection of its own wakes the calls that wait for one.
func (s *socket) endListening() error {
	local, err := s.localAddr()
	if err != nil {
		return err
	}
	fd, err := sysSocket(s.family, network.Stream)
	if err != nil {
		return err
	}
	waker := newSocket(fd, s.family, network.Stream)
	s.setState(stateBound)
	s.setWaker(waker)
	if s.closed() {
		s.setWaker(nil)
	}
	s.refuseConnections()
	if err := waker.Connect(loopbackIfUnspecified(local)); err != syscall.EINPROGRESS {
		return err
	}
	return nil
}

// rebind binds a socket that has lost its address.
func (s *socket) rebind() error {
	lost := s.lost.Load()
	if lost == nil {
		return nil
	}
	err := sysBind(s.fd, *lost)
	if err == nil {
		s.lost.Store(nil)
	}
	return err
}

// setWaker stores the connection that woke the waiting calls when the listener was ended, or nil
// when the socket listens again, and closes the last one.
func (s *socket) setWaker(waker *socket) {
	if last := s.waker.Swap(waker); last != nil {
		last.Close()
	}
}

// Close forbids further calls and wakes the waiting ones.
func (s *socket) Close() error {
	s.finishHeld()
	err := s.handle.Close()
	s.setWaker(nil)
	s.ahead.wakeAll()
	return err
}
