package canon

import (
	"encoding/binary"
	"fmt"

	"github.com/wasport/wasport/internal/component/wit"
)

var little = binary.LittleEndian

// checkRange checks that size bytes at ptr are in memory, and that ptr is aligned. A range without
// bytes may begin at the end of the memory.
func checkRange(mem []byte, ptr, size, align uint32) error {
	if ptr&(align-1) != 0 {
		return fmt.Errorf("the pointer %#x is not aligned to %d", ptr, align)
	}
	if uint64(ptr)+uint64(size) > uint64(len(mem)) {
		return fmt.Errorf("%d bytes at %#x are not in the memory of %d bytes", size, ptr, len(mem))
	}
	return nil
}

// inRange reports whether checkRange would find no mistake.
func inRange(mem []byte, ptr, size, align uint32) bool {
	return ptr&(align-1) == 0 && uint64(ptr)+uint64(size) <= uint64(len(mem))
}

// listBytes returns the memory of a list of n elements at ptr.
func listBytes(mem []byte, ptr, n, size, align uint32) ([]byte, error) {
	total := uint64(n) * uint64(size)
	if total > wit.MaxSize {
		return nil, Trapf("a list of %d elements takes %d bytes, at most %d are allowed",
			n, total, wit.MaxSize)
	}
	if err := checkRange(mem, ptr, uint32(total), align); err != nil {
		return nil, Trapf("a list of %d elements: %v", n, err)
	}
	return mem[ptr:][:total:total], nil
}

// flats are the core values of parameters or of a result, with the position of the next one. An i32
// or f32 is in the lower 32 bits; the upper ones of a value that was read may be anything.
//
// A payload in a position that several cases share needs no conversion (CanonicalABI.md, "Flat
// lifting"): the bits of an f32, an i32 or an f64 are the lower bits of the i32 or i64 that they
// are joined to, and the upper ones are zero.
type flats struct {
	stack []uint64
	pos   int
}

func (f *flats) next() uint64 {
	f.pos++
	return f.stack[f.pos-1]
}

func (f *flats) put(v uint64) {
	f.stack[f.pos] = v
	f.pos++
}
