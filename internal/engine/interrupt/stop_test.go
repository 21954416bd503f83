package interrupt

import (
	"context"
	"errors"
	"runtime"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/tetratelabs/wazero"

	"github.com/wasport/wasport/internal/testutil/threadtime"
)

func rewrite(t testing.TB, b []byte, o Options) []byte {
	t.Helper()
	out, _, err := Rewrite(b, o)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

var limited = Options{Stack: DefaultMaxStack, Charge: true, Atomics: true}

// endless are functions that never return, or would take years.
var endless = map[string][]byte{
	"loop": one("", "", opLoop, blockVoid, opBr, 0, opEnd),
	"nested loops": one("", "", opLoop, blockVoid, opLoop, blockVoid, opI32Const, 0, opBrIf, 0,
		opEnd,
		opBr, 0, opEnd),
	"loop with parameters": module(
		section(secType, signature("", ""), signature("i", "i")),
		section(secFunction, []byte{0}),
		section(secExport, exportOf("f", 0, 0)),
		section(secCode, body(opI32Const, 7, opLoop, 1, opI32Const, 1, opI32Add, opBr, 0, opEnd,
			0x1a)),
	),
	"branch table": one("", "", opLoop, blockVoid, opBlock, blockVoid, opI32Const, 1,
		opBrTable, 1, 0, 1, opEnd, opEnd),
	"tail call":          one("", "", opReturnCall, 0),
	"indirect tail call": one("", "", opI32Const, 0, opReturnCallIndirect, 0, 0),
	"call tree": func() []byte {
		// Each of 64 functions calls the next one twice.
		const n = 64
		var types, bodies [][]byte
		for i := range byte(n) {
			types = append(types, []byte{0})
			if i == n-1 {
				bodies = append(bodies, body(0x01))
			} else {
				bodies = append(bodies, body(opCall, i+1, opCall, i+1))
			}
		}
		return module(
			section(secType, signature("", "")),
			section(secFunction, types...),
			section(secExport, exportOf("f", 0, 0)),
			section(secCode, bodies...),
		)
	}(),
	"fibonacci": one("i", "i", opLocalGet, 0, opI32Const, 2, 0x48 /* i32.lt_s */, opIf, typeI32,
		opLocalGet, 0, opElse,
		opLocalGet, 0, opI32Const, 1, opI32Sub, opCall, 0, opLocalGet, 0, opI32Const, 2, opI32Sub,
		opCall, 0, opI32Add, opEnd),
	"fills": one("", "", slices.Concat([]byte{opLoop, blockVoid, opI32Const, 0, opI32Const, 0},
		constant(16<<20), memoryFill,
		[]byte{opBr, 0, opEnd})...),
	"copies": one("", "", slices.Concat([]byte{opLoop, blockVoid, opI32Const, 0, opI32Const, 1},
		constant(16<<20-1), memoryCopy,
		[]byte{opBr, 0, opEnd})...),
	"copies in a row": one("", "", slices.Concat([]byte{opLoop, blockVoid},
		slices.Repeat(slices.Concat([]byte{opI32Const, 1, opI32Const, 0}, constant(200<<10),
			memoryCopy), 2000),
		[]byte{opBr, 0, opEnd})...),
	"straight code": one("", "", slices.Concat([]byte{opLoop, blockVoid},
		slices.Repeat([]byte{opI32Const, 100, opI32Const, 3, 0x6d /* i32.div_s */, 0x1a}, 100_000),
		[]byte{opBr, 0, opEnd})...),
	"table fills": module(
		section(secType, signature("", "")),
		section(secFunction, []byte{0}),
		section(secTable, slices.Concat([]byte{0x70, 0}, appendU32(nil, 500_000))),
		section(secExport, exportOf("f", 0, 0)),
		section(secCode, body(slices.Concat([]byte{opLoop, blockVoid, opI32Const, 0, opRefNull,
			0x70}, constant(500_000),
			[]byte{opMisc, 17, 0, opBr, 0, opEnd})...)),
	),
}

var errStopped = errors.New("stopped")

// run calls "f" of a module, with the argument 100 if it has a parameter. Tick ends it by a panic.
func run(t testing.TB, wasm []byte, config wazero.RuntimeConfig, tick func()) error {
	ctx := context.Background()
	rt := wazero.NewRuntimeWithConfig(ctx, config.WithCoreFeatures(features))
	defer rt.Close(ctx)
	instantiateHost(t, ctx, rt, tick)
	m, err := rt.Instantiate(ctx, wasm)
	if err != nil {
		t.Fatal(err)
	}
	f := m.ExportedFunction("f")
	_, err = f.Call(ctx, slices.Repeat([]uint64{100}, len(f.Definition().ParamTypes()))...)
	return err
}

func TestEndlessGuestsTick(t *testing.T) {
	for name, wasm := range endless {
		t.Run(name, func(t *testing.T) {
			runtime.LockOSThread()
			defer runtime.UnlockOSThread()
			// An idle machine takes at most 2 ms. Other programs share its caches and can make that
			// 10 ms. An unbounded path takes longer than the limit in every round.
			const limit = 30*time.Millisecond + threadtime.Step
			var rounds []time.Duration
			for len(rounds) < 3 && (len(rounds) == 0 || slices.Min(rounds) > limit) {
				var last, longest time.Duration
				ticks := 0
				err := run(t, rewrite(t, wasm, limited), wazero.NewRuntimeConfig(), func() {
					now := threadtime.Now()
					if ticks++; ticks > 1 {
						longest = max(longest, now-last)
					}
					if last = now; ticks > 200 {
						panic(errStopped)
					}
				})
				if !errors.Is(err, errStopped) {
					t.Fatalf("got %v, want %v", err, errStopped)
				}
				rounds = append(rounds, longest)
			}
			t.Logf("at most between two ticks: %v", rounds)
			if longest := slices.Min(rounds); longest > limit {
				t.Errorf("got %v between two ticks, want at most %v", longest, limit)
			}
		})
	}
}

func TestEndlessGuestsTickInTheInterpreter(t *testing.T) {
	for name, wasm := range endless {
		t.Run(name, func(t *testing.T) {
			ticks := 0
			err := run(t, rewrite(t, wasm, limited), wazero.NewRuntimeConfigInterpreter(), func() {
				if ticks++; ticks > 20 {
					panic(errStopped)
				}
			})
			if !errors.Is(err, errStopped) {
				t.Fatalf("got %v, want %v", err, errStopped)
			}
		})
	}
}

// TestGarbageCollectionBesideSpinningGuest runs collections beside a guest that computes. A
// collection stops every goroutine, and so waits until compiled code calls the host. Without ticks
// it would never end.
func TestGarbageCollectionBesideSpinningGuest(t *testing.T) {
	var done atomic.Bool
	var once sync.Once
	started := make(chan struct{})
	ended := make(chan error)
	go func() {
		ended <- run(t, rewrite(t, endless["loop"], limited), wazero.NewRuntimeConfig(), func() {
			once.Do(func() { close(started) })
			if done.Load() {
				panic(errStopped)
			}
			runtime.Gosched()
		})
	}()
	<-started
	var rounds []time.Duration
	for range 5 {
		var longest time.Duration
		for range 50 {
			start := time.Now()
			runtime.GC()
			longest = max(longest, time.Since(start))
		}
		rounds = append(rounds, longest)
	}
	best := slices.Min(rounds)
	t.Logf("the longest of 50 collections took %v at best, %v at worst", best, slices.Max(rounds))

	done.Store(true)
	if err := <-ended; !errors.Is(err, errStopped) {
		t.Fatalf("got %v, want %v", err, errStopped)
	}
}

// recursions are functions that recurse without end.
var recursions = map[string][]byte{
	"direct": one("i", "i", opLocalGet, 0, opCall, 0, opI32Const, 1, opI32Add),
	"indirect": one("i", "i", opLocalGet, 0, opI32Const, 0, opCallIndirect, 0, 0, opI32Const, 1,
		opI32Add),
	// A value lives across each of the calls.
	"with many calls": one("i", "i", slices.Concat([]byte{opLocalGet, 0, opCall, 0},
		slices.Repeat([]byte{opLocalGet, 0, opCall, 0, opI32Add}, 100))...),
	"with many locals": module(
		section(secType, signature("i", "i")),
		section(secFunction, []byte{0}),
		section(secExport, exportOf("f", 0, 0)),
		section(secCode, manyLocals()),
	),
}

// manyLocals is a recursive function with 1000 values that live across the call.
func manyLocals() []byte {
	code := []byte{}
	for i := range uint32(1000) {
		code = append(code, opLocalGet, 0)
		code = append(code, constant(int32(i))...)
		code = append(code, opI32Add)
		code = appendU32(append(code, opLocalSet), i+1)
	}
	code = append(code, opLocalGet, 0, opCall, 0)
	for i := range uint32(1000) {
		code = appendU32(append(code, opLocalGet), i+1)
		code = append(code, opI32Add)
	}
	return bodyWith(slices.Concat([]byte{1}, appendU32(nil, 1000), []byte{typeI32}), code...)
}

func TestRecursionEndsAtStackLimit(t *testing.T) {
	for name, wasm := range recursions {
		t.Run(name, func(t *testing.T) {
			wasm := rewrite(t, wasm, limited)
			runtime.GC()
			var before, after runtime.MemStats
			runtime.ReadMemStats(&before)
			start := time.Now()
			err := run(t, wasm, wazero.NewRuntimeConfig(), func() {})
			took := time.Since(start)
			runtime.ReadMemStats(&after)
			if err == nil || !strings.HasPrefix(err.Error(), "stack overflow") {
				t.Fatalf("got %v, want a stack overflow", err)
			}
			// The stack doubles as it grows. All stacks together are twice as large as the last.
			stack := (after.TotalAlloc - before.TotalAlloc) / 2
			t.Logf("%v, %d MiB of stack", took, stack>>20)
			if stack > 48<<20 {
				t.Errorf("got a stack of %d bytes, want at most %d", stack, 48<<20)
			}
		})
	}
}

// TestDepthAfterEveryKindOfExit makes a million calls that return in each way. Every way must take
// the frame off the stack's depth, and so must a tick at the entry, which then adds it again.
func TestDepthAfterEveryKindOfExit(t *testing.T) {
	exits := map[string][]byte{
		"end":           {opCall, 1},
		"return":        {opCall, 1, opReturn},
		"nested return": {opCall, 1, opBlock, blockVoid, opLoop, blockVoid, opReturn, opEnd, opEnd},
		"branch":        {opCall, 1, opBlock, blockVoid, opLoop, blockVoid, opBr, 2, opEnd, opEnd},
		"branch if":     {opCall, 1, opLoop, blockVoid, opI32Const, 1, opBrIf, 1, opEnd},
		"branch table":  {opCall, 1, opLoop, blockVoid, opI32Const, 0, opBrTable, 1, 1, 1, opEnd},
		"tail call":     {opReturnCall, 1},
		"indirect call": {opI32Const, 0, opCallIndirect, 0, 0},
		"indirect tail": {opI32Const, 0, opReturnCallIndirect, 0, 0},
	}
	for name, exit := range exits {
		t.Run(name, func(t *testing.T) {
			wasm := module(
				section(secType, signature("", ""), signature("", "il")),
				section(secFunction, []byte{0}, []byte{0}, []byte{0}, []byte{1}),
				section(secTable, []byte{0x70, 0, 1}),
				section(secExport, exportOf("f", 0, 0)),
				section(secElement, slices.Concat([]byte{0}, constant(0), []byte{opEnd, 1, 1})),
				section(secCode,
					bodyWith([]byte{1, 1, typeI32},
						slices.Concat([]byte{opLoop, blockVoid, opCall, 2, opLocalGet, 0,
							opI32Const, 1,
							opI32Add, opLocalTee, 0}, constant(1_000_000),
							[]byte{0x49, opBrIf, 0, opEnd})...),
					// The body is too large to go without checks.
					body(slices.Concat([]byte{opCall, 3, 0x1a, 0x1a},
						slices.Repeat([]byte{0x01}, maxUncheckedBody))...),
					body(exit...),
					body(slices.Concat(slices.Repeat([]byte{0x01}, maxUncheckedBody),
						[]byte{opI32Const, 1, opI64Const, 2, opReturn})...),
				),
			)
			for _, o := range []Options{limited, {Interval: 16, Stack: 1 << 20}} {
				err := run(t, rewrite(t, wasm, o), wazero.NewRuntimeConfig(), func() {})
				if err != nil {
					t.Errorf("a million calls, a tick every %d steps: got %v, want no error",
						o.Interval, err)
				}
			}
		})
	}
}
