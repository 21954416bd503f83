package interrupt

import "slices"

// How much of the stack a call of a function takes is for wazero's compiler to decide. It gives a
// place of its own to each value that it cannot keep in a register: one that lives across a call,
// and one that lives while more others are made than there are registers. So the walk over a
// function follows its values, from where they are made to where they are used.
//
// It does not know what happens after an instruction. A value counts at the first use that comes
// after a call; a local that several branches assign counts for all of these assignments, at the
// first use after they meet; what a loop uses of the outside lives through it.

// registerReach is how many values may be made between the making and the use of one that stays in a
// register. The processors that wazero compiles for have 16 and more.
const registerReach = 10

// value is a value of a function.
type value struct {
	position
	joinedLocal int32 // of which it is what several branches have assigned; or -1
	usedInLoop  int32 // the innermost loop that it is known to be used in
	size        uint8
	spilled     bool
}

// unreachableValue is the index of what code that is not reached takes from nowhere.
const unreachableValue = 0

// position is a place in a function.
type position struct {
	valuesBefore int32 // how many values there were
	callsBefore  int32 // how many calls there had been
}

// localState is what is known of a local.
type localState struct {
	value           int32    // its index; 0 = not made yet
	pendingWrites   int32    // assignments that have not been counted
	firstPending    position // the first of them
	block           int32    // the innermost block that it is known to be assigned in
	lastReadOutside int32    // how many values there were when it was last read from outside of the loop
	size            uint8
}

// liveness follows the values of a function.
type liveness struct {
	values         []value
	operands       []int32 // indices of values
	locals         []localState
	assignedLocals []int32 // locals, of all blocks that the walk is in, innermost last
	loopUses       []int32 // values that loops use of the outside; each loop has the end of the list
	blockBase      int     // height of the operands at the start of the block
	callCount      int32
	block          int32 // number of the block
	blockCount     int32 // how many there were
	loop           int32 // index of the first value that was made in the innermost loop; 0 = none
	spilledBytes   int64 // bytes that have been counted
	outgoingBytes  int   // bytes of the parameters and results of a call
	work           int   // steps beyond those of the instructions
}

// scope is what the liveness remembers of a block.
type scope struct {
	height   int // of the operands below its parameters
	floor    int // of the block around it
	assigned int // where its locals begin
	loopUses int
	block    int32 // the one around it
	loop     int32
	position
}

// reset makes ready for a function of a type.
func (l *liveness) reset(of funcType) {
	*l = liveness{
		values: l.values[:0], operands: l.operands[:0], locals: l.locals[:0],
		assignedLocals: l.assignedLocals[:0], loopUses: l.loopUses[:0],
	}
	l.newValue(0, -1)
	for _, t := range of.paramTypes {
		l.declareLocals(t, 1)
	}
}

// declareLocals adds so many locals of a type.
func (l *liveness) declareLocals(t byte, count int) {
	l.locals = slices.Grow(l.locals, count)
	for range count {
		l.locals = append(l.locals, localState{size: valueSize(t)})
	}
}

// newValue makes a value.
func (l *liveness) newValue(size uint8, local int32) int32 {
	n := int32(len(l.values))
	l.values = append(l.values, value{position{n, l.callCount}, local, 0, size, false})
	return n
}

func (l *liveness) push(size uint8) { l.operands = append(l.operands, l.newValue(size, -1)) }

// pop takes an operand that is not used at once. Where code is not reached there may be none.
func (l *liveness) pop() int32 {
	if len(l.operands) <= l.blockBase {
		return unreachableValue
	}
	v := l.operands[len(l.operands)-1]
	l.operands = l.operands[:len(l.operands)-1]
	return v
}

// popUsed takes operands that the next instruction uses, and returns the size of the largest.
func (l *liveness) popUsed(n int) (size uint8) {
	for range n {
		v := l.pop()
		l.noteUse(v)
		size = max(size, l.values[v].size)
	}
	return size
}

// outlivesRegister reports whether a value is used too late to be in a register still.
func (l *liveness) outlivesRegister(v position) bool {
	return l.callCount > v.callsBefore || int32(len(l.values))-v.valuesBefore > registerReach
}

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

func (l *liveness) spill(i int32) {
	if v := &l.values[i]; !v.spilled {
		v.spilled = true
		l.spilledBytes += int64(v.size)
	}
}

// spillAssignments counts the assignments of a local that meet, and what they make where they do.
func (l *liveness) spillAssignments(local int32) bool {
	a := &l.locals[local]
	if !l.outlivesRegister(a.firstPending) {
		return false
	}
	l.spilledBytes += int64(a.size) * int64(a.pendingWrites+1)
	a.pendingWrites, a.firstPending = 0, position{int32(len(l.values)), l.callCount}
	return true
}

func (l *liveness) apply(e effect) {
	l.popUsed(int(e.pops))
	if e.pushes > 0 {
		l.push(e.pushes)
	}
}

// applySelect is select.
func (l *liveness) applySelect() {
	l.push(max(l.popUsed(3), scalarSize))
}

func (l *liveness) localGet(local uint32) {
	a := &l.locals[local]
	if a.value == unreachableValue { // what it is at the start of the function
		a.value = l.newValue(a.size, -1)
		l.values[a.value].position = position{}
	}
	if l.values[a.value].valuesBefore < l.loop {
		a.lastReadOutside = int32(len(l.values))
	}
	l.operands = append(l.operands, a.value)
}

// localSet assigns an operand, which stays one if tee is set.
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

func (l *liveness) noteAssignment(local int32) {
	if a := &l.locals[local]; a.block != l.block {
		a.block = l.block
		l.assignedLocals = append(l.assignedLocals, local)
	}
}

// applyCall takes notice of a call of a function of a type.
func (l *liveness) applyCall(of funcType) {
	l.popUsed(of.numParams)
	l.callCount++
	for _, t := range of.results {
		l.push(valueSize(t))
	}
	l.outgoingBytes = max(l.outgoingBytes, vectorSize*(of.numParams+len(of.results)))
}

// enterBlock begins a block with parameters.
func (l *liveness) enterBlock(op byte, params []byte) scope {
	l.popUsed(len(params))
	s := scope{
		height: len(l.operands), floor: l.blockBase, assigned: len(l.assignedLocals), loopUses: len(l.loopUses),
		block: l.block, loop: l.loop, position: position{int32(len(l.values)), l.callCount},
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

func (l *liveness) pushTypes(types []byte) {
	for _, t := range types {
		l.push(valueSize(t))
	}
}

// enterElse begins the second part of an if.
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
	l.blockBase, l.block = s.floor, s.block
	assignedHere := l.assignedLocals[s.assigned:]
	l.assignedLocals = l.assignedLocals[:s.assigned]
	for _, local := range assignedHere {
		l.noteAssignment(local)
	}
	l.pushTypes(results)
}

// mergeLocals makes of each local that the block has assigned what all ways to here have assigned.
func (l *liveness) mergeLocals(s *scope) {
	for _, local := range l.assignedLocals[s.assigned:] {
		a := &l.locals[local]
		a.value = l.newValue(a.size, local)
	}
	l.work += len(l.assignedLocals) - s.assigned
}

// closeLoop counts what lives from one round of a loop to the next.
func (l *liveness) closeLoop(s *scope) {
	usedHere := slices.Clone(l.loopUses[s.loopUses:])
	l.loopUses, l.loop = l.loopUses[:s.loopUses], s.loop
	outlives := l.outlivesRegister(s.position)
	for _, local := range l.assignedLocals[s.assigned:] {
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
	l.work += len(usedHere) + len(l.assignedLocals) - s.assigned
}

// noteBranchOperands takes notice of the operands that a branch takes along.
func (l *liveness) noteBranchOperands(values int) {
	for _, v := range l.operands[max(l.blockBase, len(l.operands)-values):] {
		l.noteUse(v)
	}
}

// markUnreachable says that what follows is not reached.
func (l *liveness) markUnreachable() { l.operands = l.operands[:min(len(l.operands), l.blockBase)] }

// frameSize is how much of the stack a call of the function takes: its return address and what it saves
// of its caller's registers, of which it needs no more than it has values, and rarely more than
// half; what it passes to functions; its values.
func (l *liveness) frameSize() int32 {
	const (
		baseSize          = 64
		maxSavedRegisters = 14 * vectorSize / 2
		maxFrame          = 1 << 28
	)
	registers := int64(min(maxSavedRegisters, scalarSize*len(l.values)))
	return int32(min(baseSize+registers+int64(l.outgoingBytes)+l.spilledBytes, maxFrame))
}
