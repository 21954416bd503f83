package engine

import (
	"context"
	"encoding/binary"

	"github.com/tetratelabs/wazero"
	"github.com/tetratelabs/wazero/api"
)

// provide makes an instance that exports a memory of at most so many bytes, of a size that the
// module accepts.
//
// It is closed at once. Closing an instance that has a memory, be it imported, makes wazero 1.12
// forget the memory's allocator (wazero pull request 2512); done by one thread of a guest, another
// that makes the memory grow meanwhile would be in trouble. Now all of it happens before there are
// threads; and as all of the memory is there from the start, wazero needs no allocator for it to
// grow.
func (m *Module) provide(ctx context.Context, most uint64) (_ api.Module, release func(),
	err error) {
	compiled, release := m.provider, func() {}
	if most != m.memory.Max {
		if compiled, err = m.compileProvider(ctx, most); err != nil {
			return nil, nil, err
		}
		release = func() { compiled.Close(ctx) }
	}
	provider, err := m.runtime.InstantiateModule(m.resolving(ctx, nil), compiled, anonymous)
	if err == nil {
		err = provider.Close(ctx)
	}
	if err != nil {
		release()
		return nil, nil, err
	}
	return provider, release, nil
}

// An import that is the module's memory.
type memoryImport struct{ module, name string }

// compileProvider compiles a module that exports a shared memory under the name that the guest
// imports it by, and along with it the functions that the guest imports from the same module, since
// only one module can have that name.
func (m *Module) compileProvider(ctx context.Context, most uint64) (wazero.CompiledModule, error) {
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
	mem = binary.AppendUvarint(mem, most/pageSize)

	wasm := []byte("\x00asm\x01\x00\x00\x00")
	for _, s := range []struct {
		id      byte
		count   int
		content []byte
	}{{1, count, types}, {2, count, imports}, {5, 1, mem}, {7, count + 1, exports}} {
		content := append(appendUvarint(nil, s.count), s.content...)
		wasm = appendBytes(append(wasm, s.id), content)
	}
	return m.engine.compile(ctx, wasm)
}

func appendUvarint(b []byte, n int) []byte { return binary.AppendUvarint(b, uint64(n)) }

// appendBytes appends a vector of bytes.
func appendBytes(b, v []byte) []byte { return append(appendUvarint(b, len(v)), v...) }
