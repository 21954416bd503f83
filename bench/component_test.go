//go:build unix

package bench

import (
	"io/fs"
	"strings"
	"testing"

	"github.com/wasport/wasport"
)

// BenchmarkComponent compares components for WASI 0.2 with native programs, and core modules with
// native programs in the same turns. The metrics are those of BenchmarkNetwork; those that begin
// with "core-" are of the module.
func BenchmarkComponent(b *testing.B) {
	module := newGuestHost(b, wasport.RuntimeConfig{})
	component := newGuestHost(b, wasport.RuntimeConfig{})
	component.dir = "component/"
	for _, w := range workloads {
		name, _, _ := strings.Cut(w.subject, " ")
		if _, err := fs.Stat(Modules, component.dir+name+".wasm"); err != nil {
			continue // it has no twin
		}
		b.Run(w.name, func(b *testing.B) {
			all := runAlternately(b, func() measurement { return w.measure(b, native{}) },
				func() measurement { return w.measure(b, module) },
				func() measurement { return w.measure(b, component) })
			w.reportMetrics(b, all[0], all[2])
			coreRatio := medianRatio(all[1], all[0], measurement.perUnit)
			if w.rate == "" {
				b.ReportMetric(coreRatio, "core-time-ratio")
			} else {
				b.ReportMetric(1/coreRatio, "core-rate-ratio")
			}
			b.ReportMetric(medianRatio(all[1], all[0], measurement.cpuPerUnit), "core-cpu-ratio")
		})
	}
}
