package kernel

import (
	"net"
	"net/netip"
	"sync"
	"sync/atomic"
	"syscall"

	"github.com/wasport/wasport/network"
)

// socket is a socket of the kernel. Its methods are system calls between acquire and release, and
// what else it knows is only what the kernel does not tell again.
type socket struct {
	handle
	family network.Family
	typ    network.Type

	connecting sync.Mutex     // guards the progress of a stream's connection
	pending    netip.AddrPort // where one is under way to
	connected  bool

	fixed    atomic.Uint32                  // the buffers whose sizes were set
	peer     atomic.Pointer[netip.AddrPort] // of a connected stream
	lacking  sync.Mutex                     // guards remember
	remember map[network.Option]int64       // options that this system lacks
}

var (
	_ network.Socket       = (*socket)(nil)
	_ network.Disconnecter = (*socket)(nil)
)

func newSocket(fd descriptor, family network.Family, typ network.Type) *socket {
	s := &socket{family: family, typ: typ}
	s.fd = fd
	return s
}

func open(family network.Family, typ network.Type) (network.Socket, error) {
	fd, err := sysSocket(family, typ)
	if err != nil {
		return nil, err
	}
	return newSocket(fd, family, typ), nil
}

func (s *socket) Family() network.Family { return s.family }
func (s *socket) Type() network.Type     { return s.typ }

// matches says whether the socket can take the address, as Linux answers; other systems have other
// opinions.
func (s *socket) matches(a netip.AddrPort) error {
	switch {
	case !a.IsValid():
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
	if err := s.matches(to); err != nil {
		return err
	}
	return sysBind(s.fd, to)
}

func (s *socket) Listen(backlog int) error {
	if !s.acquire() {
		return net.ErrClosed
	}
	defer s.release()
	return sysListen(s.fd, backlog)
}

func (s *socket) Accept() (network.Socket, netip.AddrPort, error) {
	if !s.acquire() {
		return nil, netip.AddrPort{}, net.ErrClosed
	}
	defer s.release()
	if s.typ != network.Stream {
		return nil, netip.AddrPort{}, syscall.EOPNOTSUPP
	}
	fd, from, err := sysAccept(s.fd)
	if err != nil {
		return nil, netip.AddrPort{}, err
	}
	c := newSocket(fd, s.family, s.typ)
	c.connected = true
	c.mayLinger.Store(s.mayLinger.Load()) // systems let it inherit
	c.mayReset.Store(s.mayReset.Load())
	c.fixed.Store(s.fixed.Load())
	c.peer.Store(&from)
	return c, from, nil
}

// Connect starts a connection. Called again, it tells what became of it: EALREADY, then the failure
// or nil once, then EISCONN.
func (s *socket) Connect(to netip.AddrPort) error {
	if !s.acquire() {
		return net.ErrClosed
	}
	defer s.release()
	if err := s.matches(to); err != nil {
		return err
	}
	if s.typ == network.Datagram {
		return sysConnect(s.fd, to)
	}
	s.connecting.Lock()
	defer s.connecting.Unlock()
	if s.connected {
		return syscall.EISCONN
	}
	if s.pending.IsValid() {
		return s.finish()
	}
	err := sysConnect(s.fd, to)
	switch err {
	case nil:
		s.connected = true
	case syscall.EINPROGRESS:
		s.pending = to
	}
	return err
}

// Disconnect makes a datagram socket have no peer.
func (s *socket) Disconnect() error {
	if !s.acquire() {
		return net.ErrClosed
	}
	defer s.release()
	if s.typ != network.Datagram {
		return syscall.EOPNOTSUPP
	}
	return sysDisconnect(s.fd, s.family)
}

// FinishConnect completes a connection that Connect started. Without one it is nil on a connected
// socket, ENOTCONN on others.
func (s *socket) FinishConnect() error {
	if !s.acquire() {
		return net.ErrClosed
	}
	defer s.release()
	s.connecting.Lock()
	defer s.connecting.Unlock()
	if s.pending.IsValid() {
		return s.finish()
	}
	_, err := sysGetpeername(s.fd)
	return err
}

func (s *socket) finish() error {
	err := sysFinishConnect(s.fd, s.pending)
	if err != syscall.EALREADY {
		s.pending, s.connected = netip.AddrPort{}, err == nil
	}
	return err
}

func (s *socket) Send(bufs [][]byte, to netip.AddrPort) (int, error) {
	if !s.acquire() {
		return 0, net.ErrClosed
	}
	if s.typ == network.Stream {
		to = netip.AddrPort{}
	}
	n, err := sysSend(s.fd, s.typ, bufs, to)
	s.release()
	return n, err
}

func (s *socket) Recv(bufs [][]byte, flags network.RecvFlags) (network.Received, error) {
	if !s.acquire() {
		return network.Received{}, net.ErrClosed
	}
	var r network.Received
	var err error
	if s.typ == network.Stream {
		if r.N, err = sysRecv(s.fd, bufs, flags); err == nil {
			r.From = s.peerAddr()
		}
	} else {
		r, err = sysRecvFrom(s.fd, bufs, flags)
	}
	s.release()
	return r, err
}

// peerAddr is the peer of a stream, which is asked for once: it cannot change, and the kernel
// forgets it after a reset.
func (s *socket) peerAddr() netip.AddrPort {
	if p := s.peer.Load(); p != nil {
		return *p
	}
	p, err := sysGetpeername(s.fd)
	if err == nil {
		s.peer.Store(&p)
	}
	return p
}

// length is the number of bytes that bufs hold.
func length(bufs [][]byte) (n int) {
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
	return sysShutdown(s.fd, int(how)-1) // SHUT_RD, SHUT_WR, SHUT_RDWR everywhere
}

func (s *socket) LocalAddr() (netip.AddrPort, error) {
	if !s.acquire() {
		return netip.AddrPort{}, net.ErrClosed
	}
	defer s.release()
	return sysGetsockname(s.fd)
}

func (s *socket) RemoteAddr() (netip.AddrPort, error) {
	if !s.acquire() {
		return netip.AddrPort{}, net.ErrClosed
	}
	defer s.release()
	return sysGetpeername(s.fd)
}

func (s *socket) Poll(want network.Events) (network.Events, error) {
	if !s.acquire() {
		return 0, net.ErrClosed
	}
	got, err := pollNow(s.fd, want)
	s.release()
	return got, err
}

func (s *socket) Readiness() network.Readiness {
	return network.Readiness{Control: s.control}
}

func (s *socket) Available() (int, error) {
	if !s.acquire() {
		return 0, net.ErrClosed
	}
	defer s.release()
	n, err := sysAvailable(s.fd)
	if err != nil {
		return 0, nil // a listener, for one, has no bytes
	}
	return n, nil
}
