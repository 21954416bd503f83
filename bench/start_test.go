//go:build unix

package bench

import (
	"bytes"
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"github.com/wasport/wasport"
	"github.com/wasport/wasport/bench/internal/results"
)

// BenchmarkHello runs the command from its start to its end, with and without the compiled module
// in its cache, and the same program natively.
func BenchmarkHello(b *testing.B) {
	dir := b.TempDir()
	command := filepath.Join(dir, "wasport")
	if out, err := exec.Command("go", "build", "-o", command,
		"github.com/wasport/wasport/cmd/wasport").CombinedOutput(); err != nil {
		b.Skipf("the command cannot be built: %v\n%s", err, out)
	}
	wasm, err := Modules.ReadFile("hello.wasm")
	if err != nil {
		b.Fatal(err)
	}
	module := filepath.Join(dir, "hello.wasm")
	if err := os.WriteFile(module, wasm, 0o666); err != nil {
		b.Fatal(err)
	}
	cache := filepath.Join(dir, "cache")
	natively := buildNative(b, "hello")

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
	all := runAlternately(b,
		process(natively),
		process(command, "run", "--cache-dir", cache, module),
		process(command, "run", "--no-cache", module),
		process(command, "run", "--no-cache", "--interpreter", module))
	for i, name := range []string{"native", "cached", "uncached", "interpreted"} {
		b.ReportMetric(medianOf(all[i], measurement.perUnit)/1e6, name+"-ms")
	}
}

// BenchmarkStart runs guests of a compiled module and of a component from their start to their end.
// It reports how long the guest takes until its first call.
func BenchmarkStart(b *testing.B) {
	for _, kind := range []struct{ name, dir string }{{"module", ""}, {"component", "component/"}} {
		b.Run(kind.name, func(b *testing.B) {
			g := newGuestHost(b, wasport.RuntimeConfig{})
			g.dir = kind.dir
			m := g.compileModule(b, "hello", nil)
			c := wasport.Config{Args: []string{"hello"}, Policy: loopbackPolicy()}
			var toCall []float64
			b.ReportAllocs()
			for b.Loop() {
				if status, err := m.Run(context.Background(), c); err != nil || status.Code != 0 {
					b.Fatalf("got %v, %v, want status 0", status, err)
				}
			}
			b.StopTimer()
			for range 200 {
				toCall = append(toCall, timeToFirstCall(b, m, c))
			}
			b.ReportMetric(results.Median(toCall), "µs-to-call")
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
