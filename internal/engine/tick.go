package engine

import (
	"context"

	"github.com/tetratelabs/wazero/api"

	"github.com/wasport/wasport/internal/engine/interrupt"
)

// interval is how many loops and calls a guest may run through between two ticks: 2 to 5 µs of
// work, or 5 ms if every step touches memory for the first time.
const interval = 2500

// interruptions are the functions that rewritten modules call.
var interruptions = map[string]api.GoModuleFunc{
	interrupt.Tick:   tick,
	interrupt.Deepen: deepen,
	interrupt.Charge: charge,
	interrupt.Notify: notify,
	interrupt.Wait32: wait32,
	interrupt.Wait64: wait64,
}

// tick is where a guest that computes gives way: to other guests, to a garbage collection that
// waits for it, and to its end.
func tick(ctx context.Context, _ api.Module, _ []uint64) {
	t := threadOf(ctx)
	if t.Err() == nil {
		t.Tick()
	}
	if err := t.Err(); err != nil {
		panic(err)
	}
}
