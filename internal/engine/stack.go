package engine

import (
	"github.com/tetratelabs/wazero/api"
	"github.com/tetratelabs/wazero/experimental"

	"github.com/wasport/wasport/internal/engine/interrupt"
)

// stackPointer is the name that LLVM's linker gives the global with the address of the end of a C
// program's stack: the stack in linear memory, where arrays and all else lie that has an address.
// It grows down. A program for which nothing is below it (wasm-ld --stack-first) leaves the memory
// when it overflows.
const stackPointer = "__stack_pointer"

// redZone is how far below the stack pointer a function that calls no other may keep its variables
// without moving it. Source: LLVM, WebAssemblyFrameLowering.h, RedZoneSize.
const redZone = 128

const (
	outOfBounds    = "out of bounds memory access"
	stackOverflown = outOfBounds + ": stack overflow, " +
		"see https://github.com/wasport/wasport/blob/main/docs/c/porting.md#the-stack"
)

// explain adds to the reason of a trap, if that is an access out of bounds, that the program had
// overflown its stack. The trap has no address to judge by, but the stack pointer is still as it
// was: it never leaves the memory otherwise, and an overflow takes it below 0, where the largest
// addresses are.
func (m *Module) explain(inst api.Module, err error) error {
	trap, ok := err.(*Trap)
	if !ok || trap.Reason != outOfBounds || !m.namesStack {
		return err
	}
	globals, ok := inst.(experimental.InternalModule)
	memory := inst.Memory()
	if !ok || memory == nil || memory.Size() == 0 || // which is also that of 4 GiB
		uint64(m.stackPointer) >= uint64(globals.NumGlobal()) {
		return err
	}
	g := globals.Global(int(m.stackPointer))
	if g.Type() != api.ValueTypeI32 {
		return err
	}
	if sp := uint32(g.Get()); sp < redZone || sp > memory.Size() {
		trap.Reason = stackOverflown
	}
	return err
}

// findStack finds the global with the stack pointer, if the module names one.
func (m *Module) findStack(binary []byte) {
	m.stackPointer, m.namesStack = interrupt.NamedGlobal(binary, stackPointer)
}
