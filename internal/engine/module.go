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
)

// Module is a compiled module, of which any number of guests can be run.
type Module struct {
	engine   *Engine
	compiled wazero.CompiledModule
	supplied map[string]api.Module
}

// CompileOptions say what to do with a module that is not quite as we want it.
type CompileOptions struct {
	TrapUnknown bool // functions that we lack trap when called, instead of making Compile fail
}

// Compile compiles a module and checks that its imports can be supplied. An *ImportError says which cannot.
func (e *Engine) Compile(ctx context.Context, binary []byte, o CompileOptions) (*Module, error) {
	compiled, err := e.decode(ctx, binary)
	if err != nil {
		return nil, err
	}
	m := &Module{engine: e, compiled: compiled}
	if lacking := m.lacking(); len(lacking) > 0 && !o.TrapUnknown {
		m.Close(ctx)
		return nil, &ImportError{lacking}
	}
	if m.supplied, err = e.supply(ctx, compiled); err != nil {
		m.Close(ctx)
		return nil, err
	}
	return m, nil
}

func (m *Module) lacking() (list []Import) {
	for _, i := range m.engine.imports(m.compiled) {
		if !i.OK() {
			list = append(list, i)
		}
	}
	return list
}

// Inspect lists what a module imports, without the intention to run it.
func (e *Engine) Inspect(ctx context.Context, binary []byte) ([]Import, error) {
	compiled, err := e.decode(ctx, binary)
	if err != nil {
		return nil, err
	}
	defer compiled.Close(ctx)
	return e.imports(compiled), nil
}

func (e *Engine) decode(ctx context.Context, binary []byte) (wazero.CompiledModule, error) {
	if err := recognise(binary); err != nil {
		return nil, err
	}
	compiled, err := e.runtime.CompileModule(compiling(ctx), binary)
	if err != nil {
		return nil, fmt.Errorf("invalid module: %w", err)
	}
	return compiled, nil
}

// recognise tells a core module from what else may be in a file with that ending.
func recognise(b []byte) error {
	const size = 8
	switch {
	case len(b) == 0:
		return errors.New("the file is empty")
	case !bytes.HasPrefix(b, []byte("\x00asm")[:min(len(b), 4)]):
		if strings.HasPrefix(strings.TrimSpace(string(b[:min(len(b), 64)])), "(") {
			return errors.New("this is WebAssembly text; it must be assembled first, with wat2wasm for instance")
		}
		return errors.New("this is not WebAssembly: it does not start with \\0asm")
	case len(b) < size:
		return errors.New("the module is cut off in its first 8 bytes")
	}
	switch v := binary.LittleEndian.Uint32(b[4:]); {
	case v == 1:
		return nil
	case v>>16 == 1:
		return errors.New("this is a WebAssembly component; only core modules can be run, for instance those built for wasm32-wasip1")
	default:
		return fmt.Errorf("WebAssembly of version %d; only version 1 is known", v)
	}
}

// Close releases the module; no guest of it may be running.
func (m *Module) Close(ctx context.Context) error {
	errs := []error{m.compiled.Close(ctx)}
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
	def, ok := m.compiled.ExportedFunctions()[name]
	if !ok {
		return Entry{}, fmt.Errorf("the module exports no function %q", name)
	}
	return Entry{name, def.ParamTypes(), def.ResultTypes()}, nil
}
