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
	const run, most = 200 * time.Millisecond, 2
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
		<-time.After(run)
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
