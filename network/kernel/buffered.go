package kernel

import (
	"net"

	"github.com/wasport/wasport/network"
)

var _ network.Buffered = (*socket)(nil)

// The bits of socket.fixed: the sizes that were set.
const (
	fixedRecv = 1 << iota
	fixedSend
)

// noteSize notes that the size of a buffer was set, after which the systems leave it as it is.
func (s *socket) noteSize(o network.Option) {
	switch o {
	case network.RecvBuffer:
		s.fixed.Or(fixedRecv)
	case network.SendBuffer:
		s.fixed.Or(fixedSend)
	}
}

// BufferLimits returns the sizes of datagram sockets' buffers, which no system changes by
// itself, and of those that were set.
func (s *socket) BufferLimits() (recv, send int64, err error) {
	if !s.acquire() {
		return 0, 0, net.ErrClosed
	}
	defer s.release()
	in, out := options[network.RecvBuffer], options[network.SendBuffer]
	r, err := getInt(s.fd, in.level, in.name)
	if err != nil {
		return 0, 0, err
	}
	w, err := getInt(s.fd, out.level, out.name)
	if err != nil {
		return 0, 0, err
	}
	recv, send = int64(r), int64(w)
	if s.typ == network.Datagram {
		return recv, send, nil
	}
	maxRecv, maxSend := grownBuffers()
	if fixed := s.fixed.Load(); fixed&fixedRecv == 0 {
		recv = max(recv, maxRecv)
	}
	if fixed := s.fixed.Load(); fixed&fixedSend == 0 {
		send = max(send, maxSend)
	}
	return recv, send, nil
}

// Unsent is nil where the socket sends nothing, and where Close gives up what is unsent: it
// resets a connection from which there is more to be received, or which lingers for no time.
func (s *socket) Unsent() network.Unsent {
	if s.typ != network.Stream || !s.acquire() {
		return nil
	}
	defer s.release()
	if n, err := sendMemory(s.fd); n == 0 || err != nil {
		return nil
	}
	if n, err := sysAvailable(s.fd); n > 0 || err != nil {
		return nil
	}
	if s.mayReset.Load() {
		o := options[network.Linger]
		if seconds, err := getLinger(s.fd, o.level, o.name); seconds == 0 || err != nil {
			return nil
		}
	}
	return leaveUnsent(s.fd)
}
