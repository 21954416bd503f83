package guard

import (
	"sync"

	"github.com/wasport/wasport/network"
)

// maxDatagram is the length of the longest datagram that there is: UDP counts it in 16 bits.
const maxDatagram = 1 << 16

// apart is memory that no thread of a guest sees.
type apart struct {
	list [1][]byte
	data [maxDatagram]byte
}

var aparts = sync.Pool{New: func() any { return new(apart) }}

// recvApart receives a datagram, and shows it to the guest only once it is known whom it comes
// from.
func (s *socket) recvApart(bufs [][]byte, flags network.RecvFlags) (network.Received, error) {
	a := aparts.Get().(*apart)
	defer aparts.Put(a)
	room := 0
	for _, b := range bufs {
		room += len(b)
	}
	a.list[0] = a.data[:min(room, maxDatagram)]
	// One at a time: else of two that peek at a stranger's datagram the second would drop the one
	// behind it.
	s.receiving.Lock()
	r, err := s.hearOnly(a.list[:], flags)
	s.receiving.Unlock()
	rest := a.data[:r.N]
	for _, b := range bufs {
		rest = rest[copy(b, rest):]
	}
	return r, err
}
