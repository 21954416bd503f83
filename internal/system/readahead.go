package system

import (
	"sync"
	"sync/atomic"
	"syscall"

	"github.com/wasport/wasport/network"
)

const (
	// readAheadSize is how much is received ahead of a guest that takes it in pieces of at most
	// aheadPiece bytes, and aheadSockets of how many sockets of a guest at a time, since the
	// buffers are the host's.
	readAheadSize       = 32 << 10
	readAheadMaxRead    = 4 << 10
	maxReadAheadSockets = 64

	// minFullReads is how many pieces in a row must have come whole, so that more is likely to be
	// waiting. Each time that it was not, it takes twice as many, up to aheadAtLast.
	minFullReads = 4
	maxFullReads = 4096
)

var readAheadBufs = sync.Pool{New: func() any { return new([readAheadSize]byte) }}

// readAhead is what has been received of a stream before the guest asked for it: a system call
// costs as much for a little as for a lot.
//
// Nothing is received ahead for a guest that has several threads, as one of them could wait for
// what another has received already; nor from a socket that it was handed, which somebody else may
// have too.
type readAhead struct {
	enabled     bool          // the socket is a stream, and the guest's alone
	numSockets  *atomic.Int32 // the guest's sockets of which something was received ahead
	bufferedLen atomic.Int32  // len(rest)

	mu              sync.Mutex
	fullReads       int // pieces in a row that came whole
	fullReadsNeeded int // how many there must be
	buf             *[readAheadSize]byte
	// of buf: what the guest has not taken; never empty between calls while there is a buf
	buffered     []byte
	lastReceived network.Received
	vec          [1][]byte
}

// recv is the socket's Recv, with what was received ahead of it.
func (t *Thread) recv(s *socket, bufs [][]byte, flags network.RecvFlags) (network.Received, error) {
	a := &s.readAhead
	if !a.enabled {
		return s.Recv(bufs, flags)
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	wanted := 0
	for _, b := range bufs {
		wanted += len(b)
	}
	peek, multiThreaded := flags&network.Peek != 0, t.table.multiThreaded.Load()
	switch {
	case a.buf == nil && (a.fullReads < max(a.fullReadsNeeded, minFullReads) ||
		wanted > readAheadMaxRead || peek ||
		multiThreaded || a.numSockets.Load() >= maxReadAheadSockets):
		r, err := s.Recv(bufs, flags)
		switch {
		case peek || err != nil:
		case r.N == wanted && wanted <= readAheadMaxRead:
			a.fullReads++
		default:
			a.fullReads = 0
		}
		return r, err
	case a.buf == nil:
		a.buf = readAheadBufs.Get().(*[readAheadSize]byte)
		a.buffered = a.buf[:0]
		if r, err := a.fill(s); err != nil || r.N == 0 {
			a.putBuf()
			return r, err
		}
		a.numSockets.Add(1)
		if len(a.buffered) > wanted {
			a.fullReadsNeeded = minFullReads
		} else {
			a.fullReadsNeeded = min(max(2*a.fullReadsNeeded, 2*minFullReads), maxFullReads)
			a.fullReads = 0
		}
	case len(a.buffered) < wanted && !multiThreaded:
		// There may be as much as is wanted; and who looks again and again until there is would
		// look for ever.
		a.buffered = a.buf[:copy(a.buf[:], a.buffered)]
		if _, err := a.fill(s); err != nil && err != syscall.EAGAIN {
			s.keepError(err)
		}
	}
	r := a.lastReceived
	r.N = 0
	for _, b := range bufs {
		r.N += copy(b, a.buffered[r.N:])
	}
	if r.N < wanted {
		a.fullReads = 0
	}
	if !peek {
		a.consume(r.N)
	}
	return r, nil
}

// fill receives what fits behind the rest.
func (a *readAhead) fill(s *socket) (network.Received, error) {
	a.vec[0] = a.buf[len(a.buffered):]
	r, err := s.Recv(a.vec[:], 0)
	a.vec[0] = nil
	if err == nil && r.N > 0 {
		a.lastReceived = r
		a.buffered = a.buf[:len(a.buffered)+r.N]
		a.bufferedLen.Store(int32(len(a.buffered)))
	}
	return r, err
}

// fillMore receives more, and returns how much: 0 at the end, and where nothing may be received
// ahead or no more fits.
func (a *readAhead) fillMore(s *socket) (int, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	first := a.buf == nil
	switch {
	case !a.enabled || first && a.numSockets.Load() >= maxReadAheadSockets ||
		len(a.buffered) == readAheadSize:
		return 0, nil
	case first:
		a.buf = readAheadBufs.Get().(*[readAheadSize]byte)
	}
	a.buffered = a.buf[:copy(a.buf[:], a.buffered)]
	r, err := a.fill(s)
	switch {
	case !first:
	case len(a.buffered) == 0:
		a.putBuf()
	default:
		a.numSockets.Add(1)
	}
	return r.N, err
}

func (a *readAhead) consume(n int) {
	a.buffered = a.buffered[n:]
	a.bufferedLen.Store(int32(len(a.buffered)))
	if len(a.buffered) == 0 {
		a.numSockets.Add(-1)
		a.putBuf()
	}
}

func (a *readAhead) putBuf() {
	readAheadBufs.Put(a.buf)
	a.buf, a.buffered = nil, nil
}

// discard gives up what the guest has not taken.
func (a *readAhead) discard() {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.fullReads = 0
	if a.buf != nil {
		a.consume(len(a.buffered))
	}
}
