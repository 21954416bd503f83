package engine

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"

	"github.com/tetratelabs/wazero/api"

	"github.com/wasport/wasport/internal/outside"
	"github.com/wasport/wasport/internal/system"
)

// HostFunction is a function of the embedder's that guests may import.
type HostFunction struct {
	Module, Name    string
	Params, Results []api.ValueType

	// Call runs the function. The values are its arguments, and then its results.
	Call func(h *HostCall, values []uint64)
}

const (
	// maxHostCalls bounds how deep calls of the embedder's functions and of the guest's nest. Each
	// takes a part of Go's stack, which ends the process when it is full.
	maxHostCalls = 100

	// hostCallGarbage is the size of a HostCall, in bytes.
	hostCallGarbage = 128
)

var (
	errTooDeep   = errors.New("stack overflow: too many nested calls of the host and the guest")
	errReturned  = errors.New("the host function has returned, and its guest goes on")
	errCallBusy  = errors.New("the guest is in another call with the same context")
	errNoNumbers = errors.New("the function has parameters or results that are not numbers")
)

// HostCall is the right of the embedder's code to call a guest's functions on one of its threads.
// Host functions have it until they return. It is the context of their call, which ends with the
// guest and with the call of the guest that they are part of.
type HostCall struct {
	context.Context
	thread *thread

	// imported is set if a guest has called the code.
	imported bool

	// mu is held during a call of the guest, and while returned is set.
	mu       sync.Mutex
	returned atomic.Bool
}

type (
	hostCallKey struct{}
	holderKey   struct{ inst *instance }
)

// Value implements context.Context.
func (h *HostCall) Value(key any) any {
	switch key {
	case hostCallKey{}, holderKey{h.thread.inst}:
		return h
	}
	return h.Context.Value(key)
}

// HostCallOf returns the innermost HostCall that a context comes from, or nil.
func HostCallOf(ctx context.Context) *HostCall {
	h, _ := ctx.Value(hostCallKey{}).(*HostCall)
	return h
}

// finish ends the right. It waits for a call of the guest by another goroutine.
func (h *HostCall) finish() {
	h.mu.Lock()
	h.returned.Store(true)
	h.mu.Unlock()
}

// Returned reports whether the host function has returned.
func (h *HostCall) Returned() bool { return h.returned.Load() }

// Call calls an exported function of the guest.
func (h *HostCall) Call(ctx context.Context, name string, args []uint64) ([]uint64, error) {
	free := h.mu.TryLock()
	if free {
		defer h.mu.Unlock()
	}
	switch {
	case h.Returned(): // even if another goroutine's late call holds the lock
		return nil, &ArgumentError{errReturned}
	case !free:
		return nil, &ArgumentError{errCallBusy}
	}
	t := h.thread
	if !h.imported {
		t.EnterGuest()
		defer t.LeaveGuest()
		return t.callFor(ctx, name, args)
	}
	outer := t.CurrentImport()
	t.LeaveCall()
	t.LeaveOutside()
	defer func() {
		t.EnterOutside()
		t.EnterCall(outer)
	}()
	return t.callFor(ctx, name, args)
}

// View is View of the guest's memory.
func (h *HostCall) View(offset, length uint64, f func([]byte)) error {
	return h.thread.view(offset, length, f)
}

// Guest returns the context of the guest.
func (h *HostCall) Guest() context.Context { return h.thread.Context() }

// Entry finds an exported function of the guest.
func (h *HostCall) Entry(name string) (Entry, error) { return h.thread.inst.module.Entry(name) }

// MemorySize returns the size of the guest's memory, in bytes.
func (h *HostCall) MemorySize() uint64 { return h.thread.memorySize() }

// embedderFunction is a host function in the form that wazero calls.
type embedderFunction struct {
	name string // as in outside.Panic.In
	call func(h *HostCall, mod api.Module, stack []uint64)

	// paramWords and resultWords are the indices of values of 32 bits in the stack.
	paramWords, resultWords words
}

// Call implements api.GoModuleFunction.
func (f *embedderFunction) Call(ctx context.Context, mod api.Module, stack []uint64) {
	t := callingThread(ctx)
	if t.hostCalls == maxHostCalls {
		panic(guestFault{errTooDeep})
	}
	t.hostCalls++
	f.callProtected(&HostCall{Context: t.hostContext(), thread: t, imported: true}, mod, stack)
	t.hostCalls--
	t.ChargeGarbage(hostCallGarbage)
	t.ChargeSteps(1)
	if err := t.Err(); err != nil {
		panic(err)
	}
}

// callProtected calls the function. If it panics or ends its goroutine, the guest is killed.
func (f *embedderFunction) callProtected(h *HostCall, mod api.Module, stack []uint64) {
	t, returned := h.thread, false
	t.EnterCall(&f.name)
	t.EnterOutside()
	defer func() {
		if !returned {
			t.endFor(outside.NewPanic(f.name, recover()))
		}
		h.finish()
		t.LeaveOutside()
		t.LeaveCall()
	}()
	f.paramWords.narrow(stack)
	f.call(h, mod, stack)
	f.resultWords.narrow(stack)
	returned = true
}

// endFor kills the guest because the embedder's code panicked. A panic with the guest's exit, which
// a call of the guest has returned, is that exit.
func (t *thread) endFor(p *outside.Panic) {
	var exit *system.Exit
	if errors.As(p, &exit) {
		t.Kill(exit)
		return
	}
	t.KillForPanic(p)
}

// embedderCall is a call that the embedder makes of the guest. The zero value is that of Run.
type embedderCall struct {
	ctx context.Context

	// hostCtx is the result of hostContext. endHostCtx releases it; nil if there is nothing to do.
	hostCtx    context.Context
	endHostCtx func()
}

// hostContext returns the context of the embedder's functions that the thread calls. It has the
// values of the context of the guest's call, ends with that, and ends with the guest.
func (t *thread) hostContext() context.Context {
	if t.hostCtx == nil {
		ctx, call := t.Context(), t.embedderCall.ctx
		switch {
		case call == nil:
		case call.Done() == nil:
			ctx = valuesContext{ctx, call}
		default:
			var cancel context.CancelCauseFunc
			ctx, cancel = context.WithCancelCause(call)
			remove := t.OnEnd(cancel)
			t.endHostCtx = func() { remove(); cancel(nil) }
		}
		in := t.contextIn(ctx)
		t.hostCtx = &in
	}
	return t.hostCtx
}

// valuesContext has the values of another context that never ends.
type valuesContext struct {
	context.Context
	values context.Context
}

func (c valuesContext) Value(key any) any {
	if v := c.values.Value(key); v != nil {
		return v
	}
	return c.Context.Value(key)
}
