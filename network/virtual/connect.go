package virtual

import (
	"net"
	"net/netip"
	"slices"
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

// maxBacklog is the largest backlog (listen(2), somaxconn).
const maxBacklog = 4096

func (s *tcpSocket) Listen(backlog int) error {
	w := s.host.world
	w.mu.Lock()
	defer w.mu.Unlock()
	switch {
	case s.closed.Load():
		return net.ErrClosed
	case s.state == stateConnecting || s.state == stateConnected:
		return syscall.EINVAL
	}
	if backlog < 0 || backlog > maxBacklog {
		backlog = maxBacklog
	}
	s.backlog = backlog
	if s.state == stateListening {
		s.admitKnocking()
		return nil
	}
	if err := s.autobind(); err != nil {
		return err
	}
	p := s.take(s.local.Port())
	for other := range p.users { // others may have come since bind, which shared the port
		if other != &s.base && other.listening && s.conflicts(other, s.local.Addr()) {
			return syscall.EADDRINUSE
		}
	}
	p.listeners = append(p.listeners, s)
	if s.host.listened != nil {
		close(s.host.listened)
		s.host.listened = nil
	}
	s.state, s.listening = stateListening, true
	s.setBits(listens, recvShut|sendShut)
	return nil
}

func (s *tcpSocket) Accept() (network.Socket, netip.AddrPort, error) {
	w := s.host.world
	w.mu.Lock()
	defer w.mu.Unlock()
	switch {
	case s.closed.Load():
		return nil, netip.AddrPort{}, net.ErrClosed
	case s.state != stateListening:
		return nil, netip.AddrPort{}, syscall.EINVAL
	case s.accepted.Len() == 0:
		return nil, netip.AddrPort{}, syscall.EAGAIN
	}
	c := s.accepted.Remove(s.accepted.Front()).(*tcpSocket)
	s.queued.Add(-1)
	s.admitKnocking()
	c.unaccepted = false
	c.limitQueues()
	return c, c.conn.Load().remote, nil
}

// admitKnocking establishes the connections for which there is room.
func (s *tcpSocket) admitKnocking() {
	for s.knocking.Len() > 0 && s.accepted.Len() <= s.backlog {
		c := s.knocking.Front().Value.(*tcpSocket)
		c.leaveKnocking()
		s.establish(c)
	}
}

func (s *tcpSocket) leaveKnocking() {
	if s.listener != nil {
		s.listener.knocking.Remove(s.element)
		s.listener, s.element = nil, nil
	}
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

// listener returns the socket that takes a connection to an address, or nil.
func (h *Host) listener(to netip.AddrPort) *tcpSocket {
	p := h.tcp[to.Port()]
	if p == nil {
		return nil
	}
	var best []*tcpSocket
	score := 1
	for _, l := range p.listeners {
		switch n := l.matches(to.Addr()); {
		case n > score:
			best, score = append(best[:0], l), n
		case n == score:
			best = append(best, l)
		}
	}
	if len(best) == 0 {
		return nil
	}
	h.rotation++
	return best[h.rotation%uint(len(best))]
}

// establish makes the other end of a connection and puts it into the queue.
func (s *tcpSocket) establish(client *tcpSocket) {
	e := newTCPSocket(s.host, s.family)
	for o := range e.values { // it has the options of its listener (socket(7), tcp(7))
		e.values[o].Store(s.values[o].Load())
	}
	e.local = e.present(unmapped(client.remote))
	e.remote = e.present(unmapped(client.local))
	e.take(e.local.Port())
	e.state = stateConnected
	up, down := new(pipe), new(pipe)
	e.conn.Store(&conn{in: up, out: down, peer: client, remote: e.remote})
	client.conn.Store(&conn{in: down, out: up, peer: e, remote: client.remote})
	e.unaccepted = true
	e.limitQueues()
	e.setBits(established, 0)
	client.setBits(established, connecting)
	s.accepted.PushBack(e)
	s.queued.Add(1)
	s.watch.wake(network.Readable)
}

func unmapped(a netip.AddrPort) netip.AddrPort {
	return netip.AddrPortFrom(a.Addr().Unmap(), a.Port())
}

// limitFrom returns how many bytes of a sender the socket takes. Until it is accepted, that is no
// more than the buffer that its listener reports, by which the memory of a backlog is counted
// (network/guard, chargeBacklog).
func (s *tcpSocket) limitFrom(sender *tcpSocket) int64 {
	n := min(s.limit(network.RecvBuffer), sender.limit(network.SendBuffer))
	if s.unaccepted {
		n = min(n, s.value(network.RecvBuffer))
	}
	return n
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

// stopListening turns away the connections that nobody has accepted.
func (s *tcpSocket) stopListening() {
	p := s.host.tcp[s.local.Port()]
	p.listeners = slices.DeleteFunc(p.listeners, func(l *tcpSocket) bool { return l == s })
	s.listening = false
	for s.accepted.Len() > 0 {
		s.accepted.Remove(s.accepted.Front()).(*tcpSocket).end(true)
	}
	s.queued.Store(0)
	for s.knocking.Len() > 0 {
		c := s.knocking.Front().Value.(*tcpSocket)
		c.leaveKnocking()
		c.fail(syscall.ECONNREFUSED)
	}
}

func (s *tcpSocket) Shutdown(how network.How) error {
	if o := s.outside.Load(); o != nil {
		return o.Shutdown(how)
	}
	w := s.host.world
	w.mu.Lock()
	defer w.mu.Unlock()
	switch {
	case s.closed.Load():
		return net.ErrClosed
	case how < network.ShutRead || how > network.ShutBoth:
		return syscall.EINVAL
	}
	status := s.status.Load()
	switch {
	case s.state == stateListening:
		if how&network.ShutRead != 0 {
			s.stopListening()
			s.disconnect()
		}
		return nil
	case status&connecting != 0:
		s.disconnect()
		return nil
	}
	bits := uint32(0)
	if how&network.ShutRead != 0 {
		bits |= recvShut
	}
	if how&network.ShutWrite != 0 {
		bits |= sendShut
	}
	over := isOver(status)
	s.setBits(bits, 0)
	if over {
		return syscall.ENOTCONN // and yet it has an effect (inet_shutdown of net/ipv4/af_inet.c)
	}
	if bits&sendShut != 0 && status&sendShut == 0 {
		s.conn.Load().peer.setBits(recvShut|finished, 0)
	}
	return nil
}

// Close releases the socket. With unread bytes or a linger time of 0 it resets the connection (RFC
// 1122, section 4.2.2.13); otherwise the peer gets the bytes that were sent, and then the end.
func (s *tcpSocket) Close() error {
	if err := s.closeInside(); err != nil {
		return err
	}
	if o := s.outside.Load(); o != nil {
		return o.Close()
	}
	return nil
}

func (s *tcpSocket) closeInside() error {
	w := s.host.world
	w.mu.Lock()
	defer w.mu.Unlock()
	if s.closed.Load() {
		return net.ErrClosed
	}
	if s.state == stateListening {
		s.stopListening()
	}
	s.leaveKnocking()
	s.end(s.value(network.Linger) == 0)
	return nil
}

// end closes the socket with its end of the connection.
func (s *tcpSocket) end(reset bool) {
	s.closed.Store(true)
	if s.local.Port() != 0 {
		s.releasePort()
	}
	if c := s.conn.Load(); c != nil {
		// The sender looks at closed after it has written, so one of the two sees the unread bytes.
		reset = reset || c.in.len() > 0
		c.in.drop()
		switch status := s.status.Load(); {
		case status&established == 0:
		case reset:
			c.peer.receiveReset()
		case status&sendShut == 0:
			c.peer.setBits(recvShut|finished, 0)
		}
	}
	s.watch.wake(network.Readable | network.Writable | always)
}

// Disconnect returns EOPNOTSUPP: only a datagram socket can release its peer.
func (s *tcpSocket) Disconnect() error {
	if s.closed.Load() {
		return net.ErrClosed
	}
	return syscall.EOPNOTSUPP
}

func (s *tcpSocket) Option(o network.Option) (int64, error) {
	if !s.closed.Load() {
		switch o {
		case network.AcceptConn:
			if s.status.Load()&listens != 0 {
				return 1, nil
			}
		case network.PendingError:
			if out := s.outside.Load(); out != nil {
				return out.Option(o)
			}
		case network.MaxSegment:
			return s.segment(), nil
		}
	}
	return s.option(o)
}

// segment returns the size of a segment: the path's, or the one that was set.
func (s *tcpSocket) segment() int64 {
	set := s.value(network.MaxSegment)
	c := s.conn.Load()
	if c == nil {
		if set != 0 {
			return set
		}
		return defaultSegment
	}
	size := int64(s.host.mtu(c.remote.Addr().Unmap()))
	if s.family == network.IPv4 || c.remote.Addr().Is4In6() {
		size -= 40
	} else {
		size -= 60
	}
	if set != 0 {
		return min(set, size)
	}
	return size
}

// SetOption sets an option. V6Only is for an unbound socket, and FastOpenConnect for one that does
// not connect or listen: EINVAL (ipv6(7), tcp(7)).
func (s *tcpSocket) SetOption(o network.Option, v int64) error {
	if err := s.setInside(o, v); err != nil {
		return err
	}
	if out := s.outside.Load(); out != nil {
		return out.setOption(&s.base, o)
	}
	return nil
}

func (s *tcpSocket) setInside(o network.Option, v int64) error {
	w := s.host.world
	w.mu.Lock()
	defer w.mu.Unlock()
	if !s.closed.Load() &&
		(o == network.V6Only && s.family == network.IPv6 && s.local.Port() != 0 ||
			o == network.FastOpenConnect && s.state != stateIdle) {
		return syscall.EINVAL
	}
	if err := s.setOption(o, v); err != nil {
		return err
	}
	if isBuffer(o) {
		s.limitQueues()
	}
	return nil
}

// limitQueues lets both queues of a connection grow as far as the receiver's buffer and the
// sender's allow. So a socket leaves no more with a peer than it is charged for.
func (s *tcpSocket) limitQueues() {
	c := s.conn.Load()
	if c == nil {
		return
	}
	c.in.limit.Store(s.limitFrom(c.peer))
	c.out.limit.Store(c.peer.limitFrom(s))
	for _, end := range []*tcpSocket{s, c.peer} {
		end.watch.wake(network.Writable)
	}
}

// Join returns EPROTO, as Linux does for a stream.
func (s *tcpSocket) Join(group netip.Addr, on network.Interface) error {
	return s.joinStream(group)
}

// Leave returns EPROTO, as Linux does for a stream.
func (s *tcpSocket) Leave(group netip.Addr, on network.Interface) error {
	return s.joinStream(group)
}

func (s *tcpSocket) joinStream(group netip.Addr) error {
	switch {
	case s.closed.Load():
		return net.ErrClosed
	case !group.IsValid():
		return syscall.EINVAL
	case group.Is6() && s.family != network.IPv6:
		return syscall.ENOPROTOOPT
	}
	return syscall.EPROTO
}
