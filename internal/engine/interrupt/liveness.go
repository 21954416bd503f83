package interrupt

import "slices"

// wazero's compiler decides on the size of a function's stack frame. It gives a slot to each value
// that it cannot keep in a register: a value that lives across a call, and one that lives while
// more other values are made than there are registers. To estimate the frame, the walk over a
// function follows its values from their definition to their uses.
//
// The walk goes forward once, and knows nothing of later instructions. So
//
//   - a value counts as spilled at its first use after a call;
//   - a local that several branches assign counts once for each assignment, at the first use after
//     the branches meet;
//   - a value from outside a loop that is used in the loop lives through all of the loop.
//
// An estimate below wazero's real frame would let recursion use more memory than it is charged.

// registerReach is the number of values that may be made between the definition and the use of a
// value that stays in a register. The processors that wazero compiles for, amd64 and arm64, have 16
// registers and more.
const registerReach = 10

// value is a value that a function computes.
type value struct {
	// position is that of the value's definition.
	position

	// joinedLocal is a local. Its assignments from several branches meet in this value. -1 means
	// that the value is no such join.
	joinedLocal int32

	// usedInLoop is the innermost loop that the value is known to be used in.
	usedInLoop int32
	size       uint8

	// spilled is set once the value has a slot in the frame.
	spilled bool
}

// noValue is the index of a value that does not exist. Unreachable code pops it from an empty
// stack.
const noValue = 0

// position is a position in a function: the number of values made before it, and of calls.
type position struct{ valuesBefore, callsBefore int32 }

// localState is the state of a local.
type localState struct {
	// value is the index of the local's value. It is noValue before the first access.
	value int32

	// pendingWrites counts the assignments without a slot. firstPending is the position of the
	// first of them.
	pendingWrites int32
	firstPending  position

	// block is the innermost block that the local is known to be assigned in.
	block int32

	// lastReadOutside is the number of values at the last read of a value from outside the loop.
	lastReadOutside int32
	valueType       byte
	size            uint8
}

// liveness follows the values of one function.
type liveness struct {
	values []value

	// operands is the operand stack, of indices of values.
	operands []int32
	locals   []localState

	// assignedLocals are the locals that the open blocks assign, the innermost block's last.
	assignedLocals []int32

	// loopUses are the values from outside that the open loops use, the innermost loop's last.
	loopUses []int32

	// blockBase is the height of operands at the start of the current block.
	blockBase int
	callCount int32

	// block is the number of the current block, of blockCount so far.
	block, blockCount int32

	// loop is the index of the first value that was made in the innermost loop; 0 means no loop.
	loop int32

	// spilledBytes is the size of all slots.
	spilledBytes int64

	// outgoingBytes is the maximum size of the parameters and results of a call.
	outgoingBytes int

	// work counts the steps of the analysis that the number of instructions does not bound.
	work int
}

// scope is the state to restore at the end of a block.
type scope struct {
	// height is the height of operands below the block's parameters.
	height int

	// blockBase, block and loop are those of the enclosing block.
	blockBase   int
	block, loop int32

	// assignedStart and loopUsesStart are the indices of the block's first elements in
	// assignedLocals and loopUses.
	assignedStart, loopUsesStart int

	// position is that of the start of the block.
	position
}

// reset prepares for a function of a type.
func (l *liveness) reset(typ funcType) {
	*l = liveness{
		values: l.values[:0], operands: l.operands[:0], locals: l.locals[:0],
		assignedLocals: l.assignedLocals[:0], loopUses: l.loopUses[:0],
	}
	l.newValue(0, -1)
	for _, t := range typ.paramTypes {
		l.declareLocals(t, 1)
	}
}

// declareLocals adds count locals of a type.
func (l *liveness) declareLocals(t byte, count int) {
	l.locals = slices.Grow(l.locals, count)
	for range count {
		l.locals = append(l.locals, localState{valueType: t, size: valueSize(t)})
	}
}

// newValue makes a value at the current position, and returns its index.
func (l *liveness) newValue(size uint8, local int32) int32 {
	n := int32(len(l.values))
	l.values = append(l.values, value{position{n, l.callCount}, local, 0, size, false})
	return n
}

func (l *liveness) push(size uint8) { l.operands = append(l.operands, l.newValue(size, -1)) }

// pop pops an operand without using its value. It returns noValue if the block has no operand,
// which is valid in unreachable code.
func (l *liveness) pop() int32 {
	if len(l.operands) <= l.blockBase {
		return noValue
	}
	v := l.operands[len(l.operands)-1]
	l.operands = l.operands[:len(l.operands)-1]
	return v
}

// popUsed pops n operands that the next instruction uses, and returns the size of the largest. It
// pops fewer if the block has fewer.
func (l *liveness) popUsed(n int) (size uint8) {
	for range n {
		v := l.pop()
		if v == noValue {
			break
		}
		l.noteUse(v)
		size = max(size, l.values[v].size)
	}
	return size
}

// outlivesRegister reports whether a value made at a position is no longer in a register.
func (l *liveness) outlivesRegister(v position) bool {
	return l.callCount > v.callsBefore || int32(len(l.values))-v.valuesBefore > registerReach
}

// noteUse notes a use of a value, which spills it if it is not in a register.
func (l *liveness) noteUse(i int32) {
	v := &l.values[i]
	if v.valuesBefore < l.loop && v.usedInLoop != l.loop {
		v.usedInLoop = l.loop
		l.loopUses = append(l.loopUses, i)
	}
	switch {
	case v.joinedLocal >= 0 && !v.spilled:
		v.spilled = l.spillAssignments(v.joinedLocal)
	case !v.spilled && l.outlivesRegister(v.position):
		l.spill(i)
	}
}

// spill gives a value a slot, if it has none.
func (l *liveness) spill(i int32) {
	if v := &l.values[i]; !v.spilled {
		v.spilled = true
		l.spilledBytes += int64(v.size)
	}
}

// spillAssignments gives slots to the pending assignments of a local, and to the value in which
// they meet. It reports false if that is still in a register.
func (l *liveness) spillAssignments(local int32) bool {
	a := &l.locals[local]
	if !l.outlivesRegister(a.firstPending) {
		return false
	}
	l.spilledBytes += int64(a.size) * int64(a.pendingWrites+1)
	a.pendingWrites, a.firstPending = 0, position{int32(len(l.values)), l.callCount}
	return true
}

// apply applies the effect of an instruction.
func (l *liveness) apply(e effect) {
	l.popUsed(int(e.pops))
	if e.pushes > 0 {
		l.push(e.pushes)
	}
}

// applySelect applies select. Its result is as large as its operands.
func (l *liveness) applySelect() {
	l.push(max(l.popUsed(3), scalarSize))
}

// localGet pushes the value of a local.
func (l *liveness) localGet(local uint32) {
	a := &l.locals[local]
	if a.value == noValue {
		// The value comes from the start of the function.
		a.value = l.newValue(a.size, -1)
		l.values[a.value].position = position{}
	}
	if l.values[a.value].valuesBefore < l.loop {
		a.lastReadOutside = int32(len(l.values))
	}
	l.operands = append(l.operands, a.value)
}

// localSet assigns the top operand to a local. With tee the operand stays on the stack.
func (l *liveness) localSet(local uint32, tee bool) {
	v := l.pop()
	if tee {
		l.operands = append(l.operands, v)
	}
	a := &l.locals[local]
	if a.pendingWrites == 0 {
		a.firstPending = l.values[v].position
	}
	a.value = v
	a.pendingWrites++
	l.noteAssignment(int32(local))
}

// noteAssignment adds a local to those that the current block assigns.
func (l *liveness) noteAssignment(local int32) {
	if a := &l.locals[local]; a.block != l.block {
		a.block = l.block
		l.assignedLocals = append(l.assignedLocals, local)
	}
}

// applyCall applies a call of a function of a type.
func (l *liveness) applyCall(typ funcType) {
	l.popUsed(typ.numParams)
	l.callCount++
	for _, t := range typ.results {
		l.push(valueSize(t))
	}
	l.outgoingBytes = max(l.outgoingBytes, vectorSize*(typ.numParams+len(typ.results)))
}

// enterBlock begins a block with parameters, and returns the state for leaveBlock.
func (l *liveness) enterBlock(op byte, params []byte) scope {
	l.popUsed(len(params))
	s := scope{
		height: len(l.operands), blockBase: l.blockBase, block: l.block, loop: l.loop,
		assignedStart: len(l.assignedLocals), loopUsesStart: len(l.loopUses),
		position: position{int32(len(l.values)), l.callCount},
	}
	l.blockBase = s.height
	l.blockCount++
	l.block = l.blockCount
	if op == opLoop {
		l.loop = int32(len(l.values))
	}
	l.pushTypes(params)
	return s
}

// pushTypes pushes a new value of each type.
func (l *liveness) pushTypes(types []byte) {
	for _, t := range types {
		l.push(valueSize(t))
	}
}

// enterElse begins the else branch of an if.
func (l *liveness) enterElse(s *scope, results int, params []byte) {
	l.popUsed(results)
	l.operands = l.operands[:min(len(l.operands), s.height)]
	l.mergeLocals(s)
	l.pushTypes(params)
}

// leaveBlock ends a block with results.
func (l *liveness) leaveBlock(op byte, s *scope, results []byte) {
	l.popUsed(len(results))
	l.operands = l.operands[:min(len(l.operands), s.height)]
	if op == opLoop {
		l.closeLoop(s)
	}
	l.mergeLocals(s)
	l.blockBase, l.block = s.blockBase, s.block
	assignedHere := l.assignedLocals[s.assignedStart:]
	l.assignedLocals = l.assignedLocals[:s.assignedStart]
	for _, local := range assignedHere {
		l.noteAssignment(local)
	}
	l.pushTypes(results)
}

// mergeSteps returns the number of steps in which enterElse or leaveBlock will merge a block's
// locals. It makes no more values than that in addition to parameters and results.
func (l *liveness) mergeSteps(op byte, s *scope) int {
	steps := len(l.assignedLocals) - s.assignedStart
	if op == opLoop {
		steps += steps + len(l.loopUses) - s.loopUsesStart
	}
	return steps
}

// mergeLocals gives each local that the block assigned a new value, in which the assignments of all
// branches meet.
func (l *liveness) mergeLocals(s *scope) {
	for _, local := range l.assignedLocals[s.assignedStart:] {
		a := &l.locals[local]
		a.value = l.newValue(a.size, local)
	}
}

// closeLoop spills the values that live from one iteration of a loop to the next.
func (l *liveness) closeLoop(s *scope) {
	usedHere := slices.Clone(l.loopUses[s.loopUsesStart:])
	l.loopUses, l.loop = l.loopUses[:s.loopUsesStart], s.loop
	outlives := l.outlivesRegister(s.position)
	for _, local := range l.assignedLocals[s.assignedStart:] {
		if a := &l.locals[local]; outlives && a.lastReadOutside > s.valuesBefore {
			l.spillAssignments(local)
		}
	}
	for _, v := range usedHere {
		if outlives {
			l.spill(v)
		}
		if l.values[v].valuesBefore < l.loop && l.values[v].usedInLoop != l.loop {
			l.values[v].usedInLoop = l.loop
			l.loopUses = append(l.loopUses, v)
		}
	}
}

// noteBranchOperands notes the use of the operands that a branch passes to its target.
func (l *liveness) noteBranchOperands(values int) {
	for _, v := range l.operands[max(l.blockBase, len(l.operands)-values):] {
		l.noteUse(v)
	}
}

// markUnreachable drops the operands of the current block. The code up to its end is unreachable.
func (l *liveness) markUnreachable() { l.operands = l.operands[:min(len(l.operands), l.blockBase)] }

// frameSize estimates the stack frame of the function, in bytes. It is the sum of
//
//   - the return address and the like, baseSize;
//   - the saved registers of the caller: no more than the function has values, and rarely more than
//     half of all registers;
//   - the outgoing parameters and results;
//   - the slots of spilled values.
func (l *liveness) frameSize() int32 {
	const (
		baseSize          = 64
		maxSavedRegisters = 14 * vectorSize / 2
		maxFrame          = 1 << 28
	)
	registers := int64(min(maxSavedRegisters, scalarSize*len(l.values)))
	return int32(min(baseSize+registers+int64(l.outgoingBytes)+l.spilledBytes, maxFrame))
}
