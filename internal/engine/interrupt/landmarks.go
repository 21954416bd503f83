package interrupt

// Segment is where an active data segment is: the bytes that a memory gets at its start.
type Segment struct{ Start, End uint64 }

// Landmarks tells where an instance touches its memory first. It returns the initial value of the
// first global that is a mutable i32, which LLVM's linker makes the stack pointer (0 if there
// is none), and the data segments at constant offsets. It reads an invalid module as far as it can.
func Landmarks(module []byte) (stackTop uint64, data []Segment) {
	r := &reader{b: module}
	r.bytes(uint32(len(header)))
	for r.more() {
		id := r.byte()
		section := &reader{b: r.bytes(r.u32())}
		switch id {
		case secGlobal:
			stackTop = firstMutable(section)
		case secData:
			data = constantSegments(section)
		}
	}
	return stackTop, data
}

func firstMutable(r *reader) uint64 {
	for range r.count(4) {
		kind, mutable := r.byte(), r.byte() == 1
		value, constant := readI32Const(r)
		if r.err != nil || !constant {
			return 0 // The length of another expression is not known.
		}
		if kind == typeI32 && mutable {
			return uint64(value)
		}
	}
	return 0
}

// constantSegments reads the data section up to a segment of another form.
// Source: WebAssembly Core Specification 2.0, section 5.5.14.
func constantSegments(r *reader) (list []Segment) {
	for range r.count(2) {
		const passive, explicitMemory = 1, 2
		form := r.u32()
		if form == explicitMemory {
			r.u32()
		}
		var start uint32
		constant := form == passive
		if form != passive {
			start, constant = readI32Const(r)
		}
		size := uint64(len(r.bytes(r.u32())))
		if r.err != nil || !constant || form > explicitMemory {
			return list
		}
		if form != passive {
			list = append(list, Segment{uint64(start), uint64(start) + size})
		}
	}
	return list
}

// readI32Const reads an expression. It reports false, and reads part of it, unless it is a constant
// of type i32.
func readI32Const(r *reader) (value uint32, constant bool) {
	if r.byte() != opI32Const {
		return 0, false
	}
	value = uint32(r.signedLEB(32))
	return value, r.byte() == opEnd && r.err == nil
}
