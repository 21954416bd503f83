package memory

import (
	"math/bits"
	"sync"
)

// slotSizes are the sizes of slots. The last two have room for a C or Rust program with wasm-ld's
// stack of 1 MiB, one or two pages of data, and a page to grow by. All are smaller than a huge
// page; see slotGuard.
var slotSizes = [...]uint64{4 * PageSize, 8 * PageSize, 19 * PageSize, 20 * PageSize}

const (
	// chunkSlots is the number of slots in a range.
	chunkSlots = 8

	// slotGuard is the end of each slot, which no memory includes. It is never accessible. It also
	// keeps the kernel from making untouched pages resident with a huge page (madvise(2),
	// MADV_HUGEPAGE), since that would take accessible memory of more than one slot.
	slotGuard = PageSize

	// maxWarm bounds the free slots of a pool that keep pages, maxHot the bytes that each keeps.
	maxWarm = 8
	maxHot  = 16 << 10
)

// A Pool supplies small memories with slots of ranges that several memories share. A memory with a
// range of its own takes a page table of its own, or two, of 4 KiB each, beside what it touches.
// A slot also saves the system calls that reserve the range and unmap it.
//
// A memory that grows beyond its slot moves to a range of its own. A slot is zero when a memory
// gets it. A few free slots are warm: the hot pages of their last memory were cleared and kept, and
// the kernel has all others back. The next guest then has no page fault on them, and the kernel
// need not tell other processors that they are gone.
//
// A Pool may be used from several goroutines. Its lock is a leaf. The zero value is an empty pool,
// and nil a pool without slots.
type Pool struct {
	mu     sync.Mutex
	closed bool

	// free are the chunks with a free slot, by the size of their slots. The last of each is used
	// first.
	free [len(slotSizes)][]*chunk

	// numWarm is the number of warm slots, with those that are about to become so.
	numWarm int
}

// chunk is a range of slots of one size.
type chunk struct {
	bytes []byte
	kind  int   // An index of slotSizes.
	used  uint8 // A bit for each slot.

	// committed is the number of accessible bytes in each slot, from its start. They are whole
	// pages of the system.
	committed [chunkSlots]uint64

	// warm are the pages that each free slot has kept, as bytes of the slot.
	warm [chunkSlots]Range
}

// slot is a part of a chunk.
type slot struct {
	pool  *Pool
	chunk *chunk
	index int
}

// take returns a slot in which a memory of size bytes can grow by a page. A slot that has kept
// other pages than hot gives them back. It reports false for a memory that is too large or if the
// system refuses a chunk. The memory then has a range of its own.
func (p *Pool) take(size uint64, hot Range) (slot, bool) {
	if p == nil || !slotsReusable || size == 0 {
		return slot{}, false
	}
	kind := 0
	for size > slotSizes[kind]-slotGuard-PageSize {
		if kind++; kind == len(slotSizes) {
			return slot{}, false
		}
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	list := &p.free[kind]
	if len(*list) == 0 {
		c := newChunk(kind)
		if c == nil {
			return slot{}, false
		}
		*list = append(*list, c)
	}
	c := (*list)[len(*list)-1]
	s := slot{p, c, bits.TrailingZeros8(^c.used)}
	c.used |= 1 << s.index
	if c.full() {
		*list = (*list)[:len(*list)-1]
	}
	if w := s.cool(); w != hot {
		zero(s.bytes()[w.Start:w.End]) // They would stay in an idle guest that uses others.
	}
	return s, true
}

// cool returns the pages that a slot has kept. It is not warm from then on.
func (s slot) cool() (kept Range) {
	kept = s.chunk.warm[s.index]
	if kept.Start < kept.End {
		s.chunk.warm[s.index] = Range{}
		s.pool.numWarm--
	}
	return kept
}

// newChunk returns nil if the system refuses it, or if it would leave too little address space for
// the rest of the process.
func newChunk(kind int) *chunk {
	size := chunkSlots * slotSizes[kind]
	if availableAddressSpace()/4 < size {
		return nil
	}
	b, err := reserve(size)
	if err != nil {
		return nil
	}
	return &chunk{bytes: b, kind: kind}
}

func (c *chunk) full() bool { return c.used == 1<<chunkSlots-1 }

// memory returns the range of a memory that begins at shift in the slot. It takes as many bytes of
// the guard.
func (s slot) memory(shift uint64) []byte {
	b := s.bytes()
	end := uint64(len(b)) - slotGuard + shift
	return b[shift:end:end]
}

// commit makes the slot accessible up to a byte of it, and returns up to which one it is then.
func (s slot) commit(end uint64) (committed uint64, err error) {
	committed = s.chunk.committed[s.index]
	if end <= committed {
		return committed, nil
	}
	end = (end + systemPage - 1) &^ (systemPage - 1)
	if err := commit(s.bytes(), committed, end); err != nil {
		return committed, err
	}
	s.chunk.committed[s.index] = end
	return end, nil
}

// bytes returns the slot with its guard.
func (s slot) bytes() []byte {
	size := slotSizes[s.chunk.kind]
	start := uint64(s.index) * size
	return s.chunk.bytes[start : start+size : start+size]
}

// hotPages returns the pages of the slot, as bytes of it, that a memory with its start at shift
// may leave there. They are the first of those that hot is in.
func hotPages(hot Range, shift uint64) Range {
	if hot.Start >= hot.End {
		return Range{}
	}
	start := (hot.Start + shift) &^ (systemPage - 1)
	end := (hot.End + shift + systemPage - 1) &^ (systemPage - 1)
	return Range{start, min(end, start+maxHot)}
}

// give returns a slot, which keeps the pages of hot if few slots are warm. Its accessible bytes
// stay accessible.
func (s slot) give(hot Range) error {
	p, c := s.pool, s.chunk
	b := s.bytes()[:c.committed[s.index]]
	hot = Range{min(hot.Start, uint64(len(b))), min(hot.End, uint64(len(b)))}
	if hot.Start == hot.End || !p.reserveWarm() {
		hot = Range{}
	}
	zero(b[:hot.Start])
	clear(b[hot.Start:hot.End])
	zero(b[hot.End:])
	p.mu.Lock()
	defer p.mu.Unlock()
	c.warm[s.index] = hot
	list := &p.free[c.kind]
	if c.full() {
		*list = append(*list, c)
	}
	c.used &^= 1 << s.index
	if c.used != 0 || len(*list) == 1 && !p.closed {
		return nil
	}
	for i, other := range *list {
		if other == c {
			*list = append((*list)[:i], (*list)[i+1:]...)
			break
		}
	}
	return p.releaseChunk(c)
}

// reserveWarm reports whether another slot may become warm.
func (p *Pool) reserveWarm() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.numWarm >= maxWarm {
		return false
	}
	p.numWarm++
	return true
}

// releaseChunk unmaps a chunk of which no memory has a slot.
func (p *Pool) releaseChunk(c *chunk) error {
	for i := range c.warm {
		slot{p, c, i}.cool()
	}
	return release(c.bytes)
}

// Close unmaps the slots that no memory has, and the others when the last memory of their chunk is
// released.
func (p *Pool) Close() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.closed = true
	for kind, list := range p.free {
		kept := list[:0]
		for _, c := range list {
			if c.used != 0 {
				kept = append(kept, c)
				continue
			}
			_ = p.releaseChunk(c)
		}
		p.free[kind] = kept
	}
}
