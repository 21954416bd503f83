package interrupt

func (w *rewriter) globalSection(r *reader) {
	n := r.count(4)
	if w.numGlobals += uint32(n); w.numGlobals > maxGlobals {
		r.malformed("%d globals are more than %d", w.numGlobals, maxGlobals)
	}
	initialValues := []int32{int32(w.o.Interval - 1)}
	if w.o.Stack > 0 {
		initialValues = append(initialValues, 0, int32(w.o.Stack))
	}
	w.writeU32(uint32(n + len(initialValues)))
	for range n {
		start := r.pos
		w.globalSizes = append(w.globalSizes, readGlobalType(r))
		w.copySince(r, start)
		w.copyConstExpr(r)
		if r.err != nil {
			return
		}
	}
	for _, v := range initialValues {
		w.out = append(w.out, typeI32, 1, opI32Const)
		w.out = append(appendS32(w.out, v), opEnd)
	}
}

// copyConstExpr copies a constant expression, and renumbers its functions.
// Source: WebAssembly Core Specification 2.0, section 3.3.10, and the extended constant expressions
// proposal.
func (w *rewriter) copyConstExpr(r *reader) {
	for r.err == nil {
		start := r.pos
		op := r.byte()
		switch op {
		case opEnd:
			w.out = append(w.out, op)
			return
		case opRefFunc:
			w.out = append(w.out, op)
			w.copyFuncIndex(r)
			w.instanceSize += itemSize
			continue
		case opGlobalGet:
			r.index("global", w.numGlobals)
		case opI32Const:
			r.signedLEB(32)
		case opI64Const:
			r.signedLEB(64)
		case 0x43:
			r.bytes(4)
		case 0x44:
			r.bytes(8)
		case 0x6a, 0x6b, 0x6c, 0x7c, 0x7d, 0x7e: // i32 and i64 add, sub, mul
		case opRefNull:
			readHeapType(r)
		case opVector:
			if r.u32() != 12 {
				r.fail(ErrUnsupported, "vector instruction in a constant expression")
			}
			r.bytes(16)
		default:
			r.fail(ErrUnsupported, "opcode %#x in a constant expression", op)
		}
		w.copySince(r, start)
	}
}

func readHeapType(r *reader) {
	if t := r.byte(); t != 0x70 && t != 0x6f {
		r.fail(ErrUnsupported, "heap type %#x", t)
	}
}

// elementSection copies the element segments, which have eight forms. Bit 0 is set for passive and
// declarative segments, bit 1 for an explicit table index or a declarative segment, bit 2 for
// expressions in place of function indices.
// Source: WebAssembly Core Specification 2.0, section 5.5.12.
func (w *rewriter) elementSection(r *reader) {
	n := r.count(2)
	w.writeU32(uint32(n))
	for range n {
		start := r.pos
		form := r.u32()
		if form > 7 {
			r.fail(ErrUnsupported, "element segment of form %d", form)
		}
		if form&1 == 0 {
			if form&2 != 0 {
				r.index("table", w.numTables)
			}
			w.copySince(r, start)
			w.copyConstExpr(r)
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
		w.instanceSize += segmentSize + itemSize*uint64(items)
		w.copySince(r, start)
		for range items {
			if expressions {
				w.copyConstExpr(r)
			} else {
				w.copyFuncIndex(r)
			}
			if r.err != nil {
				return
			}
		}
	}
}

func (w *rewriter) dataSection(r *reader) {
	n := r.count(2)
	w.writeU32(uint32(n))
	for range n {
		start := r.pos
		form := r.u32()
		if form > 2 {
			r.malformed("data segment of form %d", form)
		}
		if form == 2 {
			r.index("memory", w.numMemories)
		}
		if form != 1 {
			w.copySince(r, start)
			w.copyConstExpr(r)
			start = r.pos
		}
		r.bytes(r.u32())
		w.copySince(r, start)
		if r.err != nil {
			return
		}
	}
	w.instanceSize += segmentSize * uint64(n)
}
