package ring

import (
	"math/bits"
	"net/netip"
	"sync"
	"unsafe"

	"github.com/wasport/wasport/network"
)

// Datagrams holds the datagrams that a socket has received: their bytes in one ring, and their
// lengths and senders in another. Both grow as needed, and the first at most to the limit of Put
// and one datagram. The zero value is empty.
type Datagrams struct {
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

// PacketCost is charged for each datagram besides its bytes, since an empty one takes memory, too.
const PacketCost = 256

// Put adds a datagram. It reports false if there is no room for it within limit bytes.
func (q *Datagrams) Put(bufs [][]byte, from netip.AddrPort, limit int) bool {
	size := TotalLen(bufs)
	q.mu.Lock()
	defer q.mu.Unlock()
	count, used := int(q.packetEnd-q.firstPacket), int(q.tail-q.head)
	if q.dropped || count > 0 && q.used()+size+PacketCost > limit {
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

// Used returns the number of bytes queued, with PacketCost for each datagram.
func (q *Datagrams) Used() int {
	q.mu.Lock()
	defer q.mu.Unlock()
	return q.used()
}

func (q *Datagrams) used() int {
	return int(q.tail-q.head) + int(q.packetEnd-q.firstPacket)*PacketCost
}

// Get receives the first datagram. It reports false if there is none.
func (q *Datagrams) Get(bufs [][]byte, peek bool) (r network.Received, ok bool) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.firstPacket == q.packetEnd {
		return r, false
	}
	p := q.packets[q.firstPacket&uint64(len(q.packets)-1)]
	r = network.Received{N: min(TotalLen(bufs), p.size), From: p.from, Size: p.size}
	r.Truncated = r.N < p.size
	copyOut(bufs, q.bytes, q.head, r.N)
	if !peek {
		q.head += uint64(p.size)
		q.firstPacket++
	}
	return r, true
}

// Next returns the length of the first datagram, and whether there is one.
func (q *Datagrams) Next() (size int, ok bool) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.firstPacket == q.packetEnd {
		return 0, false
	}
	return q.packets[q.firstPacket&uint64(len(q.packets)-1)].size, true
}

func (q *Datagrams) growBytes(size int) {
	ring := make([]byte, max(firstRing, 1<<bits.Len(uint(size-1))))
	moveRing(ring, q.bytes, q.head, q.tail)
	q.bytes = ring
}

func (q *Datagrams) growPackets() {
	ring := make([]packet, max(8, 2*len(q.packets)))
	for n := q.firstPacket; n != q.packetEnd; n++ {
		ring[n&uint64(len(ring)-1)] = q.packets[n&uint64(len(q.packets)-1)]
	}
	q.packets = ring
}

// Memory returns the number of bytes of memory in use.
func (q *Datagrams) Memory() int {
	q.mu.Lock()
	defer q.mu.Unlock()
	return len(q.bytes) + len(q.packets)*int(unsafe.Sizeof(packet{}))
}

// Drop frees the queue, which takes no more.
func (q *Datagrams) Drop() {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.dropped, q.bytes, q.packets = true, nil, nil
	q.head, q.firstPacket = q.tail, q.packetEnd
}
