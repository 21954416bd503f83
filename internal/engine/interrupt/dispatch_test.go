package interrupt

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/tetratelabs/wazero"
)

// The locals of the functions that dispatcher makes. The first is their parameter.
const (
	trace = iota
	next
	other
	left
	coin
)

// dispatcher is a function of random jumps, in the form that Go's compiler gives it. Each of its
// blocks appends its number to a trace. Some jumps only look like those of the form.
func dispatcher(r *rand.Rand) []byte {
	const blocks = 6
	code := slices.Concat(constant(60), []byte{opLocalSet, left, opBlock, blockVoid,
		opLoop, blockVoid})
	step := func(i byte) []byte {
		return []byte{opI32Const, 31, opLocalGet, trace, 0x6c /* i32.mul */, opI32Const, i,
			opI32Add, opLocalSet, trace}
	}
	if r.IntN(4) == 0 { // Something is between the loop and its table.
		code = append(code, step(blocks)...)
	}
	code = slices.Concat(code, slices.Repeat([]byte{opBlock, blockVoid}, blocks),
		[]byte{opLocalGet, next, opBrTable, blocks + 2})
	for range blocks + 3 {
		code = append(code, byte(r.IntN(blocks)))
	}
	jump := func(depth byte) []byte {
		local := byte(next)
		if r.IntN(8) == 0 {
			local = other
		}
		set := slices.Concat(constant(int32(r.IntN(blocks+6)-2)), []byte{opLocalSet, local})
		switch r.IntN(10) {
		case 0: // A block is between the jump and the table's, or ends before it.
			return slices.Concat([]byte{opBlock, blockVoid}, set, []byte{opBr, depth + 1, opEnd})
		case 1:
			return slices.Concat(set, []byte{0x01, opBr, depth})
		case 2: // A loop of its own, whose blocks have the depths of those that ended.
			return slices.Concat([]byte{opLoop, blockVoid, opBlock, blockVoid}, set,
				[]byte{opBr, depth + 2, opEnd, opEnd})
		case 3: // The constant is not the last assignment.
			return slices.Concat(set, []byte{opLocalGet, coin, opI32Const, 3, 0x71, /* i32.and */
				opLocalSet, next, opBr, depth})
		case 4: // The branch is not to the loop.
			return slices.Concat([]byte{opBlock, blockVoid}, set, []byte{opBr, 0, opEnd,
				opI32Const, 1, opLocalSet, next, opBr, depth})
		}
		return slices.Concat(set, []byte{opBr, depth})
	}
	for i := range byte(blocks) {
		depth := blocks - 1 - i // The label of the loop.
		code = slices.Concat(code, []byte{opEnd},
			step(i), []byte{opLocalGet, left, opI32Const, 1, opI32Sub, opLocalTee, left, opI32Eqz,
				opBrIf, depth + 1, opLocalGet, trace}, constant(0x55555555),
			[]byte{0x6c, opLocalTee, coin}, constant(int32(r.Uint32())),
			[]byte{0x48 /* i32.lt_s */, opIf, blockVoid}, jump(depth+1), []byte{opEnd})
		if r.IntN(3) > 0 {
			code = append(code, jump(depth)...)
		}
	}
	code = append(code, opBr, 0, opEnd, opEnd, opLocalGet, trace)
	return module(
		section(secType, signature("i", "i")),
		section(secFunction, []byte{0}),
		section(secExport, exportOf("f", 0, 0)),
		section(secCode, bodyWith([]byte{1, 4, typeI32}, code...)),
	)
}

// TestJumpsLeadWhereTheTableDoes runs random jumps with and without rewriting.
func TestJumpsLeadWhereTheTableDoes(t *testing.T) {
	ctx := context.Background()
	for seed := range uint64(300) {
		rt := wazero.NewRuntimeWithConfig(ctx, wazero.NewRuntimeConfigInterpreter())
		instantiateHost(t, ctx, rt, func() {})
		wasm := dispatcher(rand.New(rand.NewPCG(seed, 1)))
		var traces [2][]uint64
		for i, wasm := range [][]byte{wasm, rewrite(t, wasm, Options{Interval: 2})} {
			m, err := rt.InstantiateWithConfig(ctx, wasm,
				wazero.NewModuleConfig().WithName(fmt.Sprint(i)))
			if err != nil {
				t.Fatalf("%d: %v", seed, err)
			}
			for start := range uint64(5) {
				r, err := m.ExportedFunction("f").Call(ctx, start)
				if err != nil {
					t.Fatalf("%d: %v", seed, err)
				}
				traces[i] = append(traces[i], r...)
			}
		}
		if got, want := traces[1], traces[0]; !slices.Equal(got, want) {
			t.Errorf("%d: got the traces %x, want %x", seed, got, want)
		}
		rt.Close(ctx)
	}
}

// goLoop is 100 iterations of a loop of blocks, of which the last jumps back and the first jumps
// past the second. The code is in the first and in the last.
func goLoop(code ...byte) []byte {
	return slices.Concat([]byte{opLoop, blockVoid}, slices.Repeat([]byte{opBlock, blockVoid}, 3),
		[]byte{opLocalGet, 1, opBrTable, 3, 0, 1, 2, 0, opEnd}, constant(100),
		[]byte{opLocalSet, 0}, code, []byte{opI32Const, 2, opLocalSet, 1, opBr, 2, opEnd, opEnd},
		code, []byte{opLocalGet, 0, opI32Const, 1, opI32Sub, opLocalTee, 0, opIf, blockVoid,
			opI32Const, 1, opLocalSet, 1, opBr, 1, opEnd, opEnd})
}

// TestLongPathAfterJump has the path to a check begin before a jump. The check counts as one step,
// as the jump would have.
func TestLongPathAfterJump(t *testing.T) {
	half := slices.Repeat([]byte{0x01}, maxUncheckedPath*3/5)
	o := Options{Interval: 100}
	got, most := 0, 100*2/(100-1)
	err := run(t, rewrite(t, stepper(goLoop(half...)), o), wazero.NewRuntimeConfigInterpreter(),
		func() { got++ })
	if err != nil || got == 0 || got > most {
		t.Errorf("got %d ticks, %v; want 1 to %d", got, err, most)
	}
}
