package interrupt

// code is a buffer that instructions are emitted to. Locals is the number of locals that the
// function has in the input. The added ones follow, of which usedLocals are in use.
type code struct {
	b                  []byte
	w                  *rewriter
	locals, usedLocals uint32
}

// op appends bytes: opcodes and immediates of one byte.
func (c *code) op(b ...byte) { c.b = append(c.b, b...) }

// index appends an opcode with an index as its immediate.
func (c *code) index(op byte, i uint32) { c.b = appendU32(append(c.b, op), i) }

// i32 pushes a constant.
func (c *code) i32(v int32) { c.b = appendS32(append(c.b, opI32Const), v) }

func (c *code) i64(v int32) { c.b = appendS32(append(c.b, opI64Const), v) }

// The locals that are added to a function, in their order. All are of type i32.
const (
	// localCounter is the counter of a function that keeps it in a local.
	localCounter = iota

	// localCallerDepth is the depth of the stack without the function's own frame.
	localCallerDepth

	// localLength is the length of a bulk operation.
	localLength
)

// added returns the index of an added local. The function gets those up to the last in use.
func (c *code) added(local uint32) uint32 {
	c.usedLocals = max(c.usedLocals, local+1)
	return c.locals + local
}

func (c *code) callTick() { c.index(opCall, c.w.helperIndex(helperTick)) }

// bulkCost pushes the cost of a bulk operation: its length, shifted right.
func (c *code) bulkCost(shift int32) {
	c.localGets(c.added(localLength))
	c.i32(shift)
	c.op(opI32ShrU)
}
