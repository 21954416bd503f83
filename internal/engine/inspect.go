package engine

import (
	"slices"
	"strings"

	"github.com/tetratelabs/wazero/api"

	"github.com/wasport/wasport/internal/printable"
)

// String is the function's name, as it can be shown on a terminal, and its signature.
func (e Entry) String() string { return printable.Name(e.Name) + e.Signature() }

// Signature is the function's type, such as "(i32, i32) -> i32".
func (e Entry) Signature() string { return signature(e.Params, e.Results) }

// Imports lists the functions that the module imports, in its own order and each once, then what
// else it imports and cannot get.
func (m *Module) Imports() []Import { return m.imports() }

// Entries lists the exported functions by name.
func (m *Module) Entries() []Entry {
	var list []Entry
	for name, def := range m.exported {
		list = append(list, Entry{name, def.ParamTypes(), def.ResultTypes()})
	}
	slices.SortFunc(list, func(a, b Entry) int { return strings.Compare(a.Name, b.Name) })
	return list
}

// ByGo reports whether Go's compiler made the module.
func (m *Module) ByGo() bool { return m.byGo }

// Memory is the memory that a module has.
type Memory struct {
	Min, Max uint64 // bytes; Max is what may be addressed if the module sets no limit
	// the module and the name that it is imported under; empty if it is the module's own
	Import string
	Shared bool // among threads; then it can be imported, else there is none to import
}

const pageSize = 1 << 16

// Memory describes the memory that the module imports or exports. It is false if there is none.
func (m *Module) Memory() (Memory, bool) {
	for _, def := range m.compiled.ImportedMemories() {
		module, name, _ := def.Import()
		return m.memoryOf(def, Import{Module: module, Name: name}.FullName()), true
	}
	for _, def := range m.compiled.ExportedMemories() {
		return m.memoryOf(def, ""), true
	}
	return Memory{}, false
}

func (m *Module) memoryOf(def api.MemoryDefinition, imported string) Memory {
	most, limited := def.Max()
	if !limited {
		most = 1 << 16
	}
	return Memory{uint64(def.Min()) * pageSize, uint64(most) * pageSize, imported, m.memory.Shared}
}
