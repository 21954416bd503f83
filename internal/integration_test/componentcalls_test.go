package integration_test

import (
	"context"
	"io"
	"runtime"
	"strconv"
	"testing"

	"github.com/wasport/wasport"
)

// TestDirectCallsOfComponentsDoNotAllocate counts what calls of direct functions allocate, from the
// guest's call to its return.
func TestDirectCallsOfComponentsDoNotAllocate(t *testing.T) {
	if !canMeasure {
		t.Skip("the race detector allocates")
	}
	module := compileComponent(t, "calls")
	allocations := func(name string, count int) uint64 {
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		status, err := module.Run(context.Background(), wasport.Config{Stdout: io.Discard,
			Args: []string{"calls", name, strconv.Itoa(count)}})
		runtime.ReadMemStats(&after)
		if err != nil || status.Code != 0 {
			t.Fatalf("got status %d and error %v, want 0", status.Code, err)
		}
		return after.Mallocs - before.Mallocs
	}
	for _, name := range []string{"monotonic-clock.now", "pollable.ready", "pollable.block",
		"output-stream.subscribe", "output-stream.check-write", "output-stream.write",
		"output-stream.flush", "poll"} {
		t.Run(name, func(t *testing.T) {
			const calls = 20_000
			few := allocations(name, 1)
			many := allocations(name, calls)
			if many > few+calls/100 {
				t.Errorf("got %d allocations in %d calls and %d in one, want about as many",
					many, calls, few)
			}
		})
	}
}
