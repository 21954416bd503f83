package virtual

import (
	"math/bits"
	"sync"
	"sync/atomic"
)

// pipe is one direction of a connection: a ring of bytes. One caller sends and one receives at the
// same time, each in its own part of the ring, so neither waits while the other copies.
type pipe struct {
	// limit is the number of bytes that may be queued.
	limit atomic.Int64
	// head counts the bytes received and tail the bytes sent, since the beginning.
	head, tail atomic.Uint64

	// sendMu is held by the sender and recvMu by the receiver. Both are held, sendMu first, while
	// buf is replaced.
	sendMu, recvMu sync.Mutex
	// buf is as long as a power of two, or nil.
	buf []byte
	// dropped tells that the receiver is gone and takes no more bytes.
	dropped bool
}

// firstRing is the size of the first ring of a connection in bytes.
const firstRing = 4 << 10

func (p *pipe) len() int { return int(p.tail.Load() - p.head.Load()) }

// room returns the number of bytes that can be sent.
func (p *pipe) room() int { return int(p.limit.Load()) - p.len() }

// isWritable reports whether the room is worth waking a sender for: a quarter of the limit, so that
// a sender is not woken for each byte that was received.
func (p *pipe) isWritable() bool { return isWorthwhile(p.room(), int(p.limit.Load())) }

func isWorthwhile(room, limit int) bool { return room > 0 && room >= limit/4 }

// write copies as many bytes as there is room for, and returns their number.
func (p *pipe) write(bufs [][]byte) int {
	p.sendMu.Lock()
	defer p.sendMu.Unlock()
	if p.dropped {
		return 0
	}
	tail := p.tail.Load()
	queued := int(tail - p.head.Load())
	n := min(totalLen(bufs), int(p.limit.Load())-queued)
	if n <= 0 {
		return 0
	}
	if queued+n > len(p.buf) {
		p.grow(queued + n)
	}
	copyIn(p.buf, tail, bufs, n)
	p.tail.Store(tail + uint64(n))
	return n
}

// read copies the queued bytes that fit, and returns their number and whether there is now room
// that is worth waking a sender for, which there was not before.
func (p *pipe) read(bufs [][]byte, peek bool) (n int, freed bool) {
	p.recvMu.Lock()
	defer p.recvMu.Unlock()
	head := p.head.Load()
	queued := int(p.tail.Load() - head)
	n = min(totalLen(bufs), queued)
	if n == 0 {
		return 0, false
	}
	copyOut(bufs, p.buf, head, n)
	if peek {
		return n, false
	}
	p.head.Store(head + uint64(n))
	// The sender may have filled the room meanwhile. It stores tail before it looks at head, so one
	// of the two sees the other's step.
	limit := int(p.limit.Load())
	room := limit - int(p.tail.Load()-head)
	return n, !isWorthwhile(room, limit) && isWorthwhile(room+n, limit)
}

// grow replaces the ring by one for size bytes. sendMu is held.
func (p *pipe) grow(size int) {
	p.recvMu.Lock()
	defer p.recvMu.Unlock()
	buf := make([]byte, max(firstRing, 1<<bits.Len(uint(size-1))))
	moveRing(buf, p.buf, p.head.Load(), p.tail.Load())
	p.buf = buf
}

// drop frees the ring. The queued bytes are lost, and no more are taken.
func (p *pipe) drop() {
	p.sendMu.Lock()
	defer p.sendMu.Unlock()
	p.recvMu.Lock()
	defer p.recvMu.Unlock()
	p.buf, p.dropped = nil, true
	p.head.Store(p.tail.Load())
}

// moveRing copies the bytes between two positions from one ring to a longer one.
func moveRing(to, from []byte, head, tail uint64) {
	for head != tail {
		piece := contiguous(from, head, int(tail-head))
		for len(piece) > 0 {
			n := copy(contiguous(to, head, len(piece)), piece)
			head, piece = head+uint64(n), piece[n:]
		}
	}
}

// contiguous returns up to n bytes of a ring from a position, without wrapping around.
func contiguous(ring []byte, at uint64, n int) []byte {
	i := int(at & uint64(len(ring)-1))
	return ring[i:min(i+n, len(ring))]
}

// copyIn copies the first n bytes of bufs into a ring that has room for them.
func copyIn(ring []byte, at uint64, bufs [][]byte, n int) {
	for _, b := range bufs {
		b = b[:min(len(b), n)]
		n -= len(b)
		for len(b) > 0 {
			k := copy(contiguous(ring, at, len(b)), b)
			at, b = at+uint64(k), b[k:]
		}
	}
}

// copyOut copies n bytes from a ring into bufs, which have room for them.
func copyOut(bufs [][]byte, ring []byte, at uint64, n int) {
	for _, b := range bufs {
		b = b[:min(len(b), n)]
		n -= len(b)
		for len(b) > 0 {
			k := copy(b, contiguous(ring, at, len(b)))
			at, b = at+uint64(k), b[k:]
		}
	}
}

func totalLen(bufs [][]byte) (n int) {
	for _, b := range bufs {
		n += len(b)
	}
	return n
}
