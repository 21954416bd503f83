package canon

import (
	"context"
	"fmt"

	"github.com/wasport/wasport/internal/component/wit"
)

// lowerer passes Values to a guest. The guest allocates memory for strings and lists meanwhile:
// after each call of realloc the memory is taken anew.
type lowerer struct {
	ctx  context.Context
	opts *Options
	// task is the call that borrow handles are made for.
	task *task
	// mem is the memory, nil if it has to be taken anew.
	mem []byte
}

// at returns size bytes at p. That they are there was checked before, but in another view.
func (w *lowerer) at(p, size uint32) ([]byte, error) {
	if w.mem == nil {
		w.mem = w.opts.view()
	}
	if err := checkRange(w.mem, p, size, 1); err != nil {
		return nil, Trapf("writing a value: %v", err)
	}
	return w.mem[p:][:size:size], nil
}

// store writes a value of type t at p.
func (w *lowerer) store(t *wit.Type, v Value, p uint32) error {
	switch t.Kind() {
	case wit.KindString, wit.KindList:
		ptr, n, err := w.pointer(t, v)
		if err != nil {
			return err
		}
		b, err := w.at(p, 8)
		if err != nil {
			return err
		}
		little.PutUint32(b, ptr)
		little.PutUint32(b[4:], n)
		return nil
	case wit.KindRecord, wit.KindTuple:
		return w.storeFields(t, v.Items(), p)
	case wit.KindVariant, wit.KindEnum, wit.KindOption, wit.KindResult:
		return w.storeVariant(t, v, p)
	}
	n, err := w.scalar(t, v)
	if err != nil {
		return err
	}
	return w.storeUint(n, p, t.Size())
}

// storeUint writes a number of 1, 2, 4 or 8 bytes.
func (w *lowerer) storeUint(n uint64, p, size uint32) error {
	b, err := w.at(p, size)
	if err != nil {
		return err
	}
	switch size {
	case 1:
		b[0] = byte(n)
	case 2:
		little.PutUint16(b, uint16(n))
	case 4:
		little.PutUint32(b, uint32(n))
	default:
		little.PutUint64(b, n)
	}
	return nil
}

func (w *lowerer) storeFields(t *wit.Type, items []Value, p uint32) error {
	fields := t.Fields()
	if len(items) != len(fields) {
		return wrongValue(t, "%d fields", len(items))
	}
	for i := range fields {
		if err := w.store(fields[i].Type, items[i], p+fields[i].Offset); err != nil {
			return err
		}
	}
	return nil
}

func (w *lowerer) storeVariant(t *wit.Type, v Value, p uint32) error {
	if v.Case() >= t.Cases() {
		return wrongValue(t, "case %d", v.Case())
	}
	if err := w.storeUint(uint64(v.Case()), p, t.DiscriminantSize()); err != nil {
		return err
	}
	payload := t.Case(v.Case())
	if payload == nil {
		return nil
	}
	return w.store(payload, v.Payload(), p+t.PayloadOffset())
}

// wrongValue is the error of a host function that returned a value which is not of its type.
func wrongValue(t *wit.Type, format string, args ...any) error {
	return fmt.Errorf("a host function made a value with %s for the type %s",
		fmt.Sprintf(format, args...), t)
}

// flat writes a value of type t as core values.
func (w *lowerer) flat(t *wit.Type, v Value, f *flats) error {
	switch t.Kind() {
	case wit.KindString, wit.KindList:
		ptr, n, err := w.pointer(t, v)
		if err != nil {
			return err
		}
		f.put(uint64(ptr))
		f.put(uint64(n))
		return nil
	case wit.KindRecord, wit.KindTuple:
		return w.flatFields(t, v.Items(), f)
	case wit.KindVariant, wit.KindEnum, wit.KindOption, wit.KindResult:
		return w.flatVariant(t, v, f)
	}
	n, err := w.scalar(t, v)
	if t.FlatAt(0) == wit.I32 {
		n = uint64(uint32(n))
	}
	f.put(n)
	return err
}

func (w *lowerer) flatFields(t *wit.Type, items []Value, f *flats) error {
	fields := t.Fields()
	if len(items) != len(fields) {
		return wrongValue(t, "%d fields", len(items))
	}
	for i := range fields {
		if err := w.flat(fields[i].Type, items[i], f); err != nil {
			return err
		}
	}
	return nil
}

// flatVariant writes the case, its payload, and zeros in the positions that only other payloads
// take.
func (w *lowerer) flatVariant(t *wit.Type, v Value, f *flats) error {
	if v.Case() >= t.Cases() {
		return wrongValue(t, "case %d", v.Case())
	}
	end := f.pos + t.FlatCount()
	f.put(uint64(v.Case()))
	if payload := t.Case(v.Case()); payload != nil {
		if err := w.flat(payload, v.Payload(), f); err != nil {
			return err
		}
	}
	for f.pos < end {
		f.put(0)
	}
	return nil
}

// scalar returns the number that a value is written as. Signed ones are sign-extended to 64 bits.
func (w *lowerer) scalar(t *wit.Type, v Value) (uint64, error) {
	switch t.Kind() {
	case wit.KindOwn, wit.KindBorrow:
		i, err := w.handle(t, v.Rep())
		return uint64(i), err
	case wit.KindChar:
		if !isScalarValue(v.bits) {
			return 0, wrongValue(t, "%#x", v.bits)
		}
	}
	return narrow(t, v.bits), nil
}

// handle makes a handle in the guest's table. A borrow by the instance that defines the resource
// needs none: it gets the number that it knows the resource by (CanonicalABI.md, "lower_borrow").
func (w *lowerer) handle(t *wit.Type, rep uint32) (uint32, error) {
	in, r := w.opts.Instance, t.Resource()
	if t.Kind() == wit.KindOwn {
		return in.addHandle(entry{kind: entryOwn, resource: r, rep: rep})
	}
	if r.Instance == in.number {
		return rep, nil
	}
	if w.task == nil {
		return 0, wrongValue(t, "a borrowed handle")
	}
	w.task.borrows++
	return in.addHandle(entry{kind: entryBorrow, resource: r, rep: rep, scope: w.task})
}

// pointer writes a string or list into memory that the guest allocates, and returns its place and
// length.
func (w *lowerer) pointer(t *wit.Type, v Value) (ptr, n uint32, err error) {
	if t.Kind() == wit.KindString {
		return w.string(v.Text())
	}
	elem := t.Elem()
	if elem.Kind() == wit.KindU8 {
		return w.bytes(v.Bytes())
	}
	items := v.Items()
	size := uint64(len(items)) * uint64(elem.Size())
	if ptr, err = w.allocate(elem.Align(), size); err != nil {
		return 0, 0, err
	}
	for i, item := range items {
		if err := w.store(elem, item, ptr+uint32(i)*elem.Size()); err != nil {
			return 0, 0, err
		}
	}
	return ptr, uint32(len(items)), nil
}

func (w *lowerer) bytes(b []byte) (ptr, n uint32, err error) {
	if ptr, err = w.allocate(1, uint64(len(b))); err != nil {
		return 0, 0, err
	}
	copy(w.opts.view()[ptr:], b)
	return ptr, uint32(len(b)), nil
}

// allocate is realloc with a size that may be beyond the limit of the canonical ABI.
func (w *lowerer) allocate(align uint32, size uint64) (uint32, error) {
	if size > wit.MaxSize {
		return 0, Trapf("a string or list takes %d bytes, at most %d are allowed",
			size, wit.MaxSize)
	}
	w.mem = nil
	return w.opts.realloc(w.ctx, align, uint32(size))
}
