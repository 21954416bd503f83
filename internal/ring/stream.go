// Package ring holds queues in memory: a Stream of bytes, and Datagrams with their senders.
//
// A queue knows no sockets and wakes nobody: its methods tell which call became possible, and the
// caller decides. The hosts of network/virtual send through such queues, and the descriptors of one
// guest in internal/ipc.
//
// The methods may be called from several goroutines at once. No lock is held when they return, and
// none of another package is taken.
package ring

import (
	"math/bits"
	"sync"
	"sync/atomic"
)

// Stream is one direction of a connection: a ring of bytes. One caller sends and one receives at
// the same time, each in its own part of the ring, so neither waits while the other copies. The
// zero value has room for nothing, until SetLimit.
type Stream struct {
	// MinRoom is the room in bytes that is worth waking a sender for; 0 is a quarter of the limit.
	// It is set before the first use.
	MinRoom int
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

// SetLimit sets the number of bytes that may be queued. More may be queued already.
func (p *Stream) SetLimit(bytes int64) { p.limit.Store(bytes) }

// Len returns the number of bytes that can be received.
func (p *Stream) Len() int { return int(p.tail.Load() - p.head.Load()) }

// IsWritable reports whether the room is worth waking a sender for, so that a sender is not woken
// for each byte that was received.
func (p *Stream) IsWritable() bool {
	limit := int(p.limit.Load())
	return p.isWorthwhile(limit-p.Len(), limit)
}

func (p *Stream) isWorthwhile(room, limit int) bool {
	least := p.MinRoom
	if least == 0 {
		least = limit / 4
	}
	return room > 0 && room >= least
}

// Write copies as many bytes as there is room for, and returns their number. It copies none if
// there is room for fewer than least.
func (p *Stream) Write(bufs [][]byte, least int) int {
	p.sendMu.Lock()
	defer p.sendMu.Unlock()
	if p.dropped {
		return 0
	}
	tail := p.tail.Load()
	queued := int(tail - p.head.Load())
	n := min(TotalLen(bufs), int(p.limit.Load())-queued)
	if n <= 0 || n < least {
		return 0
	}
	if queued+n > len(p.buf) {
		p.grow(queued + n)
	}
	copyIn(p.buf, tail, bufs, n)
	p.tail.Store(tail + uint64(n))
	return n
}

// Read copies the queued bytes that fit, and returns their number and whether there is now room
// that is worth waking a sender for, which there was not before.
func (p *Stream) Read(bufs [][]byte, peek bool) (n int, freed bool) {
	p.recvMu.Lock()
	defer p.recvMu.Unlock()
	head := p.head.Load()
	queued := int(p.tail.Load() - head)
	n = min(TotalLen(bufs), queued)
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
	return n, !p.isWorthwhile(room, limit) && p.isWorthwhile(room+n, limit)
}

// grow replaces the ring by one for size bytes. sendMu is held.
func (p *Stream) grow(size int) {
	p.recvMu.Lock()
	defer p.recvMu.Unlock()
	buf := make([]byte, max(firstRing, 1<<bits.Len(uint(size-1))))
	moveRing(buf, p.buf, p.head.Load(), p.tail.Load())
	p.buf = buf
}

// Drop frees the ring. The queued bytes are lost, and no more are taken.
func (p *Stream) Drop() {
	p.sendMu.Lock()
	defer p.sendMu.Unlock()
	p.recvMu.Lock()
	defer p.recvMu.Unlock()
	p.buf, p.dropped = nil, true
	p.head.Store(p.tail.Load())
}

// Memory returns the number of bytes of memory in use.
func (p *Stream) Memory() int {
	p.recvMu.Lock()
	defer p.recvMu.Unlock()
	return len(p.buf)
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

// TotalLen returns the number of bytes in all buffers.
func TotalLen(bufs [][]byte) (n int) {
	for _, b := range bufs {
		n += len(b)
	}
	return n
}
