package canon

import (
	"context"
	"encoding/hex"
	"fmt"
	"math"
	"strings"
	"testing"

	"github.com/wasport/wasport/internal/component/wit"
)

// heap is where the test's realloc begins: pointers in the vectors count from it.
const heap = 0x100

// bumpMemory is a memory with an allocator that never frees and grows the memory, which then lies
// elsewhere, unless it is still.
type bumpMemory struct {
	still bool
	bytes []byte
	next  uint32
	sizes []uint32
}

func newMemory() *bumpMemory { return &bumpMemory{bytes: make([]byte, heap), next: heap} }

func (m *bumpMemory) View() []byte { return m.bytes }

func (m *bumpMemory) Call(_ context.Context, stack []uint64) error {
	align, size := uint32(stack[2]), uint32(stack[3])
	m.next = (m.next + align - 1) &^ (align - 1)
	stack[0] = uint64(m.next) | 0xABCD<<32 // the upper half of an i32 may be anything
	m.next += size
	m.sizes = append(m.sizes, size)
	if m.still {
		m.bytes = append(m.bytes, make([]byte, int(m.next)-len(m.bytes))...)
		return nil
	}
	grown := make([]byte, m.next)
	copy(grown, m.bytes)
	for i := range m.bytes {
		m.bytes[i] = 0xEE // an old view must not be used again
	}
	m.bytes = grown
	return nil
}

const vectorTypes = `
	record point { x: u8, y: u32, z: u16 }
	record person { name: string, age: u8, tags: list<string> }
	variant shape { circle(f64), square(f32), triangle(point), nothing }
	variant nested { a(shape), b(option<u8>), c(string) }
	enum color { red, green, blue }
	flags small { a, b, c }
	flags large { a, b, c, d, e, f, g, h, i, j, k, l, m, n, o, p, q }
`

// vectors have values with their bytes in memory and with their core values. After a bar follow
// the bytes from heap on. Pointers are as realloc gives them.
var vectors = []struct {
	typ   string
	value Value
	bytes string
	flat  []uint64
}{
	{"bool", Bool(true), "01", []uint64{1}},
	{"bool", Bool(false), "00", []uint64{0}},
	{"u8", Uint(255), "ff", []uint64{255}},
	{"s8", Int(-1), "ff", []uint64{0xFFFF_FFFF}},
	{"u16", Uint(0x1234), "3412", []uint64{0x1234}},
	{"s16", Int(-2), "feff", []uint64{0xFFFF_FFFE}},
	{"u32", Uint(math.MaxUint32), "ffffffff", []uint64{math.MaxUint32}},
	{"s32", Int(math.MinInt32), "00000080", []uint64{0x8000_0000}},
	{"u64", Uint(math.MaxUint64), "ffffffffffffffff", []uint64{math.MaxUint64}},
	{"s64", Int(-3), "fdffffffffffffff", []uint64{math.MaxUint64 - 2}},
	{"f32", Float32(1.5), "0000c03f", []uint64{0x3FC0_0000}},
	{"f32", Value{bits: 0x7FA0_0001}, "0100a07f", []uint64{0x7FA0_0001}},
	{"f64", Float64(-2), "00000000000000c0", []uint64{0xC000_0000_0000_0000}},
	{"char", Uint('€'), "ac200000", []uint64{0x20AC}},
	{"char", Uint(0x10FFFF), "ffff1000", []uint64{0x10FFFF}},
	{"string", Text("hé"), "0001000003000000|68c3a9", []uint64{heap, 3}},
	{"string", Text(""), "0001000000000000|", []uint64{heap, 0}},
	{"list<u8>", Bytes([]byte{1, 2, 3}), "0001000003000000|010203", []uint64{heap, 3}},
	{"list<u8>", Bytes(nil), "0001000000000000|", []uint64{heap, 0}},
	{"list<u16>", List([]Value{Uint(1), Uint(2)}), "0001000002000000|01000200",
		[]uint64{heap, 2}},
	{"list<string>", List([]Value{Text("ab"), Text("c")}),
		"0001000002000000|10010000020000001201000001000000616263", []uint64{heap, 2}},
	{"list<point>", List([]Value{Tuple(Uint(1), Uint(2), Uint(3))}),
		"0001000001000000|010000000200000003000000", []uint64{heap, 1}},
	{"point", Tuple(Uint(1), Uint(2), Uint(3)), "010000000200000003000000", []uint64{1, 2, 3}},
	{"tuple<u8, u64>", Tuple(Uint(9), Uint(8)), "09000000000000000800000000000000",
		[]uint64{9, 8}},
	{"person", Tuple(Text("a"), Uint(4), List([]Value{Text("b")})),
		"0001000001000000040000000401000001000000|610000000c0100000100000062",
		[]uint64{heap, 1, 4, heap + 4, 1}},
	{"color", Case(2), "02", []uint64{2}},
	{"small", Uint(5), "05", []uint64{5}},
	{"large", Uint(0x10001), "01000100", []uint64{0x10001}},
	{"option<u32>", None(), "00", []uint64{0, 0}},
	{"option<u32>", Some(Uint(7)), "0100000007000000", []uint64{1, 7}},
	{"option<option<u8>>", Some(None()), "0100", []uint64{1, 0, 0}},
	{"option<option<u8>>", Some(Some(Uint(3))), "010103", []uint64{1, 1, 3}},
	{"result", Case(1), "01", []uint64{1}},
	{"result<u8>", OK(Uint(4)), "0004", []uint64{0, 4}},
	{"result<_, string>", Err(Text("x")), "010000000001000001000000|78", []uint64{1, heap, 1}},
	{"result<f32, s32>", OK(Float32(1)), "000000000000803f", []uint64{0, 0x3F80_0000}},
	{"result<f32, s32>", Err(Int(-1)), "01000000ffffffff", []uint64{1, 0xFFFF_FFFF}},
	{"result<f32, s64>", OK(Float32(-1)), "0000000000000000000080bf", []uint64{0, 0xBF80_0000}},
	{"result<s8, s64>", OK(Int(-1)), "0000000000000000ff", []uint64{0, 0xFFFF_FFFF}},
	{"shape", CaseOf(0, Float64(1)), "0000000000000000000000000000f03f",
		[]uint64{0, 0x3FF0_0000_0000_0000, 0, 0}},
	{"shape", CaseOf(1, Float32(1)), "01000000000000000000803f", []uint64{1, 0x3F80_0000, 0, 0}},
	{"shape", CaseOf(2, Tuple(Uint(1), Uint(2), Uint(3))),
		"0200000000000000010000000200000003000000", []uint64{2, 1, 2, 3}},
	{"shape", Case(3), "03", []uint64{3, 0, 0, 0}},
	{"nested", CaseOf(0, CaseOf(1, Float32(1))),
		"000000000000000001000000000000000000803f", []uint64{0, 1, 0x3F80_0000, 0, 0}},
	{"nested", CaseOf(1, Some(Uint(6))), "01000000000000000106", []uint64{1, 1, 6, 0, 0}},
	{"nested", CaseOf(2, Text("q")), "02000000000000000001000001000000|71",
		[]uint64{2, heap, 1, 0, 0}},
}

func newVectorScope(t testing.TB) *wit.Scope {
	t.Helper()
	s := &wit.Scope{}
	if err := s.Define(vectorTypes); err != nil {
		t.Fatal(err)
	}
	return s
}

func mustType(t testing.TB, s *wit.Scope, text string) *wit.Type {
	t.Helper()
	typ, err := s.Type(text)
	if err != nil {
		t.Fatal(err)
	}
	return typ
}

// at is where the tests store values.
const at = 0x40

func newOptions(m *bumpMemory, e Encoding) *Options {
	return &Options{
		Instance: new(Guest).NewInstance(1, nil), Encoding: e, Memory: m, Realloc: m,
	}
}

// wantBytes returns the bytes of a vector: those of the value, padded to its size, and the heap's.
func wantBytes(t *testing.T, text string, size uint32) (value, rest string) {
	t.Helper()
	value, rest, _ = strings.Cut(text, "|")
	return value + strings.Repeat("00", int(size)-len(value)/2), rest
}

func TestValuesInMemory(t *testing.T) {
	s := newVectorScope(t)
	for i, row := range vectors {
		t.Run(fmt.Sprintf("%d/%s", i, row.typ), func(t *testing.T) {
			typ := mustType(t, s, row.typ)
			value, rest := wantBytes(t, row.bytes, typ.Size())
			v := row.value
			for range 2 { // the second time with the value that was read
				m := newMemory()
				o := newOptions(m, UTF8)
				w := lowerer{ctx: t.Context(), opts: o}
				if err := w.store(typ, v, at); err != nil {
					t.Fatal(err)
				}
				if got := hex.EncodeToString(m.bytes[at:][:typ.Size()]); got != value {
					t.Errorf("got bytes %s, want %s", got, value)
				}
				if got := hex.EncodeToString(m.bytes[heap:]); got != rest {
					t.Errorf("got heap %s, want %s", got, rest)
				}
				lift := newLifter(o)
				var err error
				if v, err = lift.load(typ, at); err != nil {
					t.Fatal(err)
				}
				clear(m.bytes) // the value is a copy
			}
			if got, want := Print(typ, v), Print(typ, row.value); got != want {
				t.Errorf("got %s, want %s", got, want)
			}
		})
	}
}

func TestValuesAsCoreValues(t *testing.T) {
	s := newVectorScope(t)
	for i, row := range vectors {
		t.Run(fmt.Sprintf("%d/%s", i, row.typ), func(t *testing.T) {
			typ := mustType(t, s, row.typ)
			v := row.value
			for range 2 {
				m := newMemory()
				o := newOptions(m, UTF8)
				w := lowerer{ctx: t.Context(), opts: o}
				stack := make([]uint64, typ.FlatCount())
				for i := range stack {
					stack[i] = 0xDEAD // positions that are not used are written
				}
				if err := w.flat(typ, v, &flats{stack: stack}); err != nil {
					t.Fatal(err)
				}
				if got, want := fmt.Sprintf("%x", stack), fmt.Sprintf("%x", row.flat); got != want {
					t.Errorf("got core values %s, want %s", got, want)
				}
				for i := range stack {
					if typ.FlatAt(i) == wit.I32 {
						stack[i] |= 0xBAD << 32
					}
				}
				lift := newLifter(o)
				f := flats{stack: stack}
				var err error
				if v, err = lift.flat(typ, &f); err != nil {
					t.Fatal(err)
				}
				if f.pos != len(stack) {
					t.Errorf("read %d core values, want %d", f.pos, len(stack))
				}
			}
		})
	}
}

func TestReadingIgnoresSurplusBits(t *testing.T) {
	s := newVectorScope(t)
	for _, row := range []struct {
		typ  string
		flat uint64
		want Value
	}{
		{"bool", 2, Bool(true)},
		{"bool", 1 << 32, Bool(false)},
		{"u8", 0x1FF, Uint(0xFF)},
		{"s8", 0x180, Int(-128)},
		{"u16", 0x1_FFFF, Uint(0xFFFF)},
		{"s16", 0x1_8000, Int(-32768)},
		{"u32", 5<<32 | 1, Uint(1)},
		{"s32", 5<<32 | 0xFFFF_FFFF, Int(-1)},
		{"small", 0xFF, Uint(7)},
		{"large", 0xFFFF_FFFF, Uint(0x1_FFFF)},
	} {
		typ := mustType(t, s, row.typ)
		lift := newLifter(newOptions(newMemory(), UTF8))
		got, err := lift.flat(typ, &flats{stack: []uint64{row.flat}})
		if err != nil || got != row.want {
			t.Errorf("%s of %#x: got %#x, %v, want %#x", row.typ, row.flat, got.bits, err,
				row.want.bits)
		}
	}
}
