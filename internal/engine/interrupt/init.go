package interrupt

func (w *rewriter) globalSection(r *reader) {
	n := r.count(4)
	if w.globals += uint32(n); w.globals > maxGlobals {
		r.malformed("%d globals are more than %d", w.globals, maxGlobals)
	}
	ours := []int32{int32(w.o.Interval)}
	if w.o.Stack > 0 {
		ours = append(ours, 0, int32(w.o.Stack))
	}
	w.u32(uint32(n + len(ours)))
	for range n {
		start := r.pos
		w.globalSizes = append(w.globalSizes, globalType(r))
		w.since(r, start)
		w.constExpr(r)
		if r.err != nil {
			return
		}
	}
	for _, v := range ours {
		w.out = append(w.out, typeI32, 1, opI32Const)
		w.out = append(appendS32(w.out, v), opEnd)
	}
}

func (w *rewriter) constExpr(r *reader) {
	for r.err == nil {
		start := r.pos
		op := r.byte()
		switch op {
		case opEnd:
			w.out = append(w.out, op)
			return
		case opRefFunc:
			w.out = append(w.out, op)
			w.funcRef(r)
			w.instance += itemSize
			continue
		case opGlobalGet:
			r.index("global", w.globals)
		case opI32Const:
			r.signed(32)
		case opI64Const:
			r.signed(64)
		case 0x43:
			r.bytes(4)
		case 0x44:
			r.bytes(8)
		case 0x6a, 0x6b, 0x6c, 0x7c, 0x7d, 0x7e: // i32 and i64 add, sub, mul
		case opRefNull:
			heapTypeImmediate(r)
		case opVector:
			if r.u32() != 12 {
				r.fail(ErrUnsupported, "vector instruction in a constant expression")
			}
			r.bytes(16)
		default:
			r.fail(ErrUnsupported, "opcode %#x in a constant expression", op)
		}
		w.since(r, start)
	}
}

func heapTypeImmediate(r *reader) {
	if t := r.byte(); t != 0x70 && t != 0x6f {
		r.fail(ErrUnsupported, "heap type %#x", t)
	}
}

// elementSection knows the eight forms of a segment. Bit 0 says passive or declarative, bit 1 an
// explicit table (or declarative), bit 2 expressions in place of indices.
func (w *rewriter) elementSection(r *reader) {
	n := r.count(2)
	w.u32(uint32(n))
	for range n {
		start := r.pos
		form := r.u32()
		if form > 7 {
			r.fail(ErrUnsupported, "element segment of form %d", form)
		}
		if form&1 == 0 {
			if form&2 != 0 {
				r.index("table", w.tables)
			}
			w.since(r, start)
			w.constExpr(r)
			start = r.pos
		}
		expressions := form&4 != 0
		if form&3 != 0 {
			if kind := r.byte(); expressions {
				checkValueType(r, kind)
			} else if kind != 0 {
				r.malformed("element kind %d", kind)
			}
		}
		items := r.count(1)
		w.instance += segmentSize + itemSize*uint64(items)
		w.since(r, start)
		for range items {
			if expressions {
				w.constExpr(r)
			} else {
				w.funcRef(r)
			}
			if r.err != nil {
				return
			}
		}
	}
}

func (w *rewriter) dataSection(r *reader) {
	n := r.count(2)
	w.u32(uint32(n))
	for range n {
		start := r.pos
		form := r.u32()
		if form > 2 {
			r.malformed("data segment of form %d", form)
		}
		if form == 2 {
			r.index("memory", w.memories)
		}
		if form != 1 {
			w.since(r, start)
			w.constExpr(r)
			start = r.pos
		}
		r.bytes(r.u32())
		w.since(r, start)
		if r.err != nil {
			return
		}
	}
	w.instance += segmentSize * uint64(n)
}
