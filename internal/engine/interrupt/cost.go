package interrupt

import "slices"

// How long wazero 1.12 compiles a function is not linear in its code. Its passes over basic blocks
// are quadratic in their number, and where blocks meet it joins each local that is live across
// them, again and again for each level of loops. So a module has a budget of compiling: its
// functions may be estimated to take so much for each byte of the module. The estimate follows from
// measurements of code that is written to be slow; what compilers make is far below the budget, on
// average.
const (
	costBase    = 5e8 // ns
	costPerByte = 8000

	costPerGlobal = 100 // of the module, for each function
	costPerPair   = 8   // of two blocks
	costPerJoin   = 400 // of a local and a block, for each level of loops
	costPerStep   = 5   // of our own, where these are not linear
	costPerBound  = 12  // of an access to memory and a block, along which its bounds are known
)

// complexity is what a function's estimate is made of.
type complexity struct {
	blocks       int     // basic blocks of the output
	joinedLocals int     // locals that are read in another block than they were written in
	accesses     int     // to memory
	loopDepth    int     // loops around the instruction
	maxLoopDepth int     // the most of them
	lastWrite    []int32 // the block in which each local was last written, or joinedLocal
}

const isJoined = -1

// reset makes ready for a function with so many locals.
func (c *complexity) reset(locals int) {
	written := slices.Grow(c.lastWrite[:0], locals)[:locals]
	clear(written)
	*c = complexity{lastWrite: written}
}

func (c *complexity) noteWrite(local uint32) {
	if c.lastWrite[local] != isJoined {
		c.lastWrite[local] = int32(c.blocks)
	}
}

func (c *complexity) noteRead(local uint32) {
	if at := c.lastWrite[local]; at != isJoined && at != int32(c.blocks) {
		c.lastWrite[local] = isJoined
		c.joinedLocals++
	}
}

// compileTime is how long the function takes to compile, in ns.
func (c *complexity) compileTime() float64 {
	blocks := float64(c.blocks)
	return costPerPair*blocks*blocks +
		costPerJoin*blocks*float64(c.joinedLocals)*float64(1+c.maxLoopDepth) +
		costPerBound*blocks*float64(c.accesses)
}

// chargeCompileCost takes what a function costs from the module's budget.
func (w *rewriter) chargeCompileCost(r *reader, f *function) {
	if w.compileBudget -= f.compileCost() + costPerGlobal*float64(w.numGlobals); w.compileBudget < 0 {
		f.failCompileBudget(r)
	}
}

// compileCost is what the function costs so far, in ns.
func (f *function) compileCost() float64 {
	return f.complexity.compileTime() + costPerStep*float64(f.liveness.work)
}

func (f *function) failCompileBudget(r *reader) {
	c := &f.complexity
	r.malformed("too long to compile: %d blocks, in loops of depth %d, %d locals live across them, "+
		"and %d globals are too many", c.blocks, c.maxLoopDepth, c.joinedLocals, f.w.numGlobals)
}
