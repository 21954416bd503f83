package link

import (
	"testing"

	"github.com/wasport/wasport/internal/component/binary"
)

// core modules that import one item "" "x".
func importer(desc ...any) []byte {
	return core(section(1, 2, 0x60, 0, 0, 0x60, 1, 0x7f, 0),
		section(2, 1, "", "x", join(desc...)))
}

// exporter exports a function "x" of type (), a table "t" of 1 to 2 elements, a memory "m" of 1 to
// 2 pages and an immutable global "g".
var exporter = core(section(1, 1, 0x60, 0, 0), section(3, 1, 0),
	section(4, 1, 0x70, 1, 1, 2), section(5, 1, 1, 1, 2), section(6, 1, 0x7f, 0, 0x41, 0, 0x0b),
	section(7, 4, "x", 0, 0, "t", 1, 0, "m", 2, 0, "g", 3, 0), section(10, 1, 2, 0, 0x0b))

// supply instantiates importer with an item of exporter that is renamed "x".
func supply(importer []byte, sort int, name string) []byte {
	return comp(section(1, exporter), section(1, importer), section(2, 1, 0, 0, 0),
		aliases(join(0, sort, 1, 0, name)), section(2, 2, 1, 1, "x", sort, 0, 0, 1, 1, "", 0x12, 1))
}

func TestCoreInstantiation(t *testing.T) {
	for _, tt := range []struct {
		name string
		b    []byte
		text string
	}{
		{"function", supply(importer(0, 0), 0, "x"), ""},
		{"function of another type", supply(importer(0, 1), 0, "x"),
			"got the type () -> (), want (i32) -> ()"},
		{"table", supply(importer(1, 0x70, 1, 1, 2), 1, "t"), ""},
		{"table without a maximum", supply(importer(1, 0x70, 0, 1), 1, "t"), ""},
		{"table with a greater minimum", supply(importer(1, 0x70, 0, 2), 1, "t"),
			"different types"},
		{"table with a lower maximum", supply(importer(1, 0x70, 1, 0, 1), 1, "t"),
			"different types"},
		{"table of another type", supply(importer(1, 0x6f, 0, 1), 1, "t"), "different types"},
		{"memory", supply(importer(2, 1, 0, 3), 2, "m"), ""},
		{"memory with a lower maximum", supply(importer(2, 1, 0, 1), 2, "m"), "different types"},
		{"shared memory", supply(importer(2, 3, 0, 3), 2, "m"), "different types"},
		{"global", supply(importer(3, 0x7f, 0), 3, "g"), ""},
		{"mutable global", supply(importer(3, 0x7f, 1), 3, "g"), "different types"},
		{"another sort", supply(importer(3, 0x7f, 0), 2, "m"), "got a memory, want a global"},
		{"nothing", comp(section(1, importer(0, 0)), section(2, 1, 0, 0, 0)),
			`import "" "x" is not supplied`},
		{"nothing of the name", comp(section(1, importer(0, 0)),
			section(2, 2, 1, 0, 0, 0, 1, "", 0x12, 0)), `import "" "x" is not supplied`},
		{"two arguments of a name", comp(section(1, core()),
			section(2, 2, 1, 0, 0, 0, 2, "a", 0x12, 0, "a", 0x12, 0)), "two arguments"},
		{"an argument to spare", comp(section(1, core()),
			section(2, 2, 1, 0, 0, 0, 1, "a", 0x12, 0)), ""},
		{"two exports of a name", comp(section(1, exporter), section(2, 1, 0, 0, 0),
			aliases(join(0, 0, 1, 0, "x")), section(2, 1, 1, 2, "a", 0, 0, "a", 0, 0)),
			`two exports are named "a"`},
		{"two imports of a name", comp(section(1, core(section(1, 1, 0x60, 0, 0),
			section(2, 2, "a", "b", 0, 0, "a", "b", 0, 0)))), `imports "a" "b" twice`},
	} {
		t.Run(tt.name, func(t *testing.T) { checkValidity(t, tt.b, tt.text) })
	}
}

// lift lifts core function f to the function type, with options.
func lift(fnType []byte, f int, options ...any) []byte {
	return comp(worker, types(fnType), canons(join(0, 0, f, join(options...), 0)))
}

// lower lowers an import of the function type, with options.
func lower(fnType []byte, options ...any) []byte {
	return comp(worker, types(fnType), imports(join(0, "f", 1, 0)),
		canons(join(1, 0, 0, join(options...))))
}

func TestCanonicalDefinitions(t *testing.T) {
	const realloc, f, nothing = 0, 1, 2
	stringResult := join(0x40, 0, 0, 0x73)
	manyParams := join(0x40, 17, many("a", 17, 0x79), 1, 0)
	for _, tt := range []struct {
		name string
		b    []byte
		text string
	}{
		{"lift", lift(fn, nothing, 0), ""},
		{"lift of another core type", lift(fn, f, 0), "which takes () -> ()"},
		{"lift of a string", lift(stringFn, f, 2, 3, 0, 4, realloc), ""},
		{"lift of a string without realloc", lift(stringFn, f, 1, 3, 0),
			"need the options memory and realloc"},
		{"lift of a string without memory", lift(stringFn, f, 0),
			"need the options memory and realloc"},
		{"realloc without memory", lift(fn, nothing, 1, 4, realloc),
			"the option realloc needs memory"},
		{"realloc of another type", lift(fn, nothing, 2, 3, 0, 4, f), "realloc has the type"},
		{"lift of a string result without memory", lift(stringResult, f, 0),
			"the result need the option memory"},
		{"post-return", lift(fn, nothing, 1, 5, nothing), ""},
		{"post-return of another type", lift(fn, nothing, 1, 5, f), "post-return has the type"},
		{"lift to no function", comp(worker, types(record), canons(join(0, 0, nothing, 0, 0))),
			"no type of functions"},
		{"lower", lower(fn, 0), ""},
		{"lower of a string", lower(stringFn, 1, 3, 0), ""},
		{"lower of a string without memory", lower(stringFn, 0), "need the option memory"},
		{"lower of a string result", lower(stringResult, 2, 3, 0, 4, realloc), ""},
		{"lower of a string result without realloc", lower(stringResult, 1, 3, 0),
			"need the options memory and realloc"},
		{"lower of many parameters", lower(manyParams, 1, 3, 0), ""},
		{"lower of many parameters without memory", lower(manyParams, 0),
			"need the option memory"},
		{"lower with post-return", lower(fn, 1, 5, nothing), "post-return for a lowered function"},
		{"shared memory", comp(section(1, core(section(5, 1, 3, 1, 1), section(7, 1, "m", 2, 0))),
			section(2, 1, 0, 0, 0), aliases(join(0, 2, 1, 0, "m")), types(fn),
			imports(join(0, "f", 1, 0)), canons(join(1, 0, 0, 1, 3, 0))), "a shared memory"},
		{"resource.new", comp(types(resource), canons(join(2, 0), join(3, 0), join(4, 0))), ""},
		{"resource.new of an import", comp(imports(join(0, "r", fresh)), canons(join(2, 0))),
			"the representation of a resource of another component"},
		{"resource.rep of an import", comp(imports(join(0, "r", fresh)), canons(join(4, 0))),
			"the representation of a resource of another component"},
		{"resource.drop of an import", comp(imports(join(0, "r", fresh)), canons(join(3, 0))), ""},
		{"resource.drop of a record", comp(types(record), canons(join(3, 0))),
			"no type of resources"},
	} {
		t.Run(tt.name, func(t *testing.T) { checkValidity(t, tt.b, tt.text) })
	}
}

// maker is a component that exports a resource type "r" and a function "f" of a handle of it.
var maker = comp(worker, types(resource), exports(join(0, "r", 3, 0, 0)),
	types(join(0x68, 1), typeFn(2)), section(1, core(section(1, 1, 0x60, 1, 0x7f, 0),
		section(3, 1, 0), section(7, 1, "f", 0, 0), section(10, 1, 2, 0, 0x0b))),
	section(2, 1, 0, 1, 0), aliases(join(0, 0, 1, 1, "f")), canons(join(0, 0, 3, 0, 3)),
	exports(join(0, "f", 1, 0, 0)))

// taker is a component that imports a resource type "r" and a function "f" of a handle of it.
var taker = comp(imports(join(0, "r", fresh)), types(join(0x68, 0), typeFn(1)),
	imports(join(0, "f", 1, 2)))

// Each instance of a component has resource types of its own.
func TestResourceIdentity(t *testing.T) {
	makers := join(section(4, maker), section(4, taker), section(5, 2, 0, 0, 0, 0, 0, 0),
		aliases(join(3, 0, 0, "r"), join(3, 0, 1, "r"), join(1, 0, 0, "f"), join(1, 0, 1, "f")))
	take := func(r, f int) []byte {
		return comp(makers, section(5, 1, 0, 1, 2, "r", 3, r, "f", 1, f))
	}
	const different = "got the type (x: borrow<r>), want that with handles of another"
	for _, tt := range []struct {
		name string
		b    []byte
		text string
	}{
		{"first of first", take(0, 0), ""},
		{"second of second", take(1, 1), ""},
		{"second of first", take(0, 1), different},
		{"first of second", take(1, 0), different},
		{"no resource", comp(makers, section(5, 1, 0, 1, 1, "f", 1, 0)), `"r" is missing`},
		{"a function for a resource", comp(makers,
			section(5, 1, 0, 1, 2, "r", 1, 0, "f", 1, 0)),
			`got the sort "function", want "type"`},
	} {
		t.Run(tt.name, func(t *testing.T) { checkValidity(t, tt.b, tt.text) })
	}
	p, err := plan(t, take(1, 1), emptyWorld{}, false)
	if err != nil {
		t.Fatal(err)
	}
	checkProgram(t, p)
	if len(p.Resources) != 2 || p.Resources[0].Type == p.Resources[1].Type {
		t.Fatalf("got resource types %v, want 2 different ones", p.Resources)
	}
	for i, l := range p.Funcs {
		r := l.Type.Params[0].Type.Resource()
		if r != p.Resources[i].Type || r.Instance != l.Component+1 {
			t.Errorf("got function %d of resource type %v, want its own instance's", i, r)
		}
	}
}

// Instances and components are compared by their parts.
func TestSubtyping(t *testing.T) {
	instanceOf := func(decls ...[]byte) []byte {
		return join(0x42, len(decls), join(flat(decls)...))
	}
	wantF := instanceOf(join(1, fn), join(4, 0, "f", 1, 0))
	wantString := instanceOf(join(1, stringFn), join(4, 0, "f", 1, 0))
	wantMore := instanceOf(join(1, fn), join(4, 0, "f", 1, 0), join(4, 0, "g", 1, 0))
	inner := func(wanted []byte) []byte { return comp(types(wanted), imports(join(0, "i", 5, 0))) }
	pass := func(wanted []byte) []byte {
		return comp(types(fn), imports(join(0, "f", 1, 0)), section(4, inner(wanted)),
			section(5, 2, 1, 2, 0, "f", 1, 0, 0, "h", 1, 0, 0, 0, 1, "i", 5, 0))
	}
	componentType := func(importName, exportName string) []byte {
		return join(0x41, 3, 1, fn, 3, 0, importName, 1, 0, 4, 0, exportName, 1, 0)
	}
	reexporter := comp(types(fn), imports(join(0, "in", 1, 0)), exports(join(0, "out", 1, 0, 0)))
	passComponent := func(wanted []byte) []byte {
		taker := comp(types(wanted), imports(join(0, "c", 4, 0)))
		return comp(section(4, reexporter), section(4, taker), section(5, 1, 0, 1, 1, "c", 4, 0))
	}
	for _, tt := range []struct {
		name string
		b    []byte
		text string
	}{
		{"instance with more", pass(wantF), ""},
		{"instance with less", pass(wantMore), `"i": export "g" is missing`},
		{"instance of another type", pass(wantString), `export "f": got the type ()`},
		{"component", passComponent(componentType("in", "out")), ""},
		{"component that is given less", passComponent(componentType("x", "out")),
			`"in" is missing`},
		{"component that gives less", passComponent(componentType("in", "x")), `"x" is missing`},
	} {
		t.Run(tt.name, func(t *testing.T) { checkValidity(t, tt.b, tt.text) })
	}
}

func flat(list [][]byte) []any {
	var parts []any
	for _, b := range list {
		parts = append(parts, b)
	}
	return parts
}

// The import section of a core module names origins, through instances that consist of items.
func TestRename(t *testing.T) {
	p, err := plan(t, supply(importer(2, 1, 0, 3), 2, "m"), emptyWorld{}, false)
	if err != nil {
		t.Fatal(err)
	}
	checkProgram(t, p)
	if len(p.Cores) != 2 {
		t.Fatalf("got %d core instances, want 2", len(p.Cores))
	}
	m, err := binary.DecodeModule(p.Modules[p.Cores[1].Module].Binary, 0)
	if err != nil {
		t.Fatal(err)
	}
	got := m.Imports[0]
	if got.Module != CoreModuleName(0) || got.Name != "m" ||
		got.Extern != (binary.CoreExtern{Kind: binary.CoreMemory, Max: 3}) {
		t.Errorf("got the import %+v, want memory m of instance 0", got)
	}
}

// A module that is instantiated twice is compiled once, unless its imports differ.
func TestModulesAreShared(t *testing.T) {
	b := comp(section(1, exporter), section(1, importer(0, 0)),
		section(2, 2, 0, 0, 0, 0, 0, 0),
		aliases(join(0, 0, 1, 0, "x"), join(0, 0, 1, 1, "x")),
		section(2, 5, 1, 1, "x", 0, 0, 1, 1, "x", 0, 1, 0, 1, 1, "", 0x12, 2,
			0, 1, 1, "", 0x12, 3, 0, 1, 1, "", 0x12, 3))
	p, err := plan(t, b, emptyWorld{}, false)
	if err != nil {
		t.Fatal(err)
	}
	checkProgram(t, p)
	if len(p.Cores) != 5 || len(p.Modules) != 3 {
		t.Errorf("got %d core instances of %d modules, want 5 of 3", len(p.Cores), len(p.Modules))
	}
}
