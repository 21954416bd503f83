package peers

import (
	"slices"
	"testing"
	"time"
)

// BenchmarkStart compares a guest that prints a line with the same program natively under runc,
// from the start of `ctr run` to its end. It prints both medians and their ratio.
func BenchmarkStart(b *testing.B) {
	require(b)
	for _, r := range releases() {
		b.Run("containerd "+r.name, func(b *testing.B) {
			n := startNode(b, r)
			guest := spec{image: n.guest("bench/hello.wasm"), flags: host}
			program := spec{image: native(b, "hello"), native: true, flags: host}
			n.load(namespace, program.image)
			var times [2][]time.Duration
			for b.Loop() {
				for k, s := range []spec{guest, program} {
					begin := time.Now()
					if out, err := n.run(s); err != nil {
						b.Fatalf("%v: %s", err, out)
					}
					times[k] = append(times[k], time.Since(begin))
				}
			}
			wasm, runc := median(times[0]), median(times[1])
			b.ReportMetric(float64(wasm.Milliseconds()), "guest-ms")
			b.ReportMetric(float64(runc.Milliseconds()), "runc-ms")
			b.ReportMetric(float64(wasm)/float64(runc), "guest/runc")
		})
	}
}

func median(times []time.Duration) time.Duration {
	slices.Sort(times)
	return times[len(times)/2]
}
