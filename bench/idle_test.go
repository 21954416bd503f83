//go:build unix

package bench

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"runtime"
	"runtime/debug"
	"strings"
	"testing"
	"time"

	"github.com/wasport/wasport"
	"github.com/wasport/wasport/bench/internal/results"
)

// BenchmarkIdle starts guests that wait for a connection or for a datagram, in a process of their
// own, and reports the cost of each: the time to start it, and the memory and the page tables that
// it keeps.
func BenchmarkIdle(b *testing.B) {
	for _, count := range []int{100, 1000, 10_000} {
		b.Run(fmt.Sprint("accept_", count), func(b *testing.B) {
			benchmarkIdle(b, "idle.wasm", count)
		})
	}
	b.Run("recv_1000", func(b *testing.B) { benchmarkIdle(b, "idle_recv.wasm", 1000) })
	b.Run("component_1000", func(b *testing.B) { benchmarkIdle(b, "component/idle.wasm", 1000) })
}

func benchmarkIdle(b *testing.B, module string, count int) {
	needDescriptors(b, uint64(count)+500)
	var values [3][]float64
	for start := time.Now(); len(values[0]) < minRuns || time.Since(start) < minTime; {
		each, _ := measureIdle(b, module, count)
		for i, v := range each {
			values[i] = append(values[i], v)
		}
	}
	b.ReportMetric(0, "ns/op")
	_, name, _ := strings.Cut(b.Name(), "/")
	for i, unit := range []string{"µs to start", "KiB resident", "KiB of page tables"} {
		recordFigure(b, results.Row{Benchmark: "idle", Workload: name, Unit: unit}, values[i])
	}
}

// idleEnv holds the number of guests, and their module after a blank.
const idleEnv = "WASPORT_BENCH_IDLE"

// measureIdle runs so many guests in a new process, and returns for each of them the microseconds
// to start it, its resident memory and its page tables in KiB, and the part of the memory that is
// stacks of goroutines.
func measureIdle(tb testing.TB, module string, count int) (each [3]float64, stack float64) {
	tb.Helper()
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), fmt.Sprint(idleEnv, "=", count, " ", module))
	p := startProcess(tb, cmd)
	defer p.stop()
	line := p.expectLine("idle")
	if _, err := fmt.Sscan(line, &each[0], &each[1], &each[2], &stack); err != nil {
		tb.Fatal(err)
	}
	return each, stack
}

// TestIdle has guests of each kind wait. The calls that they made before must have had room on a
// stack of 8 KiB: Go keeps the next size, 16 KiB, while a quarter of it is in use.
func TestIdle(t *testing.T) {
	for _, module := range []string{"idle.wasm", "idle_recv.wasm", "component/idle.wasm"} {
		each, stack := measureIdle(t, module, 100)
		if each[0] <= 0 {
			t.Errorf("%s: got %v, want the time to start one, and its memory", module, each)
		}
		if stack > 12 {
			t.Errorf("%s: got %.1f KiB of stack for each guest, want at most 12", module, stack)
		}
	}
}

// runIdleChild runs in that process. It reports whether this is it.
func runIdleChild() bool {
	var count int
	var module string
	if _, err := fmt.Sscan(os.Getenv(idleEnv), &count, &module); err != nil {
		return false
	}
	if err := startIdle(module, count); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	return true
}

// compileAlone compiles a module in a process of its own, which keeps the runtime until it ends.
func compileAlone(ctx context.Context, module string) (*wasport.Module, error) {
	rt, err := wasport.NewRuntime(ctx, wasport.RuntimeConfig{})
	if err != nil {
		return nil, err
	}
	wasm, err := Modules.ReadFile(module)
	if err != nil {
		return nil, err
	}
	return rt.Compile(ctx, wasm, wasport.CompileConfig{})
}

func startIdle(module string, count int) error {
	ctx := context.Background()
	m, err := compileAlone(ctx, module)
	if err != nil {
		return err
	}
	// Each says where it listens, and then waits.
	said, out := io.Pipe()
	lines := bufio.NewReader(said)
	c := wasport.Config{Args: []string{"idle"}, Stdout: out, Policy: loopbackPolicy()}
	start := func(n int) (time.Duration, error) {
		at := time.Now()
		for range n {
			if _, err := m.Start(ctx, c); err != nil {
				return 0, err
			}
			if _, err := lines.ReadString('\n'); err != nil {
				return 0, err
			}
		}
		return time.Since(at), nil
	}
	if _, err := start(1); err != nil { // for what all of them share
		return err
	}
	debug.FreeOSMemory()
	resident, tables := processMemory()
	stacks := stackMemory()
	took, err := start(count)
	if err != nil {
		return err
	}
	debug.FreeOSMemory()
	residentNow, tablesNow := processMemory()
	each := func(v float64) float64 { return v / float64(count) }
	fmt.Println("idle", each(float64(took.Nanoseconds())/1e3), each(residentNow-resident),
		each(tablesNow-tables), each(stackMemory()-stacks))
	return nil
}

// stackMemory returns the KiB of the goroutines' stacks.
func stackMemory() float64 {
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return float64(m.StackInuse) / 1024
}
