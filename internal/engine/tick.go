package engine

import (
	"context"
	"runtime"

	"github.com/tetratelabs/wazero/api"

	"github.com/wasport/wasport/internal/abi"
	"github.com/wasport/wasport/internal/engine/interrupt"
)

// interruptions are the functions that rewritten modules call.
var interruptions = map[string]api.GoModuleFunc{
	interrupt.Tick: tick,
}

// tick is where a guest that computes gives way: to other guests, to a garbage collection that waits for it, and to its end.
func tick(ctx context.Context, _ api.Module, _ []uint64) {
	t := abi.ThreadOf(ctx)
	if t == nil {
		panic(abi.ErrNoThread)
	}
	t.Tick()
	if err := t.Err(); err != nil {
		panic(err)
	}
	runtime.Gosched()
}
