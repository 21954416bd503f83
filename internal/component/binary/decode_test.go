package binary

import (
	"errors"
	"fmt"
	"reflect"
	"strings"
	"testing"

	"github.com/wasport/wasport/internal/component/binary/binarytest"
)

var (
	preamble     = binarytest.Preamble
	corePreamble = binarytest.CorePreamble
	join         = binarytest.Bytes
	section      = binarytest.Section
	component    = binarytest.Component
)

// productions has each production of the format once, with the definition that it decodes to.
// Positions are left out.
var productions = []struct {
	name string
	b    []byte
	want Definition
}{
	{"core module", section(1, corePreamble), &CoreModule{Bytes: corePreamble}},
	{"core instantiate", section(2, 1, 0, 3, 1, "a", 0x12, 4),
		&CoreInstantiate{Module: 3, Args: []NamedItem{{"a", Item{CoreInstanceSort, 4}}}}},
	{"core exports", section(2, 1, 1, 4, "", 0, 1, "t", 1, 2, "m", 2, 3, "g", 3, 4),
		&CoreExports{Exports: []NamedItem{{"", Item{CoreFuncSort, 1}},
			{"t", Item{CoreTableSort, 2}}, {"m", Item{CoreMemorySort, 3}},
			{"g", Item{CoreGlobalSort, 4}}}}},
	{"core function type", section(3, 1, 0x60, 2, 0x7f, 0x7e, 2, 0x7d, 0x7c),
		&CoreType{Def: &CoreFuncType{[]CoreValue{I32, I64}, []CoreValue{CoreF32, CoreF64}}}},
	{"core references", section(3, 1, 0x60, 3, 0x7b, 0x70, 0x6f, 0),
		&CoreType{Def: &CoreFuncType{Params: []CoreValue{V128, FuncRef, ExternRef}}}},
	{"core module type", section(3, 1, 0x50, 6, 1, 0x60, 0, 0, 2, 0x10, 1, 1, 9,
		0, "m", "f", 0, 5, 0, "m", "t", 1, 0x70, 1, 1, 2, 0, "m", "g", 3, 0x7f, 1,
		3, "mem", 2, 3, 1, 4),
		&CoreType{Def: &CoreModuleType{[]CoreDecl{
			{Kind: CoreTypeDecl, Type: &CoreFuncType{}},
			{Kind: CoreAliasDecl, Count: 1, Index: 9},
			{Kind: CoreImportDecl, Module: "m", Name: "f", Index: 5},
			{Kind: CoreImportDecl, Module: "m", Name: "t",
				Extern: CoreExtern{Kind: CoreTable, Value: FuncRef, Min: 1, Max: 2}},
			{Kind: CoreImportDecl, Module: "m", Name: "g",
				Extern: CoreExtern{Kind: CoreGlobal, Value: I32, Mutable: true}},
			{Kind: CoreExportDecl, Name: "mem",
				Extern: CoreExtern{Kind: CoreMemory, Shared: true, Min: 1, Max: 4}},
		}}}},
	{"component", section(4, preamble), &Component{Size: 8}},
	{"instantiate", section(5, 1, 0, 2, 2, "f", 1, 3, "m", 0, 0x11, 4),
		&Instantiate{Component: 2, Args: []NamedItem{{"f", Item{FuncSort, 3}},
			{"m", Item{CoreModuleSort, 4}}}}},
	{"exports", section(5, 1, 1, 3, 0, "t", 3, 1, 1, "c", 4, 2, 2, "i", 1, 1, "x", 5, 3),
		&Exports{Exports: []NamedItem{{"t", Item{TypeSort, 1}},
			{"c", Item{ComponentSort, 2}}, {"i", Item{InstanceSort, 3}}}}},
	{"alias of an export", section(6, 1, 1, 0, 7, "f"),
		&Alias{Sort: FuncSort, Kind: ExportAlias, Index: 7, Name: "f"}},
	{"alias of a core export", section(6, 1, 0, 2, 1, 7, "mem"),
		&Alias{Sort: CoreMemorySort, Kind: CoreExportAlias, Index: 7, Name: "mem"}},
	{"outer alias", section(6, 1, 3, 2, 1, 0x80, 1),
		&Alias{Sort: TypeSort, Kind: OuterAlias, Count: 1, Index: 128}},
	{"outer alias of a core type", section(6, 1, 0, 0x10, 2, 0, 3),
		&Alias{Sort: CoreTypeSort, Kind: OuterAlias, Index: 3}},
	{"primitive", section(7, 1, 0x7f), value(Primitive, Bool, None)},
	{"string", section(7, 1, 0x73), value(Primitive, String, None)},
	{"record", section(7, 1, 0x72, 2, "a", 0x7d, "b", 3),
		fields(Record, Field{"a", U8}, Field{"b", 3})},
	{"variant", section(7, 1, 0x71, 2, "a", 0, 0, "b", 1, 0x7d, 0),
		fields(Variant, Field{"a", None}, Field{"b", U8})},
	{"list", section(7, 1, 0x70, 0x74), value(List, Char, None)},
	{"tuple", section(7, 1, 0x6f, 2, 0x77, 0xc0, 0),
		fields(Tuple, Field{"", U64}, Field{"", 64})},
	{"flags", section(7, 1, 0x6e, 1, "a"), fields(Flags, Field{"a", None})},
	{"enum", section(7, 1, 0x6d, 2, "a", "b"), fields(Enum, Field{"a", None}, Field{"b", None})},
	{"option", section(7, 1, 0x6b, 5), value(Option, 5, None)},
	{"result", section(7, 1, 0x6a, 1, 0x79, 1, 0x73), value(Result, U32, String)},
	{"empty result", section(7, 1, 0x6a, 0, 0), value(Result, None, None)},
	{"own", section(7, 1, 0x69, 3), handle(Own, 3)},
	{"borrow", section(7, 1, 0x68, 3), handle(Borrow, 3)},
	{"function type", section(7, 1, 0x40, 1, "x", 0x79, 0, 0x78),
		&Type{Def: &FuncType{[]Field{{"x", U32}}, S64}}},
	{"function without a result", section(7, 1, 0x40, 0, 1, 0),
		&Type{Def: &FuncType{[]Field{}, None}}},
	{"resource", section(7, 1, 0x3f, 0x7f, 0), &Type{Def: &ResourceType{-1}}},
	{"resource with a destructor", section(7, 1, 0x3f, 0x7f, 1, 9), &Type{Def: &ResourceType{9}}},
	{"component type", section(7, 1, 0x41, 1, 3, 0, "r", 3, 1),
		&Type{Def: &ScopeType{true, []Definition{
			&Import{Name: "r", Desc: Desc{Sort: TypeSort, Fresh: true}}}}}},
	{"instance type", section(7, 1, 0x42, 4, 0, 0x60, 0, 0, 1, 0x7f, 2, 3, 2, 1, 0,
		4, 0, "t", 3, 0, 1),
		&Type{Def: &ScopeType{false, []Definition{
			&CoreType{Def: &CoreFuncType{}}, value(Primitive, Bool, None),
			&Alias{Sort: TypeSort, Kind: OuterAlias, Count: 1},
			&Export{Name: "t", Desc: &Desc{Sort: TypeSort, Index: 1}}}}}},
	{"lift", section(8, 1, 0, 0, 2, 4, 0, 3, 1, 4, 2, 5, 3, 6),
		&Canon{Kind: Lift, Func: 2, Type: 6,
			Options: Options{Memory: 1, Realloc: 2, PostReturn: 3}}},
	{"lower", section(8, 1, 1, 0, 2, 1, 2),
		&Canon{Kind: Lower, Func: 2, Options: Options{Latin1OrUTF16, -1, -1, -1}}},
	{"resource.new", section(8, 1, 2, 3), builtin(ResourceNew)},
	{"resource.drop", section(8, 1, 3, 3), builtin(ResourceDrop)},
	{"resource.rep", section(8, 1, 4, 3), builtin(ResourceRep)},
	{"import of a function", section(10, 1, 0, "f", 1, 2),
		&Import{Name: "f", Desc: Desc{Sort: FuncSort, Index: 2}}},
	{"import of an instance", section(10, 1, 1, "a:b/c", 5, 2),
		&Import{Name: "a:b/c", Desc: Desc{Sort: InstanceSort, Index: 2}}},
	{"import of a component", section(10, 1, 0, "c", 4, 2),
		&Import{Name: "c", Desc: Desc{Sort: ComponentSort, Index: 2}}},
	{"import of a module", section(10, 1, 0, "m", 0, 0x11, 2),
		&Import{Name: "m", Desc: Desc{Sort: CoreModuleSort, Index: 2}}},
	{"export", section(11, 1, 0, "f", 1, 2, 0),
		&Export{Name: "f", Item: Item{FuncSort, 2}}},
	{"export with a type", section(11, 1, 0, "f", 1, 2, 1, 1, 3),
		&Export{Name: "f", Item: Item{FuncSort, 2}, Desc: &Desc{Sort: FuncSort, Index: 3}}},
}

func value(k ValueKind, elem, second Ref) *Type {
	return &Type{Def: &ValueType{Kind: k, Elem: elem, Err: second}}
}

func fields(k ValueKind, list ...Field) *Type {
	return &Type{Def: &ValueType{Kind: k, Elem: None, Err: None, Fields: list}}
}

func handle(k ValueKind, resource uint32) *Type {
	return &Type{Def: &ValueType{Kind: k, Elem: None, Err: None, Resource: resource}}
}

func builtin(k CanonKind) *Canon {
	return &Canon{Kind: k, Type: 3, Options: Options{UTF8, -1, -1, -1}}
}

func TestProductions(t *testing.T) {
	for _, p := range productions {
		t.Run(p.name, func(t *testing.T) {
			c, err := Decode(component(p.b))
			if err != nil {
				t.Fatal(err)
			}
			if len(c.Defs) != 1 {
				t.Fatalf("got %d definitions, want 1", len(c.Defs))
			}
			dropPositions(reflect.ValueOf(c.Defs[0]))
			if !reflect.DeepEqual(c.Defs[0], p.want) {
				t.Errorf("got %s, want %s", spell(c.Defs[0]), spell(p.want))
			}
		})
	}
}

// dropPositions sets all positions in a definition to 0.
func dropPositions(v reflect.Value) {
	switch v.Kind() {
	case reflect.Pointer, reflect.Interface:
		if !v.IsNil() {
			dropPositions(v.Elem())
		}
	case reflect.Slice:
		for i := range v.Len() {
			dropPositions(v.Index(i))
		}
	case reflect.Struct:
		if c, ok := v.Addr().Interface().(*Component); ok {
			c.Offset = 0
			return
		}
		for i := range v.NumField() {
			if _, ok := v.Field(i).Interface().(Pos); ok {
				v.Field(i).SetInt(0)
			} else {
				dropPositions(v.Field(i))
			}
		}
	}
}

func spell(d any) string {
	v := reflect.ValueOf(d)
	if v.Kind() == reflect.Pointer {
		v = v.Elem()
	}
	return strings.ReplaceAll(fmt.Sprintf("%+v", v), "0x", "")
}

// Each production, cut at each byte or with a byte changed, is an error or another component, and
// never a panic.
func TestDamagedProductions(t *testing.T) {
	for _, p := range productions {
		t.Run(p.name, func(t *testing.T) {
			b := component(p.b)
			for n := range len(b) {
				if _, err := Decode(b[:n]); err == nil && n != len(preamble) {
					t.Errorf("got a component from %d of %d bytes, want an error", n, len(b))
				}
				for v := range 256 {
					damaged := append([]byte(nil), b...)
					damaged[n] = byte(v)
					Decode(damaged)
				}
			}
		})
	}
}

func TestDecodeErrors(t *testing.T) {
	many := make([]byte, 1001)
	for _, tt := range []struct {
		name string
		b    []byte
		kind Kind
		text string // a part of it
	}{
		{"nothing", nil, Malformed, "unexpected end at offset 0x0"},
		{"no WebAssembly", []byte("\x7fELF\x02\x01\x01\x00"), Malformed, "no WebAssembly"},
		{"a core module", corePreamble, Malformed, "no component"},
		{"an older version", []byte("\x00asm\x0a\x00\x01\x00"), Unsupported,
			"another version of the component model, 0xa"},
		{"an unknown section", component(section(13, 0)), Malformed, "unknown section 13"},
		{"a start function", component(section(9, 0, 0)), Unsupported, "start functions"},
		{"values", component(section(10, 1, 0, "v", 2, 0x7f)), Unsupported, "values"},
		{"bytes left over", component(section(7, 1, 0x7f, 0)), Malformed, "1 bytes left over"},
		{"too great a number", component(section(7, 0xff, 0xff, 0xff, 0xff, 0x1f)), Malformed,
			"number too large at offset 0xf"},
		{"too long a number", component(section(7, 0x80, 0x80, 0x80, 0x80, 0x80, 0)), Malformed,
			"number too large"},
		{"too many items for the section", component(section(8, 50, 3, 0)), Malformed,
			"50 items are more than the bytes that are left"},
		{"a name that is not UTF-8", component(section(10, 1, 0, "\xff", 1, 0)), Malformed,
			"not UTF-8 at offset 0xc"},
		{"an empty record", component(section(7, 1, 0x72, 0)), Invalid, "without fields"},
		{"too many fields", component(section(7, 1, 0x6f, 0xe9, 7, many)), TooMuch,
			"1001 fields, at most 1000"},
		{"too long a label", component(section(7, 1, 0x6d, 1, 0xe9, 7, many)), TooMuch,
			"a label of 1001 bytes"},
		{"a later type", component(section(7, 1, 0x70, 0x80, 0x80, 0x80, 1)), Invalid,
			"unknown type 2097152"},
		{"a stream", component(section(7, 1, 0x66, 0)), Unsupported, "streams"},
		{"a list of fixed length", component(section(7, 1, 0x67, 0x7f, 1)), Unsupported,
			"fixed length"},
		{"a map", component(section(7, 1, 0x63, 0x7f, 0x7f)), Unsupported, "maps"},
		{"an error context", component(section(7, 1, 0x70, 0x64)), Unsupported,
			"error contexts"},
		{"an async function", component(section(7, 1, 0x43, 0, 1, 0)), Unsupported, "async"},
		{"an async lift", component(section(8, 1, 0, 0, 0, 1, 6, 0)), Unsupported, "async"},
		{"a built-in of 0.3", component(section(8, 1, 0x1f)), Unsupported, "WASI 0.3"},
		{"two encodings", component(section(8, 1, 1, 0, 0, 2, 0, 1)), Invalid,
			"second encoding"},
		{"two memories", component(section(8, 1, 1, 0, 0, 2, 3, 0, 3, 0)), Invalid,
			"second option memory"},
		{"a resource of 64 bits", component(section(7, 1, 0x3f, 0x7e, 0)), Unsupported, "i64"},
		{"a type of garbage collection", component(section(3, 1, 0x5f, 0)), Unsupported,
			"garbage collection"},
		{"an alias of a value", component(section(6, 1, 2, 0, 0, "v")), Unsupported, "values"},
		{"an outer function", component(section(6, 1, 1, 2, 1, 0)), Malformed,
			"an outer alias cannot be a function"},
		{"an exception", component(section(6, 1, 0, 4, 1, 0, "e")), Unsupported, "exceptions"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			_, err := Decode(tt.b)
			var e *Error
			if !errors.As(err, &e) || e.Kind != tt.kind || !strings.Contains(err.Error(), tt.text) {
				t.Errorf("got %v, want one of kind %d with %q", err, tt.kind, tt.text)
			}
		})
	}
}

func TestModuleNames(t *testing.T) {
	names := section(0, "component-name", 0, 2, "x", 1, 12, 0, 0x11, 2, 0, "main", 1, "b")
	for _, tt := range []struct {
		name string
		b    []byte
		want map[uint32]string
	}{
		{"names", names, map[uint32]string{0: "main", 1: "b"}},
		{"damaged names", section(0, "component-name", 1, 9, 0, 0x11, 1, 0), nil},
		{"another section", section(0, "producers", 1, 7, 0, 0x11, 1, 0, "main"), nil},
	} {
		t.Run(tt.name, func(t *testing.T) {
			c, err := Decode(component(tt.b))
			if err != nil || !reflect.DeepEqual(c.ModuleNames, tt.want) {
				t.Errorf("got %v and error %v, want %v", c, err, tt.want)
			}
		})
	}
}
