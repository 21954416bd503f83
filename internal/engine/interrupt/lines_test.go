package interrupt

import (
	"bytes"
	"context"
	"debug/dwarf"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/tetratelabs/wazero"
)

// marker is an instruction that occurs once in a module.
func marker(i int32) []byte { return append(constant(1<<20+i), 0x1a) }

// marked is a module with markers between instructions that rewriting changes.
func marked() (wasm []byte, markers int) {
	next := func() []byte {
		markers++
		return marker(int32(markers))
	}
	fill := slices.Concat(constant(0), constant(0), constant(9), memoryFill)
	large := slices.Repeat(slices.Concat(constant(1), []byte{0x1a}), maxUncheckedPath)
	code := slices.Concat(
		next(), []byte{opLoop, blockVoid}, next(), []byte{opCall, 1}, next(),
		constant(0), []byte{opBrIf, 0}, next(), []byte{opEnd}, next(),
		constant(1), []byte{opIf, blockVoid}, next(), []byte{opElse}, next(), []byte{opReturn},
		next(), []byte{opEnd}, fill, next(), large, next(),
		[]byte{opBlock, blockVoid}, constant(0), []byte{opBrTable, 1, 0, 1}, next(),
		[]byte{opEnd}, next())
	return module(
		section(secType, signature("", "")),
		section(secFunction, []byte{0}, []byte{0}),
		section(secMemory, []byte{0, 1}),
		section(secExport, exportOf("f", 0, 0)),
		section(secCode, body(code...), body(slices.Concat(next(), []byte{opUnreachable})...)),
		customSection(infoSection, 1), customSection(lineSection, 1),
	), markers
}

// codeOf returns the content of the code section.
func codeOf(t *testing.T, wasm []byte) []byte {
	t.Helper()
	sections, _, err := readSections(wasm)
	if err != nil {
		t.Fatal(err)
	}
	return sections[secCode].b
}

func TestOriginOfEachInstruction(t *testing.T) {
	wasm, markers := marked()
	for name, o := range map[string]Options{"plain": {}, "limited": limited} {
		t.Run(name, func(t *testing.T) {
			out, _, err := Rewrite(wasm, o)
			if err != nil {
				t.Fatal(err)
			}
			var offsets []uint64
			for i := range markers {
				offsets = append(offsets,
					uint64(bytes.Index(codeOf(t, out), marker(int32(i+1)))))
			}
			got, err := Origins(wasm, o, offsets)
			if err != nil {
				t.Fatal(err)
			}
			for i := range markers {
				want := uint64(bytes.Index(codeOf(t, wasm), marker(int32(i+1))))
				if got[i] != want {
					t.Errorf("marker %d: got offset %#x, want %#x", i+1, got[i], want)
				}
			}
		})
	}
}

// TestOriginsOfAllOffsets finds origins that do not decrease, and lie in the code.
func TestOriginsOfAllOffsets(t *testing.T) {
	wasm, _ := marked()
	out, _, err := Rewrite(wasm, limited)
	if err != nil {
		t.Fatal(err)
	}
	var offsets []uint64
	for i := range codeOf(t, out) {
		offsets = append(offsets, uint64(i))
	}
	origins, err := Origins(wasm, limited, append(offsets, 1<<40))
	if err != nil {
		t.Fatal(err)
	}
	last := uint64(0)
	for i, origin := range origins {
		if origin != 0 && origin < last || origin > uint64(len(codeOf(t, wasm))) {
			t.Errorf("offset %#x: got origin %#x, want one from %#x on, in %d bytes", i, origin,
				last, len(codeOf(t, wasm)))
		}
		last = max(last, origin)
	}
}

// TestOffsetsInStackTrace traps in an inner function, and finds both calls by wazero's trace.
func TestOffsetsInStackTrace(t *testing.T) {
	wasm, _ := marked()
	o := limited
	o.Lines = "7"
	out, _, err := Rewrite(wasm, o)
	if err != nil {
		t.Fatal(err)
	}
	_, err = dwarf.New(CustomSection(out, ".debug_abbrev"), nil, nil,
		CustomSection(out, infoSection), CustomSection(out, lineSection), nil, nil, nil)
	if err != nil {
		t.Errorf("debug/dwarf on the output: got %v, want no error", err)
	}
	for name, config := range map[string]wazero.RuntimeConfig{
		"interpreter": wazero.NewRuntimeConfigInterpreter(),
		"default":     wazero.NewRuntimeConfig(),
	} {
		t.Run(name, func(t *testing.T) {
			ctx := context.Background()
			rt := wazero.NewRuntimeWithConfig(ctx, config.WithCoreFeatures(features))
			defer rt.Close(ctx)
			instantiateHost(t, ctx, rt, func() {})
			mod, err := rt.Instantiate(ctx, out)
			if err != nil {
				t.Fatal(err)
			}
			_, err = mod.ExportedFunction("f").Call(ctx)
			var offsets []uint64
			for line := range strings.Lines(fmt.Sprint(err)) {
				var offset uint64
				if n, _ := fmt.Sscanf(line, "\t\t0x%x: 7", &offset); n == 1 {
					offsets = append(offsets, offset)
				}
			}
			origins, err2 := Origins(wasm, o, offsets)
			code := codeOf(t, wasm)
			want := []uint64{uint64(bytes.LastIndexByte(code, opUnreachable)),
				uint64(bytes.Index(code, []byte{opCall, 1}))}
			if err2 != nil || !slices.Equal(origins, want) {
				t.Errorf("got origins %#x, %v of the trace\n%v\nwant %#x", origins, err2, err, want)
			}
		})
	}
}
