//go:build unix

package bench

import (
	"testing"

	"github.com/wasport/wasport"
)

// goWorkloads are those of the program in Go.
var goWorkloads = []workload{
	{"pingpong_client", "gowire pingpong client PORT 10000", "pingpong server tcp", "", 1, true},
	{"pingpong_server", "gowire pingpong server", "pingpong client tcp PORT 10000", "", 1, true},
	{"stream64k_send", "gowire send PORT 65536 268435456", "stream sink", "MiB/s", mib, false},
	{"stream64k_recv", "gowire recv PORT 65536", "stream source 268435456", "MiB/s", mib, false},
	{"stream1k_send", "gowire send PORT 1024 67108864", "stream sink", "MiB/s", mib, false},
	{"stream1k_recv", "gowire recv PORT 1024", "stream source 67108864", "MiB/s", mib, false},
}

// BenchmarkGoNetwork compares a program in Go, as a guest over package gonet, with the same program
// natively. The figures are those of BenchmarkNetwork.
func BenchmarkGoNetwork(b *testing.B) {
	g := newGuestHost(b, wasport.RuntimeConfig{})
	g.compileModule(b, "gowire", buildGoProgram(b, "gowire", "internal/guests/wire"))
	for _, w := range goWorkloads {
		b.Run(w.name, func(b *testing.B) {
			all := runAlternately(b, func() measurement { return w.measure(b, native{}) },
				func() measurement { return w.measure(b, g) })
			w.reportMetrics(b, all[0], all[1])
		})
	}
}
