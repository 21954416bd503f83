package engine

import (
	"context"
	"errors"
	"fmt"

	"github.com/tetratelabs/wazero"
	"github.com/tetratelabs/wazero/api"

	"github.com/wasport/wasport/internal/engine/interrupt"
	"github.com/wasport/wasport/internal/sched"
)

// Module is a compiled module. Any number of guests can run from it at the same time.
type Module struct {
	uses          useCount
	engine        *Engine
	runtime       wazero.Runtime
	scheduler     *sched.Scheduler
	compiled      wazero.CompiledModule
	exportedFuncs map[string]api.FunctionDefinition
	hostModules   hostModules

	// interruptible is set if the module was rewritten. Else memory and requirements are zero.
	interruptible bool
	memory        interrupt.Memory
	placement
	requirements interrupt.Needs

	// unsuppliedImport is the error of Run if an import can neither be supplied nor be replaced by
	// a trap.
	unsuppliedImport error

	// otherImports are the imports that are no functions.
	otherImports   []interrupt.Import
	importedMemory memoryImport

	// memoryProvider exports the memory at its maximum size. It is nil unless the module imports a
	// shared memory.
	memoryProvider wazero.CompiledModule
	usesThreads    bool

	// byGo is set if Go's compiler made the module.
	byGo bool

	// lines are those of every instance, allocated once: one element, which is nil if the module
	// has no DWARF, or was not rewritten.
	lines []*sourceLines

	// resolveImport is findImport, allocated once for all instances.
	resolveImport func(name string) api.Module

	stackPointer
}

// resolveImports checks the module's imports, and makes the host modules that supply them.
func (m *Module) resolveImports(ctx context.Context, o CompileOptions) (err error) {
	if m.usesThreads = m.importsThreadSpawn(); m.usesThreads {
		if err := m.checkThreads(); err != nil {
			return err
		}
	}
	missing := m.unsuppliedImports()
	if len(missing) > 0 && !o.TrapUnknown {
		return &ImportError{missing}
	}
	for _, i := range missing {
		if !i.IsFunction() {
			m.unsuppliedImport = &ImportError{[]Import{i}}
		}
	}
	if m.hostModules, err = m.instantiateHostModules(ctx); err != nil {
		return err
	}
	for _, def := range m.compiled.ImportedMemories() {
		m.importedMemory.module, m.importedMemory.name, _ = def.Import()
	}
	if m.memory.Imported && m.memory.Shared {
		m.memoryProvider, err = m.compileMemoryProvider(ctx, m.memory.Max)
	}
	return err
}

// unsuppliedImports lists the imports that cannot be supplied.
func (m *Module) unsuppliedImports() (list []Import) {
	for _, i := range m.Imports() {
		if !i.OK() {
			list = append(list, i)
		}
	}
	return list
}

// CachePaths returns Engine.CachePaths of the module's engine.
func (m *Module) CachePaths() (dir, keyDir string) { return m.engine.CachePaths() }

// Close releases the module once no guest of it runs. It does not wait for them.
func (m *Module) Close(ctx context.Context) error {
	return m.uses.close(func() error { return m.release(ctx) })
}

func (m *Module) release(ctx context.Context) error {
	errs := []error{m.compiled.Close(ctx)}
	if m.memoryProvider != nil {
		errs = append(errs, m.memoryProvider.Close(ctx))
	}
	return errors.Join(append(errs, m.hostModules.close(ctx))...)
}

// Entry is an exported function to start a guest with.
type Entry struct {
	Name            string
	Params, Results []api.ValueType
}

// Entry finds an exported function. The empty name means _start, which every WASI command exports
// with neither parameters nor results (WASI application-abi.md).
func (m *Module) Entry(name string) (Entry, error) {
	isCommand := name == ""
	if isCommand {
		name = "_start"
	}
	def, ok := m.exportedFuncs[name]
	if !ok {
		return Entry{}, fmt.Errorf("the module exports no function %q", name)
	}
	e := Entry{name, def.ParamTypes(), def.ResultTypes()}
	if isCommand && len(e.Params)+len(e.Results) > 0 {
		return Entry{}, fmt.Errorf("the module is no command, since its function is %v and not "+
			"_start()", e)
	}
	return e, nil
}
