package interrupt

// A function is the walk over one function's instructions, most of which stay as they are and are
// copied in runs.
type function struct {
	w      *rewriter
	r      *reader
	of     funcType
	groups int // of locals
	start  int // where they begin
	code   int // where the instructions begin
	head   code
	body   code
	copied int // up to where the input has been copied
	frames []frame
	depth  int // of blocks in the output
	path   int // length of the longest unchecked path to here, in bytes, or unreached
	labels []byte

	complexity complexity
	live       liveness

	plain     bool // there is nothing to count or to change
	calls     uint32
	branched  bool // there has been a control instruction other than block
	loopFirst bool // the first of them was a loop, so that its check is the function's
}

// A frame is a block of the input that the walk is in.
type frame struct {
	op     byte
	target int // depth of the output's block that a branch to this one goes to
	values int // that such a branch takes along
	path   int // longest unchecked path that branches to the block's end
	before int // path at the start of an if, which goes on at its else or end

	params, results []byte
	scope           scope
}

const unreached = -1

// walk reads the i-th defined function, and writes its instructions with their checks to f.body.
func (f *function) walk(w *rewriter, r *reader, i int) {
	of := w.types[w.funcs[w.imported+i]]
	locals := uint32(of.params)
	w.spend(r, of.params)
	groups := r.count(2)
	start := r.pos
	live := f.live
	live.begin(of)
	for range groups {
		n := r.u32()
		t := r.byte()
		checkValueType(r, t)
		if n > maxLocals || locals+n > maxLocals {
			r.malformed("too many locals")
		}
		w.spend(r, int(n))
		if r.err != nil {
			return
		}
		locals += n
		live.declare(t, int(n))
	}
	*f = function{
		w: w, r: r, of: of, groups: groups, start: start, code: r.pos, copied: r.pos, plain: true,
		head:   code{f.head.b[:0], w, locals},
		body:   code{f.body.b[:0], w, locals},
		frames: f.frames[:0],
		labels: f.labels,

		complexity: f.complexity,
		live:       live,
	}
	f.complexity.begin(int(locals))
	f.push(opBlock, nil, of.results)
	for r.err == nil && len(f.frames) > 0 {
		f.instruction()
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
		frame{op, f.depth + 1, values, unreached, f.path, params, results,
			f.live.enter(op, params)})
	f.depth++
	if f.complexity.blocks++; f.cost() > f.w.cost {
		f.tooLong(f.r)
	}
	switch op {
	case opLoop:
		f.depth++
		f.complexity.blocks += 3
		f.complexity.nested++
		f.complexity.deepest = max(f.complexity.deepest, f.complexity.nested)
	case opIf:
		f.complexity.blocks += 2
	}
}

// values takes notice of an instruction that makes, or takes along, so many values.
func (f *function) values(n int) {
	if n > 1 {
		f.w.spend(f.r, valueCost*n)
	}
}

// change copies the input up to an instruction that is to be replaced, and goes on after it.
func (f *function) change(pos int) {
	f.plain = false
	f.body.op(f.r.b[f.copied:pos]...)
	f.copied = f.r.pos
}

// walked adds to the unchecked path.
func (f *function) walked(n int) {
	if f.path >= 0 {
		f.path += n
	}
}

// called takes notice of a call of a function of the module, which either adds to the unchecked
// path or begins with a check.
func (f *function) called(plain bool) {
	if plain {
		f.walked(small)
	} else {
		f.path = min(f.path, 0)
	}
}

func (f *function) instruction() {
	w, r := f.w, f.r
	pos := r.pos
	op := r.byte()
	f.live.apply(plainEffects[op])
	switch immediates[op] {
	case unknown:
		r.pos = pos
		r.fail(ErrUnsupported, "opcode %#x", op)
	case none:
		if op == opSelect {
			f.live.choose()
		}
	case control:
		f.control(op, pos)
	case blockType:
		f.block(op)
	case label:
		f.branched = true
		if op == opBrIf {
			f.live.use(1)
		}
		l := r.index("label", uint32(len(f.frames)))
		if to := f.branch(l); to != l {
			f.change(pos)
			f.body.index(op, to)
		}
		f.complexity.blocks += 2
		if op == opBr {
			f.path = unreached
			f.live.unreached()
		}
	case labels:
		f.branchTable(pos)
	case direct:
		if i := r.index("function", uint32(len(w.funcs))); r.err == nil {
			f.call(op, pos, i, w.funcs[i])
		}
	case indirect:
		of := r.index("type", uint32(len(w.types)))
		r.index("table", w.tables)
		f.call(op, pos, 0, of)
	case refFunc:
		i := r.index("function", uint32(len(w.funcs)))
		f.change(pos)
		if w.o.Charge {
			f.body.ask(ChargeReferences, func() { f.body.i32(1) })
			f.body.op(opDrop)
		}
		f.body.index(op, w.funcIndex(i))
	case local:
		i := r.index("local", f.head.locals)
		switch {
		case r.err != nil:
		case op == opLocalGet:
			f.complexity.read(i)
			f.live.get(i)
		default:
			f.complexity.write(i)
			f.live.set(i, op == opLocalTee)
		}
	case global:
		i := r.index("global", w.globals)
		switch {
		case r.err != nil:
		case op == opGlobalGet:
			f.live.push(w.globalSizes[i])
		default:
			f.live.use(1)
		}
	case table:
		r.index("table", w.tables)
	case memory:
		r.index("memory", w.memories)
		if op == opMemoryGrow && w.chargesPages() {
			f.change(pos)
			f.body.index(opCall, w.helper(helperGrow))
		}
	case memArg:
		f.complexity.accesses++
		memArgImmediate(r)
	case s32:
		r.signed(32)
	case s64:
		r.signed(64)
	case bytes4:
		r.bytes(4)
	case bytes8:
		r.bytes(8)
	case types:
		for range r.count(1) {
			checkValueType(r, r.byte())
		}
		f.live.choose()
	case heapType:
		heapTypeImmediate(r)
	case prefix:
		f.prefixed(op, pos)
	}
	if r.err != nil {
		return
	}
	f.walked(r.pos - pos)
	if f.path > straight && len(f.frames) > 0 {
		f.complexity.blocks += 3
		f.change(r.pos)
		f.body.spend(func() { f.body.i32(straightCost) })
		f.path = 0
	}
}

func (f *function) control(op byte, pos int) {
	f.branched = true
	f.complexity.blocks++
	switch op {
	case opUnreachable:
		f.path = unreached
		f.live.unreached()
	case opReturn:
		// A branch to the end of the function's block does not leave out what wrap puts there.
		plain := f.plain
		f.values(len(f.of.results))
		f.change(pos)
		f.body.index(opBr, uint32(f.depth-1))
		f.plain, f.path = plain, unreached
		f.live.branch(len(f.of.results))
		f.live.unreached()
	case opElse:
		b := &f.frames[len(f.frames)-1]
		if b.op != opIf {
			f.r.malformed("else without if")
		}
		b.op = opElse
		b.path = max(b.path, f.path)
		f.path = b.before
		f.live.otherwise(&b.scope, len(b.results), b.params)
	case opEnd:
		b := f.frames[len(f.frames)-1]
		f.live.leave(b.op, &b.scope, b.results)
		f.frames = f.frames[:len(f.frames)-1]
		f.path = max(f.path, b.path)
		if b.op == opIf {
			f.path = max(f.path, b.before)
		}
		f.depth--
		switch {
		case len(f.frames) == 0:
			f.body.op(f.r.b[f.copied:pos]...)
		case b.op == opLoop:
			f.depth--
			f.complexity.nested--
			f.change(pos)
			f.body.endCount()
		}
	}
}

func (f *function) block(op byte) {
	r := f.r
	start := r.pos
	var params, results []byte
	switch t := r.signed(33); {
	case t >= int64(len(f.w.types)):
		r.malformed("unknown type %d", t)
	case t < 0 && t != blockVoid-0x80:
		checkValueType(r, byte(t)&0x7f)
		results = []byte{byte(t) & 0x7f}
	case t >= 0 && r.err == nil:
		params, results = f.w.types[t].paramTypes, f.w.types[t].results
	}
	f.values(len(params))
	f.values(len(results))
	if op == opIf {
		f.live.use(1)
	}
	f.push(op, params, results)
	if op == opLoop {
		f.loopFirst = f.loopFirst || !f.branched
		f.change(r.pos)
		f.body.count()
		f.body.op(r.b[start:r.pos]...)
		f.path = min(f.path, 0)
	}
	f.branched = f.branched || op != opBlock
}

// branch notes a branch to a label of the input, and gives the output's.
func (f *function) branch(l uint32) uint32 {
	if f.r.err != nil {
		return l
	}
	b := &f.frames[len(f.frames)-1-int(l)]
	f.values(b.values)
	f.live.branch(b.values)
	if b.op != opLoop {
		b.path = max(b.path, f.path)
	}
	return uint32(f.depth - b.target)
}

func (f *function) branchTable(pos int) {
	r := f.r
	n := r.count(1)
	f.branched = true
	f.live.use(1)
	f.labels = appendU32(f.labels[:0], uint32(n))
	changed := false
	f.complexity.blocks += 2 + n/4
	for range n + 1 {
		l := r.index("label", uint32(len(f.frames)))
		to := f.branch(l)
		f.labels = appendU32(f.labels, to)
		changed = changed || to != l
	}
	if changed {
		f.change(pos)
		f.body.op(opBrTable)
		f.body.op(f.labels...)
	}
	f.path = unreached
	f.live.unreached()
}

// call renumbers the function that is called, of the given type. A call that takes the function's
// place leaves it first.
func (f *function) call(op byte, pos int, i, of uint32) {
	if f.r.err != nil {
		return
	}
	f.values(len(f.w.types[of].results))
	if op == opCallIndirect || op == opReturnCallIndirect {
		f.live.use(1)
	}
	f.live.call(f.w.types[of])
	f.change(pos)
	f.branched = true
	f.calls++
	if (op == opReturnCall || op == opReturnCallIndirect) && f.w.o.Stack > 0 {
		f.body.leave()
	}
	switch defined := int(i) - f.w.imported; op {
	case opCall, opReturnCall:
		f.body.index(op, f.w.funcIndex(i))
		if defined >= 0 {
			f.called(f.w.plain[defined])
		}
	default:
		f.body.op(f.r.b[pos:f.r.pos]...)
		f.called(true)
	}
	if op == opReturnCall || op == opReturnCallIndirect {
		f.path = unreached
		f.live.unreached()
	}
}
