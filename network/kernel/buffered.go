package kernel

import (
	"net"

	"github.com/wasport/wasport/network"
)

var _ network.Buffered = (*socket)(nil)

// The bits of socket.sizesSet.
const (
	recvSizeSet = 1 << iota
	sendSizeSet
)

// noteBufferSize notes that the size of a buffer was set. From then on the kernel does not tune it
// (tcp(7), tcp_moderate_rcvbuf).
func (s *socket) noteBufferSize(o network.Option) {
	switch o {
	case network.RecvBuffer:
		s.sizesSet.Or(recvSizeSet)
	case network.SendBuffer:
		s.sizesSet.Or(sendSizeSet)
	}
}

// BufferLimits implements network.Buffered. The sizes of the buffers of a datagram socket and
// of a Unix-domain socket, and sizes that were set, are limits as they stand; the kernel tunes the
// others up to autotuneLimits.
func (s *socket) BufferLimits() (recv, send int64, err error) {
	if !s.acquire() {
		return 0, 0, net.ErrClosed
	}
	defer s.release()
	maxRecv, maxSend := autotuneLimits()
	if s.knownWhole && s.sizesSet.Load() == 0 {
		return maxRecv, maxSend, nil
	}
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
	if s.typ == network.Datagram || s.family == network.Unix {
		if s.ahead != nil {
			recv += maxDatagram
		}
		return recv, send, nil
	}
	if set := s.sizesSet.Load(); set&recvSizeSet == 0 {
		recv = max(recv, maxRecv)
	}
	if set := s.sizesSet.Load(); set&sendSizeSet == 0 {
		send = max(send, maxSend)
	}
	return recv, send, nil
}

// Unsent implements network.Buffered. It returns nil if nothing is unsent, and if Close discards
// the unsent bytes: Close resets a connection with unread data (RFC 1122, section 4.2.2.13) and one
// with a linger time of 0.
func (s *socket) Unsent() network.Unsent {
	if s.typ != network.Stream || !s.acquire() {
		return nil
	}
	defer s.release()
	s.finishHeld()
	if s.knownWhole && !s.hasSent.Load() {
		// A listener is closed together with the connections that nobody has accepted.
		s.closesAtOnce.Store(s.conn.load() != stateListening)
		return nil
	}
	if s.family == network.Unix {
		return dupUnixUnsent(s.fd)
	}
	if n, err := sendQueueMemory(s.fd); n == 0 || err != nil {
		s.closesAtOnce.Store(s.knownWhole && s.conn.load() == stateConnected)
		return nil
	}
	if n, err := sysAvailable(s.fd); n > 0 || err != nil {
		return nil
	}
	if s.lingerTime() == 0 {
		return nil
	}
	return dupUnsent(s.fd)
}
