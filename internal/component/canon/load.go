package canon

import (
	"unicode/utf8"

	"github.com/wasport/wasport/internal/component/wit"
)

// Limits of the copies of a guest's memory that one call makes; more is a trap. A function that
// takes more must be a direct one.
const (
	maxText     = 16 << 20 // bytes of strings and of lists of u8, decoded
	maxElements = 100_000  // elements of other lists
	maxValues   = 1 << 20  // Values of lists, records and payloads: 16 MiB
)

const (
	valueSize  = 16
	lenderSize = 8 // for an index in lifter.lenders, twice while that grows
)

// lifter makes Values of the values that a guest passes. No code of the guest runs meanwhile, so
// one view of the memory serves.
type lifter struct {
	mem  []byte
	opts *Options
	args []Value
	// lenders are the handles that are lent to the call.
	lenders []uint32
	// shows is set to read handles as their indices, without any effect on them.
	shows bool

	text, elements, values int
}

func newLifter(o *Options) lifter { return lifter{mem: o.view(), opts: o} }

// report tells Guest.Copied what was copied.
func (l *lifter) report() {
	bytes := l.text + l.values*valueSize
	if copied := l.opts.Instance.guest.Copied; copied != nil && bytes > 0 {
		copied(bytes)
	}
}

// params appends the arguments to args. Those in memory are at a place that was checked.
func (l *lifter) params(s *Signature, stack []uint64) error {
	if s.params == nil {
		return nil
	}
	f := flats{stack: stack}
	for _, field := range s.params.Fields() {
		var v Value
		var err error
		if s.paramsInMemory {
			v, err = l.load(field.Type, uint32(stack[0])+field.Offset)
		} else {
			v, err = l.flat(field.Type, &f)
		}
		if err != nil {
			return err
		}
		l.args = append(l.args, v)
	}
	return nil
}

// load reads a value of type t at p, which was checked to be in memory.
func (l *lifter) load(t *wit.Type, p uint32) (Value, error) {
	b := l.mem[p:]
	switch t.Kind() {
	case wit.KindString:
		return l.string(little.Uint32(b), little.Uint32(b[4:]))
	case wit.KindList:
		return l.list(t.Elem(), little.Uint32(b), little.Uint32(b[4:]))
	case wit.KindRecord, wit.KindTuple:
		return l.loadFields(t, p)
	case wit.KindVariant, wit.KindEnum, wit.KindOption, wit.KindResult:
		return l.loadVariant(t, p)
	}
	return l.scalar(t, loadUint(b, t.Size()))
}

// loadUint reads a number of 1, 2, 4 or 8 bytes.
func loadUint(b []byte, size uint32) uint64 {
	switch size {
	case 1:
		return uint64(b[0])
	case 2:
		return uint64(little.Uint16(b))
	case 4:
		return uint64(little.Uint32(b))
	}
	return little.Uint64(b)
}

func (l *lifter) loadFields(t *wit.Type, p uint32) (Value, error) {
	fields := t.Fields()
	items, err := l.newValues(len(fields))
	if err != nil {
		return Value{}, err
	}
	for i := range fields {
		f := &fields[i]
		if items[i], err = l.load(f.Type, p+f.Offset); err != nil {
			return Value{}, err
		}
	}
	return List(items), nil
}

func (l *lifter) loadVariant(t *wit.Type, p uint32) (Value, error) {
	payload, i, err := caseOf(t, loadUint(l.mem[p:], t.DiscriminantSize()))
	if err != nil || payload == nil {
		return Case(i), err
	}
	v, err := l.load(payload, p+t.PayloadOffset())
	return l.payload(i, v, err)
}

// payload makes a case with a payload.
func (l *lifter) payload(i int, v Value, err error) (Value, error) {
	if err != nil {
		return Value{}, err
	}
	if err := l.charge(&l.values, 1, maxValues, valueSize, "values"); err != nil {
		return Value{}, err
	}
	return CaseOf(i, v), nil
}

// caseOf checks a discriminant and returns the case's payload.
func caseOf(t *wit.Type, discriminant uint64) (*wit.Type, int, error) {
	if discriminant >= uint64(t.Cases()) {
		return nil, 0, Trapf("%s has no case %d", t, discriminant)
	}
	return t.Case(int(discriminant)), int(discriminant), nil
}

// flat reads a value of type t from core values.
func (l *lifter) flat(t *wit.Type, f *flats) (Value, error) {
	switch t.Kind() {
	case wit.KindString:
		ptr := uint32(f.next())
		return l.string(ptr, uint32(f.next()))
	case wit.KindList:
		ptr := uint32(f.next())
		return l.list(t.Elem(), ptr, uint32(f.next()))
	case wit.KindRecord, wit.KindTuple:
		return l.flatFields(t, f)
	case wit.KindVariant, wit.KindEnum, wit.KindOption, wit.KindResult:
		return l.flatVariant(t, f)
	}
	return l.scalar(t, f.next())
}

func (l *lifter) flatFields(t *wit.Type, f *flats) (Value, error) {
	fields := t.Fields()
	items, err := l.newValues(len(fields))
	if err != nil {
		return Value{}, err
	}
	for i := range fields {
		if items[i], err = l.flat(fields[i].Type, f); err != nil {
			return Value{}, err
		}
	}
	return List(items), nil
}

func (l *lifter) flatVariant(t *wit.Type, f *flats) (Value, error) {
	end := f.pos + t.FlatCount()
	payload, i, err := caseOf(t, uint64(uint32(f.next())))
	if err != nil || payload == nil {
		f.pos = end
		return Case(i), err
	}
	v, err := l.flat(payload, f)
	f.pos = end
	return l.payload(i, v, err)
}

// scalar makes a value of one number, of which the bits beyond its size are ignored.
func (l *lifter) scalar(t *wit.Type, n uint64) (Value, error) {
	switch t.Kind() {
	case wit.KindOwn, wit.KindBorrow:
		return l.handle(t, uint32(n))
	case wit.KindChar:
		if !isScalarValue(n) {
			return Value{}, Trapf("the char %#x is no Unicode scalar value", uint32(n))
		}
	}
	return Value{bits: narrow(t, n)}, nil
}

// narrow drops the bits of n that are not of a number of type t: it is zero-extended or, if it is
// signed, sign-extended to 64 bits.
func narrow(t *wit.Type, n uint64) uint64 {
	switch t.Kind() {
	case wit.KindBool:
		return Bool(uint32(n) != 0).bits
	case wit.KindS8:
		return uint64(int8(n))
	case wit.KindU8:
		return uint64(uint8(n))
	case wit.KindS16:
		return uint64(int16(n))
	case wit.KindU16:
		return uint64(uint16(n))
	case wit.KindS32:
		return uint64(int32(n))
	case wit.KindU32, wit.KindF32, wit.KindChar:
		return uint64(uint32(n))
	case wit.KindFlags:
		return n & (1<<len(t.Fields()) - 1)
	}
	return n
}

func isScalarValue(n uint64) bool { return utf8.ValidRune(rune(uint32(n))) }

// handle takes a handle that is passed away, or lends one (CanonicalABI.md, "lift_own" and
// "lift_borrow").
func (l *lifter) handle(t *wit.Type, i uint32) (Value, error) {
	if l.shows {
		return Rep(i), nil
	}
	table := &l.opts.Instance.table
	if t.Kind() == wit.KindBorrow {
		e, err := table.get(i, t.Resource())
		if err != nil {
			return Value{}, err
		}
		if err := l.opts.Instance.guest.hold(lenderSize); err != nil {
			return Value{}, err
		}
		e.lends++
		l.lenders = append(l.lenders, i)
		return Rep(e.rep), nil
	}
	e, err := table.get(i, t.Resource())
	if err != nil {
		return Value{}, err
	}
	if e.kind != entryOwn {
		return Value{}, Trapf("handle %d borrows its %s, which cannot be passed away",
			i, t.Resource().Name)
	}
	removed, err := table.remove(i, t.Resource())
	return Rep(removed.rep), err
}

func (l *lifter) list(elem *wit.Type, ptr, n uint32) (Value, error) {
	b, err := listBytes(l.mem, ptr, n, elem.Size(), elem.Align())
	if err != nil {
		return Value{}, err
	}
	if elem.Kind() == wit.KindU8 {
		if err := l.charge(&l.text, len(b), maxText, 1, "bytes"); err != nil {
			return Value{}, err
		}
		return Bytes(append([]byte(nil), b...)), nil
	}
	if err := l.charge(&l.elements, int(n), maxElements, 0, "list elements"); err != nil {
		return Value{}, err
	}
	items, err := l.newValues(int(n))
	if err != nil {
		return Value{}, err
	}
	for i := range items {
		if items[i], err = l.load(elem, ptr+uint32(i)*elem.Size()); err != nil {
			return Value{}, err
		}
	}
	return List(items), nil
}

func (l *lifter) newValues(n int) ([]Value, error) {
	if err := l.charge(&l.values, n, maxValues, valueSize, "values"); err != nil {
		return nil, err
	}
	return make([]Value, n), nil
}

// charge takes n from a limit of the call, and n times size bytes from the guest's budget.
func (l *lifter) charge(used *int, n, most, size int, what string) error {
	if n > most-*used {
		return Trapf("a call passes more than %d %s", most, what)
	}
	*used += n
	return l.opts.Instance.guest.hold(n * size)
}
