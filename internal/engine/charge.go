package engine

import (
	"context"
	"errors"
	"fmt"

	"github.com/tetratelabs/wazero/api"

	"github.com/wasport/wasport/internal/engine/interrupt"
	"github.com/wasport/wasport/internal/engine/memory"
)

// All that a guest makes the host keep in memory for it, its linear memory, tables, globals,
// instances and stacks, is charged to one budget when it is made, for all of the guest's threads
// together.

const (
	// besideMemory is how much more than its linear memory a guest may hold, so that a small limit
	// of that leaves room for the rest.
	besideMemory = 4 << 20

	// mostInAll is the budget of a guest without a limit: 4 GiB of linear memory, and 1 GiB beside
	// it.
	mostInAll = 5 << 30

	// threadSize is what a thread takes besides its instance and its stack: a goroutine, wazero's
	// calling engine with the first 10 KiB of the guest's stack, what it waits with.
	threadSize = 48 << 10

	// entrySize is what an entry takes that a table grows by. The entries themselves have 8 bytes.
	// Go allocates a quarter more than asked, and the table that was is there until the next
	// collection.
	entrySize = 20

	// referenceSize is what wazero allocates each time that a guest makes a reference to one of its
	// functions, and keeps until the instance ends.
	referenceSize = 64

	// firstStack is the size of a stack, as guessed, up to which it belongs to threadSize.
	firstStack = 16 << 10

	// stackFactor is how many bytes a stack of a certain size takes: wazero doubles it when it is
	// full.
	stackFactor = 2
)

// errOverflow has the words of wazero's own limit, which is far higher.
var errOverflow = errors.New("stack overflow")

// errBudget is the reason of the trap of a guest that makes more references than it may hold.
var errBudget = errors.New("out of memory: too many references to functions")

// newBudget makes the budget of a guest with so much linear memory, where 0 is no limit.
func newBudget(linear uint64) *memory.Budget {
	if linear == 0 || linear > mostMemory {
		return memory.NewBudget(mostInAll)
	}
	return memory.NewBudget(linear + besideMemory)
}

// threadNeeds is what a thread of the module is charged when it starts.
func (m *Module) threadNeeds() uint64 { return threadSize + m.needs.Instance }

// take charges a thread's guest, until the thread ends.
func (t *thread) take(bytes uint64) bool {
	if !t.guest.budget.Take(bytes) {
		return false
	}
	t.charged += bytes
	return true
}

// deepen is called by a thread whose stack is deeper than its limit, and doubles that.
func deepen(ctx context.Context, _ api.Module, stack []uint64) {
	t, depth := threadOf(ctx), uint32(stack[0])
	limit := t.stack
	for limit < depth && limit < interrupt.DefaultMaxStack {
		limit = min(2*limit, interrupt.DefaultMaxStack)
	}
	if limit < depth || !t.take(stackFactor*uint64(limit-t.stack)) {
		panic(fault{errOverflow})
	}
	t.stack = limit
	stack[0] = uint64(limit)
}

// charge is called by a thread that wants more memory of the engine's.
func charge(ctx context.Context, _ api.Module, stack []uint64) {
	t, what, count := threadOf(ctx), uint32(stack[0]), int32(stack[1])
	granted := false
	switch what {
	case interrupt.ChargePages:
		// Memory belongs to the guest; it does not shrink when the thread ends.
		if count < 0 {
			t.guest.budget.Give(uint64(-int64(count)) * pageSize)
			granted = true
		} else {
			granted = t.guest.budget.Take(uint64(count) * pageSize)
		}
	case interrupt.ChargeEntries:
		granted = count >= 0 && t.take(uint64(count)*entrySize)
	case interrupt.ChargeReferences:
		if !t.take(uint64(max(count, 0)) * referenceSize) {
			panic(fault{errBudget})
		}
		granted = true
	}
	stack[0] = 0
	if granted {
		stack[0] = 1
	}
}

// errNoRoom says that a guest's first thread needs more than the guest may hold.
func (m *Module) errNoRoom(limit uint64) error {
	const text = "the module needs %d bytes of memory to start, beside its memory, and may have %d"
	return fmt.Errorf(text, m.threadNeeds(), limit)
}
