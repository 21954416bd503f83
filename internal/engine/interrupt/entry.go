package interrupt

// minLeafFrame is the smallest frame of a leaf function that counts for the depth, in bytes. A
// stack has at most one frame of a leaf function, at its end.
const minLeafFrame = 4096

// enclose encloses the instructions of a function. The prologue counts the entry and adds the
// function's frame to the depth of the stack, and the epilogue takes the frame off again. The
// check has the shape of a loop's (see beginCountedLoop), since with the tick before the body every
// call would spill the parameters. The frame is added within that loop, so that the check has the
// depth in a register; the path of the tick takes it off again before it branches back. A function
// that begins with a loop does not count its entry, since the loop does.
func (f *function) enclose() {
	frameSize := f.liveness.frameSize()
	tracksDepth := (f.calls > 0 || frameSize > minLeafFrame) && f.w.o.Stack > 0
	counts := !f.startsWithLoop

	e, b := &f.entry, &f.body
	dirty := f.dirty
	f.loadCounter(e)
	if counts || tracksDepth {
		e.op(opLoop)
		f.emitResultType(e)
		if tracksDepth {
			f.enterFrame(frameSize)
		}
		f.emitEntryCheck(counts, tracksDepth)
		e.op(opIf)
		f.emitResultType(e)

		b.op(opElse)
		f.renewParams()
		f.tick(b)
		if tracksDepth {
			f.leaveFrame()
		}
		b.index(opBr, 1)
		b.op(opEnd)
	} else {
		e.op(opBlock)
		f.emitResultType(e)
	}
	b.op(opEnd)
	f.dirty = dirty
	f.storeCounter()
	if tracksDepth {
		f.leaveFrame()
	}
	b.op(opEnd)
	f.declareLocals()
}

// declareLocals writes the locals and the prologue to f.head.
func (f *function) declareLocals() {
	h := &f.head
	used := max(f.entry.usedLocals, f.body.usedLocals)
	groups := uint32(f.localGroups)
	if used > 0 {
		groups++
	}
	h.b = appendU32(h.b, groups)
	h.op(f.r.b[f.localsStart:f.codeStart]...)
	if used > 0 {
		h.op(byte(used), typeI32)
	}
	h.op(f.entry.b...)
}

// emitEntryCheck pushes 1 unless the interval is used up or the stack is too deep. The sign of each
// tells so; a single test finds both.
func (f *function) emitEntryCheck(counts, tracksDepth bool) {
	e := &f.entry
	if counts {
		f.countStep(e)
	}
	if tracksDepth {
		e.index(opGlobalGet, f.w.limitGlobal())
		e.index(opGlobalGet, f.w.depthGlobal())
		e.op(opI32Sub)
	}
	if counts && tracksDepth {
		e.op(opI32Or)
	}
	e.i32(0)
	e.op(opI32GeS)
}

// enterFrame adds a frame to the depth of the stack.
func (f *function) enterFrame(frame int32) {
	e := &f.entry
	e.index(opGlobalGet, f.w.depthGlobal())
	e.index(opLocalTee, e.added(localCallerDepth))
	e.i32(frame)
	e.op(opI32Add)
	e.index(opGlobalSet, f.w.depthGlobal())
}

// leaveFrame takes the function's frame off the depth again.
func (f *function) leaveFrame() {
	f.body.localGets(f.body.added(localCallerDepth))
	f.body.index(opGlobalSet, f.w.depthGlobal())
}

// emitResultType emits the block type of the function's results.
func (f *function) emitResultType(c *code) {
	switch len(f.typ.results) {
	case 0:
		c.op(blockVoid)
	case 1:
		c.op(f.typ.results[0])
	default:
		c.b = appendS32(c.b, int32(f.typ.resultBlock))
	}
}
