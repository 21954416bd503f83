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
func (c *code) left() uint32 { return c.locals }
func (c *code) base() uint32 { return c.locals + 1 } // depth of the stack at the function's entry

func (c *code) tick() { c.index(opCall, c.w.helper(helperTick)) }

// countDown counts one, and keeps in a local what is left.
func (c *code) countDown() {
	c.index(opGlobalGet, c.w.counter())
	c.i32(1)
	c.op(opI32Sub)
	c.index(opLocalTee, c.left())
	c.index(opGlobalSet, c.w.counter())
}

// count begins a block that runs unless the interval is used up, up to and without the block's
// type. A loop becomes
//
//	loop  count down  if  body  else  tick  br to the loop  end end
//
// The tick comes after the body and goes back to the start because a compiler that takes things in
// their order would otherwise keep all that outlives its call in memory, even where it is not
// called.
func (c *code) count() {
	c.countDown()
	c.index(opLocalGet, c.left())
	c.op(opIf)
}

func (c *code) endCount() {
	c.op(opElse)
	c.tick()
	c.index(opBr, 1)
	c.op(opEnd, opEnd)
}

// spend counts what cost pushes, and leaves no less than one, or ticks.
func (c *code) spend(cost func()) {
	cost()
	c.index(opGlobalGet, c.w.counter())
	c.op(opI32GeU, opIf, blockVoid)
	c.tick()
	c.op(opElse)
	c.take(cost)
	c.op(opEnd)
}

func (c *code) take(cost func()) {
	c.index(opGlobalGet, c.w.counter())
	cost()
	c.op(opI32Sub)
	c.index(opGlobalSet, c.w.counter())
}

// length pushes the length of a bulk operation, shifted right.
func (c *code) length(shift int32) {
	c.index(opLocalGet, c.left())
	c.i32(shift)
	c.op(opI32ShrU)
}

// enter adds a frame to the depth of the stack.
func (c *code) enter(frame int32) {
	c.index(opGlobalGet, c.w.depth())
	c.index(opLocalTee, c.base())
	c.i32(frame)
	c.op(opI32Add)
	c.index(opGlobalSet, c.w.depth())
}

// withinLimit pushes whether the stack is no deeper than its limit.
func (c *code) withinLimit() {
	c.index(opGlobalGet, c.w.depth())
	c.index(opGlobalGet, c.w.limit())
	c.op(opI32LeU)
}

// leave takes it off again.
func (c *code) leave() {
	c.index(opLocalGet, c.base())
	c.index(opGlobalSet, c.w.depth())
}
