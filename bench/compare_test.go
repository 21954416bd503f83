//go:build unix

package bench

import (
	"math"
	"testing"
	"time"

	"github.com/wasport/wasport/bench/internal/results"
)

// How often, and for how long, programs run alternately at least.
const (
	minRuns = 5
	minTime = time.Second
)

// runAlternately runs several programs again and again, A B A B, and returns the measurements of
// each.
func runAlternately(b *testing.B, programs ...func() measurement) [][]measurement {
	return runAlternatelyAtLeast(b, minRuns, programs...)
}

// runAlternatelyAtLeast is runAlternately with at least so many runs of each.
func runAlternatelyAtLeast(b *testing.B, runs int, programs ...func() measurement) [][]measurement {
	all := make([][]measurement, len(programs))
	for start := time.Now(); len(all[0]) < runs || time.Since(start) < minTime; {
		for i, run := range programs {
			all[i] = append(all[i], run())
		}
	}
	b.ReportMetric(0, "ns/op") // how long all of this took says nothing
	return all
}

// medianOf returns the median of a property of measurements.
func medianOf(all []measurement, of func(measurement) float64) float64 {
	values := make([]float64, len(all))
	for i, m := range all {
		values[i] = of(m)
	}
	return results.Median(values)
}

// minCPUPerUnit returns the least processor time of a unit: other programs on the machine can only
// add to it.
func minCPUPerUnit(all []measurement) float64 {
	least := math.Inf(1)
	for _, m := range all {
		least = min(least, m.cpuPerUnit())
	}
	return least
}

// medianRatio returns the median of the ratios within each round: a load that slows the machine
// down for a while slows both programs.
func medianRatio(over, under []measurement, of func(measurement) float64) float64 {
	values := make([]float64, len(over))
	for i := range over {
		values[i] = of(over[i]) / of(under[i])
	}
	return results.Median(values)
}
