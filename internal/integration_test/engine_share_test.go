package integration_test

import (
	"context"
	"runtime"
	"slices"
	"sync/atomic"
	"testing"
	"time"

	"github.com/wasport/wasport"
)

// TestComputingGuestsShareProcessors lets more guests compute than there are processors, and
// compares how far each has come.
func TestComputingGuestsShareProcessors(t *testing.T) {
	// Turns are of 10 ms, so that a measurement needs many. An idle machine makes so many rounds in
	// 200 ms, and a busy one takes longer.
	const rounds, most = 20_000, 2
	m := compileTestdata(t, "share")
	done := make([]atomic.Int64, 4*runtime.GOMAXPROCS(0))
	for i := range done {
		g, err := m.Start(context.Background(),
			wasport.Config{Random: readHook(func() { done[i].Add(1) })})
		if err != nil {
			t.Fatal(err)
		}
		defer g.Wait()
		defer g.Stop(nil)
	}
	var ratios []float64
	for len(ratios) == 0 || len(ratios) < 20 && slices.Min(ratios) > most {
		var came []int64
		for i := range done {
			done[i].Store(0)
		}
		sum := func() (n int64) {
			for i := range done {
				n += done[i].Load()
			}
			return n
		}
		for deadline := time.Now().Add(5 * time.Second); sum() < rounds; {
			if <-time.After(10 * time.Millisecond); time.Now().After(deadline) {
				break
			}
		}
		for i := range done {
			came = append(came, done[i].Load())
		}
		ratios = append(ratios, float64(slices.Max(came))/float64(max(slices.Min(came), 1)))
	}
	t.Logf("the quickest has come so many times as far as the slowest: %.2f", ratios)
	if best := slices.Min(ratios); best > most && canMeasure {
		t.Errorf("got %.1f times as far, want at most %d", best, most)
	}
}
