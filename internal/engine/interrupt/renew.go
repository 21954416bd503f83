package interrupt

// A loop's cold path, which ticks, gives the values that the loop carries new names:
//
//	x = x | 0
//
// wazero otherwise has one value live across the call of the tick and in the loop, gives it a slot
// in the frame, and stores it there in every iteration. With the copy, the value ends before the
// call. The copy has the slot, and only the cold path stores it. wazero 1.12 does not fold x|0;
// TestRenewalsAreCompiled would show if it did.

const (
	// maxAccesses bounds the locals that the walk remembers for a loop. Loops with more have no
	// registers to win.
	maxAccesses = 24

	// maxRenewed is the number of values up to which renewing pays. The copies of more are slower
	// than the stores.
	maxRenewed = 4
)

// access is how a loop uses a local.
type access struct {
	local uint32

	// readFirst is set if the loop reads the local before it writes it, and written if it writes
	// it. Both together mean that the local carries a value to the next iteration.
	readFirst, written bool
}

// noteAccess adds a local to those of the innermost loop.
func (f *function) noteAccess(local uint32, readFirst, written bool) {
	if !f.countsInLocal || f.complexity.loopDepth == 0 {
		return
	}
	inLoop := f.accesses[f.accessStart:]
	for i := range inLoop {
		if inLoop[i].local == local {
			inLoop[i].written = inLoop[i].written || written
			return
		}
	}
	if len(inLoop) < maxAccesses {
		f.accesses = append(f.accesses, access{local, readFirst, written})
	}
}

// leaveLoop ends the innermost loop. It returns the locals to renew on the loop's cold path, and
// notes the loop's accesses for the loop around it.
func (f *function) leaveLoop(b *controlFrame) (carried []uint32) {
	inLoop := f.accesses[f.accessStart:]
	carried = f.renewed[:0]
	for _, a := range inLoop {
		if a.readFirst && a.written {
			carried = append(carried, a.local)
		}
	}
	f.renewed = carried
	if f.calls != b.callsBefore || len(inLoop) == maxAccesses || len(carried) > maxRenewed {
		carried = nil
	}
	f.accesses, f.accessStart = f.accesses[:f.accessStart], b.accessStart
	for _, a := range inLoop {
		f.noteAccess(a.local, a.readFirst, a.written)
	}
	return carried
}

// renewParams renews the parameters.
func (f *function) renewParams() {
	if n := uint32(f.typ.numParams); n <= maxRenewed {
		for i := range n {
			f.renew(i)
		}
	}
}

// renew gives a local's value a new name. Vectors and references keep theirs.
func (f *function) renew(local uint32) {
	b := &f.body
	code := renewal(f.liveness.locals[local].valueType)
	if code == nil {
		return
	}
	b.localGets(local)
	b.op(code...)
	b.index(opLocalSet, local)
	f.liveness.spilledBytes += 2 * scalarSize // The old name's slot, and the new one's.
}

// renewal returns instructions that keep a value of a type as it is. It returns nil if there are
// none.
func renewal(valueType byte) []byte {
	switch valueType {
	case typeI32:
		return []byte{opI32Const, 0, opI32Or}
	case typeI64:
		return []byte{opI64Const, 0, opI64Or}
	case typeF32:
		return []byte{opI32ReinterpretF32, opF32ReinterpretI32}
	case typeF64:
		return []byte{opI64ReinterpretF64, opF64ReinterpretI64}
	}
	return nil
}
