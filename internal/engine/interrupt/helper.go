package interrupt

// The helper functions that are added to a module, in the order of their indices.
const (
	// helperTick is () -> (). It starts the next interval and calls the host.
	helperTick = iota

	// helperCopy is (to, from, length i32) -> (). It is memory.copy in chunks, with a tick before
	// each.
	helperCopy

	// helperFill is (to, value, length i32) -> (). It is memory.fill in chunks, with a tick before
	// each.
	helperFill

	// helperGrow is (pages i32) -> (before i32). It is memory.grow of a shared memory, which calls
	// Charge before.
	helperGrow
)

// bulkChunk is the number of bytes that a bulk operation handles between two ticks, which take it
// 20 to 100 µs.
const bulkChunk = 256 << 10

// helperTypes are the types of the helpers that the module gets. Without a memory it gets
// helperTick alone.
func (w *rewriter) helperTypes() []addedType {
	types := []addedType{typeVoid}
	if w.numMemories > 0 {
		types = append(types, typeBulk, typeBulk)
	}
	if w.chargesPages() {
		types = append(types, typeUnary)
	}
	return types
}

func (w *rewriter) helperBodies() []code {
	bodies := []code{w.tickBody()}
	if w.numMemories > 0 {
		bodies = append(bodies, w.copyBody(), w.fillBody())
	}
	if w.chargesPages() {
		bodies = append(bodies, w.growBody())
	}
	return bodies
}

// chargesPages reports whether memory.grow calls Charge. It does for a shared memory alone: the
// engine's allocator charges for one that is not shared.
func (w *rewriter) chargesPages() bool { return w.o.Charge && w.memory.Shared }

// tickBody starts the next interval before it calls the host. The first added imports are Tick and
// Stack. It sets the depth to 0 while it calls
// Deepen. If that traps, the instance can be called again, with an empty stack.
func (w *rewriter) tickBody() code {
	const depth = 0
	c := code{b: []byte{1, 1, typeI32}, w: w}
	c.i32(int32(w.o.Interval - 1))
	c.index(opGlobalSet, w.counterGlobal())
	if w.o.Stack > 0 {
		c.index(opGlobalGet, w.depthGlobal())
		c.index(opLocalTee, depth)
		c.index(opGlobalGet, w.limitGlobal())
		c.op(opI32GtU, opIf, blockVoid)
		c.i32(0)
		c.index(opGlobalSet, w.depthGlobal())
		c.localGets(depth)
		c.index(opCall, w.deepenImport)
		c.index(opGlobalSet, w.limitGlobal())
		c.localGets(depth)
		c.index(opGlobalSet, w.depthGlobal())
		c.op(opEnd)
	}
	c.index(opCall, uint32(w.numImportedFuncs))
	c.op(opIf, blockVoid)
	c.index(opCall, uint32(w.numImportedFuncs)+1)
	c.op(opEnd, opEnd)
	return c
}

// copyBody leaves a copy that is out of bounds to one memory.copy, which then traps without writing
// anything (WebAssembly Core Specification 2.0, section 4.4.7). Any other copy goes in chunks, from
// front to back or from back to front, since the ranges may overlap.
func (w *rewriter) copyBody() code {
	const to, from, length = 0, 1, 2
	c := code{b: []byte{0}, w: w}
	copyWholeAndReturn := func() {
		c.localGets(to, from, length)
		c.op(memoryCopy...)
		c.op(opReturn, opEnd)
	}
	c.rangeExceedsMemory(to, length)
	c.rangeExceedsMemory(from, length)
	c.op(opI32Or, opIf, blockVoid)
	copyWholeAndReturn()

	c.op(opLoop, blockVoid)
	c.callTick()
	c.ifLastChunk(length)
	copyWholeAndReturn()

	c.addToLocal(length, -bulkChunk)
	c.localGets(to, from)
	c.op(opI32LeU, opIf, blockVoid)
	c.localGets(to, from)
	c.i32(bulkChunk)
	c.op(memoryCopy...)
	c.addToLocal(to, bulkChunk)
	c.addToLocal(from, bulkChunk)
	c.op(opElse)
	c.localGets(to, length)
	c.op(opI32Add)
	c.localGets(from, length)
	c.op(opI32Add)
	c.i32(bulkChunk)
	c.op(memoryCopy...)
	c.op(opEnd)
	c.index(opBr, 0)
	c.op(opEnd, opEnd)
	return c
}

// fillBody leaves a fill that is out of bounds to one memory.fill, as copyBody does.
func (w *rewriter) fillBody() code {
	const to, value, length = 0, 1, 2
	c := code{b: []byte{0}, w: w}
	fillWholeAndReturn := func() {
		c.localGets(to, value, length)
		c.op(memoryFill...)
		c.op(opReturn, opEnd)
	}
	c.rangeExceedsMemory(to, length)
	c.op(opIf, blockVoid)
	fillWholeAndReturn()

	c.op(opLoop, blockVoid)
	c.callTick()
	c.ifLastChunk(length)
	fillWholeAndReturn()

	c.addToLocal(length, -bulkChunk)
	c.localGets(to, value)
	c.i32(bulkChunk)
	c.op(memoryFill...)
	c.addToLocal(to, bulkChunk)
	c.index(opBr, 0)
	c.op(opEnd, opEnd)
	return c
}

// growBody charges the pages before memory.grow, and gives them back if that fails.
func (w *rewriter) growBody() code {
	const pages, before = 0, 1
	c := code{b: []byte{1, 1, typeI32}, w: w}
	c.requestCharge(ChargePages, func() { c.localGets(pages) })
	c.op(opI32Eqz, opIf, blockVoid)
	c.i32(-1)
	c.op(opReturn, opEnd)
	c.localGets(pages)
	c.op(opMemoryGrow, 0)
	c.index(opLocalTee, before)
	c.i32(-1)
	c.op(opI32Eq, opIf, blockVoid)
	c.requestCharge(ReturnPages, func() { c.localGets(pages) })
	c.op(opDrop, opEnd)
	c.localGets(before)
	c.op(opEnd)
	return c
}

// requestCharge calls Charge for the count that the argument pushes. It pushes the answer.
func (c *code) requestCharge(kind int32, count func()) {
	c.i32(kind)
	count()
	c.index(opCall, c.w.chargeImport)
}

func (c *code) localGets(locals ...uint32) {
	for _, l := range locals {
		c.index(opLocalGet, l)
	}
}

// rangeExceedsMemory pushes 1 if a range ends beyond the memory, else 0.
func (c *code) rangeExceedsMemory(base, length uint32) {
	c.localGets(base)
	c.op(opI64ExtendI32U)
	c.localGets(length)
	c.op(opI64ExtendI32U, opI64Add, opMemorySize, 0, opI64ExtendI32U)
	c.i64(16)
	c.op(opI64Shl, opI64GtU)
}

// ifLastChunk begins an if that is taken when at most one chunk is left.
func (c *code) ifLastChunk(length uint32) {
	c.localGets(length)
	c.i32(bulkChunk)
	c.op(opI32LeU, opIf, blockVoid)
}

func (c *code) addToLocal(local uint32, by int32) {
	c.localGets(local)
	c.i32(by)
	c.op(opI32Add)
	c.index(opLocalSet, local)
}

var (
	memoryCopy = []byte{opMisc, 10, 0, 0}
	memoryFill = []byte{opMisc, 11, 0}
)
