package engine

import (
	"context"

	"github.com/tetratelabs/wazero/api"

	"github.com/wasport/wasport/internal/engine/interrupt"
)

// stacks are the stacks on which the host calls functions of a component guest. wazero gives each
// function one, which grows with the guest's and never shrinks. The depth of a stack is counted for
// each core instance, since each has a counter of its own, and a call may go through all of them.
// So each stack is charged the stack limits of all core instances.
type stacks struct {
	// count is the number of stacks. threadOverhead covers the first.
	count uint64

	// grown is the sum of what the limits of the core instances have grown by, in bytes.
	grown uint64
}

func (s *stacks) stackCost() uint64 { return callStackSize + stackGrowthFactor*s.grown }

// coreFunction is a core function of a guest that the host calls: a lifted function, a realloc, a
// post-return or a destructor. It implements canon.Core.
type coreFunction struct {
	guest *componentGuest
	core  int // Index in componentGuest.cores.
	name  string

	// call is the function with its stack; nil unless it has been called.
	call api.Function

	// active is set while the function is called. A call inside of that needs another stack.
	active bool
}

// Call calls the function.
func (f *coreFunction) Call(ctx context.Context, stack []uint64) error {
	g, call, again := f.guest, f.call, f.active
	g.forgetReady()
	if call == nil || again {
		if !g.takeStack() {
			return &Trap{Reason: errOverflow.Error()}
		}
		call = g.cores[f.core].module.ExportedFunction(f.name)
	}
	if !again {
		f.call, f.active = call, true
	}
	err := call.CallWithStack(ctx, stack)
	if again {
		g.dropStack()
	} else {
		f.active = false
	}
	if err != nil {
		return g.coreError(f.core, err)
	}
	return nil
}

// takeStack charges another stack. If there are many, or the budget has too little left, it drops
// those that are not in use.
func (g *componentGuest) takeStack() bool {
	if g.count >= maxIdleStacks {
		g.dropIdleStacks()
	}
	if g.count > 0 && !g.thread.charge(g.stackCost()) {
		g.dropIdleStacks()
		if g.count > 0 && !g.thread.charge(g.stackCost()) {
			return false
		}
	}
	g.count++
	return true
}

// dropStack gives a stack back.
func (g *componentGuest) dropStack() {
	if g.count--; g.count > 0 {
		g.thread.charged -= g.stackCost()
		g.inst.budget.Give(g.stackCost())
	}
}

func (g *componentGuest) dropIdleStacks() {
	for _, f := range g.functions {
		if f.call != nil && !f.active {
			f.call = nil
			g.dropStack()
		}
	}
}

// growStackLimit is interrupt.Deepen for the core instance that calls it. The maximum is that of
// its core module.
func (g *componentGuest) growStackLimit(mod api.Module, depth uint32) uint32 {
	core := &g.cores[len(g.cores)-1] // It is starting, if no other calls.
	for i := range g.cores {
		if g.cores[i].module == mod {
			core = &g.cores[i]
		}
	}
	limit := core.stackLimit
	for limit < depth && limit < core.code.maxStack {
		limit = min(2*limit, core.code.maxStack)
	}
	growth := uint64(limit - core.stackLimit)
	if limit < depth || !g.chargeGrowth(growth) {
		panic(guestFault{errOverflow})
	}
	core.stackLimit = limit
	g.grown += growth
	return limit
}

// chargeGrowth charges the growth of a stack limit, for all stacks.
func (g *componentGuest) chargeGrowth(growth uint64) bool {
	growth *= stackGrowthFactor
	if g.thread.charge(growth * max(g.count, 1)) {
		return true
	}
	g.dropIdleStacks()
	return g.thread.charge(growth * max(g.count, 1))
}

// minCoreStack is the least limit of the stack of a core module in a component, in bytes.
const minCoreStack = 1 << 20

// maxCoreStack is the limit of the stack of a core module: its share of interrupt.DefaultMaxStack
// by the size of its code. A recursion through several core modules could otherwise have each
// module's limit on one stack.
func maxCoreStack(code, allCode int) uint32 {
	share := uint64(interrupt.DefaultMaxStack) * uint64(code) / uint64(max(allCode, 1))
	return uint32(max(minCoreStack, share))
}
