package engine

import (
	"context"

	"github.com/tetratelabs/wazero/api"

	"github.com/wasport/wasport/internal/engine/interrupt"
)

// interruptions are the functions that rewritten modules call.
var interruptions = map[string]api.GoModuleFunc{
	interrupt.Tick:   tick,
	interrupt.Deepen: deepen,
	interrupt.Charge: charge,
	interrupt.Notify: notify,
	interrupt.Wait32: wait32,
	interrupt.Wait64: wait64,
}

// tick is where a guest that computes gives way: to other guests, to a garbage collection that waits for it, and to its end.
func tick(ctx context.Context, _ api.Module, _ []uint64) {
	t := threadOf(ctx)
	if t.Err() == nil {
		t.guest.module.turns.next(&t.turn)
		t.Tick()
	}
	if err := t.Err(); err != nil {
		panic(err)
	}
}
