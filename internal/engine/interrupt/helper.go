package interrupt

// The functions that are added to a module, in the order of their indices.
const (
	helperTick = iota // () -> (): starts the next interval and calls the host
	helperCopy        // (to, from, length i32) -> (): memory.copy in pieces, with a tick before each
	helperFill        // (to, value, length i32) -> (): memory.fill likewise
)

// piece is how much a bulk operation does at a time: 20 to 100 µs of work.
const piece = 256 << 10

// helperTypes are the types of those that the module gets: without a memory it only gets the first.
func (w *rewriter) helperTypes() []ownType {
	if w.memories == 0 {
		return []ownType{typeVoid}
	}
	return []ownType{typeVoid, typeBulk, typeBulk}
}

func (w *rewriter) helperBodies() []code {
	if w.memories == 0 {
		return []code{w.tickBody()}
	}
	return []code{w.tickBody(), w.copyBody(), w.fillBody()}
}

func (w *rewriter) tickBody() code {
	c := code{b: []byte{0}, w: w}
	if w.o.MaxStack > 0 {
		c.index(opGlobalGet, w.depth())
		c.i32(int32(w.o.MaxStack))
		c.op(opI32GtU, opIf, blockVoid)
		c.index(opCall, w.overflow)
		c.op(opUnreachable, opEnd)
	}
	c.i32(int32(w.o.Interval))
	c.index(opGlobalSet, w.counter())
	c.index(opCall, uint32(w.imported))
	c.op(opEnd)
	return c
}

// A bulk operation that goes out of bounds must not change anything, so that one is left to the engine whole. The pieces
// of a copy go from front to back or from back to front, as the ranges may overlap.
func (w *rewriter) copyBody() code {
	const to, from, length = 0, 1, 2
	c := code{b: []byte{0}, w: w}
	whole := func() {
		c.get(to, from, length)
		c.op(memoryCopy...)
		c.op(opReturn, opEnd)
	}
	c.beyondMemory(to, length)
	c.beyondMemory(from, length)
	c.op(opI32Or, opIf, blockVoid)
	whole()

	c.op(opLoop, blockVoid)
	c.tick()
	c.lastPiece(length)
	whole()

	c.advance(length, -piece)
	c.get(to, from)
	c.op(opI32LeU, opIf, blockVoid)
	c.get(to, from)
	c.i32(piece)
	c.op(memoryCopy...)
	c.advance(to, piece)
	c.advance(from, piece)
	c.op(opElse)
	c.get(to, length)
	c.op(opI32Add)
	c.get(from, length)
	c.op(opI32Add)
	c.i32(piece)
	c.op(memoryCopy...)
	c.op(opEnd)
	c.index(opBr, 0)
	c.op(opEnd, opEnd)
	return c
}

func (w *rewriter) fillBody() code {
	const to, value, length = 0, 1, 2
	c := code{b: []byte{0}, w: w}
	whole := func() {
		c.get(to, value, length)
		c.op(memoryFill...)
		c.op(opReturn, opEnd)
	}
	c.beyondMemory(to, length)
	c.op(opIf, blockVoid)
	whole()

	c.op(opLoop, blockVoid)
	c.tick()
	c.lastPiece(length)
	whole()

	c.advance(length, -piece)
	c.get(to, value)
	c.i32(piece)
	c.op(memoryFill...)
	c.advance(to, piece)
	c.index(opBr, 0)
	c.op(opEnd, opEnd)
	return c
}

func (c *code) get(locals ...uint32) {
	for _, l := range locals {
		c.index(opLocalGet, l)
	}
}

// beyondMemory pushes whether a range of so many bytes ends beyond the memory.
func (c *code) beyondMemory(base, length uint32) {
	c.get(base)
	c.op(opI64ExtendI32U)
	c.get(length)
	c.op(opI64ExtendI32U, opI64Add, opMemorySize, 0, opI64ExtendI32U)
	c.i64(16)
	c.op(opI64Shl, opI64GtU)
}

// lastPiece begins an if that is taken when what is left is no more than a piece.
func (c *code) lastPiece(length uint32) {
	c.get(length)
	c.i32(piece)
	c.op(opI32LeU, opIf, blockVoid)
}

func (c *code) advance(local uint32, by int32) {
	c.get(local)
	c.i32(by)
	c.op(opI32Add)
	c.index(opLocalSet, local)
}

var (
	memoryCopy = []byte{opMisc, 10, 0, 0}
	memoryFill = []byte{opMisc, 11, 0}
)
