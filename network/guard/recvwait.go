package guard

import (
	"github.com/wasport/wasport/internal/recvwait"
	"github.com/wasport/wasport/network"
	"github.com/wasport/wasport/policy"
)

var _ recvwait.Socket = (*socket)(nil)

// RecvWait counts the bytes as Recv does. Under a limit of bytes, which may have to delay the call,
// it is Recv. A limit that begins during the wait is charged, and so delays the next receive.
func (s *socket) RecvWait(bufs [][]byte, t recvwait.Thread) (network.Received, error) {
	if s.waiting == nil || s.protocol != policy.TCP || s.net.active.Load().limitsBytes() {
		return s.Recv(bufs, 0)
	}
	r, err := s.waiting.RecvWait(bufs, t)
	if err == nil {
		n := s.countUnpeeked(r, 0)
		s.net.counters.receivedBytes.Add(uint64(n))
		if active := s.net.active.Load(); active.recvBytes != nil {
			charge(active.recvBytes, n)
		}
	}
	s.watchAfter(network.Readable, r.N, bufs)
	return r, err
}
