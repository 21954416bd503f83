package engine

import (
	"context"
	"errors"
	"fmt"

	"github.com/tetratelabs/wazero/api"
	"github.com/tetratelabs/wazero/experimental"

	"github.com/wasport/wasport/internal/engine/interrupt"
	"github.com/wasport/wasport/internal/engine/memory"
	"github.com/wasport/wasport/internal/shortcut"
	"github.com/wasport/wasport/internal/system"
)

// maxMemory is the largest linear memory, in bytes. It is one page less than 4 GiB, since code that
// wazero 1.12 compiles takes a memory of 4 GiB for one of 0 bytes.
const maxMemory = 1<<32 - pageSize

// reserveMemory reserves the guest's linear memory. The memory can grow to limit bytes; limit 0
// means maxMemory. The guest's wazero instances get the memory if they are made with inst.ctx. The
// caller closes inst, also after an error.
//
// Nothing is reserved for a module that was not rewritten, and limit has no effect: the size of its
// memory is not known here, since interrupt.Rewrite finds it out. wazero allocates the memory then.
// Nor is anything reserved for a module without a memory, or one that imports an unshared memory,
// which is not supplied.
func (m *Module) reserveMemory(inst *instance, limit uint64) error {
	ctx := inst.sys.Context()
	if m.memory == (interrupt.Memory{}) || m.memory.Imported && !m.memory.Shared {
		inst.ctx = m.withImportResolver(ctx, nil)
		return nil
	}
	if limit == 0 || limit > maxMemory {
		limit = maxMemory
	}
	mem, err := memory.New(memory.Config{Min: m.memory.Min, Max: m.memory.Max, Limit: limit,
		Reserve: m.engine.reserveMemory, Pool: m.engine.memoryPool(inst.sys), Shift: m.memoryShift,
		Hot:    m.hotMemory,
		Shared: m.memory.Shared, Ungranted: m.memory.Shared && m.givesMemoryAway(),
		Budget: &inst.budget})
	if errors.Is(err, memory.ErrLimit) {
		const text = "the module starts with %d bytes of memory, and may have %d"
		return &system.MisfitError{Err: fmt.Errorf(text, m.memory.Min, limit), Memory: true}
	}
	if err != nil {
		return err
	}
	inst.memory = mem
	if !m.memory.Shared {
		inst.ctx = m.withImportResolver(experimental.WithMemoryAllocator(ctx, mem), nil)
		return nil
	}

	// The memory is allocated here, and every instance gets this one.
	maxBytes := min(m.memory.Max, limit) &^ (pageSize - 1)
	linear := mem.Allocate(m.memory.Min, maxBytes)
	inst.sharedMemory = mem.Shared()[:maxBytes]
	ctx = experimental.WithMemoryAllocator(ctx,
		experimental.MemoryAllocatorFunc(func(_, _ uint64) experimental.LinearMemory {
			return linear
		}))
	var provider api.Module
	if m.memory.Imported {
		provider, inst.closeProvider, err = m.instantiateMemoryProvider(ctx, maxBytes)
		if err != nil {
			return fmt.Errorf("the guest's memory: %w", err)
		}
	}
	inst.ctx = m.withImportResolver(ctx, provider)
	return nil
}

// memoryPool returns the pool for a guest's memory, nil for a guest that does without slots.
func (e *Engine) memoryPool(sys *system.Guest) *memory.Pool {
	if !sys.Takes(shortcut.MemorySlots) {
		return nil
	}
	return &e.memories
}

// A C program that waits for the first time has used usedStack bytes of its stack and usedZeros
// bytes of the data that begins as zero, behind the data segments. The measure is one that has
// printed a line.
const usedStack, usedZeros = 1152, 128

// placement is how the memories of a module lie. It is a guess, with which an idle guest has
// touched few pages, and the next guest finds them in place.
type placement struct {
	memoryShift uint64       // memory.Config.Shift
	hotMemory   memory.Range // memory.Config.Hot
}

func placementOf(binary []byte) placement {
	stackTop, data := interrupt.Landmarks(binary)
	if stackTop == 0 {
		return placement{}
	}
	ranges, end := make([]memory.Range, 0, len(data)+1), uint64(0)
	for _, d := range data {
		ranges, end = append(ranges, memory.Range(d)), max(end, d.End)
	}
	if end > 0 {
		ranges = append(ranges, memory.Range{Start: end, End: end + usedZeros})
	}
	stack := memory.Range{Start: stackTop - min(stackTop, usedStack), End: stackTop}
	return placement{memory.Place(stack, ranges),
		memory.Range{Start: stack.Start, End: max(stackTop, end+usedZeros)}}
}

// withImportResolver returns a context in which the imports of an instance resolve, in this order:
//
//  1. The module name of the imported memory resolves to provider, unless that is nil.
//  2. A name of hostModules resolves to that module.
//  3. A name of Config.Modules resolves to the embedder's module.
//  4. Any other name resolves to a module without exports. With nil, wazero would look it up among
//     all modules of the runtime, where it could find another tenant's.
func (m *Module) withImportResolver(ctx context.Context, provider api.Module) context.Context {
	resolve := m.resolveImport
	if provider != nil {
		resolve = func(name string) api.Module {
			if name == m.importedMemory.module {
				return provider
			}
			return m.resolveImport(name)
		}
	}
	return experimental.WithImportResolver(ctx, resolve)
}

// findImport takes steps 2 to 4 of withImportResolver.
func (m *Module) findImport(name string) api.Module {
	if s, ok := m.hostModules[name]; ok {
		return s.Module
	}
	if m.fromEmbedder(name) {
		// wazero finds it in the runtime. Returned from here, some modules make wazero panic.
		return nil
	}
	return m.engine.emptyModule
}
