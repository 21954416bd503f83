package engine

import (
	"slices"
	"strings"

	"github.com/tetratelabs/wazero/api"

	"github.com/wasport/wasport/internal/printable"
)

// String returns the function's name, made safe for a terminal, and its signature.
func (e Entry) String() string { return printable.Name(e.Name) + e.Signature() }

// Signature returns the function's type, such as "(i32, i32) -> i32".
func (e Entry) Signature() string { return signature(e.Params, e.Results) }

// Imports lists the functions that the module imports, in the module's order and each once. The
// imports of other kinds that cannot be supplied follow.
func (m *Module) Imports() []Import { return m.imports() }

// Entries lists the exported functions, sorted by name.
func (m *Module) Entries() []Entry {
	var list []Entry
	for name, def := range m.exportedFuncs {
		list = append(list, Entry{name, def.ParamTypes(), def.ResultTypes()})
	}
	slices.SortFunc(list, func(a, b Entry) int { return strings.Compare(a.Name, b.Name) })
	return list
}

// ByGo reports whether Go's compiler made the module.
func (m *Module) ByGo() bool { return m.byGo }

// Memory describes the linear memory of a module.
type Memory struct {
	// Min and Max are in bytes. Max is 4 GiB if the module declares no maximum.
	Min, Max uint64

	// Import is the full name of the import, such as "env.memory". It is empty if the module
	// defines the memory itself.
	Import string

	// Shared is set if threads share the memory. Only a shared memory can be imported.
	Shared bool
}

const pageSize = 1 << 16

// Memory describes the memory that the module imports or exports. It reports false if there is
// none.
func (m *Module) Memory() (Memory, bool) {
	for _, def := range m.compiled.ImportedMemories() {
		module, name, _ := def.Import()
		return m.describeMemory(def, Import{Module: module, Name: name}.FullName()), true
	}
	for _, def := range m.compiled.ExportedMemories() {
		return m.describeMemory(def, ""), true
	}
	return Memory{}, false
}

func (m *Module) describeMemory(def api.MemoryDefinition, imported string) Memory {
	maxPages, limited := def.Max()
	if !limited {
		maxPages = 1 << 16
	}
	return Memory{
		Min: uint64(def.Min()) * pageSize, Max: uint64(maxPages) * pageSize,
		Import: imported, Shared: m.memory.Shared,
	}
}
