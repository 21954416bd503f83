package integration_test

import (
	"bytes"
	"cmp"
	"context"
	"crypto/rand"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/wasport/wasport"
	"github.com/wasport/wasport/internal/monotonic"
	"github.com/wasport/wasport/internal/needs"
)

// TestAssembledModulesMatchSources checks that each module in testdata is the output of wat2wasm
// for its text.
func TestAssembledModulesMatchSources(t *testing.T) {
	needs.Programs(t, "wat2wasm")
	texts, _ := filepath.Glob("testdata/*.wat")
	if len(texts) == 0 {
		t.Fatal("got no modules in testdata, want some")
	}
	for _, text := range texts {
		want, err := exec.Command("wat2wasm", "--debug-names", "--enable-threads", text,
			"--output=-").Output()
		if err != nil {
			t.Errorf("%s: got %v, want no error", text, err)
			continue
		}
		if got, err := os.ReadFile(wasmPath(text)); err != nil || !bytes.Equal(got, want) {
			t.Errorf("got another %s, want the output of wat2wasm for %s; %v", wasmPath(text), text,
				err)
		}
	}
}

// TestCallFromModuleWithoutMemory runs a module that has no memory for a result.
func TestCallFromModuleWithoutMemory(t *testing.T) {
	const efault = 21
	if status, err := compileTestdata(t, "nothing").Run(context.Background(),
		wasport.Config{}); err != nil || status.Code != efault {
		t.Errorf("got %+v, %v, want status %d", status, err, efault)
	}
}

// stackOverflowReason is the reason of an access out of bounds by a program whose stack pointer
// left the memory.
const stackOverflowReason = "out of bounds memory access: stack overflow, " +
	"see https://github.com/wasport/wasport/blob/main/docs/c/porting.md#the-stack"

// TestTrapReasonAndStack compares reasons and stacks of traps. They show no function that the host
// added to a module, and number unnamed functions as the module does.
func TestTrapReasonAndStack(t *testing.T) {
	wasm, err := os.ReadFile(filepath.Join("testdata", "stack.wasm"))
	if err != nil {
		t.Fatal(err)
	}
	wasm[bytes.Index(wasm, []byte("__stack_pointer"))-2] = 100 // a global that does not exist
	misnamed := compileModule(t, wasm)
	for _, test := range []struct {
		name             string
		module           *wasport.Module
		function, reason string
		stack            string // how it begins
	}{
		{"unnamed functions", compileTestdata(t, "unnamed"), "", "unreachable", "$1()\n$0()"},
		{"bulk copy", compileTestdata(t, "unnamed"), "copy", "out of bounds memory access",
			"memory.copy(i32,i32,i32)\n$2()"},
		{"start function", compileTestdata(t, "start"), "", "unreachable", "early()"},
		{"endless recursion", compileGuest(t, "recurse"), "", "stack overflow",
			"deeper(i32) i32\ndeeper"},
		{"stack pointer below 0", compileTestdata(t, "stack"), "overflow", stackOverflowReason,
			"store(i32,i32)"},
		{"stack pointer below 0 in a leaf", compileTestdata(t, "stack"), "leaf",
			stackOverflowReason, "store(i32,i32)"},
		{"pointer out of bounds", compileTestdata(t, "stack"), "wild",
			"out of bounds memory access", "store(i32,i32)"},
		{"stack in use up to its end", compileTestdata(t, "stack"), "full", "unreachable", "full"},
		{"stack pointer that does not exist", misnamed, "overflow", "out of bounds memory access",
			"store(i32,i32)"},
	} {
		t.Run(test.name, func(t *testing.T) {
			_, err := test.module.Run(context.Background(), wasport.Config{Function: test.function})
			var trap *wasport.Trap
			if !errors.As(err, &trap) || trap.Reason != test.reason ||
				!strings.HasPrefix(trap.Stack, test.stack) {
				t.Errorf("got %v, %+v, want a trap with reason %q and a stack from %q", err, trap,
					test.reason, test.stack)
			}
		})
	}
}

func wasmPath(text string) string { return strings.TrimSuffix(text, ".wat") + ".wasm" }

// compileTestdata compiles one of the modules in testdata.
func compileTestdata(t testing.TB, name string) *wasport.Module {
	t.Helper()
	return compileModule(t, testdata(t, name))
}

func compileModule(t testing.TB, wasm []byte) *wasport.Module {
	t.Helper()
	m, err := shared.runtime.Compile(context.Background(), wasm, wasport.CompileConfig{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { m.Close(context.Background()) })
	return m
}

// readHook is a source of random bytes that a guest asks in the middle of its work.
type readHook func()

func (h readHook) Read(b []byte) (int, error) {
	h()
	return rand.Read(b)
}

// isFullRun says whether tests that take long are to run in full.
func isFullRun() bool { return os.Getenv("WASPORT_CI") == "1" && canMeasure && !interpreted() }

func interpreted() bool { return os.Getenv("WASPORT_INTERPRETER") != "" }

// timing is the duration of a piece of work.
type timing struct{ wall, quiet time.Duration }

// longestTiming returns the longest durations of several timings.
func longestTiming(all []timing) (d timing) {
	for _, s := range all {
		d = timing{max(d.wall, s.wall), max(d.quiet, s.quiet)}
	}
	return d
}

// medianTiming returns the median durations of several timings.
func medianTiming(all []timing) timing {
	var whole, own []time.Duration
	for _, s := range all {
		whole, own = append(whole, s.wall), append(own, s.quiet)
	}
	slices.Sort(whole)
	slices.Sort(own)
	return timing{whole[len(all)/2], own[len(all)/2]}
}

// stopwatch measures a timing.
type stopwatch struct {
	started, queued time.Duration
}

func startStopwatch() stopwatch {
	q := runQueueWait()
	return stopwatch{monotonic.Now(), q}
}

// startStopwatchAfter starts a stopwatch after a delay. The function returned stops it.
func startStopwatchAfter(d time.Duration) (stop func() timing) {
	started := make(chan stopwatch, 1)
	due := monotonic.Now() + d
	time.AfterFunc(d, func() { started <- stopwatch{due, runQueueWait()} })
	return func() timing { return (<-started).stop() }
}

func (w stopwatch) stop() timing { return w.timingOf(monotonic.Since(w.started)) }

// timingOf makes a timing of a duration that lies within the stopwatch's run.
func (w stopwatch) timingOf(d time.Duration) timing {
	return timing{d,
		max(d-max(runQueueWait()-w.queued, 0), 0)}
}

// idleGuestTime is how long a guest that does nothing takes at the moment, from its start to its
// end. Tests measure times in it, since it grows with the load of the machine.
func idleGuestTime(t testing.TB) timing {
	t.Helper()
	m := compileTestdata(t, "nothing")
	var all []timing
	for range 15 {
		w := startStopwatch()
		if _, err := m.Run(context.Background(), wasport.Config{}); err != nil {
			t.Fatal(err)
		}
		all = append(all, w.stop())
	}
	unit := medianTiming(all)
	// Threads that wait beside each other may wait longer together than the guest takes, which
	// leaves nothing. The shortest run had the least of others in it.
	unit.quiet = max(unit.quiet, shortestTiming(all).wall)
	return unit
}

func shortestTiming(all []timing) timing {
	return slices.MinFunc(all, func(a, b timing) int { return cmp.Compare(a.wall, b.wall) })
}

// bound is how many idle guests a part of an attempt may take.
type bound struct {
	what  string
	times int
}

// limit returns the longest time within the bound, on the clock and without the share of others.
func (b bound) limit(t testing.TB) (wall, quiet time.Duration) {
	unit, times := idleGuestTime(t), time.Duration(b.times*noiseFactor)
	if interpreted() {
		times *= 4 // The pace is of a guest that computes nothing, which takes as long compiled.
	}
	return times * unit.wall, times * unit.quiet
}

// checkWithin fails if attempts, of which each returns a time for each bound, take longer. Other
// programs may spoil single attempts, so that one good attempt is enough: checkWithin makes at
// least 5, and up to 40 until each bound has had one. If they spoil all, the median without their
// share decides.
func checkWithin(t testing.TB, attempt func() []timing, bounds ...bound) {
	t.Helper()
	all := make([][]timing, len(bounds))
	held := make([]bool, len(bounds)) // by the pace of the machine at the time of an attempt
	for n, left := 0, true; n < 5 || n < 40 && left; n++ {
		left = false
		for i, took := range attempt() {
			all[i] = append(all[i], took)
			wall, _ := bounds[i].limit(t)
			held[i] = held[i] || shortestTiming(all[i]).wall <= wall
			left = left || !held[i]
		}
	}
	for i, b := range bounds {
		best, own := shortestTiming(all[i]).wall, medianTiming(all[i]).quiet
		wall, quiet := b.limit(t)
		t.Logf("%s: %v at best, %v at worst of %d; the median without what others may have added "+
			"is %v", b.what, best, longestTiming(all[i]).wall, len(all[i]), own)
		if canMeasure && !held[i] && own > quiet {
			t.Errorf("%s: got %v, want at most %v, which is %d idle guests", b.what, best, wall,
				b.times)
		}
	}
}

// testdata returns a module of the folder testdata.
func testdata(t testing.TB, name string) []byte {
	t.Helper()
	wasm, err := os.ReadFile(filepath.Join("testdata", name+".wasm"))
	if err != nil {
		t.Fatal(err)
	}
	return wasm
}
