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

// Import is what a module imports, and what there is under that name.
type Import struct {
	Module, Name string

	// Want and Have are what the module imports and what it would get. A function is told by its
	// signature, such as "(i32, i32) -> i32", anything else by its kind: "global", "table",
	// "memory", "shared memory". Have is empty if there is nothing.
	Want, Have string

	// Foreign is true if it comes from a module of the embedder's runtime, since Config.Modules
	// names that.
	Foreign bool
}

// OK reports whether the import can be supplied.
func (i Import) OK() bool { return i.Want == i.Have }

// IsFunction reports whether the import is a function. Anything else that cannot be supplied has no
// stand-in.
func (i Import) IsFunction() bool { return strings.HasPrefix(i.Want, "(") }

// FullName is the names of the module and of what is imported from it, such as "env.memory", as
// they can be shown on a terminal.
func (i Import) FullName() string { return printable.Name(i.Module) + "." + printable.Name(i.Name) }

func (i Import) String() string {
	s := i.FullName() + " " + i.Want
	switch {
	case i.OK():
		return s
	case !i.IsFunction():
		return s + ": only functions can be imported, and a memory that threads share"
	case i.Have == "":
		return s + ": there is no such function"
	}
	return s + ": here it is " + i.Have
}

// ImportError is the error of a module that imports what we lack.
type ImportError struct{ Imports []Import }

func (e *ImportError) Error() string {
	const most = 20
	var lines []string
	for _, i := range e.Imports[:min(len(e.Imports), most)] {
		lines = append(lines, i.String())
	}
	if n := len(e.Imports) - most; n > 0 {
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

// types turns a signature of the tables into the engine's.
func types(letters string) []api.ValueType {
	t := make([]api.ValueType, len(letters))
	for i, c := range letters {
		t[i] = api.ValueTypeI32
		if c == 'I' {
			t[i] = api.ValueTypeI64
		}
	}
	return t
}

// imports lists the functions that a compiled module imports, in its own order and each once, but
// for those that rewriting added; then what else it imports and cannot get.
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
		i := Import{Module: module, Name: m.importedName(module, name),
			Want: signature(def.ParamTypes(), def.ResultTypes())}
		if m.foreign(module) {
			i.Have, i.Foreign = m.engine.exported(module, name), true
		} else if named := abi.Overloads(module, i.Name); len(named) > 0 {
			i.Have = have(named, i.Want)
		} else if module == threadsModule && name == threadSpawn {
			i.Have = spawnType
		}
		add(i)
	}
	for _, o := range m.otherImports {
		i := Import{Module: o.Module, Name: o.Name, Want: kindNames[o.Kind]}
		if o.Shared {
			if m.interrupted { // else nothing is known of it to make the guest's own of
				continue
			}
			i.Want = "shared memory"
		}
		add(i)
	}
	return list
}

// have is the signature that is wanted, if one of the functions has it, else all that there are.
func have(named []*abi.Function, want string) string {
	list := make([]string, 0, len(named))
	for _, f := range named {
		list = append(list, signature(types(f.Params), types(f.Results)))
	}
	if slices.Contains(list, want) {
		return want
	}
	return strings.Join(list, ", or ")
}

var kindNames = map[interrupt.Kind]string{
	interrupt.KindTable: "table", interrupt.KindMemory: "memory", interrupt.KindGlobal: "global",
}

// foreign reports whether functions of the named module come from the embedder's runtime.
func (m *Module) foreign(module string) bool {
	_, listed := m.engine.modules[module]
	return listed
}

// overloaded reports whether there are functions of several types under a name.
func (m *Module) overloaded(module, name string) bool {
	return !m.foreign(module) && len(abi.Overloads(module, name)) > 1
}

// importedName is the name that the module gave an import before it was rewritten.
func (m *Module) importedName(module, name string) string {
	if original := interrupt.ImportedName(name); m.overloaded(module, original) {
		return original
	}
	return name
}

// exported is the signature of a function that a module of the embedder's exports; empty if there
// is none.
func (e *Engine) exported(module, name string) string {
	instance := e.runtime.Module(module)
	if instance == nil {
		return ""
	}
	def, ok := instance.ExportedFunctionDefinitions()[name]
	if !ok {
		return ""
	}
	return signature(def.ParamTypes(), def.ResultTypes())
}

// supply makes the modules that a compiled module imports its functions from: with just those
// functions, and without names, so that they meet neither those of other guests' dialects nor what
// an embedder has put into the runtime. A function that we do not have traps when it is called.
func (m *Module) supply(ctx context.Context) (map[string]api.Module, error) {
	rt := m.engine.runtime
	builders := make(map[string]wazero.HostModuleBuilder)
	for _, def := range m.compiled.ImportedFunctions() {
		module, name, _ := def.Import()
		if m.foreign(module) {
			continue
		}
		imported := m.importedName(module, name)
		call, ok := function(module, imported, signature(def.ParamTypes(), def.ResultTypes()))
		if !ok {
			call = trapping(module, imported)
		}
		b, known := builders[module]
		if !known {
			b = rt.NewHostModuleBuilder(module)
			builders[module] = b
		}
		b.NewFunctionBuilder().WithGoModuleFunction(call, def.ParamTypes(), def.ResultTypes()).
			WithName(imported).Export(name)
	}
	modules := make(map[string]api.Module)
	for name, b := range builders {
		// wazero's resolver of imports panics on modules from the builder's own Instantiate.
		compiled, err := b.Compile(ctx)
		if err != nil {
			return nil, fmt.Errorf("supplying %s: %w", name, err)
		}
		if modules[name], err = rt.InstantiateModule(ctx, compiled, anonymous); err != nil {
			return nil, fmt.Errorf("supplying %s: %w", name, err)
		}
	}
	return modules, nil
}

// function finds what a module imports, if we have it with the signature wanted.
func function(module, name, want string) (api.GoModuleFunc, bool) {
	switch {
	case module == interrupt.Module:
		call, ok := interruptions[name]
		return call, ok
	case module == threadsModule && name == threadSpawn && want == spawnType:
		return spawnThread, true
	}
	for _, f := range abi.Overloads(module, name) {
		if signature(types(f.Params), types(f.Results)) == want {
			return f.Call, true
		}
	}
	return nil, false
}

func trapping(module, name string) api.GoModuleFunc {
	return func(context.Context, api.Module, []uint64) {
		panic(fault{fmt.Errorf("called %s.%s, which the host does not have", printable.Name(module),
			printable.Name(name))})
	}
}
