package canon

import (
	"math"
	"unsafe"
)

// Value is a value of the component model, as the generic path passes it. Which kind of value it is
// follows from its type and is not stored. A tag in bits tells the kind of memory behind ref, so
// that a wrong accessor gives an empty value and never reads other memory. The zero Value is the
// value of a function without a result, and the zero of each type.
//
//	bool, integers, char      Bool, Uint, Int
//	f32, f64                  Float
//	string                    Text
//	list<u8>                  Bytes
//	list, record, tuple       Items, in order
//	variant, option, result   Case and Payload; none and ok are case 0, some and error case 1
//	enum                      Case
//	flags                     Uint; the first label is bit 0
//	own, borrow               Rep: the number by which the definer of the resource knows it
//
// A Value may be copied. The memory that it refers to must not change.
type Value struct {
	bits uint64
	ref  unsafe.Pointer
}

// Tags in the upper byte of bits, if ref is not nil. The lower 32 bits are a length or a case.
const (
	tagText    = 1 << 56
	tagBytes   = 2 << 56
	tagItems   = 3 << 56
	tagPayload = 4 << 56
	tagMask    = 0xFF << 56
)

func (v Value) is(tag uint64) bool { return v.ref != nil && v.bits&tagMask == tag }
func (v Value) low() uint32        { return uint32(v.bits) }

// Bool makes a bool.
func Bool(b bool) Value {
	if b {
		return Value{bits: 1}
	}
	return Value{}
}

// Uint makes a u8, u16, u32, u64, char or flags.
func Uint(n uint64) Value { return Value{bits: n} }

// Int makes an s8, s16, s32 or s64.
func Int(n int64) Value { return Value{bits: uint64(n)} }

// Float32 makes an f32, and Float64 an f64. NaNs keep their bits.
func Float32(f float32) Value { return Value{bits: uint64(math.Float32bits(f))} }
func Float64(f float64) Value { return Value{bits: math.Float64bits(f)} }

// Rep makes a handle, own or borrow, of the resource that its definer knows by a number.
func Rep(rep uint32) Value { return Value{bits: uint64(rep)} }

// Text makes a string, which must be valid UTF-8.
func Text(s string) Value {
	return refer(tagText, len(s), unsafe.Pointer(unsafe.StringData(s)))
}

// Bytes makes a list<u8>. It keeps b.
func Bytes(b []byte) Value {
	return refer(tagBytes, len(b), unsafe.Pointer(unsafe.SliceData(b)))
}

// List makes a list of anything but u8. It keeps items.
func List(items []Value) Value {
	return refer(tagItems, len(items), unsafe.Pointer(unsafe.SliceData(items)))
}

// Tuple makes a record or tuple. It keeps fields.
func Tuple(fields ...Value) Value { return List(fields) }

// Case makes an enum, or a variant without a payload.
func Case(i int) Value { return Value{bits: uint64(uint32(i))} }

// CaseOf makes a variant with a payload.
func CaseOf(i int, payload Value) Value {
	return Value{bits: tagPayload | uint64(uint32(i)), ref: unsafe.Pointer(&payload)}
}

// None and Some make options.
func None() Value        { return Case(0) }
func Some(v Value) Value { return CaseOf(1, v) }

// OK and Err make results with a payload; Case(0) and Case(1) are those without.
func OK(v Value) Value  { return CaseOf(0, v) }
func Err(v Value) Value { return CaseOf(1, v) }

func refer(tag uint64, n int, ref unsafe.Pointer) Value {
	if n == 0 || uint64(n) > math.MaxUint32 {
		return Value{}
	}
	return Value{bits: tag | uint64(n), ref: ref}
}

// Bool returns a bool.
func (v Value) Bool() bool { return v.bits != 0 }

// Uint returns a u8, u16, u32, u64, char or flags.
func (v Value) Uint() uint64 { return v.bits }

// Int returns an s8, s16, s32 or s64.
func (v Value) Int() int64 { return int64(v.bits) }

// Float32 returns an f32, and Float64 an f64.
func (v Value) Float32() float32 { return math.Float32frombits(v.low()) }
func (v Value) Float64() float64 { return math.Float64frombits(v.bits) }

// Rep returns the number by which the definer knows the resource of a handle.
func (v Value) Rep() uint32 { return v.low() }

// Text returns a string.
func (v Value) Text() string {
	if !v.is(tagText) {
		return ""
	}
	return unsafe.String((*byte)(v.ref), v.low())
}

// Bytes returns a list<u8>, which the caller must not change.
func (v Value) Bytes() []byte {
	if !v.is(tagBytes) {
		return nil
	}
	return unsafe.Slice((*byte)(v.ref), v.low())
}

// Items returns the elements of a list that is no list<u8>, or the fields of a record or tuple. The
// caller must not change them.
func (v Value) Items() []Value {
	if !v.is(tagItems) {
		return nil
	}
	return unsafe.Slice((*Value)(v.ref), v.low())
}

// Case returns which case of a variant, enum, option or result the value is.
func (v Value) Case() int { return int(min(v.low(), math.MaxInt32)) }

// Payload returns the payload of a variant, option or result, the zero Value without one.
func (v Value) Payload() Value {
	if !v.is(tagPayload) {
		return Value{}
	}
	return *(*Value)(v.ref)
}
