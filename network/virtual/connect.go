package virtual

import (
	"net"
	"net/netip"
	"syscall"

	"github.com/wasport/wasport/network"
)

func (s *tcpSocket) Bind(to netip.AddrPort) error {
	w := s.host.world
	w.mu.Lock()
	defer w.mu.Unlock()
	if s.closed.Load() {
		return net.ErrClosed
	}
	if err := s.checkAddr(to); err != nil {
		return err
	}
	return s.bindTo(to)
}

// autobind gives an unbound socket an address of the host's choice.
func (s *base) autobind() error {
	if s.local.Port() != 0 {
		return nil
	}
	err := s.bindTo(netip.AddrPortFrom(s.local.Addr(), 0))
	if err == syscall.EADDRINUSE {
		return syscall.EADDRNOTAVAIL // as connect(2) says when no port is free
	}
	return err
}

// Connect starts a connection. As on loopback, its result is there at once, unless the listener's
// queue is full, but the call does not tell it.
func (s *tcpSocket) Connect(to netip.AddrPort) error {
	if o := s.outside.Load(); o != nil {
		return s.outsideResult(o, o.Connect(s.present(to)))
	}
	gateway, err := s.connectInside(to)
	if gateway != nil {
		return s.connectOutside(gateway, s.present(to))
	}
	return err
}

// connectInside connects to a host of the world. It returns the gateway if the address is beyond
// it, and the state is then that of a connection under way.
func (s *tcpSocket) connectInside(to netip.AddrPort) (gateway network.Network, err error) {
	w := s.host.world
	w.mu.Lock()
	defer w.mu.Unlock()
	if s.closed.Load() {
		return nil, net.ErrClosed
	}
	if err := s.checkAddr(to); err != nil {
		return nil, err
	}
	switch s.state {
	case stateConnected, stateListening:
		return nil, syscall.EISCONN
	case stateConnecting:
		return nil, s.connectResult()
	}
	dest, err := s.destination(to.Addr())
	if err != nil {
		return nil, err
	}
	h, err := s.host.route(dest)
	if err != nil {
		return nil, err
	}
	from, err := s.sourceFor(dest)
	if err != nil {
		return nil, err
	}
	if err := s.autobind(); err != nil {
		return nil, err
	}
	s.local = s.present(netip.AddrPortFrom(from, s.local.Port()))
	s.remote = s.present(netip.AddrPortFrom(dest, to.Port()))
	s.state = stateConnecting
	s.pending.Store(0)
	s.setBits(connecting, recvShut|sendShut)
	if h == nil {
		return w.gateway, nil
	}
	l := h.listener(netip.AddrPortFrom(dest, to.Port()))
	switch {
	case l == nil:
		s.fail(syscall.ECONNREFUSED)
	case l.accepted.Len() > l.backlog:
		s.listener, s.element = l, l.knocking.PushBack(s)
	default:
		l.establish(s)
	}
	return nil, syscall.EINPROGRESS
}

// sourceFor returns the address from which the socket sends to another: the one that it is bound
// to, or the one that the host chooses.
func (s *base) sourceFor(to netip.Addr) (netip.Addr, error) {
	own := s.local.Addr().Unmap().WithZone("")
	if own.IsUnspecified() {
		from, ok := s.host.source(to)
		if !ok {
			return own, syscall.EADDRNOTAVAIL
		}
		return from, nil
	}
	if own.Is4() != to.Is4() {
		return own, syscall.ENETUNREACH
	}
	if own.IsLoopback() && !s.host.isLocal(to) {
		return own, syscall.EINVAL // a loopback address does not leave the host (RFC 1122, 3.2.1.3)
	}
	return own, nil
}

func unmapped(a netip.AddrPort) netip.AddrPort {
	return netip.AddrPortFrom(a.Addr().Unmap(), a.Port())
}

// FinishConnect returns the result of a connection that Connect started. If none is under way, it
// returns nil on a connected socket and ENOTCONN on others.
func (s *tcpSocket) FinishConnect() error {
	if o := s.outside.Load(); o != nil {
		return s.outsideResult(o, o.FinishConnect())
	}
	w := s.host.world
	w.mu.Lock()
	defer w.mu.Unlock()
	if s.closed.Load() {
		return net.ErrClosed
	}
	if s.state == stateConnecting {
		return s.connectResult()
	}
	if s.state != stateConnected || isOver(s.status.Load()) {
		return syscall.ENOTCONN
	}
	return nil
}

// connectResult returns the result of a connection under way, and moves on by it.
func (s *tcpSocket) connectResult() error {
	switch status := s.status.Load(); {
	case status&connecting != 0:
		return syscall.EALREADY
	case status&established != 0:
		s.state = stateConnected
		return nil
	}
	err := s.takePending()
	if err == nil {
		// Another call has told the error (POSIX, connect).
		err = syscall.ECONNABORTED
		if s.conn.Load() != nil {
			s.state = stateConnected // established, and reset since
			return nil
		}
	}
	s.disconnect()
	return err
}

// disconnect makes a stream as it was before Connect or Listen (tcp_disconnect of net/ipv4/tcp.c).
func (s *tcpSocket) disconnect() {
	s.leaveKnocking()
	addr, n := s.local.Addr(), s.local.Port()
	if s.addrChosen {
		addr = s.unspecified()
	}
	if s.portChosen {
		s.releasePort()
		n = 0
	}
	s.local, s.remote = netip.AddrPortFrom(addr, n), netip.AddrPort{}
	s.state = stateIdle
	s.setBits(0, connecting|recvShut|sendShut|listens)
}
