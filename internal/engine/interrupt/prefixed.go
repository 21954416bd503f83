package interrupt

func memArgImmediate(r *reader) (offset uint32) {
	if align := r.u32(); align >= 32 {
		r.fail(ErrUnsupported, "alignment %#x", align)
	}
	return r.u32()
}

// prefixed reads an instruction whose opcode has two parts.
// Source: WebAssembly Core Specification 2.0, sections 5.4.4 to 5.4.8, and the threads proposal.
func (f *function) prefixed(op byte, pos int) {
	r := f.r
	sub := r.u32()
	f.complexity.accesses++
	if r.err == nil && sub < uint32(len(miscEffects)) {
		f.live.apply(prefixedEffects(op)[sub])
	}
	switch op {
	case opMisc:
		f.misc(sub, pos)
	case opVector:
		switch {
		case sub <= 11, sub == 92, sub == 93: // loads and stores
			memArgImmediate(r)
		case sub == 12, sub == 13: // constant, shuffle
			r.bytes(16)
		case sub >= 21 && sub <= 34: // lanes
			r.byte()
		case sub >= 84 && sub <= 91: // loads and stores of a lane
			memArgImmediate(r)
			r.byte()
		case sub > 255:
			r.fail(ErrUnsupported, "opcode 0xfd %d", sub)
		}
	case opAtomic:
		switch {
		case sub <= 2:
			f.wait(pos, sub, memArgImmediate(r))
		case sub == 3: // atomic.fence
			r.byte()
		case sub >= 0x10 && sub <= 0x4e:
			memArgImmediate(r)
		default:
			r.fail(ErrUnsupported, "opcode 0xfe %d", sub)
		}
	}
}

func (f *function) misc(sub uint32, pos int) {
	w, r := f.w, f.r
	switch sub {
	case 0, 1, 2, 3, 4, 5, 6, 7: // saturating truncation
	case 8: // memory.init
		r.u32()
		r.index("memory", w.memories)
		f.bulk(pos, 4)
	case 9, 13: // data.drop, elem.drop
		r.u32()
	case 10: // memory.copy
		r.index("memory", w.memories)
		r.index("memory", w.memories)
		f.bulkMemory(pos, helperCopy)
	case 11: // memory.fill
		r.index("memory", w.memories)
		f.bulkMemory(pos, helperFill)
	case 12: // table.init
		r.u32()
		r.index("table", w.tables)
		f.bulk(pos, 1)
	case 14: // table.copy
		r.index("table", w.tables)
		r.index("table", w.tables)
		f.bulk(pos, 1)
	case 15: // table.grow
		f.growTable(pos, r.index("table", w.tables))
	case 17: // table.fill
		r.index("table", w.tables)
		f.bulk(pos, 1)
	case 16: // table.size
		r.index("table", w.tables)
	default:
		r.fail(ErrUnsupported, "opcode 0xfc %d", sub)
	}
}

// bulk lets an operation count for its length, which is on top of the stack, shifted right.
func (f *function) bulk(pos int, shift int32) {
	b := &f.body
	f.change(pos)
	b.index(opLocalSet, b.left())
	b.spend(func() { b.length(shift) })
	b.index(opLocalGet, b.left())
	b.op(f.r.b[pos:f.r.pos]...)
}

// growTable counts for the entries that a table grows by, and asks for them, unless the table
// cannot grow by as many anyway. If they are not granted, it asks the table for more entries than
// any can have, which fails.
func (f *function) growTable(pos int, table uint32) {
	b := &f.body
	f.change(pos)
	b.index(opLocalSet, b.left())
	b.spend(func() { b.length(1) })
	if f.w.o.Charge && f.r.err == nil {
		b.index(opLocalGet, b.left())
		b.i32(int32(f.w.entries[table]))
		b.op(opMisc, 16)
		b.b = appendU32(b.b, table)
		b.op(opI32Sub, opI32GtU, opIf, blockVoid)
		b.i32(-1)
		b.index(opLocalSet, b.left())
		b.op(opEnd)
		b.index(opLocalGet, b.left())
		b.i32(-1)
		b.ask(ChargeEntries, func() { b.index(opLocalGet, b.left()) })
		b.op(opSelect)
	} else {
		b.index(opLocalGet, b.left())
	}
	b.op(f.r.b[pos:f.r.pos]...)
}

// bulkMemory does the same with memory.copy and memory.fill. When the interval is used up, as it is
// by a long one in any case, a function of ours takes over, which does it in pieces.
func (f *function) bulkMemory(pos int, helper int) {
	const shift = 4
	b := &f.body
	f.change(pos)
	b.index(opLocalSet, b.left())
	b.length(shift)
	b.index(opGlobalGet, f.w.counter())
	b.op(opI32GeU, opIf)
	b.b = appendS32(b.b, int32(f.w.ownType(typePair)))
	b.index(opLocalGet, b.left())
	b.index(opCall, f.w.helper(helper))
	b.op(opElse)
	b.take(func() { b.length(shift) })
	b.index(opLocalGet, b.left())
	b.op(f.r.b[pos:f.r.pos]...)
	b.op(opEnd)
}

// wait makes a call of an atomic wait or notify, so that whoever waits can be woken. On memory that
// is not shared they trap, or find nobody, at once.
func (f *function) wait(pos int, sub, offset uint32) {
	if f.w.waits == 0 {
		return
	}
	f.change(pos)
	f.body.i32(int32(offset))
	f.body.index(opCall, f.w.waits+sub)
}
