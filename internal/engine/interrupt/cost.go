package interrupt

import "slices"

// The time in which wazero 1.12 compiles a function is not linear in the function's size. Its
// passes over basic blocks are quadratic in their number. Where blocks meet, it merges each local
// that is live across them, once per level of loops. A guest could make the host compile for weeks.
//
// So each module has a budget of compile time, costBase and costPerByte of its binary, and each
// function is charged an estimate. The constants were fitted to functions written to compile
// slowly. The functions that compilers emit take far less than the budget on average. All
// constants are in ns.
const (
	costBase    = 5e8
	costPerByte = 8000

	costPerGlobal = 100 // Per global of the module, for each function.
	costPerPair   = 8   // Per pair of blocks.
	costPerJoin   = 400 // Per joined local and block, for each level of loops.
	costPerStep   = 5   // Per step of this package's own liveness analysis.
	costPerBound  = 12  // Per memory access and block, for wazero's analysis of known bounds.
)

// complexity is the input of a function's estimate.
type complexity struct {
	// blocks counts the basic blocks of the output.
	blocks int

	// joinedLocals counts the locals that are read in another block than they were written in.
	joinedLocals int

	// accesses counts the accesses to memory.
	accesses int

	// loopDepth is the number of loops around the current instruction, maxLoopDepth its maximum.
	loopDepth, maxLoopDepth int

	// lastWrite holds the block in which each local was last written, or joined.
	lastWrite []int32
}

// joined marks a local that joinedLocals counts.

const joined = -1

// reset prepares for a function with so many locals.
func (c *complexity) reset(locals int) {
	written := slices.Grow(c.lastWrite[:0], locals)[:locals]
	clear(written)
	*c = complexity{lastWrite: written}
}

func (c *complexity) noteWrite(local uint32) {
	if c.lastWrite[local] != joined {
		c.lastWrite[local] = int32(c.blocks)
	}
}

func (c *complexity) noteRead(local uint32) {
	if writtenIn := c.lastWrite[local]; writtenIn != joined && writtenIn != int32(c.blocks) {
		c.lastWrite[local] = joined
		c.joinedLocals++
	}
}

// compileTime estimates the time to compile the function, in ns.
func (c *complexity) compileTime() float64 {
	blocks := float64(c.blocks)
	return costPerPair*blocks*blocks +
		costPerJoin*blocks*float64(c.joinedLocals)*float64(1+c.maxLoopDepth) +
		costPerBound*blocks*float64(c.accesses)
}

// chargeCompileCost charges a function to the module's budget. It fails r if that is used up.
func (w *rewriter) chargeCompileCost(r *reader, f *function) {
	w.compileBudget -= f.compileCost() + costPerGlobal*float64(w.numGlobals)
	if w.compileBudget < 0 {
		f.failCompileBudget(r)
	}
}

// compileCost is the cost of the function up to the current instruction, in ns.
func (f *function) compileCost() float64 {
	return f.complexity.compileTime() + costPerStep*float64(f.liveness.work)
}

// failCompileBudget fails r with the figures that the estimate is made of.
func (f *function) failCompileBudget(r *reader) {
	c := &f.complexity
	const text = "too long to compile: %d blocks, in loops of depth %d, " +
		"%d locals live across them, and %d globals are too many"
	r.malformed(text, c.blocks, c.maxLoopDepth, c.joinedLocals, f.w.numGlobals)
}

// chargeMerge charges the merge of the locals that a block assigned, before the analysis of
// liveness allocates for it. It reports false, and fails f.r, if that is too much.
func (f *function) chargeMerge(b *controlFrame) bool {
	steps := f.liveness.mergeSteps(b.op, &b.liveScope)
	f.liveness.work += steps
	f.w.chargeValueBudget(f.r, steps)
	f.checkValueCount(steps)
	return f.r.err == nil
}

// checkValueCount fails f.r if the function has too many values for another n.
func (f *function) checkValueCount(n int) {
	if len(f.liveness.values)+n > maxValues {
		f.r.malformed("too many values in a function")
	}
}
