package integration_test

import (
	"context"
	"errors"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/wasport/wasport"
	"github.com/wasport/wasport/internal/monotonic"
)

// startHostile starts a guest that takes all the processor time that it gets, until stop is called.
func startHostile(t testing.TB, m *wasport.Module, function string) (stop func()) {
	t.Helper()
	g, err := m.Start(context.Background(), wasport.Config{Function: function})
	if err != nil {
		t.Fatal(err)
	}
	return func() {
		g.Stop(nil)
		g.Wait()
	}
}

// runInnocents runs ten guests at once, and returns how long they take and how many of them ended
// well.
func runInnocents(t testing.TB, m *wasport.Module, c wasport.Config, rounds,
	steps uint64) (took time.Duration, well int) {
	t.Helper()
	const count = 10
	c.Function, c.Params = "work", []uint64{rounds, steps}
	var wg sync.WaitGroup
	errs := make([]error, count)
	start := monotonic.Now()
	for i := range errs {
		wg.Go(func() { _, errs[i] = m.Run(context.Background(), c) })
	}
	wg.Wait()
	took = monotonic.Since(start)
	for _, err := range errs {
		switch {
		case err == nil:
			well++
		case !errors.Is(err, wasport.ErrCPU):
			t.Fatalf("an innocent guest ended with %v, want nothing but %v", err, wasport.ErrCPU)
		}
	}
	return took, well
}

// TestWaitingGuestsBesideManyThreads runs guests that mostly wait beside one that computes in 65
// threads, or starts threads for ever: they take about as long as beside one that computes in one.
func TestWaitingGuestsBesideManyThreads(t *testing.T) {
	bad, good := compileTestdata(t, "hostile"), compileTestdata(t, "innocent")
	for _, function := range []string{"many", "spawn"} {
		t.Run(function, func(t *testing.T) {
			const attempts, most = 20, 1.5
			var ratios []float64
			for len(ratios) == 0 || len(ratios) < attempts && slices.Min(ratios) > most {
				beside := func(function string) time.Duration {
					stop := startHostile(t, bad, function)
					defer stop()
					// The first run lets the scheduler measure the hostile guest.
					runInnocents(t, good, wasport.Config{}, 10, 20000)
					took, _ := runInnocents(t, good, wasport.Config{}, 10, 20000)
					return took
				}
				one := beside("one")
				ratios = append(ratios, float64(beside(function))/float64(one))
			}
			t.Logf("took %.2f times as long", ratios)
			if best := slices.Min(ratios); canMeasure && best > most {
				t.Errorf("took %.2f times as long at best, want at most %.1f", best, most)
			}
		})
	}
}

// TestMaxCPUBesideHostileGuest runs guests, with a limit that suffices when they are alone, beside
// one that takes all the time that it gets. Its time must not be charged to them. Other programs
// may spoil a measurement, so that it is repeated with a limit that suffices by then.
func TestMaxCPUBesideHostileGuest(t *testing.T) {
	bad, good := compileTestdata(t, "hostile"), compileTestdata(t, "innocent")
	for _, test := range []struct {
		name          string
		rounds, steps uint64
	}{
		{"waiting", 10, 20000},
		{"computing", 1, 10000000},
	} {
		for _, function := range []string{"many", "spawn"} {
			t.Run(test.name+"/"+function, func(t *testing.T) {
				const measurements, attempts, enough = 3, 9, 3
				measure := func() (kept int) {
					c := wasport.Config{MaxCPU: sufficientCPU(t, good, test.rounds, test.steps)}
					defer startHostile(t, bad, function)()
					for n := 0; n < attempts && kept < enough; n++ {
						took, well := runInnocents(t, good, c, test.rounds, test.steps)
						t.Logf("took %v with a limit of %v, which %d of 10 kept", took, c.MaxCPU,
							well)
						if well == 10 {
							kept++
						}
					}
					return kept
				}
				kept := measure()
				for n := 1; n < measurements && kept < enough; n++ {
					kept = measure()
				}
				if canMeasure && kept < enough {
					t.Errorf("got %d of %d runs in which all guests kept their limit, want %d",
						kept, attempts, enough)
				}
			})
		}
	}
}

// sufficientCPU returns twice the limit that ten guests keep in three runs in a row: what suffices
// by chance is not enough to compare with.
func sufficientCPU(t *testing.T, m *wasport.Module, rounds, steps uint64) time.Duration {
	t.Helper()
	c := wasport.Config{MaxCPU: 250 * time.Microsecond}
	for attempts := 0; attempts < 3; attempts++ {
		if _, well := runInnocents(t, m, c, rounds, steps); well < 10 {
			c.MaxCPU *= 2
			attempts = -1
		}
	}
	return 2 * c.MaxCPU
}
