//go:build unix

package bench

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"github.com/wasport/wasport"
	"github.com/wasport/wasport/bench/internal/results"
)

// BenchmarkHello runs the command from its start to its end with modules of several sizes, with and
// without the compiled module in its cache, and in the interpreter; and the same program natively.
func BenchmarkHello(b *testing.B) {
	dir, command := b.TempDir(), buildCommand(b)
	hello, err := Modules.ReadFile("hello.wasm")
	if err != nil {
		b.Fatal(err)
	}
	for _, kilobytes := range []int{20, 125, 186, 4000} {
		name := fmt.Sprintf("hello_%dk", kilobytes)
		b.Run(name, func(b *testing.B) {
			wasm, err := enlarge(hello, kilobytes*1000)
			if err != nil {
				b.Fatal(err)
			}
			module := filepath.Join(dir, name+".wasm")
			if err := os.WriteFile(module, wasm, 0o666); err != nil {
				b.Fatal(err)
			}
			compareHello(b, name, dir, command, module)
		})
	}
}

func compareHello(b *testing.B, name, dir, command, module string) {
	process := func(words ...string) func() measurement {
		return func() measurement {
			cmd := exec.Command(words[0], words[1:]...)
			cmd.Env = append(os.Environ(), "XDG_CONFIG_HOME="+dir)
			at := time.Now()
			out, err := cmd.CombinedOutput()
			if err != nil || !bytes.Equal(out, []byte("hello\n")) {
				b.Fatalf(`got %v, %q, want "hello\n"`, err, out)
			}
			return measurement{units: 1, wall: time.Since(at),
				cpu: cmd.ProcessState.UserTime() + cmd.ProcessState.SystemTime()}
		}
	}
	cache := filepath.Join(dir, "cache")
	run := []func() measurement{process(buildNative(b, "hello")),
		process(command, "run", "--cache-dir", cache, module),
		process(command, "run", "--no-cache", module),
		process(command, "run", "--no-cache", "--interpreter", module)}
	run[1]() // which fills the cache
	all := runAlternately(b, run...)
	for i, way := range []string{"cached", "not_cached", "interpreted"} {
		figures := workload{}.summary(all[0], all[i+1])
		figures.Guest, figures.Native = figures.Guest/1e3, figures.Native/1e3
		b.ReportMetric(figures.Guest, way+"-ms")
		record(b, results.Row{Benchmark: "hello", Workload: name, Mode: way, Unit: "ms"}, figures)
	}
}

// BenchmarkStart runs guests of a compiled module and of a component from their start to their end.
// It reports how long this takes, how long until the guest's first call, and the allocations.
func BenchmarkStart(b *testing.B) {
	for _, kind := range []struct{ name, dir string }{{"module", ""}, {"component", "component/"}} {
		b.Run(kind.name, func(b *testing.B) {
			g := newGuestHost(b, wasport.RuntimeConfig{})
			g.dir = kind.dir
			m := g.compileModule(b, "hello", nil)
			c := wasport.Config{Args: []string{"hello"}, Policy: loopbackPolicy()}
			run := func() {
				if status, err := m.Run(context.Background(), c); err != nil || status.Code != 0 {
					b.Fatalf("got %v, %v, want status 0", status, err)
				}
			}
			const starts = 200
			var toEnd, toCall []float64
			for range minRuns {
				start := time.Now()
				for range starts {
					run()
				}
				toEnd = append(toEnd, float64(time.Since(start).Nanoseconds())/1e3/starts)
				var calls []float64
				for range starts {
					calls = append(calls, timeToFirstCall(b, m, c))
				}
				toCall = append(toCall, results.Median(calls))
			}
			b.ReportMetric(0, "ns/op")
			row := results.Row{Benchmark: "start", Workload: "one more " + kind.name}
			allocations := []float64{testing.AllocsPerRun(starts, run)}
			for i, values := range [][]float64{toEnd, toCall, allocations} {
				row.Unit = []string{"µs to the end", "µs to the first call", "allocations"}[i]
				recordFigure(b, row, values)
			}
		})
	}
}

// firstWrite is the time of the first Write.
type firstWrite struct{ at time.Time }

func (w *firstWrite) Write(b []byte) (int, error) {
	if w.at.IsZero() {
		w.at = time.Now()
	}
	return len(b), nil
}

// timeToFirstCall runs a guest, and returns the microseconds from its start to its first call,
// which the trace shows.
func timeToFirstCall(tb testing.TB, m *wasport.Module, c wasport.Config) float64 {
	var first firstWrite
	c.Trace = &first
	start := time.Now()
	if _, err := m.Run(context.Background(), c); err != nil || first.at.IsZero() {
		tb.Fatalf("got %v and the first call at %v, want a call", err, first.at)
	}
	return float64(first.at.Sub(start).Nanoseconds()) / 1e3
}
