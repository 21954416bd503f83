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
)

// Import is a function that a module imports, and what we have under that name.
type Import struct {
	Module, Name string
	Want, Have   string // signatures, such as "(i32, i32) -> i32"; Have is empty if we have no such function

	// Foreign is true if the embedder's runtime has a module of that name, so that it is not for us to supply.
	Foreign bool
}

// OK reports whether the import can be supplied.
func (i Import) OK() bool { return i.Foreign || i.Want == i.Have }

func (i Import) String() string {
	s := i.Module + "." + i.Name + " " + i.Want
	switch {
	case i.OK():
		return s
	case i.Have == "":
		return s + ": there is no such function"
	}
	return s + ": here it is " + i.Have
}

// ImportError is the error of a module that imports what we lack.
type ImportError struct{ Imports []Import }

func (e *ImportError) Error() string {
	lines := make([]string, 0, len(e.Imports))
	for _, i := range e.Imports {
		lines = append(lines, i.String())
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

// imports lists the functions that a compiled module imports, in its own order and each once; but for those that rewriting added.
func imports(rt wazero.Runtime, compiled wazero.CompiledModule) []Import {
	var list []Import
	for _, def := range compiled.ImportedFunctions() {
		module, name, _ := def.Import()
		if module == interrupt.Module {
			continue
		}
		i := Import{Module: module, Name: name, Want: signature(def.ParamTypes(), def.ResultTypes())}
		if f, ok := abi.Lookup(module, name); ok {
			i.Have = signature(types(f.Params), types(f.Results))
		} else if module == threadsModule && name == threadSpawn {
			i.Have = spawnType
		} else {
			i.Foreign = rt.Module(module) != nil
		}
		if !slices.Contains(list, i) {
			list = append(list, i)
		}
	}
	return list
}

// supply makes the modules that a compiled module imports its functions from: with just those functions, and without names, so that
// they meet neither those of other guests' dialects nor what an embedder has put into the runtime. A function that we do not
// have traps when it is called.
func supply(ctx context.Context, rt wazero.Runtime, compiled wazero.CompiledModule) (map[string]api.Module, error) {
	builders := make(map[string]wazero.HostModuleBuilder)
	for _, def := range compiled.ImportedFunctions() {
		module, name, _ := def.Import()
		call, ok := function(module, name, signature(def.ParamTypes(), def.ResultTypes()))
		switch {
		case ok:
		case rt.Module(module) != nil:
			continue
		default:
			call = trapping(module, name)
		}
		b, known := builders[module]
		if !known {
			b = rt.NewHostModuleBuilder(module)
			builders[module] = b
		}
		b.NewFunctionBuilder().WithGoModuleFunction(call, def.ParamTypes(), def.ResultTypes()).WithName(name).Export(name)
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
	f, ok := abi.Lookup(module, name)
	if !ok || signature(types(f.Params), types(f.Results)) != want {
		return nil, false
	}
	return f.Call, true
}

func trapping(module, name string) api.GoModuleFunc {
	return func(context.Context, api.Module, []uint64) {
		panic(fmt.Errorf("called %s.%s, which the host does not have", module, name))
	}
}
