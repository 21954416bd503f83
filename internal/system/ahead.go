package system

import (
	"sync"
	"sync/atomic"
	"syscall"

	"github.com/wasport/wasport/network"
)

const (
	// aheadSize is how much is received ahead of a guest that takes it in pieces of at most
	// aheadPiece bytes, and aheadSockets of how many sockets of a guest at a time, since the
	// buffers are the host's.
	aheadSize    = 32 << 10
	aheadPiece   = 4 << 10
	aheadSockets = 64

	// aheadAfter is how many pieces in a row must have come whole, so that more is likely to be
	// waiting. Each time that it was not, it takes twice as many, up to aheadAtLast.
	aheadAfter  = 4
	aheadAtLast = 4096
)

var aheadBuffers = sync.Pool{New: func() any { return new([aheadSize]byte) }}

// ahead is what has been received of a stream before the guest asked for it: a system call costs as
// much for a little as for a lot.
//
// Nothing is received ahead for a guest that has several threads, as one of them could wait for
// what another has received already; nor from a socket that it was handed, which somebody else may
// have too.
type ahead struct {
	may     bool          // the socket is a stream, and the guest's alone
	sockets *atomic.Int32 // the guest's sockets of which something was received ahead
	left    atomic.Int32  // len(rest)

	mu    sync.Mutex
	whole int // pieces in a row that came whole
	after int // how many there must be
	buf   *[aheadSize]byte
	// of buf: what the guest has not taken; never empty between calls while there is a buf
	rest []byte
	last network.Received
	one  [1][]byte
}

// recv is the socket's Recv, with what was received ahead of it.
func (t *Thread) recv(s *socket, bufs [][]byte, flags network.RecvFlags) (network.Received, error) {
	a := &s.ahead
	if !a.may {
		return s.Recv(bufs, flags)
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	wanted := 0
	for _, b := range bufs {
		wanted += len(b)
	}
	peek, several := flags&network.Peek != 0, t.table.several.Load()
	switch {
	case a.buf == nil && (a.whole < max(a.after, aheadAfter) || wanted > aheadPiece || peek ||
		several || a.sockets.Load() >= aheadSockets):
		r, err := s.Recv(bufs, flags)
		switch {
		case peek || err != nil:
		case r.N == wanted && wanted <= aheadPiece:
			a.whole++
		default:
			a.whole = 0
		}
		return r, err
	case a.buf == nil:
		a.buf = aheadBuffers.Get().(*[aheadSize]byte)
		a.rest = a.buf[:0]
		if r, err := a.fill(s); err != nil || r.N == 0 {
			a.drop()
			return r, err
		}
		a.sockets.Add(1)
		if len(a.rest) > wanted {
			a.after = aheadAfter
		} else {
			a.after = min(max(2*a.after, 2*aheadAfter), aheadAtLast)
			a.whole = 0
		}
	case len(a.rest) < wanted && !several:
		// There may be as much as is wanted; and who looks again and again until there is would
		// look for ever.
		a.rest = a.buf[:copy(a.buf[:], a.rest)]
		if _, err := a.fill(s); err != nil && err != syscall.EAGAIN {
			s.keep(err)
		}
	}
	r := a.last
	r.N = 0
	for _, b := range bufs {
		r.N += copy(b, a.rest[r.N:])
	}
	if r.N < wanted {
		a.whole = 0
	}
	if !peek {
		a.take(r.N)
	}
	return r, nil
}

// fill receives what fits behind the rest.
func (a *ahead) fill(s *socket) (network.Received, error) {
	a.one[0] = a.buf[len(a.rest):]
	r, err := s.Recv(a.one[:], 0)
	a.one[0] = nil
	if err == nil && r.N > 0 {
		a.last = r
		a.rest = a.buf[:len(a.rest)+r.N]
		a.left.Store(int32(len(a.rest)))
	}
	return r, err
}

// draw receives more, and returns how much: 0 at the end, and where nothing may be received ahead
// or no more fits.
func (a *ahead) draw(s *socket) (int, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	first := a.buf == nil
	switch {
	case !a.may || first && a.sockets.Load() >= aheadSockets || len(a.rest) == aheadSize:
		return 0, nil
	case first:
		a.buf = aheadBuffers.Get().(*[aheadSize]byte)
	}
	a.rest = a.buf[:copy(a.buf[:], a.rest)]
	r, err := a.fill(s)
	switch {
	case !first:
	case len(a.rest) == 0:
		a.drop()
	default:
		a.sockets.Add(1)
	}
	return r.N, err
}

func (a *ahead) take(n int) {
	a.rest = a.rest[n:]
	a.left.Store(int32(len(a.rest)))
	if len(a.rest) == 0 {
		a.sockets.Add(-1)
		a.drop()
	}
}

func (a *ahead) drop() {
	aheadBuffers.Put(a.buf)
	a.buf, a.rest = nil, nil
}

// forget gives up what the guest has not taken.
func (a *ahead) forget() {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.whole = 0
	if a.buf != nil {
		a.take(len(a.rest))
	}
}
