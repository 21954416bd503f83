package dial

import (
	"net"
	"net/netip"
	"syscall"
	"time"

	"github.com/wasport/wasport/network"
)

// listener is the listener of a stream. The mutex of the stream protects its fields.
type listener struct {
	net.Listener
	// queue holds the connections that were not accepted yet, at most one more than backlog.
	queue   []net.Conn
	backlog int
	closed  bool
	// done is closed when the listener is.
	done chan struct{}
	// err is the error of the listener, until it is told.
	err syscall.Errno
}

// maxBacklog is the largest backlog: somaxconn of Linux (listen(2)).
const maxBacklog = 4096

// Bind listens already, since that alone gives a port. Connections wait until Listen.
func (s *stream) Bind(to netip.AddrPort) error {
	if err := s.lock(); err != nil {
		return err
	}
	defer s.mu.Unlock()
	if err := checkAddr(s.family, to); err != nil {
		return err
	}
	if s.state != stateOpen || s.listener != nil {
		return syscall.EINVAL
	}
	if s.net.config.Listen == nil {
		if to.Port() != 0 || !to.Addr().IsUnspecified() {
			return syscall.EOPNOTSUPP
		}
		return nil // a client may bind to nothing in particular
	}
	if err := s.openListener(to); err != nil {
		return err
	}
	s.state = stateBound
	s.chosen = to.Port() != 0 || !to.Addr().IsUnspecified()
	return nil
}

// openListener calls Config.Listen, without mu, which is held before and afterwards.
func (s *stream) openListener(to netip.AddrPort) error {
	s.state = stateConnecting // no other call may bind or connect meanwhile
	s.mu.Unlock()
	opened := false
	defer func() {
		if !opened { // it panicked
			s.mu.Lock()
			s.state = stateOpen
		}
	}()
	l, err := s.net.config.Listen(networkName("tcp", s.family), to.String())
	var local netip.AddrPort
	if err == nil {
		local = localOf(l.Addr(), s.family)
	}
	opened = true
	s.mu.Lock()
	s.state = stateOpen
	switch {
	case err != nil:
		return errnoOf(err, syscall.EADDRNOTAVAIL)
	case s.ended:
		go s.run(func() { l.Close() })
		return net.ErrClosed
	}
	s.listener = &listener{Listener: l, done: make(chan struct{})}
	s.local = local
	return nil
}

// Listen changes the backlog of a stream that listens.
func (s *stream) Listen(backlog int) error {
	if err := s.lock(); err != nil {
		return err
	}
	defer s.mu.Unlock()
	switch {
	case s.state == stateConnecting || s.state == stateConnected:
		return syscall.EINVAL
	case s.net.config.Listen == nil:
		return syscall.EOPNOTSUPP
	}
	if s.listener == nil {
		if err := s.openListener(unspecified(s.family)); err != nil {
			return err
		}
	}
	if backlog < 0 || backlog > maxBacklog {
		backlog = maxBacklog
	}
	l := s.listener
	l.backlog = backlog
	if s.state != stateListening {
		s.state, s.broken = stateListening, false
		go s.run(func() { s.acceptLoop(l) })
	}
	s.wake()
	return nil
}

// acceptLoop takes connections while there is room in the queue.
func (s *stream) acceptLoop(l *listener) {
	const firstPause, lastPause = 5 * time.Millisecond, time.Second
	for pause := firstPause; s.awaitQueue(l); {
		c, err := l.Accept()
		if err == nil {
			s.currentOptions().tune(c)
			s.enqueue(l, c)
			pause = firstPause
			continue
		}
		if errnoOf(err, syscall.EIO) == syscall.ECONNABORTED { // the program has closed it
			s.mu.Lock()
			l.err = syscall.ECONNABORTED
			s.wake()
			s.mu.Unlock()
			return
		}
		// Such as too many open files, which passes.
		timer := time.NewTimer(pause)
		select {
		case <-timer.C:
		case <-l.done:
			timer.Stop()
		}
		pause = min(2*pause, lastPause)
	}
}

// awaitQueue waits for room in the queue. It reports false once the listener is closed.
func (s *stream) awaitQueue(l *listener) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	for !l.closed && len(l.queue) > l.backlog {
		s.changed.Wait()
	}
	return !l.closed
}

func (s *stream) enqueue(l *listener, c net.Conn) {
	s.mu.Lock()
	closed := l.closed
	if !closed {
		l.queue = append(l.queue, c)
		s.wake()
	}
	s.mu.Unlock()
	if closed {
		c.Close()
	}
}

// markClosed returns a function, to be called without the mutex of s, that closes the listener and
// the connections in its queue. The mutex is held.
func (l *listener) markClosed(s *stream) func() {
	queue := l.queue
	l.queue, l.closed = nil, true
	close(l.done)
	s.changed.Broadcast()
	return func() {
		l.Listener.Close()
		for _, c := range queue {
			closeConn(c, true)
		}
	}
}

// Accept returns EINVAL if the stream does not listen.
func (s *stream) Accept() (network.Socket, netip.AddrPort, error) {
	if err := s.lock(); err != nil {
		return nil, netip.AddrPort{}, err
	}
	defer s.mu.Unlock()
	l := s.listener
	switch {
	case s.state != stateListening:
		return nil, netip.AddrPort{}, syscall.EINVAL
	case len(l.queue) > 0:
	case l.err != 0:
		return nil, netip.AddrPort{}, l.err
	default:
		return nil, netip.AddrPort{}, syscall.EAGAIN
	}
	conn := l.queue[0]
	l.queue = l.queue[1:]
	s.changed.Broadcast()
	c := newStream(s.net, s.family)
	c.options = s.options
	c.remote = addrOf(conn.RemoteAddr(), s.family)
	c.begin(conn, localOf(conn.LocalAddr(), s.family))
	return c, c.remote, nil
}
