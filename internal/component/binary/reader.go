package binary

import "unicode/utf8"

// A reader reads bytes. The first error sticks: every read after it returns zero and does not
// advance. Callers check err once per item of a vector.
type reader struct {
	b   []byte
	pos int
	err *Error

	// base is the offset of b[0] in the whole binary.
	base int

	total *totals
}

func (r *reader) offset() int { return r.base + r.pos }

func (r *reader) fail(kind Kind, format string, args ...any) {
	if r.err == nil {
		r.err = Errorf(kind, r.offset(), format, args...)
	}
}

func (r *reader) malformed(format string, args ...any) { r.fail(Malformed, format, args...) }

// unsupported reports a feature that is refused on purpose.
func (r *reader) unsupported(feature string) {
	r.fail(Unsupported, "%s are not supported", feature)
}

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

func (r *reader) peek() byte {
	if !r.more() {
		return 0
	}
	return r.b[r.pos]
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

// sub returns a reader of the next n bytes, and goes on behind them.
func (r *reader) sub(n uint32) *reader {
	base := r.offset()
	b := r.bytes(n)
	return &reader{b: b, base: base, total: r.total, err: r.err}
}

// u32 reads an unsigned LEB128 number of at most 32 bits, in at most 5 bytes.
// Source: WebAssembly Core Specification 2.0, section 5.2.2.
func (r *reader) u32() uint32 { return uint32(r.unsigned(32)) }

func (r *reader) unsigned(bits int) uint64 {
	var v uint64
	for shift := 0; shift < bits; shift += 7 {
		b := r.byte()
		if left := bits - shift; left < 7 && b>>left != 0 {
			break
		}
		v |= uint64(b&0x7f) << shift
		if b < 0x80 {
			return v
		}
	}
	r.malformed("number too large")
	return 0
}

// signed reads a signed LEB128 number of at most bits bits.
func (r *reader) signed(bits int) int64 {
	var v int64
	for shift := 0; shift < bits; shift += 7 {
		b := r.byte()
		v |= int64(b&0x7f) << shift
		if left := bits - shift; left < 7 {
			// The bits beyond the number's width repeat its sign, and it ends here.
			if top := int8(b<<1) >> left; b >= 0x80 || top != 0 && top != -1 {
				break
			}
		}
		if b < 0x80 {
			if shift += 7; shift < 64 {
				v = v << (64 - shift) >> (64 - shift)
			}
			return v
		}
	}
	r.malformed("number too large")
	return 0
}

// count reads the length of a vector of items of at least size bytes. It refuses a length that the
// bytes that are left cannot hold, so that callers may allocate for it.
func (r *reader) count(size int) int {
	n := r.u32()
	if r.err == nil && uint64(n)*uint64(size) > uint64(len(r.b)-r.pos) {
		r.malformed("%d items are more than the bytes that are left", n)
	}
	if r.err != nil {
		return 0
	}
	return int(n)
}

// countMax is count with a limit. The error message calls the items by the given word.
func (r *reader) countMax(size, limit int, word string) int {
	n := r.count(size)
	if n > limit {
		r.fail(TooMuch, "%d %s, at most %d are allowed", n, word, limit)
		return 0
	}
	return n
}

func (r *reader) name() string {
	at := r.offset()
	b := r.bytes(r.u32())
	if r.err == nil && !utf8.Valid(b) {
		r.err = Errorf(Malformed, at, "a name that is not UTF-8")
	}
	return string(b)
}

// countType and countName count for the limits of the whole binary.
func (r *reader) countType() {
	if r.total.types++; r.total.types > maxTypes {
		r.fail(TooMuch, "more than %d types", maxTypes)
	}
}

func (r *reader) countName() {
	if r.total.names++; r.total.names > maxNames {
		r.fail(TooMuch, "more than %d imports, exports and arguments", maxNames)
	}
}

func (r *reader) label() string {
	at := r.offset()
	s := r.name()
	if r.err == nil && len(s) > maxLabel {
		r.err = Errorf(TooMuch, at, "a label of %d bytes, at most %d are allowed",
			len(s), maxLabel)
	}
	return s
}

// end reports bytes that are left over.
func (r *reader) end(what string) {
	if r.more() {
		r.malformed("%d bytes left over behind the %s", len(r.b)-r.pos, what)
	}
}

// vector reads a vector of items of at least size bytes each.
func vector[T any](r *reader, size int, item func() T) []T {
	n := r.count(size)
	if n == 0 {
		return nil
	}
	list := make([]T, 0, n)
	for range n {
		list = append(list, item())
		if r.err != nil {
			return nil
		}
	}
	return list
}
