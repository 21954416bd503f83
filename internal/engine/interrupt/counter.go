package interrupt

// The counter holds the steps that are left before the next tick. A step that takes it below zero
// ticks, and is then counted again. Between the instructions of the input it is never negative, so
// that a cost may be compared with it as an unsigned number.

// flow is the state at an instruction, as the walk knows it of all paths that lead there.
type flow struct {
	// uncheckedPath is the length of the longest path without a check to the instruction, in bytes,
	// or unreached.
	uncheckedPath int

	// jumped is set if that path has a jump that was made to go past a table; see dispatch.go.
	jumped bool

	// dirty is set if a path counted in localCounter and has not written that back since.
	dirty bool
}

// unreached is the uncheckedPath of unreachable code.
const unreached = -1

var unreachable = flow{uncheckedPath: unreached}

// join returns the state where two paths meet.
func (a flow) join(b flow) flow {
	dirty := a.dirty || b.dirty
	if b.uncheckedPath > a.uncheckedPath {
		a = b
	}
	a.dirty = dirty
	return a
}

// pushCounter pushes the counter.
func (f *function) pushCounter(c *code) {
	if f.countsInLocal {
		c.localGets(c.added(localCounter))
	} else {
		c.index(opGlobalGet, f.w.counterGlobal())
	}
}

// subtract subtracts the cost, which the argument pushes, from the counter.
func (f *function) subtract(c *code, cost func()) {
	f.pushCounter(c)
	cost()
	c.op(opI32Sub)
	if f.countsInLocal {
		f.setCounter(c)
		f.dirty = true
	} else {
		c.index(opGlobalSet, f.w.counterGlobal())
	}
}

// countStep counts one step, and pushes the counter.
func (f *function) countStep(c *code) {
	f.subtract(c, func() { c.i32(1) })
	f.pushCounter(c)
}

// loadCounter takes the counter into the local, after code that may have changed the global.
func (f *function) loadCounter(c *code) {
	if f.countsInLocal {
		c.index(opGlobalGet, f.w.counterGlobal())
		f.setCounter(c)
		f.dirty = false
	}
}

// setCounter assigns the local. Each assignment may have a slot in the frame.
func (f *function) setCounter(c *code) {
	c.index(opLocalSet, c.added(localCounter))
	f.liveness.spilledBytes += scalarSize
}

// storeCounter writes the counter back, before code that may count in the global.
func (f *function) storeCounter() {
	if f.dirty {
		f.body.localGets(f.body.added(localCounter))
		f.body.index(opGlobalSet, f.w.counterGlobal())
		f.dirty = false
	}
}

// tick calls the host. The helper starts the next interval, whatever the counter was.
func (f *function) tick(c *code) {
	c.callTick()
	f.loadCounter(c)
}

// countOrTick subtracts the cost, which the argument pushes, from the counter. If the counter is
// less than that, it ticks instead.
func (f *function) countOrTick(cost func()) {
	f.pushCounter(&f.body)
	cost()
	f.body.op(opI32GeU, opIf, blockVoid)
	f.subtract(&f.body, cost)
	after := f.dirty
	f.body.op(opElse)
	f.tick(&f.body)
	f.body.op(opEnd)
	f.dirty = after
}

// ifTooFew begins an if that is taken when the counter is less than the cost. The caller appends
// its block type.
func (f *function) ifTooFew(cost func()) {
	cost()
	f.pushCounter(&f.body)
	f.body.op(opI32GtU, opIf)
}

// beginCountedLoop emits the start of a loop. The loop's body runs unless the interval is used up.
// The caller appends the block type of the if. A loop becomes
//
//	loop  count down  if  body  else  tick  br to the loop  end end
//
// The tick comes after the body and branches back to the start. wazero allocates registers in the
// order of the code. With the tick first, it would spill every value that lives across the call,
// also on the path without the call.
func (f *function) beginCountedLoop() {
	f.countStep(&f.body)
	f.body.i32(0)
	f.body.op(opI32GeS, opIf)
}

// endCountedLoop emits the end of such a loop.
func (f *function) endCountedLoop(carried []uint32) {
	after := f.dirty
	f.body.op(opElse)
	for _, local := range carried {
		f.renew(local)
	}
	f.tick(&f.body)
	f.body.index(opBr, 1)
	f.body.op(opEnd, opEnd)
	f.dirty = after
}
