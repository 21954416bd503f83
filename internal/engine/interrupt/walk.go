package interrupt

// A function is the walk over one function's instructions, most of which stay as they are and are
// copied in runs.
type function struct {
	w             *rewriter
	r             *reader
	typ           funcType
	localGroups   int // of locals
	localsStart   int // where they begin
	codeStart     int // where the instructions begin
	head          code
	body          code
	copied        int // up to where the input has been copied
	frames        []frame
	outputDepth   int // of blocks in the output
	uncheckedPath int // length of the longest unchecked path to here, in bytes, or unreached
	labels        []byte

	complexity complexity
	liveness   liveness

	unchanged      bool // there is nothing to count or to change
	calls          uint32
	branched       bool // there has been a control instruction other than block
	startsWithLoop bool // the first of them was a loop, so that its check is the function's
}

// A frame is a block of the input that the walk is in.
type frame struct {
	op           byte
	outputTarget int // depth of the output's block that a branch to this one goes to
	branchValues int // that such a branch takes along
	branchPath   int // longest unchecked path that branches to the block's end
	pathBefore   int // path at the start of an if, which goes on at its else or end

	params, results []byte
	liveScope       scope
}

const unreached = -1

// walk reads the i-th defined function, and writes its instructions with their checks to f.body.
func (f *function) walk(w *rewriter, r *reader, i int) {
	typ := w.types[w.funcTypes[w.numImportedFuncs+i]]
	locals := uint32(typ.numParams)
	w.chargeValueBudget(r, typ.numParams)
	groups := r.count(2)
	start := r.pos
	live := f.liveness
	live.reset(typ)
	for range groups {
		n := r.u32()
		t := r.byte()
		checkValueType(r, t)
		if n > maxLocals || locals+n > maxLocals {
			r.malformed("too many locals")
		}
		w.chargeValueBudget(r, int(n))
		if r.err != nil {
			return
		}
		locals += n
		live.declareLocals(t, int(n))
	}
	*f = function{
		w: w, r: r, typ: typ, localGroups: groups, localsStart: start, codeStart: r.pos, copied: r.pos, unchanged: true,
		head:   code{f.head.b[:0], w, locals},
		body:   code{f.body.b[:0], w, locals},
		frames: f.frames[:0],
		labels: f.labels,

		complexity: f.complexity,
		liveness:   live,
	}
	f.complexity.reset(int(locals))
	f.push(opBlock, nil, typ.results)
	for r.err == nil && len(f.frames) > 0 {
		f.rewriteInstruction()
	}
	if r.err == nil && r.pos != len(r.b) {
		r.malformed("code after the end")
	}
}

// push enters a block. A loop takes two in the output; a branch to it goes to the outer one.
func (f *function) push(op byte, params, results []byte) {
	values := len(results)
	if op == opLoop {
		values = len(params)
	}
	f.frames = append(f.frames,
		frame{op, f.outputDepth + 1, values, unreached, f.uncheckedPath, params, results,
			f.liveness.enterBlock(op, params)})
	f.outputDepth++
	if f.complexity.blocks++; f.compileCost() > f.w.compileBudget {
		f.failCompileBudget(f.r)
	}
	switch op {
	case opLoop:
		f.outputDepth++
		f.complexity.blocks += 3
		f.complexity.loopDepth++
		f.complexity.maxLoopDepth = max(f.complexity.maxLoopDepth, f.complexity.loopDepth)
	case opIf:
		f.complexity.blocks += 2
	}
}

// chargeValues takes notice of an instruction that makes, or takes along, so many values.
func (f *function) chargeValues(n int) {
	if n > 1 {
		f.w.chargeValueBudget(f.r, valueCost*n)
	}
}

// beginReplacement copies the input up to an instruction that is to be replaced, and goes on after it.
func (f *function) beginReplacement(pos int) {
	f.unchanged = false
	f.body.op(f.r.b[f.copied:pos]...)
	f.copied = f.r.pos
}

// extendPath adds to the unchecked path.
func (f *function) extendPath(n int) {
	if f.uncheckedPath >= 0 {
		f.uncheckedPath += n
	}
}

// notePathOfCall takes notice of a call of a function of the module, which either adds to the unchecked
// path or begins with a check.
func (f *function) notePathOfCall(unchecked bool) {
	if unchecked {
		f.extendPath(maxUncheckedBody)
	} else {
		f.uncheckedPath = min(f.uncheckedPath, 0)
	}
}

func (f *function) rewriteInstruction() {
	w, r := f.w, f.r
	pos := r.pos
	op := r.byte()
	f.liveness.apply(plainEffects[op])
	switch immediateKinds[op] {
	case immUnknown:
		r.pos = pos
		r.fail(ErrUnsupported, "opcode %#x", op)
	case immNone:
		if op == opSelect {
			f.liveness.applySelect()
		}
	case immControl:
		f.rewriteControl(op, pos)
	case immBlockType:
		f.rewriteBlock(op)
	case immLabel:
		f.branched = true
		if op == opBrIf {
			f.liveness.popUsed(1)
		}
		l := r.index("label", uint32(len(f.frames)))
		if to := f.noteBranch(l); to != l {
			f.beginReplacement(pos)
			f.body.index(op, to)
		}
		f.complexity.blocks += 2
		if op == opBr {
			f.uncheckedPath = unreached
			f.liveness.markUnreachable()
		}
	case immLabels:
		f.rewriteBranchTable(pos)
	case immFunc:
		if i := r.index("function", uint32(len(w.funcTypes))); r.err == nil {
			f.rewriteCall(op, pos, i, w.funcTypes[i])
		}
	case immCallIndirect:
		typ := r.index("type", uint32(len(w.types)))
		r.index("table", w.numTables)
		f.rewriteCall(op, pos, 0, typ)
	case immRefFunc:
		i := r.index("function", uint32(len(w.funcTypes)))
		f.beginReplacement(pos)
		if w.o.Charge {
			f.body.requestCharge(ChargeReferences, func() { f.body.i32(1) })
			f.body.op(opDrop)
		}
		f.body.index(op, w.outputFuncIndex(i))
	case immLocal:
		i := r.index("local", f.head.locals)
		switch {
		case r.err != nil:
		case op == opLocalGet:
			f.complexity.noteRead(i)
			f.liveness.localGet(i)
		default:
			f.complexity.noteWrite(i)
			f.liveness.localSet(i, op == opLocalTee)
		}
	case immGlobal:
		i := r.index("global", w.numGlobals)
		switch {
		case r.err != nil:
		case op == opGlobalGet:
			f.liveness.push(w.globalSizes[i])
		default:
			f.liveness.popUsed(1)
		}
	case immTable:
		r.index("table", w.numTables)
	case immMemory:
		r.index("memory", w.numMemories)
		if op == opMemoryGrow && w.chargesPages() {
			f.beginReplacement(pos)
			f.body.index(opCall, w.helperIndex(helperGrow))
		}
	case immMemArg:
		f.complexity.accesses++
		readMemArg(r)
	case immS32:
		r.signedLEB(32)
	case immS64:
		r.signedLEB(64)
	case immBytes4:
		r.bytes(4)
	case immBytes8:
		r.bytes(8)
	case immTypes:
		for range r.count(1) {
			checkValueType(r, r.byte())
		}
		f.liveness.applySelect()
	case immHeapType:
		readHeapType(r)
	case immPrefix:
		f.rewritePrefixed(op, pos)
	}
	if r.err != nil {
		return
	}
	f.extendPath(r.pos - pos)
	if f.uncheckedPath > maxUncheckedPath && len(f.frames) > 0 {
		f.complexity.blocks += 3
		f.beginReplacement(r.pos)
		f.body.countOrTick(func() { f.body.i32(uncheckedPathCost) })
		f.uncheckedPath = 0
	}
}

func (f *function) rewriteControl(op byte, pos int) {
	f.branched = true
	f.complexity.blocks++
	switch op {
	case opUnreachable:
		f.uncheckedPath = unreached
		f.liveness.markUnreachable()
	case opReturn:
		// A branch to the end of the function's block does not leave out what wrap puts there.
		unchanged := f.unchanged
		f.chargeValues(len(f.typ.results))
		f.beginReplacement(pos)
		f.body.index(opBr, uint32(f.outputDepth-1))
		f.unchanged, f.uncheckedPath = unchanged, unreached
		f.liveness.noteBranchOperands(len(f.typ.results))
		f.liveness.markUnreachable()
	case opElse:
		b := &f.frames[len(f.frames)-1]
		if b.op != opIf {
			f.r.malformed("else without if")
		}
		b.op = opElse
		b.branchPath = max(b.branchPath, f.uncheckedPath)
		f.uncheckedPath = b.pathBefore
		f.liveness.enterElse(&b.liveScope, len(b.results), b.params)
	case opEnd:
		b := f.frames[len(f.frames)-1]
		f.liveness.leaveBlock(b.op, &b.liveScope, b.results)
		f.frames = f.frames[:len(f.frames)-1]
		f.uncheckedPath = max(f.uncheckedPath, b.branchPath)
		if b.op == opIf {
			f.uncheckedPath = max(f.uncheckedPath, b.pathBefore)
		}
		f.outputDepth--
		switch {
		case len(f.frames) == 0:
			f.body.op(f.r.b[f.copied:pos]...)
		case b.op == opLoop:
			f.outputDepth--
			f.complexity.loopDepth--
			f.beginReplacement(pos)
			f.body.endCountedLoop()
		}
	}
}

func (f *function) rewriteBlock(op byte) {
	r := f.r
	start := r.pos
	var params, results []byte
	switch t := r.signedLEB(33); {
	case t >= int64(len(f.w.types)):
		r.malformed("unknown type %d", t)
	case t < 0 && t != blockVoid-0x80:
		checkValueType(r, byte(t)&0x7f)
		results = []byte{byte(t) & 0x7f}
	case t >= 0 && r.err == nil:
		params, results = f.w.types[t].paramTypes, f.w.types[t].results
	}
	f.chargeValues(len(params))
	f.chargeValues(len(results))
	if op == opIf {
		f.liveness.popUsed(1)
	}
	f.push(op, params, results)
	if op == opLoop {
		f.startsWithLoop = f.startsWithLoop || !f.branched
		f.beginReplacement(r.pos)
		f.body.beginCountedLoop()
		f.body.op(r.b[start:r.pos]...)
		f.uncheckedPath = min(f.uncheckedPath, 0)
	}
	f.branched = f.branched || op != opBlock
}

// noteBranch notes a branch to a label of the input, and gives the output's.
func (f *function) noteBranch(l uint32) uint32 {
	if f.r.err != nil {
		return l
	}
	b := &f.frames[len(f.frames)-1-int(l)]
	f.chargeValues(b.branchValues)
	f.liveness.noteBranchOperands(b.branchValues)
	if b.op != opLoop {
		b.branchPath = max(b.branchPath, f.uncheckedPath)
	}
	return uint32(f.outputDepth - b.outputTarget)
}

func (f *function) rewriteBranchTable(pos int) {
	r := f.r
	n := r.count(1)
	f.branched = true
	f.liveness.popUsed(1)
	f.labels = appendU32(f.labels[:0], uint32(n))
	changed := false
	f.complexity.blocks += 2 + n/4
	for range n + 1 {
		l := r.index("label", uint32(len(f.frames)))
		to := f.noteBranch(l)
		f.labels = appendU32(f.labels, to)
		changed = changed || to != l
	}
	if changed {
		f.beginReplacement(pos)
		f.body.op(opBrTable)
		f.body.op(f.labels...)
	}
	f.uncheckedPath = unreached
	f.liveness.markUnreachable()
}

// rewriteCall renumbers the function that is called, of the given type. A call that takes the function's
// place leaves it first.
func (f *function) rewriteCall(op byte, pos int, callee, typ uint32) {
	if f.r.err != nil {
		return
	}
	f.chargeValues(len(f.w.types[typ].results))
	if op == opCallIndirect || op == opReturnCallIndirect {
		f.liveness.popUsed(1)
	}
	f.liveness.applyCall(f.w.types[typ])
	f.beginReplacement(pos)
	f.branched = true
	f.calls++
	if (op == opReturnCall || op == opReturnCallIndirect) && f.w.o.Stack > 0 {
		f.body.leaveFrame()
	}
	switch definedIndex := int(callee) - f.w.numImportedFuncs; op {
	case opCall, opReturnCall:
		f.body.index(op, f.w.outputFuncIndex(callee))
		if definedIndex >= 0 {
			f.notePathOfCall(f.w.uncheckedFuncs[definedIndex])
		}
	default:
		f.body.op(f.r.b[pos:f.r.pos]...)
		f.notePathOfCall(true)
	}
	if op == opReturnCall || op == opReturnCallIndirect {
		f.uncheckedPath = unreached
		f.liveness.markUnreachable()
	}
}
