//go:build unix

package bench

import (
	"io/fs"
	"strings"
	"testing"

	"github.com/wasport/wasport"
	"github.com/wasport/wasport/bench/internal/results"
)

// componentDir has the components among Modules.
const componentDir = "component/"

// BenchmarkComponent compares components for WASI 0.2 with native programs, and core modules with
// native programs in the same turns. The metrics are those of BenchmarkNetwork; those that begin
// with "core-" are of the module.
func BenchmarkComponent(b *testing.B) {
	for _, w := range workloads {
		name, _, _ := strings.Cut(w.subject, " ")
		if _, err := fs.Stat(Modules, componentDir+name+".wasm"); err != nil {
			continue // it has no twin
		}
		b.Run(w.name, func(b *testing.B) {
			for _, mode := range w.modes() {
				b.Run(mode.name, func(b *testing.B) { w.compareComponent(b, mode) })
			}
		})
	}
}

func (w workload) compareComponent(b *testing.B, mode mode) {
	defer mode.set(b)()
	module := newGuestHost(b, wasport.RuntimeConfig{})
	component := newGuestHost(b, wasport.RuntimeConfig{})
	component.dir = componentDir
	all := runAlternately(b, func() measurement { return w.measure(b, native{}) },
		func() measurement { return w.measure(b, module) },
		func() measurement { return w.measure(b, component) })
	record(b, "component", mode.name, w, w.reportMetrics(b, all[0], all[2]))
	coreRatio := results.Median(w.ratios(all[1], all[0]))
	if w.rate == "" {
		b.ReportMetric(coreRatio, "core-time-ratio")
	} else {
		b.ReportMetric(coreRatio, "core-rate-ratio")
	}
	b.ReportMetric(medianRatio(all[1], all[0], measurement.cpuPerUnit), "core-cpu-ratio")
}
