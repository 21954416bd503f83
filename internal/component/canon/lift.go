package canon

import "context"

// Lifted is a component function made of a core function of the guest.
type Lifted struct {
	Signature *Signature
	Core      Core
	Options   Options
}

// Call calls the function from the host. An error ends the guest.
func (l *Lifted) Call(ctx context.Context, args []Value) (Value, error) {
	return l.enter(ctx, nil, args)
}

// enter calls the function from a component instance, or from the host if that is nil
// (CanonicalABI.md, "canon lift").
func (l *Lifted) enter(ctx context.Context, from *Instance, args []Value) (Value, error) {
	in := l.Options.Instance
	if err := in.enter(from); err != nil {
		return Value{}, err
	}
	n := max(l.Signature.flatParams, 1)
	stack := in.guest.push(n)
	t := &task{}
	if err := l.lowerParams(ctx, t, args, stack); err != nil {
		return Value{}, in.guest.end(err)
	}
	if err := l.Core.Call(ctx, stack); err != nil {
		return Value{}, in.guest.end(err)
	}
	result, err := l.liftResult(stack)
	if err == nil && t.borrows != 0 {
		err = Trapf("a call returned with %d borrowed handles that were not dropped", t.borrows)
	}
	if err == nil {
		err = l.postReturn(ctx, stack)
	}
	if err != nil {
		return Value{}, in.guest.end(err)
	}
	in.guest.pop(n)
	in.leave(from)
	return result, nil
}

// lowerParams puts the arguments into stack, or into memory with a pointer to them in stack.
func (l *Lifted) lowerParams(
	ctx context.Context, t *task, args []Value, stack []uint64,
) error {
	s := l.Signature
	if s.params == nil {
		return nil
	}
	w := lowerer{ctx: ctx, opts: &l.Options, task: t}
	if !s.paramsInMemory {
		return w.flatFields(s.params, args, &flats{stack: stack})
	}
	ptr, err := l.Options.realloc(ctx, s.params.Align(), s.params.Size())
	if err != nil {
		return err
	}
	stack[0] = uint64(ptr)
	return w.storeFields(s.params, args, ptr)
}

// liftResult reads the result that the core function returned in stack.
func (l *Lifted) liftResult(stack []uint64) (Value, error) {
	s := l.Signature
	if s.Func.Result == nil {
		return Value{}, nil
	}
	lift := newLifter(&l.Options)
	defer lift.report()
	if !s.resultInMemory {
		return lift.flat(s.Func.Result, &flats{stack: stack})
	}
	ptr := uint32(stack[0])
	if err := checkRange(lift.mem, ptr, s.Func.Result.Size(), s.Func.Result.Align()); err != nil {
		return Value{}, Trapf("the place of the result: %v", err)
	}
	return lift.load(s.Func.Result, ptr)
}

// postReturn lets the guest free the result, which has been read. It gets the flat result, so a
// pointer to one in memory.
func (l *Lifted) postReturn(ctx context.Context, stack []uint64) error {
	if l.Options.PostReturn == nil {
		return nil
	}
	in := l.Options.Instance
	in.mayNotLeave = true
	err := l.Options.PostReturn.Call(ctx, stack)
	in.mayNotLeave = false
	return err
}
