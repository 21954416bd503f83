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
// twice as many items. Two ratios estimate the same: that of the shortest times, which garbage
// collections do not enlarge, and the median of times measured one after the other, which a busy
// machine enlarges alike. Quadratic time doubles both.
func TestCompileTimeIsLinear(t *testing.T) {
	const minRounds, maxRounds, maxRatio = 3, 60, 2.5
	for name, g := range growingModules {
		t.Run(name, func(t *testing.T) {
			var once, twice []time.Duration
			var ratios []float64
			ratio := func() float64 {
				shortest := float64(slices.Min(twice)) / float64(slices.Min(once))
				median := slices.Sorted(slices.Values(ratios))[len(ratios)/2]
				return min(shortest, median)
			}
			for range maxRounds {
				one, two := compileTime(t, g.make(g.items)), compileTime(t, g.make(2*g.items))
				once, twice = append(once, one), append(twice, two)
				ratios = append(ratios, float64(two)/float64(one))
				if len(ratios) >= minRounds && ratio() <= maxRatio {
					break
				}
			}
			if r := ratio(); r > maxRatio {
				t.Errorf("twice as many items: got %.2f times as long, want at most %.1f", r,
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
	runtime.GC() // of earlier rounds, which would count here
	start := testutil.ProcessorTime(t)
	m, err := e.Compile(ctx, slices.Concat(empty, sections), CompileOptions{TrapUnknown: true})
	took := testutil.ProcessorTime(t) - start
	if err != nil {
		t.Fatalf("got %v, want no error", err)
	}
	m.Close(ctx)
	return took
}
