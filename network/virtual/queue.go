package virtual

import (
	"math/bits"
	"net/netip"
	"sync"

	"github.com/wasport/wasport/network"
)

// queue holds the datagrams that a socket has received: their bytes in one ring, and their lengths
// and senders in another. Both grow as needed, and the first at most to the limit.
type queue struct {
	mu      sync.Mutex
	dropped bool

	bytes      []byte // as long as a power of two, or nil
	head, tail uint64

	packets                []packet // as long as a power of two, or nil
	firstPacket, packetEnd uint64
}

// packet is one datagram in a queue.
type packet struct {
	from netip.AddrPort
	size int
}

// packetCost is charged for each datagram besides its bytes, since an empty one takes memory, too.
const packetCost = 256

// put adds a datagram. It reports false if there is no room for it within limit bytes.
func (q *queue) put(bufs [][]byte, from netip.AddrPort, limit int) bool {
	size := totalLen(bufs)
	q.mu.Lock()
	defer q.mu.Unlock()
	count, used := int(q.packetEnd-q.firstPacket), int(q.tail-q.head)
	if q.dropped || count > 0 && used+size+(count+1)*packetCost > limit {
		return false // Linux, too, takes one datagram beyond the limit
	}
	if used+size > len(q.bytes) {
		q.growBytes(used + size)
	}
	if count == len(q.packets) {
		q.growPackets()
	}
	copyIn(q.bytes, q.tail, bufs, size)
	q.tail += uint64(size)
	q.packets[q.packetEnd&uint64(len(q.packets)-1)] = packet{from, size}
	q.packetEnd++
	return true
}

// get receives the first datagram. It reports false if there is none.
func (q *queue) get(bufs [][]byte, peek bool) (r network.Received, ok bool) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.firstPacket == q.packetEnd {
		return r, false
	}
	p := q.packets[q.firstPacket&uint64(len(q.packets)-1)]
	r = network.Received{N: min(totalLen(bufs), p.size), From: p.from, Size: p.size}
	r.Truncated = r.N < p.size
	copyOut(bufs, q.bytes, q.head, r.N)
	if !peek {
		q.head += uint64(p.size)
		q.firstPacket++
	}
	return r, true
}

// next returns the length of the first datagram, and whether there is one.
func (q *queue) next() (size int, ok bool) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.firstPacket == q.packetEnd {
		return 0, false
	}
	return q.packets[q.firstPacket&uint64(len(q.packets)-1)].size, true
}

func (q *queue) growBytes(size int) {
	ring := make([]byte, max(firstRing, 1<<bits.Len(uint(size-1))))
	moveRing(ring, q.bytes, q.head, q.tail)
	q.bytes = ring
}

func (q *queue) growPackets() {
	ring := make([]packet, max(8, 2*len(q.packets)))
	for n := q.firstPacket; n != q.packetEnd; n++ {
		ring[n&uint64(len(ring)-1)] = q.packets[n&uint64(len(q.packets)-1)]
	}
	q.packets = ring
}

// drop frees the queue, which takes no more.
func (q *queue) drop() {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.dropped, q.bytes, q.packets = true, nil, nil
	q.head, q.firstPacket = q.tail, q.packetEnd
}
