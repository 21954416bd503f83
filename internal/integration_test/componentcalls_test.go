package integration_test

import (
	"context"
	"io"
	"runtime"
	"strconv"
	"strings"
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
			most := few + calls/100
			if interpreted() {
				most = 5 * calls // wazero's own, for each call between functions
			}
			if many > most {
				t.Errorf("got %d allocations in %d calls and %d in one, want at most %d",
					many, calls, few, most)
			}
		})
	}
}

// TestComponentStringEncodings passes text through inner components of all encodings and back.
func TestComponentStringEncodings(t *testing.T) {
	for name, text := range map[string]string{"empty": "", "ASCII": "hello",
		"Latin-1": "h\u00e9llo \u00ff", "BMP": "h\u20acllo \ufffd", "astral": "a\U0001F600b",
		"long": strings.Repeat("\u00e9\u20ac", 800)} {
		t.Run(name, func(t *testing.T) {
			var out strings.Builder
			status, err := compileComponent(t, "encodings").Run(context.Background(),
				wasport.Config{Stdout: &out, Args: []string{"encodings", text}})
			if got := out.String(); err != nil || status.Code != 0 || got != text {
				t.Errorf("got status %d, %v and %q, want 0 and %q", status.Code, err, got, text)
			}
		})
	}
}

// TestComponentResources passes handles of a component's own resource between components.
func TestComponentResources(t *testing.T) {
	startComponent(t, "resources").waitExit(0)
}
