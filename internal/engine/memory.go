package engine

import (
	"context"
	"errors"
	"fmt"

	"github.com/tetratelabs/wazero/api"
	"github.com/tetratelabs/wazero/experimental"

	"github.com/wasport/wasport/internal/engine/interrupt"
	"github.com/wasport/wasport/internal/engine/memory"
)

// mostMemory is a page short of what can be addressed: code that wazero 1.12 compiles takes a
// memory of 4 GiB for one of 0 bytes.
const mostMemory = 1<<32 - pageSize

// reserve gives the guest its memory, which is there until release is called: after the last of its
// calls has returned. The context is the one to make its instances under. A module that was not
// rewritten, of whose memory nothing is known, gets wazero's.
func (m *Module) reserve(ctx context.Context, g *guest, limit uint64) (_ context.Context,
	release func(), _ error) {
	if m.memory == (interrupt.Memory{}) || m.memory.Imported && !m.memory.Shared {
		return m.resolving(ctx, nil), func() {}, nil
	}
	if limit == 0 || limit > mostMemory {
		limit = mostMemory
	}
	mem, err := memory.New(memory.Config{Min: m.memory.Min, Max: m.memory.Max, Limit: limit,
		Shared: m.memory.Shared, Budget: g.budget})
	if errors.Is(err, memory.ErrLimit) {
		return nil, nil, fmt.Errorf("the module starts with %d bytes of memory, and may have %d",
			m.memory.Min, limit)
	}
	if err != nil {
		return nil, nil, err
	}
	free := func() { mem.Release() }
	if !m.memory.Shared {
		return m.resolving(experimental.WithMemoryAllocator(ctx, mem), nil), free, nil
	}

	// wazero is handed the memory here, for the first and only time, so that all of it is known.
	most := min(m.memory.Max, limit) &^ (pageSize - 1)
	linear := mem.Allocate(m.memory.Min, most)
	g.memory, g.shared = mem, linear.Reallocate(most)
	ctx = experimental.WithMemoryAllocator(ctx,
		experimental.MemoryAllocatorFunc(func(_, _ uint64) experimental.LinearMemory {
			return linear
		}))
	if !m.memory.Imported {
		return m.resolving(ctx, nil), free, nil
	}
	provider, closeProvider, err := m.provide(ctx, most)
	if err != nil {
		free()
		return nil, nil, fmt.Errorf("the guest's memory: %w", err)
	}
	return m.resolving(ctx, provider), func() { closeProvider(); free() }, nil
}

// resolving is a context under which instances find what they import: the memory that a module
// provides, the functions that are supplied, and the modules of the runtime that the embedder has
// listed. Where the answer is nil, wazero looks for the name among all modules of the runtime,
// other tenants' among them. So for a name that is not listed it is a module without exports.
func (m *Module) resolving(ctx context.Context, provider api.Module) context.Context {
	return experimental.WithImportResolver(ctx, func(name string) api.Module {
		if provider != nil && name == m.importedMemory.module {
			return provider
		}
		if s, ok := m.supplied[name]; ok {
			return s
		}
		if m.foreign(name) {
			return nil // wazero finds it; it panics on some modules that a resolver hands it
		}
		return m.engine.nothing
	})
}
