package interrupt

// code is a sequence of instructions in the making, of a function with so many locals before ours.
type code struct {
	b      []byte
	w      *rewriter
	locals uint32
}

func (c *code) op(b ...byte) { c.b = append(c.b, b...) }

// index appends an opcode whose immediate is an index.
func (c *code) index(op byte, i uint32) { c.b = appendU32(append(c.b, op), i) }

func (c *code) i32(v int32) { c.b = appendS32(append(c.b, opI32Const), v) }

func (c *code) i64(v int32) { c.b = appendS32(append(c.b, opI64Const), v) }

// Our locals, both i32. The second is there only in functions that keep to the limit of the stack.
// scratch: what is left of the interval, or a length
func (c *code) scratchLocal() uint32 { return c.locals }
func (c *code) depthLocal() uint32   { return c.locals + 1 } // depth of the stack at the function's entry

func (c *code) callTick() { c.index(opCall, c.w.helperIndex(helperTick)) }

// countDown counts one, and keeps in a local what is left.
func (c *code) countDown() {
	c.index(opGlobalGet, c.w.counterGlobal())
	c.i32(1)
	c.op(opI32Sub)
	c.index(opLocalTee, c.scratchLocal())
	c.index(opGlobalSet, c.w.counterGlobal())
}

// beginCountedLoop begins a block that runs unless the interval is used up, up to and without the block's
// type. A loop becomes
//
//	loop  count down  if  body  else  tick  br to the loop  end end
//
// The tick comes after the body and goes back to the start because a compiler that takes things in
// their order would otherwise keep all that outlives its call in memory, even where it is not
// called.
func (c *code) beginCountedLoop() {
	c.countDown()
	c.index(opLocalGet, c.scratchLocal())
	c.op(opIf)
}

func (c *code) endCountedLoop() {
	c.op(opElse)
	c.callTick()
	c.index(opBr, 1)
	c.op(opEnd, opEnd)
}

// countOrTick counts what cost pushes, and leaves no less than one, or ticks.
func (c *code) countOrTick(cost func()) {
	cost()
	c.index(opGlobalGet, c.w.counterGlobal())
	c.op(opI32GeU, opIf, blockVoid)
	c.callTick()
	c.op(opElse)
	c.subtractCost(cost)
	c.op(opEnd)
}

func (c *code) subtractCost(cost func()) {
	c.index(opGlobalGet, c.w.counterGlobal())
	cost()
	c.op(opI32Sub)
	c.index(opGlobalSet, c.w.counterGlobal())
}

// bulkCost pushes the length of a bulk operation, shifted right.
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

// stackWithinLimit pushes whether the stack is no deeper than its limit.
func (c *code) stackWithinLimit() {
	c.index(opGlobalGet, c.w.depthGlobal())
	c.index(opGlobalGet, c.w.limitGlobal())
	c.op(opI32LeU)
}

// leaveFrame takes it off again.
func (c *code) leaveFrame() {
	c.index(opLocalGet, c.depthLocal())
	c.index(opGlobalSet, c.w.depthGlobal())
}
