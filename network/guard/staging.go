package guard

import (
	"sync"

	"github.com/wasport/wasport/network"
)

// maxDatagram is the length of the longest datagram, in bytes. The length field of UDP has 16 bits
// (RFC 768).
const maxDatagram = 1 << 16

// stagingBuf is memory that no thread of a guest can read. It holds a datagram until its sender is
// admitted.
type stagingBuf struct {
	list [1][]byte
	data [maxDatagram]byte
}

var stagingBufs = sync.Pool{New: func() any { return new(stagingBuf) }}

// recvLocked is recvFiltered with recvMu held.
func (s *socket) recvLocked(bufs [][]byte, flags network.RecvFlags,
	c *network.Control) (network.Received, error) {
	s.recvMu.Lock()
	defer s.recvMu.Unlock()
	return s.recvFiltered(bufs, flags, c)
}

// recvStaged receives a datagram, and copies it into bufs after its sender was admitted.
func (s *socket) recvStaged(bufs [][]byte, flags network.RecvFlags,
	c *network.Control) (network.Received, error) {
	staging := stagingBufs.Get().(*stagingBuf)
	defer stagingBufs.Put(staging)
	size := 0
	for _, b := range bufs {
		size += len(b)
	}
	staging.list[0] = staging.data[:min(size, maxDatagram)]
	// Of two threads that peek at the same datagram and do not admit it, the second would drop the
	// datagram behind it. recvMu lets only one of them receive.
	r, err := s.recvLocked(staging.list[:], flags, c)
	rest := staging.data[:r.N]
	for _, b := range bufs {
		rest = rest[copy(b, rest):]
	}
	return r, err
}
