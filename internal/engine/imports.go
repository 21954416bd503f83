package engine

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/tetratelabs/wazero"
	"github.com/tetratelabs/wazero/api"

	"github.com/wasport/wasport/internal/abi"
	"github.com/wasport/wasport/internal/engine/interrupt"
	"github.com/wasport/wasport/internal/printable"
)

// Import is an import of a module.
type Import struct {
	Module, Name string

	// Want is the signature of the imported function, such as "(i32, i32) -> i32", or the kind of
	// any other import: "global", "table", "memory", "shared memory", "interface" or "type". The
	// types of a component are in the spelling of WIT.
	Want string

	// Have is the signature of the function that exists under the name. It is empty if there is
	// none.
	Have string

	// Foreign is set if the import comes from the embedder.
	Foreign bool

	// Reason says why an import of a component cannot be supplied, unless Want and Have tell it.
	Reason string
}

// OK reports whether the import can be supplied.
func (i Import) OK() bool { return i.Want == i.Have && i.Reason == "" }

// IsFunction reports whether the import is a function, or an interface, which has functions. A
// missing function can be replaced by one that traps; a missing import of another kind cannot.
func (i Import) IsFunction() bool {
	return strings.HasPrefix(i.Want, "(") || i.Want == kindInterface
}

// The kinds of imports of a component that are no functions.
const (
	kindInterface = "interface"
	kindType      = "type"
)

// FullName returns the names of the module and of the import, such as "env.memory", made safe for a
// terminal. Those of a component are "wasi:io/poll@0.2.12#poll", or the interface alone.
func (i Import) FullName() string {
	module, name := printable.Name(i.Module), printable.Name(i.Name)
	switch {
	case i.Name == "" && i.Want == kindInterface:
		return module
	case strings.Contains(i.Module, ":") && strings.Contains(i.Module, "/"):
		return module + "#" + name
	}
	return module + "." + name
}

func (i Import) String() string {
	s := i.FullName() + " " + printable.Text(i.Want)
	switch {
	case i.OK():
		return s
	case i.Reason != "":
		return s + ": " + printable.Text(i.Reason)
	case !i.IsFunction():
		return s + ": only functions can be imported, and a memory that threads share"
	case i.Have == "":
		return s + ": there is no such function"
	}
	return s + ": here it is " + printable.Text(i.Have)
}

// ImportError is the error of a module with imports that cannot be supplied.
type ImportError struct{ Imports []Import }

func (e *ImportError) Error() string {
	const maxListed = 20
	var lines []string
	for _, i := range e.Imports[:min(len(e.Imports), maxListed)] {
		lines = append(lines, i.String())
	}
	if n := len(e.Imports) - maxListed; n > 0 {
		lines = append(lines, fmt.Sprintf("and %d more", n))
	}
	return "the module imports what cannot be supplied: " + strings.Join(lines, "; ")
}

func signature(params, results []api.ValueType) string {
	names := func(types []api.ValueType) string {
		s := make([]string, len(types))
		for i, t := range types {
			s[i] = api.ValueTypeName(t)
		}
		return strings.Join(s, ", ")
	}
	s := "(" + names(params) + ")"
	if len(results) > 0 {
		s += " -> " + names(results)
	}
	return s
}

// valueTypes converts the letters of abi.Function, 'i' for i32 and 'I' for i64, to wazero's types.
func valueTypes(letters string) []api.ValueType {
	t := make([]api.ValueType, len(letters))
	for i, c := range letters {
		t[i] = api.ValueTypeI32
		if c == 'I' {
			t[i] = api.ValueTypeI64
		}
	}
	return t
}

// imports is Imports. It leaves out the functions that rewriting added.
func (m *Module) imports() []Import {
	var list []Import
	seen := make(map[Import]struct{})
	add := func(i Import) {
		if _, ok := seen[i]; !ok {
			seen[i] = struct{}{}
			list = append(list, i)
		}
	}
	for _, def := range m.compiled.ImportedFunctions() {
		module, name, _ := def.Import()
		if module == interrupt.Module {
			continue
		}
		i := Import{Module: module, Name: m.originalImportName(module, name),
			Want: signature(def.ParamTypes(), def.ResultTypes())}
		if m.fromEmbedder(module) {
			i.Have, i.Foreign = m.engine.embedderSignature(module, name), true
		} else if named := abi.Overloads(module, i.Name); len(named) > 0 {
			i.Have = matchingSignature(named, i.Want)
		} else if module == threadsModule && name == threadSpawn {
			i.Have = spawnType
		}
		add(i)
	}
	for _, o := range m.otherImports {
		i := Import{Module: o.Module, Name: o.Name, Want: kindNames[o.Kind]}
		if o.Shared {
			if m.interruptible {
				continue // reserveMemory supplies it.
			}
			i.Want = "shared memory"
		}
		add(i)
	}
	return list
}

// matchingSignature returns want if one of the functions has that signature. Otherwise it returns
// the signatures of all of them.
func matchingSignature(functions []*abi.Function, want string) string {
	list := make([]string, 0, len(functions))
	for _, f := range functions {
		list = append(list, signature(valueTypes(f.Params), valueTypes(f.Results)))
	}
	if slices.Contains(list, want) {
		return want
	}
	return strings.Join(list, ", or ")
}

var kindNames = map[interrupt.Kind]string{
	interrupt.KindTable: "table", interrupt.KindMemory: "memory", interrupt.KindGlobal: "global",
}

// fromEmbedder reports whether the named module is the embedder's.
func (m *Module) fromEmbedder(module string) bool {
	_, listed := m.engine.embedderModules[module]
	return listed
}

// isOverloaded reports whether the host has functions of several types under one name.
func (m *Module) isOverloaded(module, name string) bool {
	return !m.fromEmbedder(module) && len(abi.Overloads(module, name)) > 1
}

// originalImportName returns the name that an import had before the module was rewritten.
func (m *Module) originalImportName(module, name string) string {
	if original := interrupt.ImportedName(name); m.isOverloaded(module, original) {
		return original
	}
	return name
}

// instantiateHostModules instantiates the host modules that a compiled module imports functions
// from, with those functions alone. The instances are anonymous. Named ones would collide with
// those of other modules, which may import other signatures of the same function, and with the
// embedder's own. A function that does not exist traps when it is called.
func (m *Module) instantiateHostModules(ctx context.Context) (hostModules, error) {
	rt := m.engine.runtime
	builders := make(map[string]wazero.HostModuleBuilder)
	for _, def := range m.compiled.ImportedFunctions() {
		module, name, _ := def.Import()
		if m.engine.isWasm(module) {
			continue
		}
		imported := m.originalImportName(module, name)
		want := signature(def.ParamTypes(), def.ResultTypes())
		call, ok := m.engine.embedderFunction(module, name, want)
		if !m.fromEmbedder(module) {
			call, ok = hostFunction(module, imported, want)
		}
		if !ok {
			call = trappingFunction(module, imported)
		}
		b, known := builders[module]
		if !known {
			b = rt.NewHostModuleBuilder(module)
			builders[module] = b
		}
		b.NewFunctionBuilder().WithGoModuleFunction(call, def.ParamTypes(), def.ResultTypes()).
			WithName(imported).Export(name)
	}
	return m.engine.instantiateHostModules(ctx, builders)
}

// hostFunction finds the host function with the wanted signature. It reports false if there is
// none.
func hostFunction(module, name, want string) (api.GoModuleFunction, bool) {
	switch {
	case module == interrupt.Module:
		call, ok := interruptFuncs[name]
		return call, ok
	case module == threadsModule && name == threadSpawn && want == spawnType:
		return api.GoModuleFunc(spawnThread), true
	}
	for _, f := range abi.Overloads(module, name) {
		if signature(valueTypes(f.Params), valueTypes(f.Results)) == want {
			return f, true
		}
	}
	return nil, false
}

func trappingFunction(module, name string) api.GoModuleFunc {
	return func(context.Context, api.Module, []uint64) {
		const text = "called %s.%s, which the host does not have"
		panic(guestFault{fmt.Errorf(text, printable.Name(module), printable.Name(name))})
	}
}
