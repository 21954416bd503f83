package interrupt

import (
	"errors"
	"runtime"
	"slices"
	"strings"
	"testing"
)

// nestings hold the code before and after the content of a block.
var nestings = map[string][2][]byte{
	"block": {{opBlock, blockVoid}, {opEnd}},
	"loop":  {{opLoop, blockVoid}, {opEnd}},
	"if":    {{opI32Const, 0, opIf, blockVoid}, {opEnd}},
	"else":  {{opI32Const, 0, opIf, blockVoid}, {opElse, opEnd}},
}

// nestedAssignments is a function that assigns all of its locals in the innermost of nested blocks.
func nestedAssignments(enclose [2][]byte, locals, depth int) []byte {
	code := slices.Repeat(enclose[0], depth)
	code = append(code, opI32Const, 0)
	for i := range locals {
		code = appendU32(append(code, opLocalTee), uint32(i))
	}
	code = append(append(code, opDrop), slices.Repeat(enclose[1], depth)...)
	return module(
		section(secType, signature("", "")),
		section(secFunction, []byte{0}),
		section(secCode,
			bodyWith(append(appendU32([]byte{1}, uint32(locals)), typeI32), code...)),
	)
}

// TestNestedAssignmentsAreBounded rewrites functions of about 100 KB. Their blocks and locals would
// make the analysis of liveness hold 50 million values, of a gigabyte.
func TestNestedAssignmentsAreBounded(t *testing.T) {
	const locals, depth = 25_000, 2000
	for name, enclose := range nestings {
		wasm := nestedAssignments(enclose, locals, depth)
		t.Run(name, func(t *testing.T) {
			checkRefusedCheaply(t, wasm, "too many locals and values for so little code")
		})
		t.Run(name+" in a large module", func(t *testing.T) {
			wasm := slices.Concat(wasm, customSection("large", make([]byte, 4<<20)...))
			checkRefusedCheaply(t, wasm, "too many values in a function")
		})
	}
}

// checkRefusedCheaply checks that Rewrite refuses a module for a reason, and allocates no more than
// for the values that the limits allow.
func checkRefusedCheaply(t *testing.T, wasm []byte, why string) {
	t.Helper()
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	_, _, err := Rewrite(wasm, limited)
	runtime.ReadMemStats(&after)
	if !errors.Is(err, ErrMalformed) || !strings.Contains(err.Error(), why) {
		t.Errorf("got %v, want ErrMalformed and %q", err, why)
	}
	// A value has 20 bytes. A slice that grows by a quarter each time allocates up to 6.25 times
	// its size in all.
	const perValue = 7 * 20
	limit := perValue*uint64(min(budgetBase+budgetPerByte*len(wasm), maxValues)) + 32<<20
	got := after.TotalAlloc - before.TotalAlloc
	t.Logf("allocated %d MB for %d bytes", got>>20, len(wasm))
	if got > limit {
		t.Errorf("got %d bytes allocated, want at most %d", got, limit)
	}
}
