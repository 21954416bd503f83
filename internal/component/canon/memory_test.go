package canon

import (
	"context"
	"errors"
	"fmt"
	"math"
	"testing"

	"github.com/wasport/wasport/internal/component/wit"
)

func TestWrongValuesTrap(t *testing.T) {
	s := newVectorScope(t)
	if err := s.Define("resource thing;"); err != nil {
		t.Fatal(err)
	}
	const far = 0xFFFF_FFF0
	for _, row := range []struct {
		typ  string
		flat []uint64
		want string
	}{
		{"char", []uint64{0xD800}, "no Unicode scalar value"},
		{"char", []uint64{0xDFFF}, "no Unicode scalar value"},
		{"char", []uint64{0x11_0000}, "no Unicode scalar value"},
		{"char", []uint64{math.MaxUint32}, "no Unicode scalar value"},
		{"color", []uint64{3}, "color has no case 3"},
		{"option<u8>", []uint64{2, 0}, "no case 2"},
		{"result", []uint64{math.MaxUint32}, "no case 4294967295"},
		{"shape", []uint64{4, 0, 0, 0}, "shape has no case 4"},
		{"list<u8>", []uint64{heap, 1}, "not in the memory"},
		{"list<u8>", []uint64{heap + 1, 0}, "not in the memory"},
		{"list<u8>", []uint64{far, 0x10}, "not in the memory"},
		{"list<u8>", []uint64{0, wit.MaxSize + 1}, "at most 268435455"},
		{"list<u32>", []uint64{2, 0}, "not aligned to 4"},
		{"list<u32>", []uint64{0, heap/4 + 1}, "not in the memory"},
		{"list<u64>", []uint64{4, 1}, "not aligned to 8"},
		{"list<u64>", []uint64{0, math.MaxUint32}, "at most 268435455"},
		{"list<point>", []uint64{far, 1}, "not in the memory"},
		{"own<thing>", []uint64{0}, "no handle 0"},
		{"own<thing>", []uint64{1}, "no handle 1"},
		{"borrow<thing>", []uint64{math.MaxUint32}, "no handle 4294967295"},
	} {
		t.Run(fmt.Sprint(row.typ, row.flat), func(t *testing.T) {
			typ := mustType(t, s, row.typ)
			lift := newLifter(newOptions(newMemory(), UTF8))
			_, err := lift.flat(typ, &flats{stack: row.flat})
			wantTrap(t, err, row.want)
		})
	}
}

func TestLimitsOfACall(t *testing.T) {
	s := newVectorScope(t)
	for _, row := range []struct {
		typ         string
		size        int
		most, count uint64
		want        string
	}{
		{"list<u8>", maxText + 1, maxText, 1, "more than 16777216 bytes"},
		{"string", maxText + 1, maxText, 1, "more than 16777216 bytes"},
		{"list<u16>", 2*maxElements + 2, maxElements, 1, "more than 100000 list elements"},
		// Each element of 16 fields is 17 Values.
		{"list<tuple<u8, u8, u8, u8, u8, u8, u8, u8, u8, u8, u8, u8, u8, u8, u8, u8>>",
			2 << 20, maxValues / 17, 1, "more than 1048576 values"},
	} {
		t.Run(row.typ, func(t *testing.T) {
			typ := mustType(t, s, row.typ)
			o := newOptions(&bumpMemory{bytes: make([]byte, row.size)}, UTF8)
			lift := newLifter(o)
			if _, err := lift.flat(typ, &flats{stack: []uint64{0, row.most}}); err != nil {
				t.Errorf("the most: %v", err)
			}
			lift = newLifter(o)
			_, err := lift.flat(typ, &flats{stack: []uint64{0, row.most + 1}})
			wantTrap(t, err, row.want)
			// Two values of one call count together.
			lift = newLifter(o)
			if _, err = lift.flat(typ, &flats{stack: []uint64{0, row.most/2 + 1}}); err == nil {
				_, err = lift.flat(typ, &flats{stack: []uint64{0, row.most/2 + 1}})
			}
			wantTrap(t, err, row.want)
		})
	}
}

// hostile is a realloc that answers as it likes.
type hostile struct {
	bumpMemory
	answer func(m *hostile, align, size uint32) (uint32, error)
}

func (m *hostile) Call(_ context.Context, stack []uint64) (err error) {
	ptr, err := m.answer(m, uint32(stack[2]), uint32(stack[3]))
	stack[0] = uint64(ptr)
	return err
}

func TestHostileRealloc(t *testing.T) {
	ended := errors.New("the guest has ended")
	s := newVectorScope(t)
	for _, row := range []struct {
		name   string
		answer func(m *hostile, align, size uint32) (uint32, error)
		want   string
	}{
		{"misaligned", func(m *hostile, align, size uint32) (uint32, error) {
			return 0x21, nil
		}, "not aligned"},
		{"beyond the memory", func(m *hostile, align, size uint32) (uint32, error) {
			return heap, nil
		}, "not in the memory"},
		{"wrapping", func(m *hostile, align, size uint32) (uint32, error) {
			return 0xFFFF_FFF8, nil
		}, "not in the memory"},
		{"half within", func(m *hostile, align, size uint32) (uint32, error) {
			return heap - 8, nil
		}, "not in the memory"},
		{"memory that shrinks", func(m *hostile, align, size uint32) (uint32, error) {
			m.bytes = m.bytes[:at+size]
			return at, nil
		}, "not in the memory"},
		{"no memory left", func(m *hostile, align, size uint32) (uint32, error) {
			m.bytes = nil
			return 0, nil
		}, "not in the memory"},
		{"ended", func(m *hostile, align, size uint32) (uint32, error) {
			return 0, ended
		}, ""},
	} {
		for _, text := range []string{"tuple<u64, list<u64>>", "tuple<string, string>", "person"} {
			t.Run(row.name+"/"+text, func(t *testing.T) {
				m := &hostile{bumpMemory: *newMemory(), answer: row.answer}
				o := &Options{Instance: new(Guest).NewInstance(1, nil), Encoding: UTF16, Memory: m,
					Realloc: m}
				typ := mustType(t, s, text)
				w := lowerer{ctx: t.Context(), opts: o}
				v := Tuple(Uint(1), List([]Value{Uint(1), Uint(2)}))
				if typ.Fields()[0].Type == wit.String {
					v = Tuple(Text("hello"), Text("world"))
				}
				if typ.Kind() == wit.KindRecord {
					v = Tuple(Text("hello"), Uint(1), List([]Value{Text("a")}))
				}
				err := w.store(typ, v, heap-typ.Size())
				if row.want == "" {
					if err != ended {
						t.Errorf("got %v, want %v", err, ended)
					}
					return
				}
				wantTrap(t, err, row.want)
			})
		}
	}
}

func TestOverlappingReallocIsTheGuestsAffair(t *testing.T) {
	// All places are the same: the guest overwrites its own values, no more.
	m := &hostile{bumpMemory: *newMemory(), answer: func(*hostile, uint32, uint32) (uint32, error) {
		return at, nil
	}}
	o := &Options{Instance: new(Guest).NewInstance(1, nil), Memory: m, Realloc: m}
	s := newVectorScope(t)
	typ := mustType(t, s, "list<list<string>>")
	inner := List([]Value{Text("abcdefgh"), Text("x")})
	w := lowerer{ctx: t.Context(), opts: o}
	if err := w.store(typ, List([]Value{inner, inner, inner}), at); err != nil {
		t.Error(err)
	}
}

func TestSizesBeyondTheABI(t *testing.T) {
	w := lowerer{ctx: t.Context(), opts: newOptions(newMemory(), UTF8)}
	_, err := w.allocate(1, wit.MaxSize+1)
	wantTrap(t, err, "at most 268435455")
}

func TestWrongValuesOfHostsAreErrors(t *testing.T) {
	s := newVectorScope(t)
	if err := s.Define("resource thing;"); err != nil {
		t.Fatal(err)
	}
	for _, row := range []struct {
		typ   string
		value Value
	}{
		{"color", Case(3)},
		{"option<u8>", Case(2)},
		{"shape", CaseOf(-1, Uint(1))},
		{"point", Tuple(Uint(1))},
		{"point", Uint(1)},
		{"char", Uint(0xD800)},
		{"borrow<thing>", Rep(1)},
	} {
		typ := mustType(t, s, row.typ)
		m := newMemory()
		w := lowerer{ctx: t.Context(), opts: newOptions(m, UTF8)}
		if err := w.store(typ, row.value, at); err == nil {
			t.Errorf("%s in memory: got no error", row.typ)
		}
		stack := make([]uint64, typ.FlatCount())
		if err := w.flat(typ, row.value, &flats{stack: stack}); err == nil {
			t.Errorf("%s as core values: got no error", row.typ)
		}
	}
}

func TestWrongAccessorsGiveEmptyValues(t *testing.T) {
	values := []Value{{}, Uint(math.MaxUint64), Text("abc"), Bytes([]byte("abc")),
		List([]Value{Uint(1)}), CaseOf(5, Uint(1)), Case(5), Uint(tagText | 5)}
	for i, v := range values {
		if got := v.Text(); (got != "") != (i == 2) {
			t.Errorf("value %d: got text %q", i, got)
		}
		if got := v.Bytes(); (got != nil) != (i == 3) {
			t.Errorf("value %d: got bytes %q", i, got)
		}
		if got := v.Items(); (got != nil) != (i == 4) {
			t.Errorf("value %d: got items %v", i, got)
		}
		if got := v.Payload(); (got != Value{}) != (i == 5) {
			t.Errorf("value %d: got payload %v", i, got)
		}
	}
}
