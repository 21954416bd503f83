package canon

import (
	"context"
	"encoding/binary"
	"slices"
	"testing"

	"github.com/wasport/wasport/internal/component/wit"
)

// chooser takes decisions from bytes; 0 when they are used up.
type chooser struct{ rest []byte }

func (c *chooser) byte() byte {
	if len(c.rest) == 0 {
		return 0
	}
	b := c.rest[0]
	c.rest = c.rest[1:]
	return b
}

func (c *chooser) below(n int) int { return int(c.byte()) % n }

var fuzzResources = []*wit.Resource{{Name: "host"}, {Name: "own", Instance: 1},
	{Name: "other", Instance: 2}}

// typ makes a type of at most depth levels; borrows allows borrow handles.
func (c *chooser) typ(depth int, borrows bool) *wit.Type {
	leaves := []*wit.Type{wit.Bool, wit.S8, wit.U8, wit.S16, wit.U16, wit.S32, wit.U32, wit.S64,
		wit.U64, wit.F32, wit.F64, wit.Char, wit.String}
	labels := func() []string { return make([]string, 1+c.below(32)) }
	kind := c.below(len(leaves) + 11)
	if kind < len(leaves) || depth == 0 {
		return leaves[kind%len(leaves)]
	}
	var t *wit.Type
	var err error
	switch kind - len(leaves) {
	case 0:
		t, err = wit.List(c.typ(depth-1, borrows))
	case 1:
		t, err = wit.Option(c.typ(depth-1, borrows))
	case 2:
		t, err = wit.Result(c.typ(depth-1, borrows), c.typ(depth-1, borrows))
	case 3:
		t, err = wit.Result(nil, c.typ(depth-1, borrows))
	case 4, 5:
		fields := make([]wit.Field, 1+c.below(6))
		for i := range fields {
			fields[i].Type = c.typ(depth-1, borrows)
		}
		t, err = wit.Record(fields)
	case 6:
		cases := make([]wit.Field, 1+c.below(300))
		for i := range min(len(cases), 4) {
			cases[i].Type = c.typ(depth-1, borrows)
		}
		t, err = wit.Variant(cases)
	case 7:
		t, err = wit.Enum(labels())
	case 8:
		t, err = wit.Flags(labels())
	case 9:
		t = wit.Own(fuzzResources[c.below(3)])
	default:
		t = wit.Own(fuzzResources[c.below(3)])
		if borrows {
			t = wit.Borrow(fuzzResources[c.below(3)])
		}
	}
	if err != nil {
		return wit.U8
	}
	return t
}

// FuzzCanonicalABI calls functions of arbitrary types between two components, with arbitrary
// memories and core values, and a realloc that may answer anything. Nothing may panic, and a value
// that came through must be the same when it comes through again.
func FuzzCanonicalABI(f *testing.F) {
	f.Add([]byte{}, []byte{}, []byte{})
	f.Add([]byte{13, 12, 12, 0, 1}, []byte("hello, memory"), []byte{1, 0, 0, 0, 0, 0, 0, 0})
	f.Add([]byte{17, 3, 2, 12, 13, 8, 22, 1, 23, 2}, []byte{1, 2, 3, 4, 5, 6, 7, 8, 9}, []byte{8})
	f.Add([]byte{2, 19, 5, 13, 13, 12, 9, 10, 22, 22}, make([]byte, 256), []byte{1, 2, 3})
	f.Fuzz(func(t *testing.T, decisions, memory, core []byte) {
		if len(memory) > 1<<16 {
			return
		}
		c := &chooser{decisions}
		fn := &wit.Func{}
		for range c.below(5) {
			fn.Params = append(fn.Params, wit.Param{Type: c.typ(4, true)})
		}
		if c.below(4) != 0 {
			fn.Result = c.typ(4, false)
		}
		sig, err := NewSignature(fn)
		if err != nil {
			return
		}
		fuzzCall(t, c, sig, memory, core)
	})
}

func fuzzCall(t *testing.T, c *chooser, sig *Signature, memory, core []byte) {
	guest := new(Guest)
	a, b := guest.NewInstance(1, nil), guest.NewInstance(2, nil)
	for i := range 6 {
		e := entry{kind: entryOwn, resource: fuzzResources[i%3], rep: uint32(i)}
		_, _ = a.table.add(e)
		_, _ = b.table.add(e)
	}
	stack := make([]uint64, wit.MaxFlatParams+1)
	for i := range stack {
		if len(core) >= 8*(i+1) {
			stack[i] = binary.LittleEndian.Uint64(core[8*i:])
		} else if i < len(core) {
			stack[i] = uint64(core[i])
		}
	}
	newGuestMemory := func() *hostile {
		m := &hostile{bumpMemory: bumpMemory{still: true, bytes: slices.Clone(memory)}}
		m.next = uint32(len(memory))
		mode := c.below(4)
		m.answer = func(m *hostile, align, size uint32) (uint32, error) {
			if mode != 0 {
				return uint32(c.byte())<<mode | uint32(c.byte()), nil
			}
			s := []uint64{0, 0, uint64(align), uint64(size)}
			err := m.bumpMemory.Call(t.Context(), s)
			return uint32(s[0]), err
		}
		return m
	}
	calleeMemory := newGuestMemory()
	target := &Lifted{Signature: sig, Options: Options{Instance: b,
		Encoding: Encoding(c.below(3)), Memory: calleeMemory, Realloc: calleeMemory}}
	target.Core = coreFunc(func(context.Context, []uint64) error { return nil })
	callerMemory := newGuestMemory()
	lowered := &Lowered{Signature: sig, Target: target, Options: Options{Instance: a,
		Encoding: Encoding(c.below(3)), Memory: callerMemory, Realloc: callerMemory}}
	shown := lowered.Show(stack)
	if err := lowered.Call(t.Context(), stack); err == nil && sig.Func.Result != nil {
		shown.Result(stack)
	}
	checkRoundTrip(t, sig, memory, stack)
}

// checkRoundTrip reads the parameters, writes them into a new memory, reads them again and compares
// them.
func checkRoundTrip(t *testing.T, sig *Signature, memory []byte, stack []uint64) {
	if sig.params == nil || sig.paramsInMemory || hasHandles(sig.params) {
		return
	}
	lift := newLifter(newOptions(&bumpMemory{bytes: memory}, UTF8))
	v, err := lift.flat(sig.params, &flats{stack: stack})
	if err != nil {
		return
	}
	var bytes [3][]byte
	for i, encoding := range []Encoding{Latin1UTF16, UTF16, Latin1UTF16} {
		m := newMemory()
		m.still = true
		o := newOptions(m, encoding)
		place, err := o.realloc(t.Context(), sig.params.Align(), sig.params.Size())
		if err != nil {
			t.Fatal(err)
		}
		w := lowerer{ctx: t.Context(), opts: o}
		if err := w.store(sig.params, v, place); err != nil {
			t.Fatalf("storing a value that was read: %v", err)
		}
		bytes[i] = slices.Clone(m.bytes)
		lift := newLifter(o)
		if v, err = lift.load(sig.params, place); err != nil {
			t.Fatalf("reading a value that was stored: %v", err)
		}
	}
	if !slices.Equal(bytes[0], bytes[2]) {
		t.Errorf("got %x, want %x again", bytes[2], bytes[0])
	}
	_ = Print(sig.params, v)
}

func hasHandles(t *wit.Type) bool {
	if t == nil {
		return false
	}
	if t.Kind() == wit.KindOwn || t.Kind() == wit.KindBorrow {
		return true
	}
	for _, f := range t.Fields() {
		if hasHandles(f.Type) {
			return true
		}
	}
	if t.Kind() == wit.KindResult && hasHandles(t.Err()) {
		return true
	}
	return hasHandles(t.Elem())
}
