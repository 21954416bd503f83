//go:build unix

package bench

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"runtime/debug"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/wasport/wasport"
	"github.com/wasport/wasport/bench/internal/results"
)

// BenchmarkIdle starts guests that wait for a connection, in a process of their own, and reports
// the cost of each: the time to start it and the memory that it keeps.
func BenchmarkIdle(b *testing.B) {
	for _, count := range []int{1, 100, 1000, 10_000} {
		b.Run(strconv.Itoa(count), func(b *testing.B) { benchmarkIdle(b, "idle.wasm", count) })
	}
	b.Run("component", func(b *testing.B) { benchmarkIdle(b, "component/idle.wasm", 1000) })
}

func benchmarkIdle(b *testing.B, module string, count int) {
	needDescriptors(b, uint64(count)+1000)
	var times, sizes []float64
	for start := time.Now(); len(times) < minRuns || time.Since(start) < minTime; {
		us, bytes := measureIdle(b, module, count)
		times, sizes = append(times, us), append(sizes, bytes)
	}
	b.ReportMetric(0, "ns/op")
	b.ReportMetric(results.Median(times), "µs-to-start")
	b.ReportMetric(results.Median(sizes)/1024, "KiB-resident")
}

// idleEnv holds the number of guests, and the name of their module after a blank.
const idleEnv = "WASPORT_BENCH_IDLE"

// idle runs so many guests in a new process.
func measureIdle(tb testing.TB, module string, count int) (usec, bytes float64) {
	tb.Helper()
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), fmt.Sprint(idleEnv, "=", count, " ", module))
	p := startProcess(tb, cmd)
	defer p.stop()
	if _, err := fmt.Sscan(p.expectLine("idle"), &usec, &bytes); err != nil {
		tb.Fatal(err)
	}
	return usec, bytes
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
	before := residentBytes()
	took, err := start(count)
	if err != nil {
		return err
	}
	debug.FreeOSMemory()
	fmt.Printf("idle %f %f\n", float64(took.Nanoseconds())/1e3/float64(count),
		float64(residentBytes()-before)/float64(count))
	return nil
}

// residentBytes returns the resident memory of this process (proc_pid_statm(5)).
func residentBytes() int {
	b, err := os.ReadFile("/proc/self/statm")
	if err != nil {
		panic(err)
	}
	pages, err := strconv.Atoi(strings.Fields(string(b))[1])
	if err != nil {
		panic(err)
	}
	return pages * os.Getpagesize()
}
