package wasport

import (
	"context"

	"github.com/tetratelabs/wazero/api"

	"github.com/wasport/wasport/internal/engine"
)

// HostFunction is a function of the program that guests may import.
type HostFunction struct {
	// Module and Name are the two names of the import. The module must not be one of wasport's own,
	// such as wasi_snapshot_preview1.
	Module, Name string

	// Params and Results are the function's type: numbers, that is, api.ValueTypeI32, I64, F32 and
	// F64. A module that imports the name with another type is not compiled.
	Params, Results []api.ValueType

	// Call runs the function. The values are the arguments, and take the results, as raw values of
	// WebAssembly; there are as many of them as of the larger of both (see api.GoModuleFunction).
	// The upper 32 bits of an i32 or f32 are 0 in arguments, and ignored in results.
	// It is called on the goroutine of the guest's thread, so for several guests, and for several
	// threads of one, at the same time.
	//
	// The context has the values of the one that Run, Start or Instance.Call got. It ends with the
	// guest, before Guest.Stop or Guest.Wait return, and with the call that the function is part
	// of. A function that waits must return when the context ends: see ExampleHostFunction.
	//
	// A panic ends the guest with a *HostPanic. So does runtime.Goexit.
	Call func(ctx context.Context, c *Caller, values []uint64)
}

// Caller is the guest that calls a host function, with its name, policy and counters. Call, Malloc
// and Free fail once the function has returned.
type Caller struct {
	*Guest
	call *engine.HostCall
}

// CallerOf returns the caller of a host function, by the context that the function got. It is for
// functions of RuntimeConfig.HostModules, which wazero calls. It returns nil if no guest calls.
func CallerOf(ctx context.Context) *Caller {
	h := engine.HostCallOf(ctx)
	if h == nil {
		return nil
	}
	return newCaller(h)
}

func newCaller(h *engine.HostCall) *Caller {
	g, _ := h.Guest().Value(guestKey{}).(*Guest)
	return &Caller{g, h}
}

// Call calls an exported function of the guest before the host function returns to it, with the
// arguments and errors of Instance.Call. Such calls may nest up to a depth of 100.
func (c *Caller) Call(ctx context.Context, name string, args ...uint64) ([]uint64, error) {
	return callHeld(ctx, c.Guest, c.call, name, args)
}

// engineFunctions converts the functions to those of the engine.
func engineFunctions(functions []HostFunction) []engine.HostFunction {
	list := make([]engine.HostFunction, 0, len(functions))
	for _, f := range functions {
		e := engine.HostFunction{Module: f.Module, Name: f.Name, Params: f.Params,
			Results: f.Results}
		if f.Call != nil {
			e.Call = func(h *engine.HostCall, values []uint64) { f.Call(h, newCaller(h), values) }
		}
		list = append(list, e)
	}
	return list
}
