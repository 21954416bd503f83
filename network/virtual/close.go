package virtual

import (
	"net"
	"syscall"

	"github.com/wasport/wasport/network"
)

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
		reset = reset || c.in.Len() > 0
		c.in.Drop()
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
