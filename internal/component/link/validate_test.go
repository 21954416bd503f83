package link

import (
	"strings"
	"testing"

	"github.com/wasport/wasport/internal/component/binary"
	"github.com/wasport/wasport/internal/component/binary/binarytest"
)

var (
	join    = binarytest.Bytes
	section = binarytest.Section
	vector  = binarytest.Vector
	comp    = binarytest.Component
	core    = binarytest.Core
)

// types is a section of types, and aliases, imports and so on are the like.
func types(items ...[]byte) []byte   { return vector(7, items...) }
func imports(items ...[]byte) []byte { return vector(10, items...) }
func exports(items ...[]byte) []byte { return vector(11, items...) }
func canons(items ...[]byte) []byte  { return vector(8, items...) }
func aliases(items ...[]byte) []byte { return vector(6, items...) }

var (
	fn       = join(0x40, 0, 1, 0)            // func()
	resource = join(0x3f, 0x7f, 0)            // a resource type
	record   = join(0x72, 1, "a", 0x7d)       // record { a: u8 }
	fresh    = join(3, 1)                     // (sub resource)
	stringFn = join(0x40, 1, "s", 0x73, 1, 0) // func(s: string)
)

// typeFn is func(x: type n).
func typeFn(n int) []byte { return join(0x40, 1, "x", n, 1, 0) }

// workCore is a core module that exports a memory "m", "r" of realloc's type, "f" of (i32 i32),
// and "v" without parameters and results.
var workCore = core(
	section(1, 3, 0x60, 4, 0x7f, 0x7f, 0x7f, 0x7f, 1, 0x7f, 0x60, 2, 0x7f, 0x7f, 0, 0x60, 0, 0),
	section(3, 3, 0, 1, 2),
	section(5, 1, 0, 1),
	section(7, 4, "m", 2, 0, "r", 0, 0, "f", 0, 1, "v", 0, 2),
	section(10, 3, 4, 0, 0x41, 0, 0x0b, 2, 0, 0x0b, 2, 0, 0x0b),
)

// worker has an instance of workCore, with core functions r, f and v and the memory.
var worker = join(section(1, workCore), section(2, 1, 0, 0, 0),
	aliases(join(0, 0, 1, 0, "r"), join(0, 0, 1, 0, "f"), join(0, 0, 1, 0, "v"),
		join(0, 2, 1, 0, "m")))

// invalid has components that break a rule each, with a part of the error. An empty one means that
// the component is valid.
var invalid = []struct {
	name string
	b    []byte
	text string
}{
	// Indices and sorts.
	{"unknown type", comp(types(join(0x70, 3))), "unknown type 3"},
	{"its own type", comp(types(join(0x70, 0))), "unknown type 0"},
	{"no value type", comp(types(fn, join(0x70, 0))), "type 0 is no type of values"},
	{"handle of no resource", comp(types(record, join(0x69, 0))),
		"type 0 is no type of resources"},
	{"unknown function", comp(exports(join(0, "f", 1, 0, 0))), "unknown function 0"},
	{"unknown instance", comp(aliases(join(1, 0, 0, "f"))), "unknown instance 0"},
	{"unknown component", comp(section(5, 1, 0, 0, 0)), "unknown component 0"},
	{"unknown module", comp(section(2, 1, 0, 0, 0)), "unknown core module 0"},
	{"unknown core function", comp(types(fn), canons(join(0, 0, 0, 0, 0))),
		"unknown core function 0"},
	{"unknown core instance", comp(aliases(join(0, 0, 1, 0, "f"))),
		"unknown core instance 0"},
	{"unknown core memory", comp(types(fn), imports(join(0, "f", 1, 0)),
		canons(join(1, 0, 0, 1, 3, 0))), "unknown core memory 0"},
	{"import of another sort", comp(types(record), imports(join(0, "f", 1, 0))),
		"type 0 is no type of functions"},
	{"alias beyond the root", comp(aliases(join(3, 2, 1, 0))), "leads 1 scopes outwards"},
	{"alias of another sort", comp(types(join(0x42, 0)), imports(join(0, "i", 5, 0)),
		aliases(join(1, 0, 0, "f"))), `no export "f" of the sort "function"`},

	{"core module with exceptions", comp(section(1, core()),
		section(1, core(section(2, 1, "", "", 4, 0, 0)))), "core module 1: exceptions are not"},

	// Names.
	{"label", comp(types(join(0x72, 1, "a_b", 0x7d))), `no label: "a_b"`},
	{"labels that differ in case", comp(types(join(0x6d, 2, "a", "A"))),
		`the name "A" twice`},
	{"parameters of a name", comp(types(join(0x40, 2, "x", 0x7d, "x", 0x7d, 1, 0))),
		`the name "x" twice`},
	{"imports of a name", comp(imports(join(0, "r", fresh), join(0, "R", fresh))),
		`"R" is too much like another name`},
	{"import and export of a name", comp(imports(join(0, "r", fresh)),
		exports(join(0, "r", 3, 0, 0))), ""},
	{"no name", comp(imports(join(0, "r!", fresh))), `"r!" is no name`},
	{"import by address", comp(types(fn), imports(join(0, "url=<a>", 1, 0))),
		"an import by address or package"},
	{"method", comp(imports(join(0, "r", fresh)), types(join(0x68, 0),
		join(0x40, 1, "self", 1, 1, 0)), imports(join(0, "[method]r.m", 1, 2))), ""},
	{"method of no function", comp(imports(join(0, "[method]r.m", fresh))),
		`"[method]r.m" is no function`},
	{"method without self", comp(imports(join(0, "r", fresh)), types(join(0x68, 0),
		join(0x40, 1, "it", 1, 1, 0)), imports(join(0, "[method]r.m", 1, 2))),
		"does not take self"},
	{"method that owns", comp(imports(join(0, "r", fresh)), types(join(0x69, 0),
		join(0x40, 1, "self", 1, 1, 0)), imports(join(0, "[method]r.m", 1, 2))),
		"does not take self"},
	{"method of another resource", comp(imports(join(0, "r", fresh), join(0, "q", fresh)),
		types(join(0x68, 0), join(0x40, 1, "self", 2, 1, 0)),
		imports(join(0, "[method]q.m", 1, 3))), "of another resource type"},
	{"method like its resource", comp(imports(join(0, "r", fresh)), types(join(0x68, 0),
		join(0x40, 1, "self", 1, 1, 0)), imports(join(0, "[method]r.r", 1, 2))),
		"too much like another name"},
	{"method and static of a name", comp(imports(join(0, "r", fresh)), types(join(0x68, 0),
		join(0x40, 1, "self", 1, 1, 0)), imports(join(0, "[method]r.m", 1, 2),
		join(0, "[static]r.m", 1, 2))), "too much like another name"},
	{"static of an unknown resource", comp(types(fn), imports(join(0, "[static]r.m", 1, 0))),
		"not known here"},
	{"constructor", comp(imports(join(0, "r", fresh)), types(join(0x69, 0),
		join(0x40, 0, 0, 1)), imports(join(0, "[constructor]r", 1, 2))), ""},
	{"constructor of a result", comp(imports(join(0, "r", fresh)), types(join(0x69, 0),
		join(0x6a, 1, 1, 1, 0x73), join(0x40, 0, 0, 2)), imports(join(0, "[constructor]r", 1, 3))),
		""},
	{"constructor of nothing", comp(imports(join(0, "r", fresh)), types(fn),
		imports(join(0, "[constructor]r", 1, 1))), "does not return a handle"},

	// Types.
	{"flags", comp(types(join(0x6e, 33, many("a", 33)))), "more than 32 flags"},
	{"a result that borrows", comp(imports(join(0, "r", fresh)), types(join(0x68, 0),
		join(0x40, 0, 0, 1))), "the result of a function borrows"},
	{"a resource in a type", comp(types(join(0x42, 1, 1, resource))),
		"in the type of an instance or component"},
	{"destructor", comp(worker, types(join(0x3f, 0x7f, 1, 0))),
		"a destructor has the type (i32 i32 i32 i32) -> (i32)"},
	{"outer type with a resource", comp(imports(join(0, "r", fresh)), types(join(0x69, 0)),
		section(4, comp(aliases(join(3, 2, 1, 1))))), "refers to resources of the outer"},
	{"outer type without a resource", comp(types(record),
		section(4, comp(aliases(join(3, 2, 1, 0))))), ""},
	{"outer resource in a type", comp(imports(join(0, "r", fresh)),
		types(join(0x42, 1, 2, 3, 2, 1, 0))), ""},
	{"import of an own resource", comp(types(resource, join(0x69, 0), typeFn(1)),
		exports(join(0, "r", 3, 0, 0)), imports(join(0, "f", 1, 2))), "not imported"},

	// Exports refer to named types only.
	{"an exported record", comp(types(record), exports(join(0, "t", 3, 0, 0))), ""},
	{"function of a record", comp(types(record, typeFn(0)), imports(join(0, "f", 1, 1))),
		`import "f" refers to a type that is not imported`},
	{"function of an imported record", comp(types(record), imports(join(0, "t", 3, 0, 0)),
		types(typeFn(1)), imports(join(0, "f", 1, 2))), ""},
	{"function of the record before its name", comp(types(record),
		imports(join(0, "t", 3, 0, 0)), types(typeFn(0)), imports(join(0, "f", 1, 2))),
		"not imported"},
	{"function of a tuple", comp(types(join(0x6f, 1, 0x7d), typeFn(0)),
		imports(join(0, "f", 1, 1))), ""},

	// Ascription.
	{"ascription", comp(types(fn), imports(join(0, "f", 1, 0)),
		exports(join(0, "g", 1, 0, 1, 1, 0))), ""},
	{"ascription of another type", comp(types(fn, stringFn), imports(join(0, "f", 1, 0)),
		exports(join(0, "g", 1, 0, 1, 1, 1))), "got the type (), want (s: string)"},
	{"ascription of another sort", comp(types(fn, join(0x42, 0)),
		imports(join(0, "f", 1, 0)), exports(join(0, "g", 1, 0, 1, 5, 1))),
		"got the sort \"function\", want \"instance\""},
}

// many are n labels that begin with a text, each with bytes behind it.
func many(text string, n int, behind ...int) []byte {
	var b []byte
	for i := range n {
		b = append(b, join(text+strings.Repeat("x", i))...)
		for _, v := range behind {
			b = append(b, byte(v))
		}
	}
	return b
}

func TestValidate(t *testing.T) {
	for _, tt := range invalid {
		t.Run(tt.name, func(t *testing.T) { checkValidity(t, tt.b, tt.text) })
	}
}

// checkValidity checks that an error has a text, or that there is none.
func checkValidity(t *testing.T, b []byte, text string) {
	t.Helper()
	c, err := binary.Decode(b)
	if err == nil {
		err = Validate(c)
	}
	if text == "" && err != nil {
		t.Errorf("got %v, want a valid component", err)
	}
	if text != "" && (err == nil || !strings.Contains(err.Error(), text)) {
		t.Errorf("got %v, want an error with %q", err, text)
	}
}

func TestNames(t *testing.T) {
	for _, tt := range []struct {
		name string
		kind nameKind
		ok   bool
	}{
		{"a", plainName, true}, {"a-b", plainName, true}, {"a1-2b", plainName, true},
		{"HTTP-request", plainName, true}, {"", 0, false}, {"1a", 0, false}, {"a-", 0, false},
		{"-a", 0, false}, {"a--b", 0, false}, {"aB", 0, false}, {"a_b", 0, false}, {"é", 0, false},
		{"[constructor]r", constructorName, true}, {"[constructor]r.m", 0, false},
		{"[method]r.m", methodName, true}, {"[method]r", 0, false}, {"[method]r.m.n", 0, false},
		{"[static]r.m", staticName, true}, {"[other]r.m", 0, false},
		{"wasi:io/streams", interfaceName, true}, {"wasi:io/streams@0.2.12", interfaceName, true},
		{"wasi:io/streams@1.0.0-rc.1+build.01", interfaceName, true},
		{"wasi:io", 0, false}, {"wasi/io", 0, false}, {"Wasi:io/streams", 0, false},
		{"wasi:io/streams@0.2", 0, false}, {"wasi:io/streams@0.02.1", 0, false},
		{"wasi:io/streams@", 0, false}, {"wasi:io/streams@1.0.0-01", 0, false},
		{"wasi:io/streams@99999999999999999999.0.0", 0, false}, {"a:b:c/d", 0, false},
		{"a:b/c/d", 0, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			n, err := parseName(tt.name, 0)
			if (err == nil) != tt.ok || n.kind != tt.kind {
				t.Errorf("got kind %d and error %v, want kind %d and success %t", n.kind, err,
					tt.kind, tt.ok)
			}
		})
	}
}
