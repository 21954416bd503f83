package engine

import (
	"context"
	"errors"
	"fmt"

	"github.com/tetratelabs/wazero/api"

	"github.com/wasport/wasport/internal/engine/interrupt"
	"github.com/wasport/wasport/internal/system"
)

// One budget bounds the host memory that a guest holds: its linear memory, tables, globals,
// instances and stacks, for all of its threads together. Each is charged when it is allocated.

const (
	// hostMemoryAllowance is added to the limit of linear memory to make the budget, in bytes. It
	// leaves room for everything else when the limit is small.
	hostMemoryAllowance = 4 << 20

	// defaultBudget is the budget of a guest without a limit: 4 GiB of linear memory and 1 GiB for
	// everything else.
	defaultBudget = 5 << 30

	// threadOverhead is the size of a thread without its instance and its stack, in bytes: a
	// goroutine, wazero's call engine with the first 10 KiB of the guest's stack, and a futex
	// waiter.
	threadOverhead = 48 << 10

	// tableEntrySize is the charge for each entry that a table grows by, in bytes. An entry has 8.
	// Go allocates a quarter more than asked, and the old table lives until the next garbage
	// collection.
	tableEntrySize = 20

	// funcRefSize is the size of the object that wazero allocates for each ref.func, in bytes.
	// wazero keeps it until the instance is closed.
	funcRefSize = 64

	// initialStackLimit is the estimated stack size, in bytes, that threadOverhead covers.
	initialStackLimit = 16 << 10

	// stackGrowthFactor is the charge per byte of estimated stack size. wazero doubles a stack that
	// is full.
	stackGrowthFactor = 2
)

// errOverflow is the reason of the trap at the stack limit. The text is that of wazero's own limit,
// which is far higher.
var errOverflow = errors.New("stack overflow")

// errBudget is the reason of the trap of a guest that makes too many references to functions.
var errBudget = errors.New("out of memory: too many references to functions")

// budgetFor is the budget of a guest with at most memoryLimit bytes of linear memory; 0 means no
// limit.
func budgetFor(memoryLimit uint64) uint64 {
	if memoryLimit == 0 || memoryLimit > maxMemory {
		return defaultBudget
	}
	return memoryLimit + hostMemoryAllowance
}

// threadCost is the charge for starting a thread of the module, in bytes.
func (m *Module) threadCost() uint64 { return threadOverhead + m.requirements.Instance }

// charge charges the guest's budget on behalf of a thread. The charge is given back when the thread
// ends. It reports false, and charges nothing, if the budget has not enough left.
func (t *thread) charge(bytes uint64) bool {
	if !t.inst.budget.Take(bytes) {
		return false
	}
	t.charged += bytes
	return true
}

// growStackLimit is interrupt.Deepen. A thread calls it when its stack is deeper than its limit. It
// doubles the limit, or traps when the budget or interrupt.DefaultMaxStack is used up.
func growStackLimit(ctx context.Context, mod api.Module, stack []uint64) {
	t, depth := callingThread(ctx), uint32(stack[0])
	if t.component != nil {
		stack[0] = uint64(t.component.growStackLimit(mod, depth))
		return
	}
	limit := t.stackLimit
	for limit < depth && limit < interrupt.DefaultMaxStack {
		limit = min(2*limit, interrupt.DefaultMaxStack)
	}
	if limit < depth || !t.chargeGrowth(limit) {
		panic(guestFault{errOverflow})
	}
	t.stackLimit = limit
	stack[0] = uint64(limit)
}

// chargeHostMemory is interrupt.Charge. A thread calls it before it makes wazero allocate memory.
func chargeHostMemory(ctx context.Context, _ api.Module, stack []uint64) {
	t, kind, count := callingThread(ctx), uint32(stack[0]), int32(stack[1])
	granted := false
	switch kind {
	case interrupt.ChargePages:
		// The memory belongs to the guest. Ending the thread gives nothing back. The count is the
		// guest's, so it has no sign: a negative one would enlarge the budget.
		granted = t.inst.grantGrowth(uint64(uint32(count)) * pageSize)
	case interrupt.ReturnPages:
		t.inst.memory.Revoke(uint64(uint32(count)) * pageSize)
		t.inst.budget.Give(uint64(uint32(count)) * pageSize)
		granted = true
	case interrupt.ChargeEntries:
		granted = count >= 0 && t.charge(uint64(count)*tableEntrySize)
	case interrupt.ChargeReferences:
		if !t.charge(uint64(max(count, 0)) * funcRefSize) {
			panic(guestFault{errBudget})
		}
		granted = true
	}
	stack[0] = 0
	if granted {
		stack[0] = 1
	}
}

// grantGrowth charges the guest's budget for growth of its shared memory, and has it committed.
func (inst *instance) grantGrowth(bytes uint64) bool {
	if !inst.budget.Take(bytes) {
		return false
	}
	if !inst.memory.Grant(bytes) {
		inst.budget.Give(bytes)
		return false
	}
	return true
}

// errBudgetTooSmall is the error of a guest with a budget below the cost of its first thread.
func (m *Module) errBudgetTooSmall(limit uint64) error {
	return errBudgetTooSmall("module", m.threadCost(), limit)
}

func errBudgetTooSmall(what string, cost, limit uint64) error {
	const text = "the %s needs %d bytes of memory to start, beside its memory, and may have %d"
	return &system.MisfitError{Err: fmt.Errorf(text, what, cost, limit), Memory: true}
}
