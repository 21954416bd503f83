package interrupt

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"

	"github.com/tetratelabs/wazero"
)

// times is a loop that runs code n times. It counts down in a local, which it clears at its end.
func times(n int32, local byte, code ...byte) []byte {
	return slices.Concat(constant(n), []byte{opLocalSet, local, opLoop, blockVoid}, code,
		[]byte{opLocalGet, local, opI32Const, 1, opI32Sub, opLocalTee, local, opBrIf, 0, opEnd})
}

// steps are functions of 100 or more steps, each with its number of loop iterations and entries.
var steps = map[string]struct {
	steps int
	wasm  []byte
}{
	"loop": {1000, stepper(times(1000, 0))},
	"loops in a row": {300, stepper(slices.Concat(
		times(100, 0), times(100, 0), times(100, 0)))},
	"nested loops": {100 + 100*50, stepper(times(100, 0, times(50, 1)...))},
	// The callee counts its entry and 20 iterations.
	"calls in a loop beside loops": {100 + 100*(30+21+30), stepper(times(100, 0, slices.Concat(
		times(30, 1), []byte{opCall, 1}, times(30, 1))...))},
	"calls of a function without a check": {100 + 100*30, stepper(times(100, 0, slices.Concat(
		times(30, 1), []byte{opCall, 2})...))},
	"call on one of two paths": {100 + 100*30 + 50*21, stepper(times(100, 0, slices.Concat(
		times(30, 1), []byte{opLocalGet, 0, opI32Const, 1, 0x71 /* i32.and */, opIf, blockVoid,
			opCall, 1, opEnd})...))},
	"loop left from within": {100 + 100*1, stepper(times(100, 0, slices.Concat(
		[]byte{opBlock, blockVoid}, times(1000, 1, opI32Const, 1, opBrIf, 1), []byte{opEnd},
	)...))},
	"loop left by a table": {100 + 100*1 + 100*21, stepper(times(100, 0, slices.Concat(
		[]byte{opBlock, blockVoid}, times(1000, 1, opI32Const, 0, opBrTable, 1, 1, 0),
		[]byte{opEnd, opCall, 1})...))},
	"return from a loop, called": {100 + 100*(1+1), stepper(times(100, 0, opCall, 3))},
	"tail call after a loop":     {100 + 100*(1+10+21), stepper(times(100, 0, opCall, 4))},
	"forward jumps of Go's":      {100, stepper(goLoop())},
	"jump after a long path": {101, stepper(goLoop(
		slices.Repeat([]byte{0x01}, maxJumpedPath+50)...))},
	"parameters carried": {100 + 100*(1+20), stepper(times(100, 0, opCall, 5))},
}

// stepper is a module that calls the code, with two locals, as "f".
func stepper(code []byte) []byte {
	two := []byte{1, 2, typeI32}
	return module(
		section(secType, signature("", "")),
		section(secFunction, slices.Repeat([][]byte{{0}}, 6)...),
		section(secExport, exportOf("f", 0, 0)),
		section(secCode,
			bodyWith(two, code...),
			bodyWith(two, slices.Concat([]byte{opI32Const, 0, opIf, blockVoid, opEnd},
				times(20, 0))...),
			body(0x01),
			bodyWith(two, slices.Concat([]byte{opI32Const, 0, opIf, blockVoid, opEnd},
				times(1000, 0, opReturn))...),
			bodyWith(two, slices.Concat([]byte{opI32Const, 0, opIf, blockVoid, opEnd},
				times(10, 0), []byte{opReturnCall, 1})...),
			bodyWith([]byte{4, 1, typeI32, 1, typeI64, 1, typeF32, 1, typeF64}, slices.Concat(
				[]byte{opI32Const, 0, opIf, blockVoid, opEnd},
				times(20, 0, opLocalGet, 1, opI64Const, 1, opI64Add, opLocalSet, 1,
					opLocalGet, 2, opLocalGet, 2, 0x92 /* f32.add */, opLocalSet, 2,
					opLocalGet, 3, opLocalGet, 3, 0xa0 /* f64.add */, opLocalSet, 3))...),
		),
	)
}

// TestTicksAreExact counts the ticks of functions with a known number of steps. The counter is kept
// in a local in some and in a global in others, and none may lose a step between them. The first
// tick comes with the step whose number is the interval. It is counted again, in the next interval.
func TestTicksAreExact(t *testing.T) {
	for name, c := range steps {
		for _, interval := range []int{2, 3, 7, 50, 99, 2500} {
			t.Run(fmt.Sprint(name, "/", interval), func(t *testing.T) {
				o := limited
				o.Interval = uint32(interval)
				got, want := 0, 0
				if c.steps >= interval {
					want = 1 + (c.steps-interval)/(interval-1)
				}
				err := run(t, rewrite(t, c.wasm, o), wazero.NewRuntimeConfigInterpreter(),
					func() { got++ })
				if err != nil || got != want {
					t.Errorf("%d steps: got %d ticks, %v; want %d", c.steps, got, err, want)
				}
			})
		}
	}
}

// TestTicksAfterTrap calls an instance again whose first call ended in a tick, as every call of it
// does. The counter must have begun the next interval then.
func TestTicksAfterTrap(t *testing.T) {
	ctx := context.Background()
	rt := wazero.NewRuntimeWithConfig(ctx, wazero.NewRuntimeConfig().WithCoreFeatures(features))
	defer rt.Close(ctx)
	ticks := 0
	instantiateHost(t, ctx, rt, func() {
		ticks++
		panic(errStopped)
	})
	m, err := rt.Instantiate(ctx, rewrite(t, endless["nested loops"], limited))
	if err != nil {
		t.Fatal(err)
	}
	for want := range 5 {
		_, err := m.ExportedFunction("f").Call(ctx)
		if !errors.Is(err, errStopped) || ticks != want+1 {
			t.Errorf("got %d ticks, %v; want %d, %v", ticks, err, want+1, errStopped)
		}
	}
}

// TestMostLocals rewrites a function that has as many locals as one may have, and gets more.
func TestMostLocals(t *testing.T) {
	locals := append(appendU32([]byte{1}, maxLocals), typeI32)
	wasm := module(
		section(secType, signature("", "")),
		section(secFunction, []byte{0}),
		section(secMemory, []byte{0, 1}),
		section(secExport, exportOf("f", 0, 0)),
		section(secCode, bodyWith(locals, slices.Concat(times(1000, 0), constant(0), constant(0),
			constant(9), memoryFill)...)),
	)
	err := run(t, rewrite(t, wasm, limited), wazero.NewRuntimeConfigInterpreter(), func() {})
	if err != nil {
		t.Errorf("got %v, want no error", err)
	}
}

// TestLoopsShareBuffers rewrites many loops, in a row and nested, that use more locals than the
// walk remembers for a loop. It must not allocate for each.
func TestLoopsShareBuffers(t *testing.T) {
	var uses []byte
	for i := range byte(maxAccesses + 10) {
		uses = append(uses, opLocalGet, i, opLocalSet, i)
	}
	loop := slices.Concat([]byte{opLoop, blockVoid}, uses, []byte{opEnd})
	nested := slices.Concat(slices.Repeat(loop[:len(loop)-1], 100),
		slices.Repeat([]byte{opEnd}, 100))
	for name, code := range map[string][]byte{"row": slices.Repeat(loop, 2000), "nested": nested} {
		t.Run(name, func(t *testing.T) {
			wasm := module(
				section(secType, signature("", "")), section(secFunction, []byte{0}),
				section(secCode, bodyWith([]byte{1, maxAccesses + 10, typeI32}, code...)),
				customSection("large", make([]byte, 1<<20)...),
			)
			const most = 400 // Of the growth of all buffers, and closeLoop.
			got := testing.AllocsPerRun(1, func() { rewrite(t, wasm, limited) })
			if got > most {
				t.Errorf("got %.0f allocations, want at most %d", got, most)
			}
		})
	}
}
