package system

import (
	"sync"
	"sync/atomic"
	"syscall"

	"github.com/wasport/wasport/network"
)

const (
	// readAheadSize is the size of a read-ahead buffer. Only guests that read at most
	// readAheadMaxRead bytes at a time get one, and a guest has at most maxReadAheadSockets of
	// them, since they are memory of the host.
	readAheadSize       = 32 << 10
	readAheadMaxRead    = 4 << 10
	maxReadAheadSockets = 64

	// minFullReads is how many reads in a row must have filled the guest's buffers before the
	// socket is read ahead: then more bytes are likely to be queued. Each time that no more bytes
	// were queued, the number doubles, up to maxFullReads.
	minFullReads = 4
	maxFullReads = 4096
)

var readAheadBufs = sync.Pool{New: func() any {
	return &readAheadBuf{bytes: new([readAheadSize]byte)}
}}

// readAheadBuf holds bytes that were read ahead. It is apart from readAhead, which each socket has.
type readAheadBuf struct {
	bytes *[readAheadSize]byte

	// unread is the part of bytes that the guest has not read. It is not empty between calls.
	unread []byte
	// last is the result of the last receive into the buffer.
	last network.Received
	vec  [1][]byte
}

// readAhead holds bytes of a stream that were received before the guest asked for them. A system
// call for 32 KiB costs about as much as one for a few bytes, so programs that read small pieces
// need fewer of them.
//
// A socket is not read ahead if another reader could miss the bytes: if the guest has several
// threads, one of which may wait in the host for bytes that are here already, or if the socket was
// handed to the guest and its owner may read it too.
//
// The zero value is disabled. mu protects the fields below it.
type readAhead struct {
	// enabled is true for a stream that only this guest has.
	enabled bool

	// bufferedLen is the length of buf.unread, to be read without mu.
	bufferedLen atomic.Int32

	// numSockets counts the guest's sockets that hold a buffer.
	numSockets *atomic.Int32

	mu sync.Mutex

	// fullReads counts the latest reads in a row that filled the guest's buffers.
	fullReads int32

	// fullReadsNeeded is the value of fullReads from which on the socket is read ahead; at least
	// minFullReads.
	fullReadsNeeded int32

	// buf is nil while the socket holds no bytes.
	buf *readAheadBuf
}

// recvAhead does the same as s.Recv, but takes the bytes that were read ahead first. Its cases:
//
//  1. The socket cannot be read ahead, or not yet: receive into the guest's buffers and update
//     fullReads.
//  2. Enough full reads: fill a buffer and serve the guest from it.
//  3. The buffer has fewer bytes than wanted: receive more once, then serve the guest from it.
//  4. The buffer has enough bytes.
func (t *Thread) recvAhead(s *socket, bufs [][]byte,
	flags network.RecvFlags) (network.Received, error) {
	a := &s.readAhead
	if !a.enabled {
		return s.Recv(bufs, flags)
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	wanted := totalLen(bufs)
	peek, multiThreaded := flags&network.Peek != 0, t.table.multiThreaded.Load()
	switch {
	case a.buf == nil && (peek || multiThreaded || a.readsDirectly(wanted)):
		r, err := s.Recv(bufs, flags)
		if !peek && err == nil {
			a.noteDirect(r.N, wanted)
		}
		return r, err
	case a.buf == nil:
		a.getBuf()
		if r, err := a.fill(s); err != nil || r.N == 0 {
			a.putBuf()
			return r, err
		}
		a.numSockets.Add(1)
		if len(a.buf.unread) > wanted {
			a.fullReadsNeeded = minFullReads
		} else {
			a.fullReadsNeeded = min(max(2*a.fullReadsNeeded, 2*minFullReads), maxFullReads)
			a.fullReads = 0
		}
	case len(a.buf.unread) < wanted && !multiThreaded:
		// The host may have the missing bytes. Without this attempt a guest that peeks again and
		// again until all wanted bytes are there would never see them.
		a.buf.makeRoom()
		if _, err := a.fill(s); err != nil && err != syscall.EAGAIN {
			s.keepError(err)
		}
	}
	r := a.buf.last
	r.N = 0
	for _, b := range bufs {
		r.N += copy(b, a.buf.unread[r.N:])
	}
	if r.N < wanted {
		a.fullReads = 0
	}
	if !peek {
		a.consume(r.N)
	}
	return r, nil
}

// ReadAhead returns how many bytes of a socket were read ahead of the guest.
func (t *Thread) ReadAhead(fd int32) int {
	d, _ := t.table.lookup(fd)
	s, ok := d.asSocket()
	if !ok {
		return 0
	}
	return int(s.readAhead.bufferedLen.Load())
}

// readsDirectly reports whether a receive of a socket that holds no bytes is to go into the guest's
// buffers.
func (a *readAhead) readsDirectly(wanted int) bool {
	return a.fullReads < max(a.fullReadsNeeded, minFullReads) || wanted > readAheadMaxRead ||
		a.numSockets.Load() >= maxReadAheadSockets
}

// noteDirect counts a receive of n bytes into the guest's buffers.
func (a *readAhead) noteDirect(n, wanted int) {
	if n == wanted && wanted <= readAheadMaxRead {
		a.fullReads = min(a.fullReads+1, maxFullReads)
	} else {
		a.fullReads = 0
	}
}

// fill receives into the free space of the buffer behind unread.
func (a *readAhead) fill(s *socket) (network.Received, error) {
	b := a.buf
	b.vec[0] = b.bytes[len(b.unread):]
	r, err := s.Recv(b.vec[:], 0)
	b.vec[0] = nil
	if err == nil && r.N > 0 {
		b.last, b.unread = r, b.bytes[:len(b.unread)+r.N]
		a.bufferedLen.Store(int32(len(b.unread)))
	}
	return r, err
}

// fillMore receives more bytes into the buffer and returns their number. It returns 0 at the end of
// the stream, if the socket cannot be read ahead, and if the buffer is full.
func (a *readAhead) fillMore(s *socket) (int, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	first := a.buf == nil
	switch {
	case !a.enabled, first && a.numSockets.Load() >= maxReadAheadSockets:
		return 0, nil
	case first:
		a.getBuf()
	case len(a.buf.unread) == readAheadSize:
		return 0, nil
	}
	a.buf.makeRoom()
	r, err := a.fill(s)
	switch {
	case !first:
	case len(a.buf.unread) == 0:
		a.putBuf()
	default:
		a.numSockets.Add(1)
	}
	return r.N, err
}

func (a *readAhead) consume(n int) {
	a.buf.unread = a.buf.unread[n:]
	a.bufferedLen.Store(int32(len(a.buf.unread)))
	if len(a.buf.unread) == 0 {
		a.numSockets.Add(-1)
		a.putBuf()
	}
}

func (a *readAhead) getBuf() {
	a.buf = readAheadBufs.Get().(*readAheadBuf)
	a.buf.unread = a.buf.bytes[:0]
}

// makeRoom moves the bytes to the beginning of the buffer.
func (b *readAheadBuf) makeRoom() { b.unread = b.bytes[:copy(b.bytes[:], b.unread)] }

func (a *readAhead) putBuf() {
	a.buf.unread, a.buf.last = nil, network.Received{}
	readAheadBufs.Put(a.buf)
	a.buf = nil
}

// discard drops the bytes that the guest has not read.
func (a *readAhead) discard() {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.fullReads = 0
	if a.buf != nil {
		a.consume(len(a.buf.unread))
	}
}
