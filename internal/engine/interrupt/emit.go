package interrupt

// code is a buffer that instructions are emitted to. Locals is the number of locals that the
// function has in the input; the added ones follow.
type code struct {
	b      []byte
	w      *rewriter
	locals uint32
}

// op appends bytes: opcodes and immediates of one byte.
func (c *code) op(b ...byte) { c.b = append(c.b, b...) }

// index appends an opcode with an index as its immediate.
func (c *code) index(op byte, i uint32) { c.b = appendU32(append(c.b, op), i) }

// i32 pushes a constant.
func (c *code) i32(v int32) { c.b = appendS32(append(c.b, opI32Const), v) }

func (c *code) i64(v int32) { c.b = appendS32(append(c.b, opI64Const), v) }

// scratchLocal is an added local of type i32. It holds the rest of the interval, or the length of a
// bulk operation.
func (c *code) scratchLocal() uint32 { return c.locals }

// depthLocal is an added local of type i32. It holds the depth of the stack at the function's
// entry. Only functions that track the depth have it.
func (c *code) depthLocal() uint32 { return c.locals + 1 }

func (c *code) callTick() { c.index(opCall, c.w.helperIndex(helperTick)) }

// countDown takes one from the counter, and leaves the rest in scratchLocal.
func (c *code) countDown() {
	c.index(opGlobalGet, c.w.counterGlobal())
	c.i32(1)
	c.op(opI32Sub)
	c.index(opLocalTee, c.scratchLocal())
	c.index(opGlobalSet, c.w.counterGlobal())
}

// beginCountedLoop emits the start of a loop. The loop's body runs unless the interval is used up.
// The caller appends the block type of the if. A loop becomes
//
//	loop  count down  if  body  else  tick  br to the loop  end end
//
// The tick comes after the body and branches back to the start. wazero allocates registers in the
// order of the code. With the tick first, it would spill every value that lives across the call,
// also on the path without the call.
func (c *code) beginCountedLoop() {
	c.countDown()
	c.index(opLocalGet, c.scratchLocal())
	c.op(opIf)
}

// endCountedLoop emits the end of such a loop.
func (c *code) endCountedLoop() {
	c.op(opElse)
	c.callTick()
	c.index(opBr, 1)
	c.op(opEnd, opEnd)
}

// countOrTick subtracts the cost, which the argument pushes, from the counter. If that leaves less
// than one, it ticks instead.
func (c *code) countOrTick(cost func()) {
	cost()
	c.index(opGlobalGet, c.w.counterGlobal())
	c.op(opI32GeU, opIf, blockVoid)
	c.callTick()
	c.op(opElse)
	c.subtractCost(cost)
	c.op(opEnd)
}

// subtractCost subtracts the cost, which the argument pushes, from the counter.
func (c *code) subtractCost(cost func()) {
	c.index(opGlobalGet, c.w.counterGlobal())
	cost()
	c.op(opI32Sub)
	c.index(opGlobalSet, c.w.counterGlobal())
}

// bulkCost pushes the cost of a bulk operation: the length in scratchLocal, shifted right.
func (c *code) bulkCost(shift int32) {
	c.index(opLocalGet, c.scratchLocal())
	c.i32(shift)
	c.op(opI32ShrU)
}

// enterFrame adds a frame to the depth of the stack.
func (c *code) enterFrame(frame int32) {
	c.index(opGlobalGet, c.w.depthGlobal())
	c.index(opLocalTee, c.depthLocal())
	c.i32(frame)
	c.op(opI32Add)
	c.index(opGlobalSet, c.w.depthGlobal())
}

// stackWithinLimit pushes 1 if the stack is no deeper than its limit, else 0.
func (c *code) stackWithinLimit() {
	c.index(opGlobalGet, c.w.depthGlobal())
	c.index(opGlobalGet, c.w.limitGlobal())
	c.op(opI32LeU)
}

// leaveFrame takes the frame off again.
func (c *code) leaveFrame() {
	c.index(opLocalGet, c.depthLocal())
	c.index(opGlobalSet, c.w.depthGlobal())
}
