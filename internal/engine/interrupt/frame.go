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

// nearby is how many values may be made between the making and the use of one that stays in a
// register. The processors that wazero compiles for have 16 and more.
const nearby = 10

// value is a value of a function.
type value struct {
	moment
	local   int32 // of which it is what several branches have assigned; or -1
	loop    int32 // the innermost loop that it is known to be used in
	size    uint8
	counted bool
}

// noValue is the index of what code that is not reached takes from nowhere.
const noValue = 0

// moment is a place in a function.
type moment struct {
	born  int32 // how many values there were
	calls int32 // how many calls there had been
}

// assignable is what is known of a local.
type assignable struct {
	value   int32  // its index; 0 = not made yet
	pending int32  // assignments that have not been counted
	since   moment // the first of them
	block   int32  // the innermost block that it is known to be assigned in
	read    int32  // how many values there were when it was last read from outside of the loop
	size    uint8
}

// liveness follows the values of a function.
type liveness struct {
	values   []value
	operands []int32 // indices of values
	locals   []assignable
	assigned []int32 // locals, of all blocks that the walk is in, innermost last
	outer    []int32 // values that loops use of the outside; each loop has the end of the list
	floor    int     // height of the operands at the start of the block
	calls    int32
	block    int32 // number of the block
	blocks   int32 // how many there were
	loop     int32 // index of the first value that was made in the innermost loop; 0 = none
	frame    int64 // bytes that have been counted
	outgoing int   // bytes of the parameters and results of a call
	work     int   // steps beyond those of the instructions
}

// scope is what the liveness remembers of a block.
type scope struct {
	height   int // of the operands below its parameters
	floor    int // of the block around it
	assigned int // where its locals begin
	outer    int
	block    int32 // the one around it
	loop     int32
	moment
}

// begin makes ready for a function of a type.
func (l *liveness) begin(of funcType) {
	*l = liveness{
		values: l.values[:0], operands: l.operands[:0], locals: l.locals[:0],
		assigned: l.assigned[:0], outer: l.outer[:0],
	}
	l.make(0, -1)
	for _, t := range of.paramTypes {
		l.declare(t, 1)
	}
}

// declare adds so many locals of a type.
func (l *liveness) declare(t byte, count int) {
	l.locals = slices.Grow(l.locals, count)
	for range count {
		l.locals = append(l.locals, assignable{size: sizeOf(t)})
	}
}

// make makes a value.
func (l *liveness) make(size uint8, local int32) int32 {
	n := int32(len(l.values))
	l.values = append(l.values, value{moment{n, l.calls}, local, 0, size, false})
	return n
}

func (l *liveness) push(size uint8) { l.operands = append(l.operands, l.make(size, -1)) }

// pop takes an operand that is not used at once. Where code is not reached there may be none.
func (l *liveness) pop() int32 {
	if len(l.operands) <= l.floor {
		return noValue
	}
	v := l.operands[len(l.operands)-1]
	l.operands = l.operands[:len(l.operands)-1]
	return v
}

// use takes operands that the next instruction uses, and returns the size of the largest.
func (l *liveness) use(n int) (size uint8) {
	for range n {
		v := l.pop()
		l.used(v)
		size = max(size, l.values[v].size)
	}
	return size
}

// far reports whether a value is used too late to be in a register still.
func (l *liveness) far(v moment) bool {
	return l.calls > v.calls || int32(len(l.values))-v.born > nearby
}

func (l *liveness) used(i int32) {
	v := &l.values[i]
	if v.born < l.loop && v.loop != l.loop {
		v.loop = l.loop
		l.outer = append(l.outer, i)
	}
	switch {
	case v.local >= 0 && !v.counted:
		v.counted = l.join(v.local)
	case !v.counted && l.far(v.moment):
		l.count(i)
	}
}

func (l *liveness) count(i int32) {
	if v := &l.values[i]; !v.counted {
		v.counted = true
		l.frame += int64(v.size)
	}
}

// join counts the assignments of a local that meet, and what they make where they do.
func (l *liveness) join(local int32) bool {
	a := &l.locals[local]
	if !l.far(a.since) {
		return false
	}
	l.frame += int64(a.size) * int64(a.pending+1)
	a.pending, a.since = 0, moment{int32(len(l.values)), l.calls}
	return true
}

func (l *liveness) apply(e effect) {
	l.use(int(e.takes))
	if e.leaves > 0 {
		l.push(e.leaves)
	}
}

// choose is select.
func (l *liveness) choose() {
	l.push(max(l.use(3), scalarSize))
}

func (l *liveness) get(local uint32) {
	a := &l.locals[local]
	if a.value == noValue { // what it is at the start of the function
		a.value = l.make(a.size, -1)
		l.values[a.value].moment = moment{}
	}
	if l.values[a.value].born < l.loop {
		a.read = int32(len(l.values))
	}
	l.operands = append(l.operands, a.value)
}

// set assigns an operand, which stays one if tee is set.
func (l *liveness) set(local uint32, tee bool) {
	v := l.pop()
	if tee {
		l.operands = append(l.operands, v)
	}
	a := &l.locals[local]
	if a.pending == 0 {
		a.since = l.values[v].moment
	}
	a.value = v
	a.pending++
	l.assign(int32(local))
}

func (l *liveness) assign(local int32) {
	if a := &l.locals[local]; a.block != l.block {
		a.block = l.block
		l.assigned = append(l.assigned, local)
	}
}

// call takes notice of a call of a function of a type.
func (l *liveness) call(of funcType) {
	l.use(of.params)
	l.calls++
	for _, t := range of.results {
		l.push(sizeOf(t))
	}
	l.outgoing = max(l.outgoing, vectorSize*(of.params+len(of.results)))
}

// enter begins a block with parameters.
func (l *liveness) enter(op byte, params []byte) scope {
	l.use(len(params))
	s := scope{
		height: len(l.operands), floor: l.floor, assigned: len(l.assigned), outer: len(l.outer),
		block: l.block, loop: l.loop, moment: moment{int32(len(l.values)), l.calls},
	}
	l.floor = s.height
	l.blocks++
	l.block = l.blocks
	if op == opLoop {
		l.loop = int32(len(l.values))
	}
	l.results(params)
	return s
}

func (l *liveness) results(types []byte) {
	for _, t := range types {
		l.push(sizeOf(t))
	}
}

// otherwise begins the second part of an if.
func (l *liveness) otherwise(s *scope, results int, params []byte) {
	l.use(results)
	l.operands = l.operands[:min(len(l.operands), s.height)]
	l.meet(s)
	l.results(params)
}

// leave ends a block with results.
func (l *liveness) leave(op byte, s *scope, results []byte) {
	l.use(len(results))
	l.operands = l.operands[:min(len(l.operands), s.height)]
	if op == opLoop {
		l.again(s)
	}
	l.meet(s)
	l.floor, l.block = s.floor, s.block
	mine := l.assigned[s.assigned:]
	l.assigned = l.assigned[:s.assigned]
	for _, local := range mine {
		l.assign(local)
	}
	l.results(results)
}

// meet makes of each local that the block has assigned what all ways to here have assigned.
func (l *liveness) meet(s *scope) {
	for _, local := range l.assigned[s.assigned:] {
		a := &l.locals[local]
		a.value = l.make(a.size, local)
	}
	l.work += len(l.assigned) - s.assigned
}

// again counts what lives from one round of a loop to the next.
func (l *liveness) again(s *scope) {
	mine := slices.Clone(l.outer[s.outer:])
	l.outer, l.loop = l.outer[:s.outer], s.loop
	far := l.far(s.moment)
	for _, local := range l.assigned[s.assigned:] {
		if a := &l.locals[local]; far && a.read > s.born {
			l.join(local)
		}
	}
	for _, v := range mine {
		if far {
			l.count(v)
		}
		if l.values[v].born < l.loop && l.values[v].loop != l.loop {
			l.values[v].loop = l.loop
			l.outer = append(l.outer, v)
		}
	}
	l.work += len(mine) + len(l.assigned) - s.assigned
}

// branch takes notice of the operands that a branch takes along.
func (l *liveness) branch(values int) {
	for _, v := range l.operands[max(l.floor, len(l.operands)-values):] {
		l.used(v)
	}
}

// unreached says that what follows is not reached.
func (l *liveness) unreached() { l.operands = l.operands[:min(len(l.operands), l.floor)] }

// size is how much of the stack a call of the function takes: its return address and what it saves
// of its caller's registers, of which it needs no more than it has values, and rarely more than
// half; what it passes to functions; its values.
func (l *liveness) size() int32 {
	const (
		least = 64
		saved = 14 * vectorSize / 2
		most  = 1 << 28
	)
	registers := int64(min(saved, scalarSize*len(l.values)))
	return int32(min(least+registers+int64(l.outgoing)+l.frame, most))
}
