package engine

import (
	"github.com/tetratelabs/wazero/api"
	"github.com/tetratelabs/wazero/experimental"

	"github.com/wasport/wasport/internal/engine/interrupt"
)

// stackPointerName is the name that wasm-ld gives the stack pointer's global. It points into the C
// stack in linear memory, which holds arrays and every other variable with an address. That stack
// grows down. Linked with wasm-ld --stack-first, it begins at address 0, so that an overflow leaves
// the memory.
const stackPointerName = "__stack_pointer"

// redZone is the number of bytes below the stack pointer that a leaf function may use without
// moving it. Source: LLVM, WebAssemblyFrameLowering.h, RedZoneSize.
const redZone = 128

const (
	outOfBounds    = "out of bounds memory access"
	stackOverflown = outOfBounds + ": stack overflow, " +
		"see https://github.com/wasport/wasport/blob/main/docs/c/porting.md#the-stack"
)

// stackPointer is the global of a module that holds the stack pointer.
type stackPointer struct {
	known bool // Whether the module names it.
	index uint32
}

// find finds the stack pointer by a module's name section.
func (p *stackPointer) find(binary []byte) {
	p.index, p.known = interrupt.NamedGlobal(binary, stackPointerName)
}

// explainStackOverflow adds to the reason of a trap that the program overflowed its C stack. The
// trap is then an access out of bounds. It does not report the address, but the stack pointer still
// has its value. An overflow takes that below 0, which wraps to beyond the end of the memory; a
// program that did not overflow keeps it within the memory.
func (p *stackPointer) explainStackOverflow(mod api.Module, err error) error {
	trap, ok := err.(*Trap)
	if !ok || trap.Reason != outOfBounds || !p.known {
		return err
	}
	globals, ok := mod.(experimental.InternalModule)
	mem := mod.Memory()
	// Size is 0 for a memory of 4 GiB, too.
	if !ok || mem == nil || mem.Size() == 0 || uint64(p.index) >= uint64(globals.NumGlobal()) {
		return err
	}
	g := globals.Global(int(p.index))
	if g.Type() != api.ValueTypeI32 {
		return err
	}
	if sp := uint32(g.Get()); sp < redZone || sp > mem.Size() {
		trap.Reason = stackOverflown
	}
	return err
}
