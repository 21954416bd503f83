package virtual

import (
	"net"
	"net/netip"
	"slices"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/wasport/wasport/internal/ring"
	"github.com/wasport/wasport/network"
)

// udpSocket is a datagram socket.
type udpSocket struct {
	base
	queue ring.Datagrams
	// peer is the peer of a connected socket, in the form of the socket's family, or nil.
	peer atomic.Pointer[netip.AddrPort]
	// shut has recvShut and sendShut.
	shut atomic.Uint32
	// outside is the socket beyond the gateway, made by the first datagram that goes there.
	outside atomic.Pointer[outside]

	// memberships are the groups that the socket has joined. They are protected by world.mu.
	memberships []*membership
}

var (
	_ network.Socket       = (*udpSocket)(nil)
	_ network.Buffered     = (*udpSocket)(nil)
	_ network.Disconnecter = (*udpSocket)(nil)
	_ network.Sharer       = (*udpSocket)(nil)
)

func newUDPSocket(h *Host, family network.Family) *udpSocket {
	s := new(udpSocket)
	s.init(h, family, network.Datagram)
	return s
}

func (s *udpSocket) Bind(to netip.AddrPort) error { return s.bind(to, false) }

// BindShared implements network.Sharer.
func (s *udpSocket) BindShared(to netip.AddrPort) error { return s.bind(to, true) }

func (s *udpSocket) bind(to netip.AddrPort, shared bool) error {
	w := s.host.world
	w.mu.Lock()
	defer w.mu.Unlock()
	if s.closed.Load() {
		return net.ErrClosed
	}
	if err := s.checkAddr(to); err != nil {
		return err
	}
	s.shares = shared
	err := s.receiveAt(to)
	if err != nil {
		s.shares = false
	}
	return err
}

// receiveAt binds the socket and has it receive. world.mu is held.
func (s *udpSocket) receiveAt(to netip.AddrPort) error {
	if err := s.bindTo(to); err != nil {
		return err
	}
	p := s.host.udp[s.local.Port()]
	p.receivers = append(p.receivers, s)
	return nil
}

func (s *udpSocket) release() {
	if s.local.Port() == 0 {
		return
	}
	p := s.releasePort()
	p.receivers = slices.DeleteFunc(p.receivers, func(r *udpSocket) bool { return r == s })
}

// autobind gives an unbound socket a port. world.mu is held.
func (s *udpSocket) autobind() error {
	if s.local.Port() != 0 {
		return nil
	}
	if s.receiveAt(netip.AddrPortFrom(s.local.Addr(), 0)) != nil {
		return syscall.EAGAIN // as udp_sendmsg of Linux if no port is free
	}
	return nil
}

// Listen returns EOPNOTSUPP: only streams listen.
func (s *udpSocket) Listen(int) error {
	if s.closed.Load() {
		return net.ErrClosed
	}
	return syscall.EOPNOTSUPP
}

// Accept returns EOPNOTSUPP: only streams accept.
func (s *udpSocket) Accept() (network.Socket, netip.AddrPort, error) {
	return nil, netip.AddrPort{}, s.Listen(0)
}

// Connect sets the peer. As on Linux, the local address becomes the one that the peer is reached
// from, and the socket gets a port even if the call then fails.
func (s *udpSocket) Connect(to netip.AddrPort) error {
	beyond, err := s.connectInside(to)
	if err != nil {
		return err
	}
	s.replaceOutside(nil)
	if beyond {
		return s.connectOutside(s.present(to))
	}
	return nil
}

// connectInside sets the peer, and reports whether it is beyond the gateway.
func (s *udpSocket) connectInside(to netip.AddrPort) (beyond bool, err error) {
	w := s.host.world
	w.mu.Lock()
	defer w.mu.Unlock()
	if s.closed.Load() {
		return false, net.ErrClosed
	}
	if err := s.autobind(); err != nil {
		return false, err
	}
	if err := s.checkAddr(to); err != nil {
		return false, err
	}
	dest, err := s.destination(to.Addr())
	if err != nil {
		return false, err
	}
	if isBroadcast(dest) && !s.flag(network.Broadcast) {
		return false, syscall.EACCES
	}
	from := s.local.Addr()
	if !dest.IsMulticast() && !isBroadcast(dest) {
		h, err := s.host.route(dest)
		if err != nil {
			return false, err
		}
		if from, err = s.sourceFor(dest); err != nil {
			return false, err
		}
		beyond = h == nil
	}
	s.local = s.present(netip.AddrPortFrom(from, s.local.Port()))
	peer := s.present(netip.AddrPortFrom(dest, to.Port()))
	s.peer.Store(&peer)
	return beyond, nil
}

// Disconnect releases the peer, and the part of the local address that the host chose (connect(2),
// AF_UNSPEC).
func (s *udpSocket) Disconnect() error {
	if err := s.disconnectInside(); err != nil {
		return err
	}
	s.replaceOutside(nil)
	return nil
}

func (s *udpSocket) disconnectInside() error {
	w := s.host.world
	w.mu.Lock()
	defer w.mu.Unlock()
	if s.closed.Load() {
		return net.ErrClosed
	}
	s.peer.Store(nil)
	addr, n := s.local.Addr(), s.local.Port()
	if s.addrChosen {
		addr = s.unspecified()
	}
	if s.portChosen {
		s.release()
		n = 0
	}
	s.local = netip.AddrPortFrom(addr, n)
	return nil
}

// FinishConnect returns nil if there is a peer, and ENOTCONN otherwise: no connect takes time.
func (s *udpSocket) FinishConnect() error {
	_, err := s.RemoteAddr()
	return err
}

func (s *udpSocket) RemoteAddr() (netip.AddrPort, error) {
	if s.closed.Load() {
		return netip.AddrPort{}, net.ErrClosed
	}
	if p := s.peer.Load(); p != nil {
		return *p, nil
	}
	return netip.AddrPort{}, syscall.ENOTCONN
}

func (s *udpSocket) Recv(bufs [][]byte, flags network.RecvFlags) (network.Received, error) {
	if s.closed.Load() {
		return network.Received{}, net.ErrClosed
	}
	if err := s.takePending(); err != nil {
		return network.Received{}, err
	}
	if r, ok := s.queue.Get(bufs, flags&network.Peek != 0); ok {
		return r, nil
	}
	if o := s.outside.Load(); o != nil {
		return o.recv(bufs, flags)
	}
	return network.Received{}, syscall.EAGAIN
}

func (s *udpSocket) Poll(want network.Events) (network.Events, error) {
	if s.closed.Load() {
		return 0, net.ErrClosed
	}
	got := network.Writable
	if s.pending.Load() != 0 {
		got |= network.Failed
	}
	shut := s.shut.Load()
	if _, ok := s.queue.Next(); ok || shut&recvShut != 0 {
		got |= network.Readable
	}
	if shut == recvShut|sendShut {
		got |= network.Hangup
	}
	if o := s.outside.Load(); o != nil {
		more, err := o.Poll(want &^ network.Writable)
		if err == nil {
			got |= more
		}
	}
	return got & (want | always), nil
}

func (s *udpSocket) arm(want network.Events) {
	if o := s.outside.Load(); o != nil {
		o.arm(want &^ network.Writable) // which always holds
	}
}

// Unsent implements network.Buffered: a datagram is sent at once.
func (s *udpSocket) Unsent() network.Unsent { return nil }

func (s *udpSocket) Readiness() network.Readiness {
	return network.Readiness{Notify: notifyOf(s)}
}

func (s *udpSocket) Wait(want network.Events, deadline time.Time) (network.Events, error) {
	return waitOnly(s, want, deadline)
}

// Available returns the length of the next datagram (udp(7), FIONREAD).
func (s *udpSocket) Available() (int, error) {
	if s.closed.Load() {
		return 0, net.ErrClosed
	}
	if size, ok := s.queue.Next(); ok {
		return size, nil
	}
	if o := s.outside.Load(); o != nil {
		return o.Available()
	}
	return 0, nil
}

// Shutdown returns ENOTCONN without a peer, and yet has an effect (inet_shutdown of
// net/ipv4/af_inet.c).
func (s *udpSocket) Shutdown(how network.How) error {
	switch {
	case s.closed.Load():
		return net.ErrClosed
	case how < network.ShutRead || how > network.ShutBoth:
		return syscall.EINVAL
	}
	if how&network.ShutRead != 0 {
		s.shut.Or(recvShut)
	}
	if how&network.ShutWrite != 0 {
		s.shut.Or(sendShut)
	}
	s.watch.wake(network.Readable | network.Writable | always)
	return s.FinishConnect()
}

func (s *udpSocket) Close() error {
	w := s.host.world
	w.mu.Lock()
	if s.closed.Swap(true) {
		w.mu.Unlock()
		return net.ErrClosed
	}
	s.release()
	for len(s.memberships) > 0 {
		s.leave(s.memberships[0])
	}
	w.mu.Unlock()
	s.queue.Drop()
	s.watch.wake(network.Readable | network.Writable | always)
	s.replaceOutside(nil)
	return nil
}

func (s *udpSocket) Option(o network.Option) (int64, error) {
	v, err := s.option(o)
	if out := s.outside.Load(); out != nil && o == network.PendingError && v == 0 && err == nil {
		return out.Option(o)
	}
	return v, err
}

// SetOption sets an option. V6Only is for an unbound socket: EINVAL (ipv6(7)).
func (s *udpSocket) SetOption(o network.Option, v int64) error {
	if err := s.setInside(o, v); err != nil {
		return err
	}
	if out := s.outside.Load(); out != nil {
		return out.setOption(&s.base, o)
	}
	return nil
}

func (s *udpSocket) setInside(o network.Option, v int64) error {
	w := s.host.world
	w.mu.Lock()
	defer w.mu.Unlock()
	if o == network.V6Only && s.family == network.IPv6 && s.local.Port() != 0 &&
		!s.closed.Load() {
		return syscall.EINVAL
	}
	return s.setOption(o, v)
}
