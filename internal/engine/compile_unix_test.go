//go:build unix

package engine

import (
	"context"
	"runtime"
	"runtime/debug"
	"slices"
	"testing"
	"time"

	"github.com/wasport/wasport/internal/testutil"
)

// TestCompileTimeIsLinear compares the processor time to compile a module with that of one with
// four times as many items: at most 2.5 times for each doubling. One doubling alone can fall onto
// the step from one cache of the processor to the next. Two ratios estimate the same: that of the
// shortest times, and the median of times measured one after the other, which a busy machine
// enlarges alike.
func TestCompileTimeIsLinear(t *testing.T) {
	const minRounds, maxRounds, maxRatio = 3, 200, 2.5 * 2.5
	for name, g := range growingModules {
		t.Run(name, func(t *testing.T) {
			var few, many []time.Duration
			var ratios []float64
			ratio := func() float64 {
				shortest := float64(slices.Min(many)) / float64(slices.Min(few))
				median := slices.Sorted(slices.Values(ratios))[len(ratios)/2]
				return min(shortest, median)
			}
			for range maxRounds {
				less, more := compileTime(t, g.make(g.items/2)), compileTime(t, g.make(2*g.items))
				few, many = append(few, less), append(many, more)
				ratios = append(ratios, float64(more)/float64(less))
				if len(ratios) >= minRounds && ratio() <= maxRatio {
					break
				}
			}
			if r := ratio(); r > maxRatio {
				t.Errorf("four times as many items: got %.2f times as long, want at most %.2f", r,
					maxRatio)
			}
		})
	}
}

// compileTime returns the processor time to compile a module with these sections.
func compileTime(t *testing.T, sections []byte) time.Duration {
	t.Helper()
	ctx := context.Background()
	e, err := New(ctx, Config{})
	if err != nil {
		t.Fatal(err)
	}
	defer e.Close(ctx)
	// A collection in one of two measurements would decide the ratio.
	runtime.GC()
	defer debug.SetGCPercent(debug.SetGCPercent(-1))
	start := testutil.ProcessorTime(t)
	m, err := e.Compile(ctx, slices.Concat(empty, sections), CompileOptions{TrapUnknown: true})
	took := testutil.ProcessorTime(t) - start
	if err != nil {
		t.Fatalf("got %v, want no error", err)
	}
	m.Close(ctx)
	return took
}
