//go:build unix

package engine

import (
	"context"
	"runtime"
	"slices"
	"testing"
	"time"

	"github.com/wasport/wasport/internal/testutil"
)

// TestCompileTimeIsLinear compares the processor time to compile a module with that of one with
// twice as many items.
func TestCompileTimeIsLinear(t *testing.T) {
	const rounds, maxRatio = 60, 2.5
	ctx := context.Background()
	for name, g := range growingModules {
		t.Run(name, func(t *testing.T) {
			var once, twice []time.Duration
			ratio := func() float64 {
				return float64(slices.Min(twice)) / float64(slices.Min(once))
			}
			for range rounds {
				for n, took := range map[int]*[]time.Duration{g.items: &once, 2 * g.items: &twice} {
					e, err := New(ctx, Config{})
					if err != nil {
						t.Fatal(err)
					}
					wasm := slices.Concat(empty, g.make(n))
					runtime.GC() // of earlier rounds, which would count here
					start := testutil.ProcessorTime(t)
					m, err := e.Compile(ctx, wasm, CompileOptions{TrapUnknown: true})
					*took = append(*took, testutil.ProcessorTime(t)-start)
					if err != nil {
						t.Fatalf("%d items: got %v, want no error", n, err)
					}
					m.Close(ctx)
					e.Close(ctx)
				}
				if ratio() < maxRatio {
					break
				}
			}
			t.Logf("%d take %v, and %d take %v", g.items, slices.Min(once), 2*g.items,
				slices.Min(twice))
			if r := ratio(); r > maxRatio {
				t.Errorf("twice as many items: got %.2f times as long, want at most %.1f", r,
					maxRatio)
			}
		})
	}
}
