package wit

import (
	"fmt"
	"slices"
)

// CoreType is the type of a value of core WebAssembly, as it is encoded in a core module.
type CoreType byte

// The core types that values flatten to.
const (
	I32     CoreType = 0x7F
	I64     CoreType = 0x7E
	F32Core CoreType = 0x7D
	F64Core CoreType = 0x7C
)

// String returns the name in the text format.
func (c CoreType) String() string {
	switch c {
	case I32:
		return "i32"
	case I64:
		return "i64"
	case F32Core:
		return "f32"
	case F64Core:
		return "f64"
	}
	return fmt.Sprintf("core type %#x", byte(c))
}

// MaxFlatParams and MaxFlatResults are how many core values the parameters and the results of a
// function may have; beyond them they are in memory (CanonicalABI.md, "Flattening").
const (
	MaxFlatParams  = 16
	MaxFlatResults = 1
)

// flatTypes has the core types of a value. n is MaxFlatParams+1 for any larger number: nothing but
// the fact that it is too large matters then. So a type of a few bytes in a component does not take
// a thousand here.
type flatTypes struct {
	n     uint8
	types [MaxFlatParams]CoreType
}

func flatten(types ...CoreType) (f flatTypes) {
	for _, t := range types {
		f.add(t)
	}
	return f
}

func (f *flatTypes) add(t CoreType) {
	if f.n < MaxFlatParams {
		f.types[f.n] = t
	}
	f.n = min(f.n+1, MaxFlatParams+1)
}

func (f *flatTypes) addAll(g *flatTypes) {
	for _, t := range g.types[:min(g.n, MaxFlatParams)] {
		f.add(t)
	}
	if g.n > MaxFlatParams {
		f.n = g.n
	}
}

// join makes f the flat types of variants that have f or g as payloads (CanonicalABI.md, "join").
func (f *flatTypes) join(g *flatTypes) {
	for i, t := range g.types[:min(g.n, MaxFlatParams)] {
		if i < int(f.n) {
			f.types[i] = joinCore(f.types[i], t)
		} else {
			f.types[i] = t
		}
	}
	f.n = max(f.n, g.n)
}

func joinCore(a, b CoreType) CoreType {
	switch {
	case a == b:
		return a
	case a == I32 && b == F32Core, a == F32Core && b == I32:
		return I32
	}
	return I64
}

// Flat returns the core types of a value in order. It is nil if there are more than MaxFlatParams;
// see FlatCount.
func (t *Type) Flat() []CoreType {
	if t.flat.n > MaxFlatParams {
		return nil
	}
	return slices.Clone(t.flat.types[:t.flat.n])
}

// FlatCount returns how many core values a value flattens to; MaxFlatParams+1 for any number above
// MaxFlatParams.
func (t *Type) FlatCount() int { return int(t.flat.n) }

// FlatAt returns the core type of the flat value i, which must be less than FlatCount and than
// MaxFlatParams.
func (t *Type) FlatAt(i int) CoreType { return t.flat.types[i] }

func (t *Type) flattened() (f flatTypes) {
	switch t.kind {
	case KindList:
		return flatten(I32, I32)
	case KindFlags:
		return flatten(I32)
	case KindRecord, KindTuple:
		for _, field := range t.fields {
			f.addAll(&field.Type.flat)
		}
		return f
	}
	f.add(I32)
	var payload flatTypes
	for i := range t.Cases() {
		if p := t.Case(i); p != nil {
			payload.join(&p.flat)
		}
	}
	f.addAll(&payload)
	return f
}

// PayloadOffset returns the position of the payload from the start of a variant, option or result.
// It is a multiple of the greatest alignment of the payloads, not of the whole variant's.
func (t *Type) PayloadOffset() uint32 { return t.payload }

// DiscriminantSize returns the bytes of the number of the case in memory: 1, 2 or 4.
func (t *Type) DiscriminantSize() uint32 { return discriminantSize(t.Cases()) }

func discriminantSize(cases int) uint32 {
	switch {
	case cases <= 1<<8:
		return 1
	case cases <= 1<<16:
		return 2
	}
	return 4
}

// layOut computes size, alignment and the position of a payload.
func (t *Type) layOut() error {
	size, align := uint64(8), uint32(4)
	switch t.kind {
	case KindList:
	case KindFlags:
		align = flagsSize(len(t.fields))
		size = uint64(align)
	case KindRecord, KindTuple:
		align = 1
		for _, f := range t.fields {
			align = max(align, f.Type.Align())
		}
		last := t.fields[len(t.fields)-1]
		size = alignUp(uint64(last.Offset)+uint64(last.Type.size), align)
	default:
		size, align = t.layOutVariant()
	}
	if size > MaxSize {
		return fmt.Errorf("a %s takes more than %d bytes of memory", t.kind, MaxSize)
	}
	t.size, t.align = uint32(size), uint8(align)
	return nil
}

func (t *Type) layOutVariant() (uint64, uint32) {
	size, align := uint32(0), uint32(1)
	for i := range t.Cases() {
		if p := t.Case(i); p != nil {
			size, align = max(size, p.size), max(align, p.Align())
		}
	}
	discriminant := t.DiscriminantSize()
	t.payload = uint32(alignUp(uint64(discriminant), align))
	align = max(align, discriminant)
	return alignUp(uint64(t.payload)+uint64(size), align), align
}

func flagsSize(labels int) uint32 {
	switch {
	case labels <= 8:
		return 1
	case labels <= 16:
		return 2
	}
	return 4
}

// withOffsets returns fields with their positions in memory, one after another, each at the next
// multiple of its alignment. Positions beyond MaxSize stay there, so that they cannot wrap.
func withOffsets(fields []Field) []Field {
	placed := slices.Clone(fields)
	end := uint64(0)
	for i := range placed {
		f := &placed[i]
		offset := min(alignUp(end, f.Type.Align()), MaxSize+1)
		f.Offset = uint32(offset)
		end = offset + uint64(f.Type.size)
	}
	return placed
}

func alignUp(n uint64, align uint32) uint64 {
	return (n + uint64(align) - 1) &^ (uint64(align) - 1)
}
