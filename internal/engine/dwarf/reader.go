package dwarf

import (
	"bytes"
	"encoding/binary"
)

// A reader reads a section. The first failure sticks: every read after it returns zero. Readers of
// one search share their steps, and all fail when these are used up.
type reader struct {
	b      []byte
	pos    int
	failed bool
	steps  *int
}

// at returns a reader of another section, from an offset on.
func (r *reader) at(section []byte, offset uint64) reader {
	if offset > uint64(len(section)) {
		return reader{failed: true, steps: r.steps}
	}
	return reader{b: section, pos: int(offset), steps: r.steps}
}

func (r *reader) more() bool { return !r.failed && r.pos < len(r.b) && *r.steps > 0 }

// take returns the next n bytes.
func (r *reader) take(n uint64) []byte {
	*r.steps--
	if r.failed || *r.steps <= 0 || n > uint64(len(r.b)-r.pos) {
		r.failed = true
		return nil
	}
	r.pos += int(n)
	return r.b[r.pos-int(n) : r.pos]
}

// fixed reads an unsigned number of up to 8 bytes, in little endian order.
func (r *reader) fixed(size uint64) uint64 {
	var full [8]byte
	copy(full[:], r.take(size))
	return binary.LittleEndian.Uint64(full[:])
}

func (r *reader) u8() uint8 { return uint8(r.fixed(1)) }

// uleb and sleb read numbers in LEB128. Bits beyond the 64th are dropped.
func (r *reader) uleb() uint64 {
	v, _ := r.leb()
	return v
}

func (r *reader) sleb() int64 {
	v, bits := r.leb()
	if bits > 0 && bits < 64 {
		return int64(v<<(64-bits)) >> (64 - bits)
	}
	return int64(v)
}

func (r *reader) leb() (v uint64, bits uint) {
	*r.steps--
	for r.more() {
		b := r.b[r.pos]
		r.pos++
		if bits < 64 {
			v |= uint64(b&0x7f) << bits
		}
		if bits += 7; b < 0x80 {
			return v, bits
		}
		*r.steps--
	}
	r.failed = true
	return 0, 0
}

// str reads a string that ends with a zero byte.
func (r *reader) str() []byte {
	if !r.more() {
		r.failed = true
		return nil
	}
	n := bytes.IndexByte(r.b[r.pos:], 0)
	if n < 0 {
		r.failed = true
		return nil
	}
	*r.steps -= n / 16 // The search for the end takes time as well.
	s := r.take(uint64(n))
	r.take(1)
	return s
}
