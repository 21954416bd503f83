package engine

import (
	"context"
	"errors"
	"fmt"
	"math"
	"strings"

	"github.com/tetratelabs/wazero/api"
	"github.com/tetratelabs/wazero/experimental"

	"github.com/wasport/wasport/internal/abi"
	"github.com/wasport/wasport/internal/engine/interrupt"
	"github.com/wasport/wasport/internal/engine/memory"
	"github.com/wasport/wasport/internal/system"
)

// Trap is the error with which a guest ended that did what WebAssembly does not allow.
type Trap struct {
	Reason string // "unreachable", "out of bounds memory access", ...
	Stack  string // the functions that were active, innermost first, a line each
}

func (t *Trap) Error() string { return "trap: " + t.Reason }

// Limits bound what a guest may use; 0 = no bound.
type Limits struct {
	Memory uint64 // bytes of linear memory
}

// Run runs one guest from its entry to its end, on the calling goroutine. The error is a *system.Exit if it called proc_exit, the
// reason if the guest was killed, and a *Trap if it trapped.
func (m *Module) Run(ctx context.Context, thread *abi.Thread, entry Entry, args []uint64, limits Limits) ([]uint64, error) {
	ctx, release, err := m.reserve(ctx, limits.Memory)
	if err != nil {
		return nil, err
	}
	defer release()
	ctx = experimental.WithImportResolver(ctx, func(name string) api.Module {
		if s, ok := m.supplied[name]; ok {
			return s
		}
		return nil // not a nil module of another type
	})
	ctx = abi.WithThread(ctx, thread)
	inst, err := m.runtime.InstantiateModule(ctx, m.compiled, instance())
	if err != nil {
		return nil, ended(thread, err, "starting the guest: ")
	}
	defer inst.Close(ctx)

	// A reactor is told to initialise itself before anything else is called; a command does so by itself.
	if init := inst.ExportedFunction("_initialize"); init != nil && entry.Name != "_start" && entry.Name != "_initialize" {
		if _, err := init.Call(ctx); err != nil {
			return nil, ended(thread, err, "")
		}
	}
	results, err := inst.ExportedFunction(entry.Name).Call(ctx, args...)
	if err != nil {
		return nil, ended(thread, err, "")
	}
	return results, nil
}

// reserve gives the guest its memory, which is there until release is called: after the last of its calls has returned. A module that
// was not rewritten, of whose memory nothing is known, gets wazero's.
func (m *Module) reserve(ctx context.Context, limit uint64) (_ context.Context, release func(), err error) {
	if m.memory == (interrupt.Memory{}) || m.memory.Imported {
		return ctx, func() {}, nil
	}
	if limit == 0 {
		limit = math.MaxUint64
	}
	mem, err := memory.New(memory.Config{Min: m.memory.Min, Max: m.memory.Max, Limit: limit, Shared: m.memory.Shared})
	if errors.Is(err, memory.ErrLimit) {
		return nil, nil, fmt.Errorf("the module starts with %d bytes of memory, and may have %d", m.memory.Min, limit)
	}
	if err != nil {
		return nil, nil, err
	}
	return experimental.WithMemoryAllocator(ctx, mem), func() { mem.Release() }, nil
}

// ended makes sense of the error with which wazero returned.
func ended(thread *abi.Thread, err error, when string) error {
	if cause := thread.Err(); cause != nil {
		return cause
	}
	var exit *system.Exit
	if errors.As(err, &exit) {
		return exit
	}
	reason, stack, ok := strings.Cut(err.Error(), "\nwasm stack trace:\n")
	if !ok && reason != "stack overflow" { // which compiled code reports without its millions of frames
		return fmt.Errorf("%s%w", when, err)
	}
	// What follows the guest's stack would be the host's.
	stack, _, _ = strings.Cut(stack, "\n\n")
	reason = strings.TrimSuffix(strings.TrimPrefix(reason, "wasm error: "), " (recovered by wazero)")
	return &Trap{Reason: reason, Stack: strings.TrimRight(stack, "\n")}
}
