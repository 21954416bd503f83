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
func (w *rewriter) helperTypes() []uint32 {
	if w.memories == 0 {
		return []uint32{w.typeVoid}
	}
	return []uint32{w.typeVoid, w.typeBulk, w.typeBulk}
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
	copyAt := func(offset func()) {
		for _, base := range []uint32{to, from} {
			c.index(opLocalGet, base)
			offset()
		}
	}
	c.beyondMemory(to, length)
	c.beyondMemory(from, length)
	c.op(opI32Or, opIf, blockVoid)
	copyAt(func() {})
	c.index(opLocalGet, length)
	c.op(memoryCopy...)
	c.op(opReturn, opEnd)

	c.op(opLoop, blockVoid)
	c.tick()
	c.lastPiece(length)
	copyAt(func() {})
	c.index(opLocalGet, length)
	c.op(memoryCopy...)
	c.op(opReturn, opEnd)

	c.subtract(length)
	c.index(opLocalGet, to)
	c.index(opLocalGet, from)
	c.op(opI32LeU, opIf, blockVoid)
	copyAt(func() {})
	c.i32(piece)
	c.op(memoryCopy...)
	c.add(to)
	c.add(from)
	c.op(opElse)
	copyAt(func() {
		c.index(opLocalGet, length)
		c.op(opI32Add)
	})
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
	fill := func() {
		c.index(opLocalGet, to)
		c.index(opLocalGet, value)
		c.index(opLocalGet, length)
		c.op(memoryFill...)
		c.op(opReturn)
	}
	c.beyondMemory(to, length)
	c.op(opIf, blockVoid)
	fill()
	c.op(opEnd)

	c.op(opLoop, blockVoid)
	c.tick()
	c.lastPiece(length)
	fill()
	c.op(opEnd)

	c.subtract(length)
	c.index(opLocalGet, to)
	c.index(opLocalGet, value)
	c.i32(piece)
	c.op(memoryFill...)
	c.add(to)
	c.index(opBr, 0)
	c.op(opEnd, opEnd)
	return c
}

// beyondMemory pushes whether a range of so many bytes ends beyond the memory.
func (c *code) beyondMemory(base, length uint32) {
	c.index(opLocalGet, base)
	c.op(opI64ExtendI32U)
	c.index(opLocalGet, length)
	c.op(opI64ExtendI32U, opI64Add, opMemorySize, 0, opI64ExtendI32U)
	c.i64(16)
	c.op(opI64Shl, opI64GtU)
}

// lastPiece begins an if that is taken when what is left is no more than a piece.
func (c *code) lastPiece(length uint32) {
	c.index(opLocalGet, length)
	c.i32(piece)
	c.op(opI32LeU, opIf, blockVoid)
}

func (c *code) add(local uint32) { c.advance(local, piece) }

func (c *code) subtract(local uint32) { c.advance(local, -piece) }

func (c *code) advance(local uint32, by int32) {
	c.index(opLocalGet, local)
	c.i32(by)
	c.op(opI32Add)
	c.index(opLocalSet, local)
}

var (
	memoryCopy = []byte{opMisc, 10, 0, 0}
	memoryFill = []byte{opMisc, 11, 0}
)
