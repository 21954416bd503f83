package interrupt

// A function is the state of rewriting one function. Most instructions stay as they are, and are
// copied in runs. All positions are offsets in the function's body.
type function struct {
	w   *rewriter
	r   *reader
	typ funcType

	// localGroups is the number of groups of locals. They begin at localsStart, and the
	// instructions at codeStart.
	localGroups, localsStart, codeStart int

	// entry receives the prologue, head the locals and the prologue, body the instructions.
	entry, head, body code

	// copied is the position up to which the instructions have been copied.
	copied int

	// frames are the open blocks of the input. The outermost is the function.
	frames []controlFrame

	// outputDepth is the number of open blocks in the output.
	outputDepth int

	// flow is that at the current instruction.
	flow

	// labels is the buffer of rewriteBranchTable.
	labels []byte

	// accesses are those of the open loops, the innermost loop's last, from accessStart on.
	// renewed is the buffer of leaveLoop.
	accesses    []access
	accessStart int
	renewed     []uint32

	complexity complexity
	liveness   liveness
	dispatch   dispatch

	// comparedAt is the position after the last comparison.
	comparedAt int

	// unchanged is set if the function needs neither a check nor another change.
	unchanged bool

	// calls counts the call instructions.
	calls uint32

	// countsInLocal tells whether the function keeps the counter in a local. hasTightLoop is set
	// once a loop without calls has ended, for which that pays.
	countsInLocal, hasTightLoop bool

	// branched is set after any control instruction other than block.
	branched bool

	// startsWithLoop is set if that was a loop. Its check serves as that of the function's entry.
	startsWithLoop bool
}

// A controlFrame is an open block of the input.
type controlFrame struct {
	op byte

	// outputTarget is the depth of the block in the output that a branch to this block targets.
	outputTarget int

	// branchValues is the number of operands that such a branch passes.
	branchValues int

	// branches is the flow of the branches to the block's end.
	branches flow

	// before is the flow at the start of the block. That of an if continues at its else and its
	// end.
	before flow

	// callsBefore is the number of calls before the block. accessStart is that of the function
	// before the block.
	callsBefore uint32
	accessStart int

	params, results []byte
	liveScope       scope
}

// rewrite rewrites the i-th defined function. A function with a tight loop is walked twice, since
// its code depends on the loop from the beginning.
func (f *function) rewrite(w *rewriter, r *reader, i int) {
	values, again := w.valueBudget, *r
	if f.walk(w, r, i, false); r.err == nil && f.hasTightLoop {
		w.valueBudget, *r = values, again
		f.walk(w, r, i, true)
	}
}

// walk rewrites the i-th defined function. It writes the instructions with their checks to f.body.
func (f *function) walk(w *rewriter, r *reader, i int, countsInLocal bool) {
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
		w: w, r: r, typ: typ, unchanged: true,
		localGroups: groups, localsStart: start, codeStart: r.pos, copied: r.pos,
		entry:  code{b: f.entry.b[:0], w: w, locals: locals},
		head:   code{b: f.head.b[:0], w: w, locals: locals},
		body:   code{b: f.body.b[:0], w: w, locals: locals},
		frames: f.frames[:0],
		labels: f.labels,

		dispatch: dispatch{targets: f.dispatch.targets[:0]},
		accesses: f.accesses[:0],
		renewed:  f.renewed,

		// The entry has counted.
		flow: flow{dirty: countsInLocal}, countsInLocal: countsInLocal,

		complexity: f.complexity,
		liveness:   live,
	}
	f.complexity.reset(int(locals))
	if countsInLocal {
		f.complexity.joinedLocals++
	}
	w.origins.beginFunction()
	f.push(opBlock, nil, typ.results)
	for r.err == nil && len(f.frames) > 0 {
		f.rewriteInstruction()
	}
	if r.err == nil && r.pos != len(r.b) {
		r.malformed("code after the end")
	}
}

// push enters a block. A loop has two blocks in the output; a branch to it targets the outer one.
func (f *function) push(op byte, params, results []byte) {
	values := len(results)
	if op == opLoop {
		values = len(params)
	}
	f.frames = append(f.frames,
		controlFrame{op, f.outputDepth + 1, values, unreachable, f.flow, f.calls, f.accessStart,
			params, results,
			f.liveness.enterBlock(op, params)})
	f.outputDepth++
	if f.complexity.blocks++; f.compileCost() > f.w.compileBudget {
		f.failCompileBudget(f.r)
	}
	switch op {
	case opLoop:
		f.accessStart = len(f.accesses)
		f.outputDepth++
		f.complexity.blocks += 3
		f.complexity.loopDepth++
		f.complexity.maxLoopDepth = max(f.complexity.maxLoopDepth, f.complexity.loopDepth)
	case opIf:
		f.complexity.blocks += 2
	}
}

// chargeValues charges an instruction that makes or passes n values to the value budget.
func (f *function) chargeValues(n int) {
	if n > 1 {
		f.w.chargeValueBudget(f.r, valueCost*n)
		f.checkValueCount(n)
	}
}

// beginReplacement copies the instructions up to pos. The caller then emits the replacement of the
// instruction from pos to the reader's position.
func (f *function) beginReplacement(pos int) {
	f.unchanged = false
	f.w.origins.mark(f, pos)
	f.body.op(f.r.b[f.copied:pos]...)
	f.copied = f.r.pos
}

// extendPath adds n bytes to the unchecked path.
func (f *function) extendPath(n int) {
	if f.uncheckedPath >= 0 {
		f.uncheckedPath += n
	}
}

// rewriteInstruction rewrites the next instruction, and emits a check if the unchecked path has
// become too long.
func (f *function) rewriteInstruction() {
	r := f.r
	pos := r.pos
	op := r.byte()
	f.liveness.apply(plainEffects[op])
	switch kind := immediateKinds[op]; kind {
	case immUnknown:
		r.pos = pos
		r.fail(ErrUnsupported, "opcode %#x", op)
	case immControl:
		f.rewriteControl(op, pos)
	case immBlockType:
		f.rewriteBlock(op, pos)
	case immLabel:
		f.rewriteBranch(op, pos)
	case immLabels:
		f.rewriteBranchTable(pos)
	case immFunc, immCallIndirect:
		f.rewriteCall(op, pos)
	case immRefFunc:
		f.rewriteRefFunc(pos)
	case immLocal:
		f.noteLocal(op, pos)
	case immGlobal:
		f.noteGlobal(op)
	case immMemory:
		r.index("memory", f.w.numMemories)
		if op == opMemoryGrow && f.w.chargesPages() {
			f.beginReplacement(pos)
			f.body.index(opCall, f.w.helperIndex(helperGrow))
		}
	case immPrefix:
		f.rewritePrefixed(op, pos)
	default:
		f.skipImmediate(op, kind)
	}
	if r.err != nil {
		return
	}
	f.extendPath(r.pos - pos)
	if f.uncheckedPath > maxUncheckedPath && len(f.frames) > 0 {
		f.complexity.blocks += 3
		f.beginReplacement(r.pos)
		cost := int32(uncheckedPathCost)
		if f.jumped {
			cost = jumpedPathCost
		}
		f.countOrTick(func() { f.body.i32(cost) })
		f.uncheckedPath, f.jumped = 0, false
	}
}

// skipImmediate reads the immediate of an instruction that stays as it is.
func (f *function) skipImmediate(op byte, kind immediateKind) {
	r := f.r
	switch kind {
	case immNone:
		switch {
		case op == opSelect:
			f.liveness.applySelect()
		case op >= opI32Eqz && op <= opF64Ge:
			f.comparedAt = r.pos
		}
	case immTable:
		r.index("table", f.w.numTables)
	case immMemArg:
		f.complexity.accesses++
		readMemArg(r)
	case immS32:
		f.dispatch.constant = uint32(r.signedLEB(32))
		f.dispatch.constantEnd = r.pos
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
	}
}

// rewriteRefFunc renumbers the function of a ref.func, and charges the reference.
func (f *function) rewriteRefFunc(pos int) {
	i := f.r.index("function", uint32(len(f.w.funcTypes)))
	f.beginReplacement(pos)
	if f.w.o.Charge {
		f.body.requestCharge(ChargeReferences, func() { f.body.i32(1) })
		f.body.op(opDrop)
	}
	f.body.index(opRefFunc, f.w.outputFuncIndex(i))
}

// noteLocal reads the index of a local.get, local.set or local.tee.
func (f *function) noteLocal(op byte, pos int) {
	i := f.r.index("local", f.head.locals)
	f.dispatch.noteLocal(op, i, pos, f.r.pos)
	switch {
	case f.r.err != nil:
	case op == opLocalGet:
		f.complexity.noteRead(i)
		f.liveness.localGet(i)
		f.noteAccess(i, true, false)
	default:
		f.complexity.noteWrite(i)
		f.liveness.localSet(i, op == opLocalTee)
		f.noteAccess(i, false, true)
	}
}

// noteGlobal reads the index of a global.get or global.set.
func (f *function) noteGlobal(op byte) {
	i := f.r.index("global", f.w.numGlobals)
	switch {
	case f.r.err != nil:
	case op == opGlobalGet:
		f.liveness.push(f.w.globalSizes[i])
	default:
		f.liveness.popUsed(1)
	}
}
