package wasport

import (
	"context"
	"errors"
	"fmt"

	"github.com/wasport/wasport/internal/engine"
	"github.com/wasport/wasport/internal/system"
)

// Instance is a guest that a program calls, any number of times. Memory, descriptors, sockets and
// threads stay between the calls. The methods of Guest apply: Stop ends the instance, Counters
// counts for all calls together.
//
// A WebAssembly instance can run one call at a time: calls share its stack pointer and memory. So a
// call from another goroutine waits for its turn, first come first served, and its context bounds
// the wait. For calls that run at the same time, make several instances of one Module. For several
// steps without calls of others between them, see Do.
//
// All methods may be called from any goroutine.
type Instance struct {
	*Guest
	engine *engine.Instance

	// turn holds an element while a goroutine uses the instance.
	turn chan struct{}
}

// EndedError is the error of a call of an instance that has ended before.
type EndedError struct {
	// Reason is the error that ended the instance. It is an *ExitError if the guest exited.
	Reason error
}

func (e *EndedError) Error() string { return fmt.Sprintf("the instance has ended: %v", e.Reason) }

// Unwrap returns Reason.
func (e *EndedError) Unwrap() error { return e.Reason }

// ErrClosed is the reason of an instance that was ended by Close.
var ErrClosed = errors.New("the instance was closed")

// Instantiate makes an instance of a reactor or a library: it runs the module's start function and
// then _initialize, if the module exports that. The instance must be closed. A component cannot be
// instantiated.
//
// If ctx ends before Instantiate returns, that fails with the cause of ctx. Afterwards ctx ends
// nothing. The errors are those of Run, and an *ExitError if the guest exits.
//
// Instantiate and Call run the guest on the calling goroutine. So they do not return before a host
// function or Network that the guest has called, and runtime.Goexit in a host function ends the
// calling goroutine, and the instance with a *HostPanic.
func (m *Module) Instantiate(ctx context.Context, c Config) (*Instance, error) {
	if c.Function != "" || c.Params != nil {
		return nil, errors.New("Config.Function and Config.Params are for Run and Start; " +
			"call the function with Instance.Call")
	}
	module, ok := m.module.(*engine.Module)
	if !ok {
		return nil, errors.New("a component has no functions that are called by name; Run and " +
			"Start run it")
	}
	if ctx.Err() != nil {
		return nil, context.Cause(ctx)
	}
	g, err := m.newGuest(ctx, &c)
	if err != nil {
		return nil, err
	}
	i := &Instance{Guest: g, turn: make(chan struct{}, 1)}
	i.turn <- struct{}{}
	context.AfterFunc(g.sys.Context(), func() {
		g.run(context.Background(), i.release)
	})
	stop := context.AfterFunc(ctx, func() { g.sys.Kill(context.Cause(ctx)) })
	func() {
		defer stop()
		defer i.passTurn()
		i.engine, err = module.Instantiate(g.sys, g.callbacks.traceTo(c.Trace), c.limits())
	}()
	if err != nil {
		g.sys.Kill(err)
		g.done.Wait()
		return nil, callError(g.sys.Err())
	}
	return i, nil
}

// release waits for the call under way, and releases the guest's resources.
func (i *Instance) release() (Status, error) {
	i.turn <- struct{}{}
	if i.engine != nil {
		i.engine.Close()
	}
	if err := i.sys.Err(); err != ErrClosed {
		return statusOf(err)
	}
	return Status{}, nil
}

// Close ends the instance and waits for its end. A call under way fails with ErrClosed, later ones
// with an *EndedError. If Close ended it, the error is nil, a *HostPanic or a *StuckError, else the
// one of Wait. A host function or a function of Do that ends its own instance calls Stop instead,
// since Close would wait for it.
func (i *Instance) Close() error {
	i.Stop(ErrClosed)
	_, err := i.Wait()
	return err
}

// Err returns nil while the instance can be called, and else the reason why it has ended, as in
// EndedError.
func (i *Instance) Err() error { return callError(i.sys.Err()) }

// callError is publicError for an instance, to which an exit is an error.
func callError(err error) error {
	if e, ok := err.(*system.Exit); ok {
		return (*ExitError)(e)
	}
	return publicError(err)
}

// Call calls an exported function. The arguments and results are raw values of WebAssembly: an
// i32 or f32 is in the lower 32 bits. The upper ones are 0 in results, and ignored in arguments.
// The errors, of which all but the first two have ended the instance:
//
//   - The cause of ctx (context.Cause): ctx ended while the call waited for its turn, or before the
//     guest returned. From the end of ctx on, a call of the guest that waits, for a socket, a clock
//     or a writer, fails with ECANCELED, and the contexts of host functions end. So a guest that
//     waits returns by itself, and the instance can be called again.
//   - An error that names the function: there is none, or it takes other arguments, or values that
//     are not numbers.
//   - *InterruptedError: ctx ended, but the guest did not return. It had 10 ms of processor time. A
//     guest that waits for a thread of its own is interrupted at once.
//   - *Trap, ErrCPU, *HostPanic: see Run.
//   - *ExitError: the guest called proc_exit.
//   - The argument of Stop, or ErrClosed.
//   - *EndedError: the instance had ended before.
//
// A host function that calls its own guest passes the context that it got, or one made of it. The
// call then is part of the one that the host function serves, and does not wait. With another
// context it would wait for ever.
func (i *Instance) Call(ctx context.Context, name string, args ...uint64) ([]uint64, error) {
	if h := i.engine.Holder(ctx); h != nil {
		return callHeld(ctx, i.Guest, h, name, args)
	}
	if err := i.takeTurn(ctx); err != nil {
		return nil, err
	}
	defer i.passTurn()
	results, err := i.engine.Call(ctx, name, args)
	return results, callError(err)
}

// callHeld calls a function in a turn that another call has.
func callHeld(
	ctx context.Context, g *Guest, h *engine.HostCall, name string, args []uint64,
) ([]uint64, error) {
	if err := g.sys.Err(); err != nil {
		return nil, &EndedError{callError(err)}
	}
	results, err := h.Call(ctx, name, args)
	return results, callError(err)
}

// Do takes a turn of the instance and calls f with a context that has it: calls of the instance's
// methods with that context are made in this turn, and calls of other goroutines wait until f has
// returned. So f can place data in memory, call a function and read the result. If f has several
// goroutines, they make one call at a time; a second one at once is an error. The error of Do is
// that of f, or the one for which f was not called, as in Call.
func (i *Instance) Do(ctx context.Context, f func(ctx context.Context) error) error {
	if i.engine.Holder(ctx) != nil {
		return f(ctx)
	}
	if err := i.takeTurn(ctx); err != nil {
		return err
	}
	defer i.passTurn()
	return i.engine.Hold(ctx, func(h *engine.HostCall) error { return f(h) })
}

// takeTurn waits until no other goroutine uses the instance. It fails if the instance has ended.
func (i *Instance) takeTurn(ctx context.Context) error {
	select {
	case i.turn <- struct{}{}:
	default:
		select {
		case i.turn <- struct{}{}:
		case <-ctx.Done():
			return context.Cause(ctx)
		case <-i.sys.Context().Done():
			return &EndedError{i.Err()}
		}
	}
	err := i.Err()
	if err != nil {
		err = &EndedError{err}
	} else if ctx.Err() != nil {
		err = context.Cause(ctx)
	}
	if err != nil {
		i.passTurn()
	}
	return err
}

func (i *Instance) passTurn() { <-i.turn }
