package interrupt

import "fmt"

// A reader reads the bytes of a module. The first error sticks: every read after it returns zero
// and does not advance. Callers check err once per item of a vector.
type reader struct {
	b   []byte
	pos int
	err error

	// base is the offset of b[0] in the module, for error messages.
	base int
}

func (r *reader) fail(kind error, format string, args ...any) {
	if r.err == nil {
		r.err = fmt.Errorf("%w: %s at offset %#x", kind, fmt.Sprintf(format, args...), r.base+r.pos)
	}
}

func (r *reader) malformed(format string, args ...any) { r.fail(ErrMalformed, format, args...) }

func (r *reader) more() bool { return r.err == nil && r.pos < len(r.b) }

func (r *reader) byte() byte {
	if !r.more() {
		r.malformed("unexpected end")
		return 0
	}
	b := r.b[r.pos]
	r.pos++
	return b
}

func (r *reader) bytes(n uint32) []byte {
	if r.err != nil {
		return nil
	}
	if uint64(n) > uint64(len(r.b)-r.pos) {
		r.malformed("unexpected end")
		return nil
	}
	b := r.b[r.pos : r.pos+int(n) : r.pos+int(n)]
	r.pos += int(n)
	return b
}

// u32 reads an unsigned LEB128 number of at most 32 bits, in at most 5 bytes.
// Source: WebAssembly Core Specification 2.0, section 5.2.2.
func (r *reader) u32() uint32 {
	if r.more() && r.b[r.pos] < 0x80 {
		r.pos++
		return uint32(r.b[r.pos-1])
	}
	var v uint64
	for shift := 0; shift < 35; shift += 7 {
		b := r.byte()
		v |= uint64(b&0x7f) << shift
		if b < 0x80 {
			if v > 0xffffffff {
				break
			}
			return uint32(v)
		}
	}
	r.malformed("number too large")
	return 0
}

// signedLEB reads a signed LEB128 number of at most bits bits.
func (r *reader) signedLEB(bits int) int64 {
	var v int64
	for shift := 0; shift < bits; shift += 7 {
		b := r.byte()
		v |= int64(b&0x7f) << shift
		if b >= 0x80 {
			continue
		}
		if used := bits - shift; used < 7 {
			// The bits beyond the number's width repeat its sign.
			if top := int8(b<<1) >> used; top != 0 && top != -1 {
				break
			}
		}
		if shift+7 < 64 {
			v = v << (57 - shift) >> (57 - shift)
		}
		return v
	}
	r.malformed("number too large")
	return 0
}

// count reads the length of a vector of items of at least size bytes. It refuses a length that the
// bytes that are left cannot hold, so that callers may allocate for it.
func (r *reader) count(size int) int {
	n := r.u32()
	if n > maxItems || int(n)*size > len(r.b)-r.pos {
		r.malformed("%d items are too many", n)
		return 0
	}
	return int(n)
}

// index reads an index below limit. Space names the index space for the error message.
func (r *reader) index(space string, limit uint32) uint32 {
	i := r.u32()
	if r.err == nil && i >= limit {
		r.malformed("unknown %s %d", space, i)
		return 0
	}
	return i
}

func (r *reader) name() string { return string(r.bytes(r.u32())) }

func appendU32(b []byte, v uint32) []byte {
	for v >= 0x80 {
		b = append(b, byte(v)|0x80)
		v >>= 7
	}
	return append(b, byte(v))
}

func appendS32(b []byte, v int32) []byte {
	for {
		c := byte(v & 0x7f)
		v >>= 7
		if v == 0 && c&0x40 == 0 || v == -1 && c&0x40 != 0 {
			return append(b, c)
		}
		b = append(b, c|0x80)
	}
}

func appendName(b []byte, s string) []byte {
	return append(appendU32(b, uint32(len(s))), s...)
}
