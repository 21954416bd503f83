package engine

import (
	"context"
	"encoding/binary"

	"github.com/tetratelabs/wazero"
	"github.com/tetratelabs/wazero/api"
)

// instantiateMemoryProvider makes an instance that exports a memory of at most maxBytes bytes, with
// a type that the module's import accepts.
//
// The instance is closed at once. When an instance with a memory is closed, even with an imported
// one, wazero 1.12 drops the memory's allocator (wazero pull request 2512). The end of one thread
// would do so while another grows the memory. Closing here drops it before any thread exists. From
// then on wazero grows the memory without an allocator, after memory.Memory.Grant.
func (m *Module) instantiateMemoryProvider(
	ctx context.Context, maxBytes uint64,
) (_ api.Module, release func(), err error) {
	compiled, release := m.memoryProvider, func() {}
	if maxBytes != m.memory.Max {
		if compiled, err = m.compileMemoryProvider(ctx, maxBytes); err != nil {
			return nil, nil, err
		}
		release = func() { compiled.Close(ctx) }
	}
	provider, err := m.runtime.InstantiateModule(m.withImportResolver(ctx, nil), compiled,
		anonymousConfig)
	if err == nil {
		err = provider.Close(ctx)
	}
	if err != nil {
		release()
		return nil, nil, err
	}
	return provider, release, nil
}

// memoryImport is the full name of an imported memory.
type memoryImport struct{ module, name string }

// compileMemoryProvider compiles a module that exports a shared memory under the name by which the
// guest imports it. The module also re-exports the functions that the guest imports from the same
// module name, since a name resolves to one module only.
func (m *Module) compileMemoryProvider(
	ctx context.Context, maxBytes uint64,
) (wazero.CompiledModule, error) {
	var types, imports, exports []byte
	count := 0
	seen := make(map[string]bool)
	for _, def := range m.compiled.ImportedFunctions() {
		module, name, _ := def.Import()
		if module != m.importedMemory.module || seen[name] {
			continue
		}
		seen[name] = true
		types = append(types, 0x60)
		types = appendBytes(types, def.ParamTypes())
		types = appendBytes(types, def.ResultTypes())
		imports = appendBytes(appendBytes(imports, []byte(module)), []byte(name))
		imports = binary.AppendUvarint(append(imports, 0), uint64(count))
		exports = appendBytes(exports, []byte(name))
		exports = binary.AppendUvarint(append(exports, 0), uint64(count))
		count++
	}
	exports = append(appendBytes(exports, []byte(m.importedMemory.name)), 2, 0)
	const limited, shared = 1, 2
	mem := []byte{limited | shared}
	mem = binary.AppendUvarint(mem, m.memory.Min/pageSize)
	mem = binary.AppendUvarint(mem, maxBytes/pageSize)

	wasm := []byte("\x00asm\x01\x00\x00\x00")
	for _, s := range []struct {
		id      byte
		count   int
		content []byte
	}{{1, count, types}, {2, count, imports}, {5, 1, mem}, {7, count + 1, exports}} {
		content := append(appendUvarint(nil, s.count), s.content...)
		wasm = appendBytes(append(wasm, s.id), content)
	}
	c, err := m.engine.compileCached(ctx, wasm, nil)
	return c.CompiledModule, err
}

func appendUvarint(b []byte, n int) []byte { return binary.AppendUvarint(b, uint64(n)) }

// appendBytes appends a vector of bytes: its length, then the bytes.
func appendBytes(b, v []byte) []byte { return append(appendUvarint(b, len(v)), v...) }
