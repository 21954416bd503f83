package components

import (
	"context"
	"slices"
	"testing"
	"time"

	"github.com/wasport/wasport"
)

// BenchmarkStart runs a component that rustc made, and reports how long it takes from the start to
// its first call of the host, which the trace shows.
func BenchmarkStart(b *testing.B) {
	mod := program(b, "conformance/f01_arith")
	var toCall []time.Duration
	for b.Loop() {
		var first firstWrite
		start := time.Now()
		c := wasport.Config{Args: []string{"f01"}, Trace: &first}
		if _, err := mod.Run(context.Background(), c); err != nil {
			b.Fatal(err)
		}
		toCall = append(toCall, first.at.Sub(start))
	}
	slices.Sort(toCall)
	b.ReportMetric(float64(toCall[len(toCall)/2].Nanoseconds())/1e3, "µs-to-call")
}

// firstWrite is the time of the first Write.
type firstWrite struct{ at time.Time }

func (w *firstWrite) Write(b []byte) (int, error) {
	if w.at.IsZero() {
		w.at = time.Now()
	}
	return len(b), nil
}
