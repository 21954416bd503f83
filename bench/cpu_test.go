//go:build unix

package bench

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/tetratelabs/wazero"

	"github.com/wasport/wasport"
)

// computations are the programs that only compute, with the rounds that take a guest some ten
// milliseconds. Those of Go are built with its toolchain when the benchmark runs.
var computations = []struct{ name, program string }{
	{"sha256", "cpu sha256 40"}, {"crc32", "cpu crc32 40"}, {"sum", "cpu sum 500"},
	{"matrix", "cpu matrix 100"}, {"fib", "cpu fib 250"}, {"quicksort", "cpu quicksort 25"},
	{"go_sha256", "goguest sha256 40"}, {"go_sort", "goguest sort 5"}, {"go_map", "goguest map 5"},
	{"go_json", "goguest json 2"}, {"go_regexp", "goguest regexp 2"},
}

// BenchmarkInterrupt compares what guests cost that can be stopped in different ways: rewritten to
// count their steps, which is the default; compiled as they are; and with wazero's own check.
// pass-ratio is how many times as long a guest takes with the first as with the second, check-ratio
// the same for the third, native-ratio how many times as long the default takes as a native
// program.
func BenchmarkInterrupt(b *testing.B) {
	ctx := context.Background()
	checked := wazero.NewRuntimeWithConfig(ctx,
		wazero.NewRuntimeConfig().WithCloseOnContextDone(true))
	defer checked.Close(ctx)
	hosts := []*guests{
		newGuests(b, wasport.RuntimeConfig{}),
		newGuests(b, wasport.RuntimeConfig{NoInterrupt: true}),
		newGuests(b, wasport.RuntimeConfig{Wazero: checked, NoInterrupt: true}),
	}
	var pass, check, natively []float64
	for _, c := range computations {
		b.Run(c.name, func(b *testing.B) {
			words := strings.Fields(c.program)
			if words[0] == "goguest" {
				wasm := buildGo(b, "goguest", "internal/guests/compute")
				for _, h := range hosts {
					h.module(b, words[0], wasm)
				}
			}
			programs := []func() measurement{func() measurement {
				return native{}.start(b,
					words).result()
			}}
			for _, h := range hosts {
				programs = append(programs,
					func() measurement { return h.start(b, words).result() })
			}
			const runs = 12
			all := inTurns(b, runs, programs...)
			p := leastCPU(all[1]) / leastCPU(all[2])
			k := leastCPU(all[3]) / leastCPU(all[2])
			n := leastCPU(all[1]) / leastCPU(all[0])
			b.ReportMetric(p, "pass-ratio")
			b.ReportMetric(k, "check-ratio")
			b.ReportMetric(n, "native-ratio")
			b.ReportMetric(medianOf(all[1], measurement.perUnit)*all[1][0].units/1e6, "guest-ms")
			pass, check, natively = append(pass, p), append(check, k), append(natively, n)
		})
	}
	if len(pass) == 0 {
		return
	}
	b.Run("mean", func(b *testing.B) {
		b.ReportMetric(0, "ns/op")
		b.ReportMetric(geometric(pass), "pass-ratio")
		b.ReportMetric(geometric(check), "check-ratio")
		b.ReportMetric(geometric(natively), "native-ratio")
	})
}

// buildGo compiles a program in Go: for this machine, as those in C, and as a guest.
func buildGo(tb testing.TB, name, pkg string) []byte {
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
	out := filepath.Join(built, name)
	build(out)
	build(out+".wasm", "GOOS=wasip1", "GOARCH=wasm")
	wasm, err := os.ReadFile(out + ".wasm")
	if err != nil {
		tb.Fatal(err)
	}
	return wasm
}
