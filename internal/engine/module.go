package engine

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"strings"

	"github.com/tetratelabs/wazero"
	"github.com/tetratelabs/wazero/api"

	"github.com/wasport/wasport/internal/engine/interrupt"
	"github.com/wasport/wasport/internal/sched"
)

// Module is a compiled module, of which any number of guests can be run.
type Module struct {
	users     users
	engine    *Engine
	runtime   wazero.Runtime
	scheduler *sched.Scheduler
	compiled  wazero.CompiledModule
	exported  map[string]api.FunctionDefinition
	supplied  map[string]api.Module

	interrupted    bool             // rewritten so that it can be
	memory         interrupt.Memory // zero if not
	needs          interrupt.Needs  // likewise
	unsuppliable   error            // an import that has no stand-in
	importedMemory memoryImport
	// of the memory at its largest, if it is imported and shared
	provider     wazero.CompiledModule
	otherImports []interrupt.Import
	byGo         bool
	threads      bool

	namesStack   bool
	stackPointer uint32 // index of the global, if the module names it
}

// prepare checks what the module imports, and makes ready what its guests get.
func (m *Module) prepare(ctx context.Context, o CompileOptions) (err error) {
	if m.threads = m.spawns(); m.threads {
		if err := m.checkThreads(); err != nil {
			return err
		}
	}
	lacking := m.lacking()
	if len(lacking) > 0 && !o.TrapUnknown {
		return &ImportError{lacking}
	}
	for _, i := range lacking {
		if !i.IsFunction() {
			m.unsuppliable = &ImportError{[]Import{i}}
		}
	}
	if m.supplied, err = m.supply(ctx); err != nil {
		return err
	}
	for _, def := range m.compiled.ImportedMemories() {
		m.importedMemory.module, m.importedMemory.name, _ = def.Import()
	}
	if m.memory.Imported && m.memory.Shared {
		m.provider, err = m.compileProvider(ctx, m.memory.Max)
	}
	return err
}

// lacking lists the imports that cannot be supplied.
func (m *Module) lacking() (list []Import) {
	for _, i := range m.Imports() {
		if !i.OK() {
			list = append(list, i)
		}
	}
	return list
}

// CachePaths are those of the module's engine.
func (m *Module) CachePaths() (dir, keyDir string) { return m.engine.CachePaths() }

// recognise tells a core module from what else may be in a file with that ending.
func recognise(b []byte) error {
	const size = 8
	switch {
	case len(b) == 0:
		return errors.New("the file is empty")
	case !bytes.HasPrefix(b, []byte("\x00asm")[:min(len(b), 4)]):
		if strings.HasPrefix(strings.TrimSpace(string(b[:min(len(b), 64)])), "(") {
			return errors.New("this is WebAssembly text; it must be assembled first, with " +
				"wat2wasm for instance")
		}
		return errors.New("this is not WebAssembly: it does not start with \\0asm")
	case len(b) < size:
		return errors.New("the module is cut off in its first 8 bytes")
	}
	switch v := binary.LittleEndian.Uint32(b[4:]); {
	case v == 1:
		return nil
	case v>>16 == 1:
		return errors.New("this is a WebAssembly component; only core modules can be run, for " +
			"instance those built for wasm32-wasip1")
	default:
		return fmt.Errorf("WebAssembly of version %d; only version 1 is known", v)
	}
}

// Close releases the module, once no guest of it runs.
func (m *Module) Close(ctx context.Context) error {
	return m.users.close(func() error { return m.release(ctx) })
}

func (m *Module) release(ctx context.Context) error {
	errs := []error{m.compiled.Close(ctx)}
	if m.provider != nil {
		errs = append(errs, m.provider.Close(ctx))
	}
	for _, s := range m.supplied {
		errs = append(errs, s.Close(ctx))
	}
	return errors.Join(errs...)
}

// Entry is an exported function that a guest can be started with.
type Entry struct {
	Name            string
	Params, Results []api.ValueType
}

// Entry finds an exported function. Without a name it is the one that commands have, _start.
func (m *Module) Entry(name string) (Entry, error) {
	if name == "" {
		name = "_start"
	}
	def, ok := m.exported[name]
	if !ok {
		return Entry{}, fmt.Errorf("the module exports no function %q", name)
	}
	return Entry{name, def.ParamTypes(), def.ResultTypes()}, nil
}
