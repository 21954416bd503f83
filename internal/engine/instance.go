package engine

import (
	"context"
	"errors"
	"io"

	"github.com/wasport/wasport/internal/system"
)

// Instance is a guest that the embedder calls. Its methods are called by one goroutine at a time,
// except where a method says otherwise.
type Instance struct {
	inst  *instance
	first *thread
}

// Instantiate makes an instance, which runs the module's start function and _initialize. Trace and
// the error are those of Run. The caller closes the instance.
func (m *Module) Instantiate(
	sys *system.Guest, trace io.Writer, limits Limits,
) (_ *Instance, err error) {
	inst, err := m.newInstance(sys, trace, limits)
	if err != nil {
		return nil, err
	}
	i := &Instance{inst: inst}
	ready := false
	defer func() {
		if ready {
			return
		}
		if err == nil {
			err = errNotStarted
		}
		sys.Kill(err)
		i.Close()
	}()
	if i.first, err = inst.openThread(trace); err != nil {
		return nil, err
	}
	if err := i.first.initialize(); err != nil {
		return nil, err
	}
	i.first.LeaveGuest()
	ready = true
	return i, nil
}

// errNotStarted is the reason of an instance that started on a goroutine that has ended.
var errNotStarted = errors.New("the guest has not started")

// Close releases the instance. The guest has been killed.
func (i *Instance) Close() {
	if i.first != nil {
		i.first.close()
	}
	i.inst.waitThreads()
	i.inst.close()
}

// Holder returns the HostCall of this instance that a context comes from, or nil. Any goroutine may
// call it.
func (i *Instance) Holder(ctx context.Context) *HostCall {
	h, _ := ctx.Value(holderKey{i.inst}).(*HostCall)
	if h == nil || h.Returned() {
		return nil
	}
	return h
}

// Hold calls f with the right to call the instance's functions. The time that f computes is not
// the guest's.
func (i *Instance) Hold(ctx context.Context, f func(*HostCall) error) error {
	h := &HostCall{Context: ctx, thread: i.first}
	defer h.finish()
	return f(h)
}

// Call calls an exported function. If ctx ends before it returns, the error is the cause of ctx.
// The error is an *ArgumentError if nothing was called. Any other error has ended the guest.
func (i *Instance) Call(ctx context.Context, name string, args []uint64) ([]uint64, error) {
	i.first.EnterGuest()
	defer i.first.LeaveGuest()
	return i.first.callFor(ctx, name, args)
}

// Entry finds an exported function. Any goroutine may call it.
func (i *Instance) Entry(name string) (Entry, error) { return i.inst.module.Entry(name) }

// View is View of the instance's memory.
func (i *Instance) View(offset, length uint64, f func([]byte)) error {
	return i.first.view(offset, length, f)
}

// MemorySize returns the size of the instance's memory, in bytes. Any goroutine may call it.
func (i *Instance) MemorySize() uint64 { return i.first.memorySize() }

// callFor calls an exported function on behalf of the embedder; see Instance.Call.
func (t *thread) callFor(ctx context.Context, name string, args []uint64) ([]uint64, error) {
	f, err := t.function(name, len(args))
	if err != nil {
		return nil, err
	}
	if !f.numeric {
		t.discard(f)
		return nil, &ArgumentError{errNoNumbers}
	}
	outerCall, outer := t.BeginCall(ctx), t.embedderCall
	t.embedderCall = embedderCall{ctx: ctx}
	results, err := t.run(f, args)
	if end := t.embedderCall.endHostCtx; end != nil {
		end()
	}
	t.embedderCall = outer
	t.EndCall(outerCall)
	if err == nil && ctx.Err() != nil && t.Err() == nil {
		return nil, context.Cause(ctx)
	}
	if err != nil {
		t.Kill(err)
		return nil, t.Err()
	}
	return results, nil
}
