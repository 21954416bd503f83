package engine

import (
	"fmt"
	"unicode/utf8"

	"github.com/tetratelabs/wazero/api"

	"github.com/wasport/wasport/internal/abi"
	"github.com/wasport/wasport/internal/engine/interrupt"
	"github.com/wasport/wasport/internal/printable"
)

// addEmbedderModules adds Config.Modules and Config.Functions. It refuses names of wasport's own,
// and those that are given twice.
func (e *Engine) addEmbedderModules(c Config) error {
	e.embedderModules = make(map[string]map[string]*HostFunction)
	for _, name := range c.Modules {
		if err := checkModuleName(name); err != nil {
			return err
		}
		e.embedderModules[name] = nil
	}
	for _, f := range c.Functions {
		full := fullName(f.Module, f.Name)
		if err := checkModuleName(f.Module); err != nil {
			return err
		}
		if !utf8.ValidString(f.Name) {
			return fmt.Errorf("host function %s: the name is not UTF-8", full)
		}
		functions, known := e.embedderModules[f.Module]
		switch {
		case known && functions == nil:
			return fmt.Errorf("host function %s: the module is one of the wazero runtime's", full)
		case functions[f.Name] != nil:
			return fmt.Errorf("host function %s is given twice", full)
		case f.Call == nil:
			return fmt.Errorf("host function %s has no Go function", full)
		case !known:
			functions = make(map[string]*HostFunction)
			e.embedderModules[f.Module] = functions
		}
		if _, numeric := countValues(f.Params); !numeric {
			return fmt.Errorf("host function %s: parameters that are not numbers: %s", full,
				signature(f.Params, f.Results))
		}
		if _, numeric := countValues(f.Results); !numeric {
			return fmt.Errorf("host function %s: results that are not numbers: %s", full,
				signature(f.Params, f.Results))
		}
		functions[f.Name] = &f
	}
	return nil
}

// checkModuleName refuses the names of modules that wasport supplies, and those that no module can
// import: a name is UTF-8 (WebAssembly core specification, section 5.2.4).
func checkModuleName(name string) error {
	if name == "" || !utf8.ValidString(name) {
		return fmt.Errorf("host functions need the name of their module, in UTF-8; got %q", name)
	}
	for _, own := range append(abi.Modules(), threadsModule, interrupt.Module) {
		if name == own {
			return fmt.Errorf("host functions cannot be in module %s, which is wasport's",
				printable.Name(name))
		}
	}
	return nil
}

func fullName(module, name string) string {
	return Import{Module: module, Name: name}.FullName()
}

// wazeroFunction returns the definition of a function in one of Config.Modules, or nil.
func (e *Engine) wazeroFunction(module, name string) api.FunctionDefinition {
	mod := e.runtime.Module(module)
	if mod == nil {
		return nil
	}
	return mod.ExportedFunctionDefinitions()[name]
}

// isWasm reports whether a module is one of Config.Modules that is not written in Go, so that
// wazero resolves its functions.
func (e *Engine) isWasm(module string) bool {
	functions, listed := e.embedderModules[module]
	mod := e.runtime.Module(module)
	if !listed || functions != nil || mod == nil {
		return false
	}
	for _, def := range mod.ExportedFunctionDefinitions() {
		return def.GoFunction() == nil
	}
	return true
}

// givesMemoryAway reports whether the module imports from one of the embedder's wazero runtime. The
// functions there get the wazero instance that calls them, with which they can grow its memory.
func (m *Module) givesMemoryAway() bool {
	for _, def := range m.compiled.ImportedFunctions() {
		module, _, _ := def.Import()
		if functions, listed := m.engine.embedderModules[module]; listed && functions == nil {
			return true
		}
	}
	return false
}

// embedderSignature returns the signature of a function of the embedder's. It is empty if there is
// none.
func (e *Engine) embedderSignature(module, name string) string {
	if f := e.embedderModules[module][name]; f != nil {
		return signature(f.Params, f.Results)
	}
	def := e.wazeroFunction(module, name)
	if def == nil {
		return ""
	}
	return signature(def.ParamTypes(), def.ResultTypes())
}

// embedderFunction finds a function of the embedder's, written in Go, with the wanted signature. It
// reports false if there is none.
func (e *Engine) embedderFunction(module, name, want string) (api.GoModuleFunction, bool) {
	if e.embedderSignature(module, name) != want {
		return nil, false
	}
	wrapped := &embedderFunction{name: fullName(module, name)}
	if f := e.embedderModules[module][name]; f != nil {
		wrapped.call = func(h *HostCall, _ api.Module, stack []uint64) { f.Call(h, stack) }
		wrapped.paramWords, wrapped.resultWords = findWords(f.Params), findWords(f.Results)
		return wrapped, true
	}
	def := e.wazeroFunction(module, name)
	wrapped.paramWords, wrapped.resultWords = findWords(def.ParamTypes()),
		findWords(def.ResultTypes())
	switch f := def.GoFunction().(type) {
	case api.GoModuleFunction:
		wrapped.call = func(h *HostCall, mod api.Module, stack []uint64) { f.Call(h, mod, stack) }
	case api.GoFunction:
		wrapped.call = func(h *HostCall, _ api.Module, stack []uint64) { f.Call(h, stack) }
	default:
		return nil, false
	}
	return wrapped, true
}
