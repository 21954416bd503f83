package wasport

import (
	"github.com/wasport/wasport/internal/abi"
	"github.com/wasport/wasport/internal/engine"
)

// Import is one import of a module: the type that the module asks for, and the type that there is
// under that name.
type Import struct {
	// Module and Name are the two names of the import; of a component those of the interface, with
	// its version, and of the function. They are the module's own bytes: use FullName or String to
	// show them.
	Module, Name string

	// Want and Have are the type that the module asks for, and the one that it would get. A
	// function's type is its signature, such as "(i32, i32) -> i32"; anything else has its kind:
	// "global", "table", "memory", "shared memory", or of a component "interface" or "type". The
	// types of a component are in the spelling of WIT. Have is empty if there is nothing under the
	// name.
	Want, Have string

	// Foreign is true if the import comes from RuntimeConfig.HostFunctions or HostModules.
	Foreign bool

	// Reason says why an import of a component cannot be supplied, where Want and Have do not tell
	// it.
	Reason string
}

// OK reports whether the import can be supplied.
func (i Import) OK() bool { return engine.Import(i).OK() }

// IsFunction reports whether the import is a function, or an interface of functions. Only functions
// can be replaced by ones that trap; see CompileConfig.
func (i Import) IsFunction() bool { return engine.Import(i).IsFunction() }

// FullName is the two names with a dot between them, such as "env.memory", or with a number sign
// after the name of an interface, such as "wasi:io/poll@0.2.12#poll". A name that does not print is
// quoted, so that it can be shown on a terminal.
func (i Import) FullName() string { return engine.Import(i).FullName() }

// String is the full name and the wanted type. If the import cannot be supplied, the reason
// follows.
func (i Import) String() string { return engine.Import(i).String() }

func publicImports(imports []engine.Import) []Import {
	list := make([]Import, 0, len(imports))
	for _, i := range imports {
		list = append(list, Import(i))
	}
	return list
}

// Imports lists the functions that the module imports, in the module's order and each once, then
// the imports that cannot be supplied because they are not functions: globals, tables, and memories
// that are not shared.
func (m *Module) Imports() []Import { return publicImports(m.module.Imports()) }

// Functions lists the functions that can be called, sorted by name: those that a core module
// exports, and of a component the run of wasi:cli/run alone.
func (m *Module) Functions() []Function {
	var list []Function
	for _, e := range m.module.Entries() {
		list = append(list, Function(e))
	}
	return list
}

// String is the function's name and signature, such as "add(i32, i32) -> i32". A name that does not
// print is quoted.
func (f Function) String() string { return engine.Entry(f).String() }

// Signature is the function's type, such as "(i32, i32) -> i32".
func (f Function) Signature() string { return engine.Entry(f).Signature() }

// Memory describes the linear memory of a module.
type Memory struct {
	// Min and Max are the limits that the module declares, in bytes. Max is 4 GiB if the module
	// declares none.
	Min, Max uint64

	// Import is the full name that the memory is imported under; empty if the module defines it.
	Import string

	// Shared is true if threads share the memory. Only a shared memory can be imported.
	Shared bool
}

// Memory describes the module's memory. It is false if the module neither imports nor exports one.
// For a component it is the sum of all memories.
func (m *Module) Memory() (Memory, bool) {
	mem, ok := m.module.Memory()
	return Memory(mem), ok
}

// ByGo reports whether Go's compiler made the module, as far as the module says so: its sections
// "go:buildid" and "producers" can be stripped. Such guests get the directories and sockets of
// their [Config] as Go's runtime expects them.
func (m *Module) ByGo() bool { return m.module.ByGo() }

// CoreModuleInfo describes a core module of a component.
type CoreModuleInfo struct {
	// Name is for messages: the name that the component gives the module, or its number.
	Name string

	// Size is in bytes.
	Size int
}

// CoreModules describes the core modules of a component. It is empty for a core module.
func (m *Module) CoreModules() []CoreModuleInfo {
	c, ok := m.module.(*engine.Component)
	if !ok {
		return nil
	}
	var list []CoreModuleInfo
	for _, i := range c.CoreModules() {
		list = append(list, CoreModuleInfo(i))
	}
	return list
}

// Threads reports whether the module can start threads.
func (m *Module) Threads() bool { return m.module.Threads() }

// Dialect names an interface between guests and hosts, such as "WASI preview 1" or "WASIX". The
// names are meant for messages.
type Dialect string

// Foreign reports whether the dialect belongs to other hosts, so that its functions cannot be
// supplied.
func (d Dialect) Foreign() bool { return abi.Dialect(d).Foreign() }

// Dialects tells for which dialects a module with these imports was built, by the name and the type
// of each import. The dialects of an [ImportError]'s imports are the ones that wasport lacks.
func Dialects(imports []Import) []Dialect {
	functions := make([]abi.Import, 0, len(imports))
	for _, i := range imports {
		if i.IsFunction() {
			functions = append(functions, abi.Import{Module: i.Module, Name: i.Name, Type: i.Want})
		}
	}
	var list []Dialect
	for _, d := range abi.Dialects(functions) {
		list = append(list, Dialect(d))
	}
	return list
}
