package interrupt

func readMemArg(r *reader) (offset uint32) {
	if align := r.u32(); align >= 32 {
		r.fail(ErrUnsupported, "alignment %#x", align)
	}
	return r.u32()
}

// rewritePrefixed rewrites an instruction with an opcode of two parts.
// Source: WebAssembly Core Specification 2.0, sections 5.4.4 to 5.4.8, and the threads proposal.
func (f *function) rewritePrefixed(op byte, pos int) {
	r := f.r
	sub := r.u32()
	f.complexity.accesses++
	if r.err == nil && sub < uint32(len(miscEffects)) {
		f.liveness.apply(prefixedEffects(op)[sub])
	}
	switch op {
	case opMisc:
		f.rewriteMisc(sub, pos)
	case opVector:
		switch {
		case sub <= 11, sub == 92, sub == 93: // loads and stores
			readMemArg(r)
		case sub == 12, sub == 13: // constant, shuffle
			r.bytes(16)
		case sub >= 21 && sub <= 34: // lanes
			r.byte()
		case sub >= 84 && sub <= 91: // loads and stores of a lane
			readMemArg(r)
			r.byte()
		case sub > 255:
			r.fail(ErrUnsupported, "opcode 0xfd %d", sub)
		}
	case opAtomic:
		switch {
		case sub <= 2:
			f.replaceAtomicWait(pos, sub, readMemArg(r))
		case sub == 3: // atomic.fence
			r.byte()
		case sub >= 0x10 && sub <= 0x4e:
			readMemArg(r)
		default:
			r.fail(ErrUnsupported, "opcode 0xfe %d", sub)
		}
	}
}

func (f *function) rewriteMisc(sub uint32, pos int) {
	w, r := f.w, f.r
	switch sub {
	case 0, 1, 2, 3, 4, 5, 6, 7: // saturating truncation
	case 8: // memory.init
		r.u32()
		r.index("memory", w.numMemories)
		f.countBulkLength(pos, 4)
	case 9, 13: // data.drop, elem.drop
		r.u32()
	case 10: // memory.copy
		r.index("memory", w.numMemories)
		r.index("memory", w.numMemories)
		f.rewriteMemoryBulk(pos, helperCopy)
	case 11: // memory.fill
		r.index("memory", w.numMemories)
		f.rewriteMemoryBulk(pos, helperFill)
	case 12: // table.init
		r.u32()
		r.index("table", w.numTables)
		f.countBulkLength(pos, 1)
	case 14: // table.copy
		r.index("table", w.numTables)
		r.index("table", w.numTables)
		f.countBulkLength(pos, 1)
	case 15: // table.grow
		f.rewriteTableGrow(pos, r.index("table", w.numTables))
	case 17: // table.fill
		r.index("table", w.numTables)
		f.countBulkLength(pos, 1)
	case 16: // table.size
		r.index("table", w.numTables)
	default:
		r.fail(ErrUnsupported, "opcode 0xfc %d", sub)
	}
}

// countBulkLength has a bulk operation count for its length, the top operand, shifted right.
func (f *function) countBulkLength(pos int, shift int32) {
	b := &f.body
	f.beginReplacement(pos)
	b.index(opLocalSet, b.added(localLength))
	f.countOrTick(func() { b.bulkCost(shift) })
	b.localGets(b.added(localLength))
	b.op(f.r.b[pos:f.r.pos]...)
}

// rewriteTableGrow has table.grow count for its number of entries, and charges them.
//
//  1. A number beyond the table's maximum is replaced by -1, which as an unsigned number is more
//     than any table can have. table.grow then fails.
//  2. The same number is used if Charge refuses.
func (f *function) rewriteTableGrow(pos int, table uint32) {
	b := &f.body
	f.beginReplacement(pos)
	b.index(opLocalSet, b.added(localLength))
	f.countOrTick(func() { b.bulkCost(1) })
	if f.w.o.Charge && f.r.err == nil {
		b.localGets(b.added(localLength))
		b.i32(int32(f.w.maxTableEntries[table]))
		b.op(opMisc, 16)
		b.b = appendU32(b.b, table)
		b.op(opI32Sub, opI32GtU, opIf, blockVoid)
		b.i32(-1)
		b.index(opLocalSet, b.added(localLength))
		b.op(opEnd)
		b.localGets(b.added(localLength))
		b.i32(-1)
		b.requestCharge(ChargeEntries, func() { b.localGets(b.added(localLength)) })
		b.op(opSelect)
	} else {
		b.localGets(b.added(localLength))
	}
	b.op(f.r.b[pos:f.r.pos]...)
}

// rewriteMemoryBulk has memory.copy and memory.fill count for their length. If that uses up the
// interval, as a long one does in any case, a helper runs the operation in chunks.
func (f *function) rewriteMemoryBulk(pos int, helper int) {
	const shift = 4
	b := &f.body
	f.beginReplacement(pos)
	b.index(opLocalSet, b.added(localLength))
	f.ifTooFew(func() { b.bulkCost(shift) })
	b.b = appendS32(b.b, int32(f.w.addedTypeIndex(typePair)))
	b.localGets(b.added(localLength))
	b.index(opCall, f.w.helperIndex(helper))
	f.loadCounter(b)
	b.op(opElse)
	f.subtract(b, func() { b.bulkCost(shift) })
	b.localGets(b.added(localLength))
	b.op(f.r.b[pos:f.r.pos]...)
	b.op(opEnd)
}

// replaceAtomicWait replaces an atomic wait or notify by a call of the host, which can end a wait.
// Without a shared memory nothing blocks: a wait traps, and a notify wakes no thread.
func (f *function) replaceAtomicWait(pos int, sub, offset uint32) {
	if f.w.firstAtomicImport == 0 {
		return
	}
	f.beginReplacement(pos)
	f.body.i32(int32(offset))
	f.body.index(opCall, f.w.firstAtomicImport+sub)
}
