package engine

import (
	"context"

	"github.com/tetratelabs/wazero/api"

	"github.com/wasport/wasport/internal/engine/interrupt"
)

// tickInterval is the number of loop iterations and calls between two ticks. They take 2 to 5 µs,
// or 5 ms if each touches memory for the first time. The interpreter takes about 100 times as long
// for each, and so has an interval of its own; otherwise its guests would keep the processors from
// each other for a millisecond.
const (
	tickInterval            = 2500
	interpretedTickInterval = 50
)

// interruptFuncs are the host functions that rewritten modules import from interrupt.Module.
var interruptFuncs = map[string]api.GoModuleFunc{
	interrupt.Tick:   tick,
	interrupt.Stack:  func(context.Context, api.Module, []uint64) {}, // See stackListener.
	interrupt.Deepen: growStackLimit,
	interrupt.Charge: chargeHostMemory,
	interrupt.Notify: atomicNotify,
	interrupt.Wait32: atomicWait32,
	interrupt.Wait64: atomicWait64,
}

// tick is interrupt.Tick. A computing guest yields here to other guests and to a garbage collection
// that waits for it, and ends here once it has been killed.
func tick(ctx context.Context, _ api.Module, stack []uint64) {
	t := callingThread(ctx)
	stack[0] = 0
	if t.StackWanted() {
		stack[0] = 1
	}
	if t.Err() == nil {
		t.Tick()
	}
	if err := t.Err(); err != nil {
		panic(err)
	}
}
