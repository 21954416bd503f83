package canon

import (
	"context"

	"github.com/wasport/wasport/internal/component/wit"
)

// Signature is the type of a function, prepared for calls. It is made once and shared by all
// guests.
type Signature struct {
	Func *wit.Func

	// params is the tuple of the parameters, nil without any.
	params         *wit.Type
	paramsInMemory bool
	resultInMemory bool
	// flatParams counts the core values of the parameters, the pointer to them if they are in
	// memory; without a pointer to the result.
	flatParams int
	// resultSize and resultAlign are those of a result in memory.
	resultSize, resultAlign uint32
}

// NewSignature makes the signature of a function. It fails if the parameters exceed a limit.
func NewSignature(f *wit.Func) (*Signature, error) {
	params, err := f.ParamTuple()
	if err != nil {
		return nil, err
	}
	s := &Signature{Func: f, params: params, resultInMemory: f.ResultInMemory()}
	s.flatParams = f.FlatParams()
	if s.resultInMemory {
		s.resultSize, s.resultAlign = f.Result.Size(), f.Result.Align()
	}
	if f.ParamsInMemory() {
		s.paramsInMemory, s.flatParams = true, 1
	}
	return s, nil
}

// Lowered is a core function made of a component function, which a core module of the guest
// imports. The component function is Host or, if that is nil, Target: one of another component.
type Lowered struct {
	Signature *Signature
	Options   Options
	Host      *HostFunc
	Target    *Lifted
	// args and lenders are kept for the next call.
	args    []Value
	lenders []uint32
}

// Call calls the function with the parameters in stack, and puts a flat result into stack[0]. An
// error ends the guest.
func (l *Lowered) Call(ctx context.Context, stack []uint64) error {
	s, in := l.Signature, l.Options.Instance
	if in.mayNotLeave {
		return Trapf("%s was called by realloc or post-return, which may call no import", l.name())
	}
	c := &in.guest.call
	c.ctx, c.lowered, c.view = ctx, l, nil
	if s.resultInMemory {
		c.resultPtr = uint32(stack[s.flatParams])
		if !inRange(c.View(), c.resultPtr, s.resultSize, s.resultAlign) {
			return l.checkPlace(c.View(), c.resultPtr, s.Func.Result, "result")
		}
	}
	if s.paramsInMemory {
		err := l.checkPlace(c.View(), uint32(stack[0]), l.Signature.params, "parameters")
		if err != nil {
			return err
		}
	}
	if l.Host != nil && l.Host.Direct != nil {
		return l.Host.Direct(c, stack)
	}
	return l.callGeneric(ctx, stack, c.resultPtr)
}

func (l *Lowered) name() string {
	if l.Host != nil {
		return l.Host.Name
	}
	return "a function of another component"
}

// checkPlace checks that a value of type t can be at ptr in the caller's memory.
func (l *Lowered) checkPlace(mem []byte, ptr uint32, t *wit.Type, what string) error {
	if err := checkRange(mem, ptr, t.Size(), t.Align()); err != nil {
		return Trapf("%s: the place of the %s: %v", l.name(), what, err)
	}
	return nil
}

func (l *Lowered) callGeneric(ctx context.Context, stack []uint64, resultPtr uint32) error {
	in := l.Options.Instance
	defer in.guest.release(in.guest.held)
	args, lenders, err := l.liftParams(stack)
	if err != nil {
		return err
	}
	result, err := l.callComponent(ctx, args)
	if err != nil {
		return err
	}
	for _, i := range lenders {
		in.table.entries[i].lends--
	}
	l.keep(args, lenders)
	if l.Signature.Func.Result == nil {
		return nil
	}
	return l.lowerResult(ctx, result, stack, resultPtr)
}

// liftParams is apart, as lowerResult is, so that a function that waits does so without their
// variables on the stack.
func (l *Lowered) liftParams(stack []uint64) (args []Value, lenders []uint32, err error) {
	lift := newLifter(&l.Options)
	lift.args, lift.lenders = l.args[:0], l.lenders[:0]
	l.args, l.lenders = nil, nil
	err = lift.params(l.Signature, stack)
	if err == nil {
		lift.report()
	}
	return lift.args, lift.lenders, err
}

func (l *Lowered) lowerResult(
	ctx context.Context, result Value, stack []uint64, resultPtr uint32,
) error {
	w := lowerer{ctx: ctx, opts: &l.Options}
	if l.Signature.resultInMemory {
		return w.store(l.Signature.Func.Result, result, resultPtr)
	}
	return w.flat(l.Signature.Func.Result, result, &flats{stack: stack})
}

// maxKept is how many arguments and lenders are kept for the next call. A component may lower
// thousands of functions.
const maxKept = 16

func (l *Lowered) keep(args []Value, lenders []uint32) {
	if cap(args) <= maxKept {
		clear(args)
		l.args = args
	}
	if cap(lenders) <= maxKept {
		l.lenders = lenders
	}
}

// callComponent calls the function with lifted arguments and waits for its value.
func (l *Lowered) callComponent(ctx context.Context, args []Value) (Value, error) {
	if l.Host == nil {
		return l.Target.enter(ctx, l.Options.Instance, args)
	}
	c := &l.Options.Instance.guest.call
	c.args, c.result, c.later = args, Value{}, nil
	if err := l.Host.Generic(c); err != nil {
		return Value{}, err
	}
	if c.later == nil {
		return c.result, nil
	}
	select {
	case r := <-c.later:
		return r.value, r.err
	case <-ctx.Done():
		return Value{}, context.Cause(ctx)
	}
}
