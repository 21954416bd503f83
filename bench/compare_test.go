//go:build unix

package bench

import (
	"math"
	"slices"
	"testing"
	"time"
)

// atLeast is how often, and for how long, two programs are run in turn.
const (
	atLeastRuns = 5
	atLeastTime = time.Second
)

func median(values []float64) float64 {
	s := slices.Sorted(slices.Values(values))
	if n := len(s); n%2 == 0 {
		return (s[n/2-1] + s[n/2]) / 2
	}
	return s[len(s)/2]
}

// geometric is the geometric mean.
func geometric(values []float64) float64 {
	sum := 0.0
	for _, v := range values {
		sum += math.Log(v)
	}
	return math.Exp(sum / float64(len(values)))
}

// inTurn runs all of several programs again and again, A B A B, and returns what each measured.
func inTurn(b *testing.B, programs ...func() measurement) [][]measurement {
	return inTurns(b, atLeastRuns, programs...)
}

// inTurns does it no less often than told.
func inTurns(b *testing.B, runs int, programs ...func() measurement) [][]measurement {
	all := make([][]measurement, len(programs))
	for start := time.Now(); len(all[0]) < runs || time.Since(start) < atLeastTime; {
		for i, run := range programs {
			all[i] = append(all[i], run())
		}
	}
	b.ReportMetric(0, "ns/op") // how long all of this took says nothing
	return all
}

// medianOf is the median of something about measurements.
func medianOf(all []measurement, of func(measurement) float64) float64 {
	values := make([]float64, len(all))
	for i, m := range all {
		values[i] = of(m)
	}
	return median(values)
}

// leastCPU is the least processor time that a unit took: what else runs on the machine can only add
// to it.
func leastCPU(all []measurement) float64 {
	least := math.Inf(1)
	for _, m := range all {
		least = min(least, m.cpuPerUnit())
	}
	return least
}

// medianRatio is the median of the ratios within each turn: what slows the machine down for a while
// slows both.
func medianRatio(over, under []measurement, of func(measurement) float64) float64 {
	values := make([]float64, len(over))
	for i := range over {
		values[i] = of(over[i]) / of(under[i])
	}
	return median(values)
}
