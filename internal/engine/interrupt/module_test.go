package interrupt

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/tetratelabs/wazero"

	"github.com/wasport/wasport/internal/needs"
)

// accepted returns wazero's error for the module, nil if it accepts it.
func accepted(t testing.TB, wasm []byte) error {
	t.Helper()
	ctx := context.Background()
	rt := wazero.NewRuntimeWithConfig(ctx,
		wazero.NewRuntimeConfigInterpreter().WithCoreFeatures(features))
	defer rt.Close(ctx)
	_, err := rt.CompileModule(ctx, wasm)
	return err
}

// TestInvalidModuleStaysInvalid rewrites modules with indices that exist in the output alone.
// Rewriting adds functions, globals, locals, types and blocks. A guest that could name them could
// stop its own counter.
func TestInvalidModuleStaysInvalid(t *testing.T) {
	const (
		noFunction = "function variable out of range"
		noGlobal   = "global variable out of range"
		noType     = "function type variable out of range"
		noLabel    = "invalid depth"
		noIf       = "OnElseExpr callback failed"
	)
	for name, c := range map[string]struct {
		wasm []byte
		why  string // A part of wabt's error.
	}{
		"counter read":    {one("", "", opGlobalGet, 0, 0x1a), noGlobal},
		"counter written": {one("", "", opI32Const, 100, opGlobalSet, 0), noGlobal},
		"depth written":   {one("", "", opI32Const, 0, opGlobalSet, 1), noGlobal},
		"added local": {one("", "", opI32Const, 0, opLocalSet, 0),
			"local variable out of range"},
		"added function":   {one("", "", opCall, 1), noFunction},
		"added reference":  {one("", "", opRefFunc, 1, 0x1a), noFunction},
		"outer block":      {one("", "", opBr, 1), noLabel},
		"outer block if":   {one("", "", opI32Const, 0, opBrIf, 1), noLabel},
		"outer block list": {one("", "", opI32Const, 0, opBrTable, 1, 1, 0), noLabel},
		"added type":       {one("", "", opBlock, 1, opEnd), noType},
		"added type call":  {one("", "", opI32Const, 0, opCallIndirect, 1, 0), noType},
		"second end":       {one("", "", opEnd), "popping empty label stack"},
		"no end":           {one("", "", opBlock, blockVoid), ""},
		"else":             {one("", "", opElse), noIf},
		"else in a loop":   {one("", "", opLoop, blockVoid, opElse, opEnd), noIf},
		"two elses": {one("", "", opI32Const, 0, opIf, blockVoid, opElse, opElse, opEnd),
			noIf},
		"type mismatch": {one("", "i", opI64Const, 0),
			"type mismatch in implicit return, expected [i32] but got [i64]"},
		"value left":       {one("", "", opI32Const, 0), "type mismatch at end of function"},
		"value missing":    {one("", "i"), "expected [i32] but got []"},
		"return mismatch":  {one("", "i", opI64Const, 0, opReturn), "type mismatch in return"},
		"exported counter": {module(section(secExport, exportOf("g", 3, 0))), noGlobal},
		"exported helper":  {module(section(secExport, exportOf("g", 0, 0))), noFunction},
		"started helper":   {module(rawSection(secStart, []byte{0})), noFunction},
		"global of counter": {module(section(secGlobal, []byte{typeI32, 0, opGlobalGet, 1, opEnd})),
			noGlobal},
		"element of helper": {module(section(secTable, []byte{0x70, 0, 1}),
			section(secElement, slices.Concat([]byte{0}, constant(0), []byte{opEnd, 1, 0}))),
			noFunction},
		"function of added type": {module(section(secFunction, []byte{0}),
			section(secCode, body())), noType},
		"import of added type": {module(section(secImport, importOf("f", 0, 0))), noType},
		"two sections": {module(section(secType), section(secType)),
			"multiple Type sections"},
		"sections out of order": {module(section(secFunction), section(secType)),
			"section Type out of order"},
		"bytes left": {module(rawSection(secType, []byte{0, 0})), "unfinished section"},
	} {
		t.Run(name, func(t *testing.T) {
			if accepted(t, c.wasm) == nil {
				t.Error("wazero on the input: got no error, want one")
			}
			if name != "no end" { // wabt accepts that.
				checkValidity(t, c.wasm, c.why)
			}
			out, _, err := Rewrite(c.wasm, limited)
			if err == nil && accepted(t, out) == nil {
				t.Error("wazero on the output: got no error, want one")
			}
			if err != nil && !errors.Is(err, ErrMalformed) && !errors.Is(err, ErrUnsupported) {
				t.Errorf("got %v, want ErrMalformed or ErrUnsupported", err)
			}
		})
	}
}

func TestInvalidModuleIsRefused(t *testing.T) {
	large := []byte{0xff, 0xff, 0xff, 0xff, 0x0f}
	for _, c := range []struct {
		name string
		kind error
		why  string // A part of wabt's error. Empty for a valid module beyond a limit.
		wasm []byte
	}{
		{"nothing", ErrMalformed, "unable to read uint32_t: magic", nil},
		{"other magic", ErrMalformed, "bad magic value", []byte("\x00ASM\x01\x00\x00\x00")},
		{"component", ErrMalformed, "bad wasm file version", []byte("\x00asm\x0d\x00\x01\x00")},
		{"section beyond the end", ErrMalformed, "extends past end", module([]byte{secType, 5, 0})},
		{"unknown section", ErrMalformed, "invalid section code: 14", module([]byte{14, 0})},
		{"tag section", ErrUnsupported, "invalid section code: 13", module([]byte{13, 1, 0})},
		{"4 billion types", ErrMalformed, "invalid type count", module(rawSection(secType, large))},
		{"4 billion imports", ErrMalformed, "invalid import count",
			module(rawSection(secImport, large))},
		{"4 billion functions", ErrMalformed, "invalid function signature count",
			module(rawSection(secFunction, large))},
		{"4 billion exports", ErrMalformed, "invalid export count",
			module(rawSection(secExport, large))},
		{"4 billion elements", ErrMalformed, "invalid elem segment count",
			module(rawSection(secElement, large))},
		{"4 billion bodies", ErrMalformed, "invalid function body count",
			module(rawSection(secCode, large))},
		{"4 billion segments", ErrMalformed, "invalid data segment count",
			module(rawSection(secData, large))},
		{"number of six bytes", ErrMalformed, "unable to read u32 leb128",
			module(rawSection(secType, []byte{0x80, 0x80, 0x80, 0x80, 0x80, 0}))},
		{"number of 33 bits", ErrMalformed, "unable to read u32 leb128",
			module(rawSection(secType, []byte{0x80, 0x80, 0x80, 0x80, 0x10}))},
		{"1001 parameters", ErrMalformed, "",
			module(section(secType,
				slices.Concat([]byte{0x60}, appendU32(nil, 1001),
					bytes.Repeat([]byte{typeI32}, 1001), []byte{0})))},
		{"structure type", ErrUnsupported, "unexpected type form",
			module(section(secType, []byte{0x5f, 0, 0}))},
		{"4 billion locals", ErrMalformed, "local count", withLocals(0xffffffff)},
		{"50001 locals", ErrMalformed, "", withLocals(50_001)},
		{"reserved import", ErrMalformed, "",
			module(section(secType, signature("", "")), section(secImport,
				slices.Concat(appendName(nil, Module), appendName(nil, Tick), []byte{0, 0})))},
		{"memory of 64 bits", ErrUnsupported, "memory64 not allowed",
			module(section(secMemory, []byte{4, 1}))},
		{"two memories", ErrUnsupported, "only one memory block allowed",
			module(section(secMemory, []byte{0, 1}, []byte{0, 1}))},
		{"memory of 65537 pages", ErrMalformed, "initial pages (65537) must be",
			module(section(secMemory, []byte{0, 0x81, 0x80, 4}))},
		{"table of 4 billion", ErrMalformed, "",
			module(section(secTable, slices.Concat([]byte{0x70, 0}, large)))},
		{"exception", ErrUnsupported, "unexpected opcode: 0x8", one("", "", 0x08, 0)},
		{"call by reference", ErrUnsupported, "unexpected opcode: 0x14", one("", "", 0x14, 0)},
		{"relaxed vector", ErrUnsupported, "unexpected opcode: 0xfd 0x80",
			one("", "", opVector, 0x80, 2)},
	} {
		t.Run(c.name, func(t *testing.T) {
			if _, _, err := Rewrite(c.wasm, limited); !errors.Is(err, c.kind) {
				t.Errorf("got %v, want %v", err, c.kind)
			}
			checkValidity(t, c.wasm, c.why)
		})
	}
}

func withLocals(n uint32) []byte {
	return module(
		section(secType, signature("", "")),
		section(secFunction, []byte{0}),
		section(secCode, bodyWith(slices.Concat([]byte{1}, appendU32(nil, n), []byte{typeI32}))),
	)
}

func TestMemoryType(t *testing.T) {
	for _, c := range []struct {
		section []byte
		want    Memory
	}{
		{nil, Memory{}},
		{section(secMemory, []byte{0, 3}), Memory{Min: 3 << 16, Max: 4 << 30}},
		{section(secMemory, []byte{1, 3, 7}), Memory{Min: 3 << 16, Max: 7 << 16}},
		{section(secMemory, []byte{3, 3, 7}), Memory{Min: 3 << 16, Max: 7 << 16, Shared: true}},
		{section(secImport, importOf("memory", 2, 3, 1, 2)),
			Memory{Min: 1 << 16, Max: 2 << 16, Shared: true, Imported: true}},
	} {
		_, got, err := Rewrite(module(c.section), Options{})
		if err != nil || got.Memory != c.want {
			t.Errorf("%x: got %+v, %v; want %+v", c.section, got.Memory, err, c.want)
		}
	}
}

// TestTablesAreBounded grows a table without a declared maximum. Unbounded, it would let a guest
// make wazero allocate 32 GiB.
func TestTablesAreBounded(t *testing.T) {
	grow := func(n int32) []byte {
		return module(
			section(secType, signature("", "i")),
			section(secFunction, []byte{0}),
			section(secTable, []byte{0x70, 0, 1}, []byte{0x6f, 1, 0, 5}),
			section(secExport, exportOf("f", 0, 0)),
			section(secCode, body(slices.Concat([]byte{opRefNull, 0x70}, constant(n),
				[]byte{opMisc, 15, 0})...)),
		)
	}
	for n, want := range map[int32]uint32{1000: 1, -2: 0xffffffff, maxEntries: 0xffffffff} {
		ctx := context.Background()
		rt := wazero.NewRuntime(ctx)
		instantiateHost(t, ctx, rt, func() {})
		m, err := rt.Instantiate(ctx, rewrite(t, grow(n), limited))
		if err != nil {
			t.Fatal(err)
		}
		r, err := m.ExportedFunction("f").Call(ctx)
		if err != nil || uint32(r[0]) != want {
			t.Errorf("table.grow by %d: got %v, %v; want %d", n, r, err, want)
		}
		rt.Close(ctx)
	}
}

func TestCustomSections(t *testing.T) {
	names := slices.Concat(
		rawSection(0, appendName(nil, "program")),
		section(1, slices.Concat([]byte{0}, appendName(nil, "imported")),
			slices.Concat([]byte{1}, appendName(nil, "main"))),
		section(2, slices.Concat([]byte{1, 1, 0}, appendName(nil, "x"))),
		section(7, slices.Concat([]byte{0}, appendName(nil, "global"))),
	)
	input := func(custom ...[]byte) []byte {
		return module(
			section(secType, signature("", "")),
			section(secImport, importOf("f", 0, 0)),
			section(secFunction, []byte{0}, []byte{0}),
			section(secCode, body(opCall, 0, opCall, 1), body()),
			slices.Concat(custom...),
		)
	}
	producers := customSection("producers", 0)
	out := rewrite(t, input(producers, customSection(".debug_line", 1, 2, 3),
		customSection("name", names...),
		customSection("reloc.CODE"), customSection("mine", 7)), Options{})

	got := map[string][]byte{}
	for r := (&reader{b: out, pos: 8}); r.more(); {
		if id, s := r.byte(), (&reader{b: r.bytes(r.u32())}); id == secCustom {
			got[s.name()] = s.b[s.pos:]
		}
	}
	var kept []string
	for name := range got {
		kept = append(kept, name)
	}
	slices.Sort(kept)
	if want := []string{"mine", "name", "producers"}; !slices.Equal(kept, want) {
		t.Errorf("got sections %q, want %q", kept, want)
	}
	want := []string{"module program", "function 0 imported", "function 3 main", "function 4 $2",
		"function 5 tick", "local of 3", "globals"}
	if have := namesIn(got["name"]); !slices.Equal(have, want) {
		t.Errorf("got names %q, want %q", have, want)
	}

	// A malformed name section is dropped, since an engine may allocate for the names that it
	// declares. Functions without names get the index of the input.
	want = []string{"function 3 $1", "function 4 $2", "function 5 tick"}
	for _, names := range [][]byte{
		rawSection(1, []byte{0xff, 0xff, 0xff, 0xff, 0x0f}),
		section(1, slices.Concat([]byte{1}, appendName(nil, "a")),
			slices.Concat([]byte{1}, appendName(nil, "b"))),
		section(1, slices.Concat([]byte{1}, appendName(nil, ""))),
		section(1, slices.Concat([]byte{1}, appendName(nil, "\xff"))),
		nil,
	} {
		out := rewrite(t, input(customSection("name", names...)), Options{})
		_, section, _ := bytes.Cut(out, []byte("\x04name"))
		if have := namesIn(section); !slices.Equal(have, want) {
			t.Errorf("name section %x: got names %q, want %q", names, have, want)
		}
	}
	_, section, _ := bytes.Cut(rewrite(t, input(), Options{}), []byte("\x04name"))
	if have := namesIn(section); !slices.Equal(have, want) {
		t.Errorf("no name section: got names %q, want %q", have, want)
	}
}

// TestLongNamesAreCut names a module and a function with megabytes, which a stack trace would hold
// once for each frame.
func TestLongNamesAreCut(t *testing.T) {
	long := strings.Repeat("\u00e9", 1<<20)
	names := slices.Concat(rawSection(0, appendName(nil, "m"+long)),
		section(1, slices.Concat([]byte{0}, appendName(nil, "f"+long))))
	out := rewrite(t, module(
		section(secType, signature("", "")), section(secFunction, []byte{0}),
		section(secCode, body()), customSection("name", names...)), Options{})
	_, content, _ := bytes.Cut(out, []byte("\x04name"))
	cut := strings.Repeat("\u00e9", (maxName-1)/2)
	want := []string{"module m" + cut, "function 2 f" + cut, "function 3 tick"}
	if have := namesIn(content); !slices.Equal(have, want) {
		t.Errorf("got names %.60q of %d bytes, want %.60q", have, len(content), want)
	}
}

// namesIn describes the content of a name section.
func namesIn(content []byte) (have []string) {
	r := &reader{b: content}
	for r.more() {
		id, s := r.byte(), &reader{b: r.bytes(r.u32())}
		switch id {
		case 0:
			have = append(have, "module "+s.name())
		case 1:
			for range s.u32() {
				have = append(have, fmt.Sprintf("function %d %s", s.u32(), s.name()))
			}
		case 2:
			s.u32()
			have = append(have, fmt.Sprintf("local of %d", s.u32()))
		case 7:
			have = append(have, "globals")
		}
	}
	return have
}

// validator returns the output of wabt's wasm-validate, which is empty if it accepts the module.
func validator(t testing.TB, wasm []byte) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), "module.wasm")
	if err := os.WriteFile(file, wasm, 0o600); err != nil {
		t.Fatal(err)
	}
	out, err := exec.Command("wasm-validate", "--enable-threads", "--enable-tail-call",
		"--enable-extended-const", file).CombinedOutput()
	if err != nil && len(out) == 0 {
		t.Fatal(err)
	}
	return string(out)
}

// checkValidity checks that a module is invalid for the given reason, or valid if that is empty.
func checkValidity(t testing.TB, wasm []byte, why string) {
	t.Helper()
	if _, err := exec.LookPath("wasm-validate"); err != nil {
		if os.Getenv("WASPORT_CI") == "1" {
			t.Fatal(err)
		}
		return
	}
	if got := validator(t, wasm); !strings.Contains(got, why) || why == "" && got != "" {
		t.Errorf("wasm-validate: got %q, want %q", got, why)
	}
}

func validate(t testing.TB, wasm []byte) {
	t.Helper()
	if got := validator(t, wasm); got != "" {
		t.Errorf("wasm-validate: got %q, want no output", got)
	}
}

func TestOutputValidates(t *testing.T) {
	needs.Programs(t, "wasm-validate")
	for _, set := range []map[string][]byte{endless, recursions, {"cpu": cpuModule}} {
		for name, wasm := range set {
			t.Run(name, func(t *testing.T) {
				validate(t, rewrite(t, wasm, Options{}))
				validate(t, rewrite(t, wasm, limited))
			})
		}
	}
}
