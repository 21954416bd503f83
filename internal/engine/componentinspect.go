package engine

import (
	"errors"
	"fmt"

	"github.com/wasport/wasport/internal/component/link"
	"github.com/wasport/wasport/internal/printable"
)

// Entry returns the function run of wasi:cli/run, by the empty name. No other can be called.
func (c *Component) Entry(name string) (Entry, error) {
	switch {
	case name != "":
		return Entry{}, fmt.Errorf("the function %s cannot be called: only core modules have "+
			"functions that are called by name; a component is run by its wasi:cli/run",
			printable.Name(name))
	case c.program.Run < 0:
		return Entry{}, errors.New("the component is no command: it does not export wasi:cli/run")
	}
	return Entry{Name: c.program.RunName + "#run"}, nil
}

// Entries lists the function run of wasi:cli/run, if the component exports it.
func (c *Component) Entries() []Entry {
	if run, err := c.Entry(""); err == nil {
		return []Entry{run}
	}
	return nil
}

// Imports lists the functions that the component imports, in its order. Their types are in the
// spelling of WIT.
func (c *Component) Imports() []Import {
	list := make([]Import, 0, len(c.program.Imports))
	for i := range c.program.Imports {
		list = append(list, importOf(&c.program.Imports[i]))
	}
	return list
}

func importOf(i *link.Import) Import {
	imported := Import{Module: i.Interface, Name: i.Func, Want: i.Want.String()}
	switch {
	case i.Err == "":
		imported.Have = imported.Want
	case i.Have != nil:
		imported.Have = i.Have.String()
	default:
		imported.Reason = i.Err
	}
	return imported
}

// Memory describes the memories of all core modules together. It reports false if there is none.
func (c *Component) Memory() (Memory, bool) {
	var all Memory
	found := false
	for _, core := range c.program.Cores {
		for _, m := range c.program.Modules[core.Module].Memories {
			found = true
			all.Min += uint64(m.Min) * pageSize
			if all.Max += uint64(m.Max) * pageSize; m.Max < 0 {
				all.Max = 1 << 32
			}
		}
	}
	all.Max = min(all.Max, 1<<32) // What all of them together may have.
	return all, found
}

// CoreModuleInfo describes a core module of a component.
type CoreModuleInfo struct {
	Name string
	Size int // In bytes.
}

// CoreModules describes the core modules in the order of the component, and one that is
// instantiated with other imports once more. Those of the planner are left out.
func (c *Component) CoreModules() []CoreModuleInfo {
	list := make([]CoreModuleInfo, 0, len(c.cores))
	for i, core := range c.cores {
		if !c.program.Modules[i].Answers {
			list = append(list, CoreModuleInfo{core.name, core.size})
		}
	}
	return list
}

// Threads reports that a component has no threads.
func (c *Component) Threads() bool { return false }

// ByGo reports false: the files and sockets of a component do not depend on its compiler.
func (c *Component) ByGo() bool { return false }
