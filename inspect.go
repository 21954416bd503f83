package wasport

import (
	"github.com/wasport/wasport/internal/abi"
	"github.com/wasport/wasport/internal/engine"
)

// Imports lists the functions that the module imports, in its own order and each once, then what
// else it imports and cannot get: globals, tables, and memories that are not shared.
func (m *Module) Imports() []Import { return m.module.Imports() }

// Functions lists the functions that the module exports, by name.
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

// Memory is the memory that a module has.
type Memory = engine.Memory

// Memory describes the module's memory. It is false if the module neither imports nor exports one.
func (m *Module) Memory() (Memory, bool) { return m.module.Memory() }

// Threads reports whether the module can start threads.
func (m *Module) Threads() bool { return m.module.Threads() }

// Dialect is an interface between guests and hosts, such as WASI preview 1 or WASIX.
type Dialect = abi.Dialect

// Dialects tells which dialects a module was built for that has these imports, by the name and type
// of each. The imports of an [ImportError] tell which ones it lacks.
func Dialects(imports []Import) []Dialect {
	list := make([]abi.Import, 0, len(imports))
	for _, i := range imports {
		if i.IsFunction() {
			list = append(list, abi.Import{Module: i.Module, Name: i.Name, Type: i.Want})
		}
	}
	return abi.Dialects(list)
}
