package virtual

import (
	"net"
	"net/netip"
	"slices"
	"syscall"

	"github.com/wasport/wasport/internal/ring"
	"github.com/wasport/wasport/network"
)

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
	up, down := new(ring.Stream), new(ring.Stream)
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

// limitQueues lets both queues of a connection grow as far as the receiver's buffer and the
// sender's allow. So a socket leaves no more with a peer than it is charged for.
func (s *tcpSocket) limitQueues() {
	c := s.conn.Load()
	if c == nil {
		return
	}
	c.in.SetLimit(s.limitFrom(c.peer))
	c.out.SetLimit(c.peer.limitFrom(s))
	for _, end := range []*tcpSocket{s, c.peer} {
		end.watch.wake(network.Writable)
	}
}
