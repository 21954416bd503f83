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
	blocks   int     // basic blocks of the output
	joined   int     // locals that are read in another block than they were written in
	accesses int     // to memory
	nested   int     // loops around the instruction
	deepest  int     // the most of them
	written  []int32 // the block in which each local was last written, or joinedLocal
}

const joinedLocal = -1

// begin makes ready for a function with so many locals.
func (c *complexity) begin(locals int) {
	written := slices.Grow(c.written[:0], locals)[:locals]
	clear(written)
	*c = complexity{written: written}
}

func (c *complexity) write(local uint32) {
	if c.written[local] != joinedLocal {
		c.written[local] = int32(c.blocks)
	}
}

func (c *complexity) read(local uint32) {
	if at := c.written[local]; at != joinedLocal && at != int32(c.blocks) {
		c.written[local] = joinedLocal
		c.joined++
	}
}

// estimate is how long the function takes to compile, in ns.
func (c *complexity) estimate() float64 {
	blocks := float64(c.blocks)
	return costPerPair*blocks*blocks +
		costPerJoin*blocks*float64(c.joined)*float64(1+c.deepest) +
		costPerBound*blocks*float64(c.accesses)
}

// compiles takes what a function costs from the module's budget.
func (w *rewriter) compiles(r *reader, f *function) {
	if w.cost -= f.cost() + costPerGlobal*float64(w.globals); w.cost < 0 {
		f.tooLong(r)
	}
}

// cost is what the function costs so far, in ns.
func (f *function) cost() float64 {
	return f.complexity.estimate() + costPerStep*float64(f.live.work)
}

func (f *function) tooLong(r *reader) {
	c := &f.complexity
	r.malformed("too long to compile: %d blocks, in loops of depth %d, %d locals live across them, "+
		"and %d globals are too many", c.blocks, c.deepest, c.joined, f.w.globals)
}
