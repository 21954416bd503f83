package binary

import (
	"reflect"
	"slices"
	"strings"
	"testing"
)

// coreModule is a core module that imports and exports one of each kind.
var coreModule = slices.Concat(corePreamble,
	section(1, 2, 0x60, 0, 0, 0x60, 1, 0x7f, 1, 0x7f),
	section(2, 4, "a", "f", 0, 1, "a", "t", 1, 0x70, 0, 1, "a", "m", 2, 0, 1, "", "g", 3, 0x7e, 0),
	section(3, 1, 0),
	section(4, 1, 0x6f, 1, 2, 3),
	section(5, 0),
	section(6, 2, 0x7f, 1, 0x41, 0x7f, 0x0b, 0x7b, 0, 0xfd, 0x0c, make([]byte, 16), 0x0b),
	section(7, 5, "f", 0, 0, "own", 0, 1, "t", 1, 1, "m", 2, 0, "g", 3, 1),
	section(10, 1, 2, 0, 0x0b),
)

func TestDecodeModule(t *testing.T) {
	m, err := DecodeModule(coreModule, 100)
	if err != nil {
		t.Fatal(err)
	}
	unary := &CoreFuncType{[]CoreValue{I32}, []CoreValue{I32}}
	wantImports := []CoreImport{
		{"a", "f", CoreExtern{Kind: CoreFunc, Func: unary}, join(0, 1)},
		{"a", "t", CoreExtern{Kind: CoreTable, Value: FuncRef, Min: 1, Max: -1},
			join(1, 0x70, 0, 1)},
		{"a", "m", CoreExtern{Kind: CoreMemory, Min: 1, Max: -1}, join(2, 0, 1)},
		{"", "g", CoreExtern{Kind: CoreGlobal, Value: I64}, join(3, 0x7e, 0)},
	}
	if !reflect.DeepEqual(m.Imports, wantImports) {
		t.Errorf("got imports %+v, want %+v", m.Imports, wantImports)
	}
	wantExports := []CoreExport{
		{"f", CoreExtern{Kind: CoreFunc, Func: unary}},
		{"own", CoreExtern{Kind: CoreFunc, Func: &CoreFuncType{}}},
		{"t", CoreExtern{Kind: CoreTable, Value: ExternRef, Min: 2, Max: 3}},
		{"m", CoreExtern{Kind: CoreMemory, Min: 1, Max: -1}},
		{"g", CoreExtern{Kind: CoreGlobal, Value: I32, Mutable: true}},
	}
	if !reflect.DeepEqual(m.Exports, wantExports) {
		t.Errorf("got exports %+v, want %+v", m.Exports, wantExports)
	}
	if got := coreModule[m.ImportSection[0]]; got != 2 {
		t.Errorf("got section %d as the imports, want 2", got)
	}
	if got := coreModule[m.ImportSection[1]]; got != 3 {
		t.Errorf("got section %d behind the imports, want 3", got)
	}
	if m.Code != 4 {
		t.Errorf("got %d bytes of code, want 4", m.Code)
	}
}

func TestDecodeModuleErrors(t *testing.T) {
	for _, tt := range []struct {
		name string
		b    []byte
		text string
	}{
		{"a component", preamble, "another version than 1 at offset 0x64"},
		{"sections in disorder", slices.Concat(corePreamble, section(3, 0), section(1, 0)),
			"section 1 of a core module in disorder"},
		{"an unknown type", slices.Concat(corePreamble, section(3, 1, 7)), "unknown core type 7"},
		{"an unknown export", slices.Concat(corePreamble, section(7, 1, "m", 2, 0)),
			"unknown memory 0"},
		{"two exports of a name", slices.Concat(corePreamble, section(5, 1, 0, 1),
			section(7, 2, "m", 2, 0, "m", 2, 0)), `two core exports are named "m"`},
		{"a minimum above the maximum", slices.Concat(corePreamble, section(5, 1, 1, 2, 1)),
			"a minimum of 2 above the maximum of 1"},
		{"too much memory", slices.Concat(corePreamble, section(5, 1, 0, 0x81, 0x80, 4)),
			"more than 65536 pages"},
		{"a memory of 64 bits", slices.Concat(corePreamble, section(5, 1, 4, 1)), "64 bits"},
		{"two memories", slices.Concat(corePreamble, section(2, 1, "", "", 2, 0, 1),
			section(5, 1, 0, 1)), "several memories"},
		{"a tag", slices.Concat(corePreamble, section(2, 1, "", "", 4, 0, 0)), "exceptions"},
		{"code in a constant", slices.Concat(corePreamble, section(6, 1, 0x7f, 0, 0x10, 0, 0x0b)),
			"instruction 0x10 in a constant"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			_, err := DecodeModule(tt.b, 100)
			if err == nil || !strings.Contains(err.Error(), tt.text) {
				t.Errorf("got %v, want one with %q", err, tt.text)
			}
		})
	}
}

func TestDamagedModule(t *testing.T) {
	for n := range coreModule {
		DecodeModule(coreModule[:n], 0)
		for v := range 256 {
			damaged := slices.Clone(coreModule)
			damaged[n] = byte(v)
			DecodeModule(damaged, 0)
		}
	}
}
