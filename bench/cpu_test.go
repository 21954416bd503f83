//go:build unix

package bench

import (
	"context"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/tetratelabs/wazero"

	"github.com/wasport/wasport"
	"github.com/wasport/wasport/bench/internal/results"
)

// computations are the programs that only compute, with numbers of rounds that take a guest some
// ten milliseconds. Those in Go are built with its toolchain when the benchmark runs.
var computations = []struct{ name, program string }{
	{"sha256", "cpu sha256 40"}, {"crc32", "cpu crc32 40"}, {"sum", "cpu sum 500"},
	{"matrix", "cpu matrix 100"}, {"fib", "cpu fib 250"}, {"quicksort", "cpu quicksort 25"},
	{"go_sha256", "goguest sha256 40"}, {"go_sort", "goguest sort 5"}, {"go_map", "goguest map 5"},
	{"go_json", "goguest json 2"}, {"go_regexp", "goguest regexp 2"},
}

// BenchmarkInterrupt compares the ways in which a guest can be stopped: rewritten to count its
// steps, which is the default; compiled without changes; and with wazero's own check
// (WithCloseOnContextDone). pass-ratio is the time of the first over the second, check-ratio that
// of the third over the second, native-ratio that of the first over a native program.
func BenchmarkInterrupt(b *testing.B) {
	ctx := context.Background()
	checked := wazero.NewRuntimeWithConfig(ctx,
		wazero.NewRuntimeConfig().WithCloseOnContextDone(true))
	defer checked.Close(ctx)
	hosts := []*guestHost{
		newGuestHost(b, wasport.RuntimeConfig{}),
		newGuestHost(b, wasport.RuntimeConfig{NoInterrupt: true}),
		newGuestHost(b, wasport.RuntimeConfig{Wazero: checked, NoInterrupt: true}),
	}
	var pass, check, natively []float64
	for _, c := range computations {
		b.Run(c.name, func(b *testing.B) {
			words := strings.Fields(c.program)
			if words[0] == "goguest" {
				wasm := buildGoProgram(b, "goguest", "internal/guests/compute")
				for _, h := range hosts {
					h.compileModule(b, words[0], wasm)
				}
			}
			programs := []func() measurement{func() measurement {
				return native{}.start(b,
					words).waitResult()
			}}
			for _, h := range hosts {
				programs = append(programs,
					func() measurement { return h.start(b, words).waitResult() })
			}
			const runs = 12
			all := runAlternatelyAtLeast(b, runs, programs...)
			p := compareLeast(b, c.name, "pass", all[1], all[2])
			k := compareLeast(b, c.name, "check", all[3], all[2])
			n := compareLeast(b, c.name, "native", all[1], all[0])
			b.ReportMetric(medianOf(all[1], measurement.perUnit)*all[1][0].units/1e6, "guest-ms")
			pass, check, natively = append(pass, p), append(check, k), append(natively, n)
		})
	}
	if len(pass) == 0 {
		return
	}
	b.Run("mean", func(b *testing.B) {
		b.ReportMetric(0, "ns/op")
		b.ReportMetric(results.GeometricMean(pass), "pass-ratio")
		b.ReportMetric(results.GeometricMean(check), "check-ratio")
		b.ReportMetric(results.GeometricMean(natively), "native-ratio")
	})
}

// compareLeast reports and records how many times as much processor time one way takes as another,
// by the least of all runs, and the range of the ratios of pairs.
func compareLeast(b *testing.B, program, way string, of, to []measurement) float64 {
	b.Helper()
	ms := func(m []measurement) float64 { return minCPUPerUnit(m) * m[0].units / 1e6 }
	run := results.Run{Guest: ms(of), Native: ms(to), Low: math.Inf(1)}
	run.Ratio = run.Guest / run.Native
	for i := range of {
		ratio := of[i].cpuPerUnit() / to[i].cpuPerUnit()
		run.Low, run.High = min(run.Low, ratio), max(run.High, ratio)
	}
	b.ReportMetric(run.Ratio, way+"-ratio")
	record(b, results.Row{Benchmark: "interrupt", Workload: program, Mode: way, Unit: "ms"}, run)
	return run.Ratio
}

// buildGoProgram compiles a program in Go, natively and as a guest.
func buildGoProgram(tb testing.TB, name, pkg string) []byte {
	tb.Helper()
	build := func(out string, env ...string) {
		if _, err := os.Stat(out); err == nil {
			return
		}
		cmd := exec.Command("go", "build", "-o", out, "github.com/wasport/wasport/"+pkg)
		cmd.Env = append(os.Environ(), env...)
		if msg, err := cmd.CombinedOutput(); err != nil {
			tb.Skipf("the program in Go cannot be built: %v\n%s", err, msg)
		}
	}
	out := filepath.Join(buildDir, name)
	build(out)
	build(out+".wasm", "GOOS=wasip1", "GOARCH=wasm")
	wasm, err := os.ReadFile(out + ".wasm")
	if err != nil {
		tb.Fatal(err)
	}
	return wasm
}
