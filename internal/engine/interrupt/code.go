package interrupt

// straight is how many bytes of code may run without a check: a longer path gets one of its own, which counts for
// straightCost. So at most interval × straight bytes of code run between two ticks.
const (
	straight     = 512
	straightCost = 8
)

// small is the size up to which a function with neither loops nor calls goes without checks. What it takes
// counts for the paths of its callers.
const small = 128

func (w *rewriter) codeSection(r *reader) {
	n := r.count(2)
	if n != len(w.funcs)-w.imported {
		r.malformed("%d bodies for %d functions", n, len(w.funcs)-w.imported)
		return
	}
	bodies := make([]reader, n)
	w.plain = make([]bool, n)
	var f function
	for i := range bodies {
		size := r.u32()
		if size > maxBodySize {
			r.malformed("body of %d bytes", size)
		}
		b := &bodies[i]
		b.base = r.base + r.pos
		if b.b = r.bytes(size); r.err != nil {
			return
		}
		if size <= small {
			probe := *b
			f.rewrite(w, &probe, i)
			if r.err = probe.err; r.err != nil {
				return
			}
			w.plain[i] = f.plain
		}
	}
	ours := w.helperBodies()
	w.u32(uint32(n + len(ours)))
	for i := range bodies {
		b := &bodies[i]
		body := b.b
		if !w.plain[i] {
			f.rewrite(w, b, i)
			if r.err = b.err; r.err != nil {
				return
			}
			body = f.out
		}
		w.u32(uint32(len(body)))
		w.out = append(w.out, body...)
	}
	for _, h := range ours {
		w.u32(uint32(len(h)))
		w.out = append(w.out, h...)
	}
}

// A function is the walk over one function's code. What stays as it is is copied in runs.
type function struct {
	w      *rewriter
	r      *reader
	out    code
	copied int  // up to where the input has been copied
	plain  bool // nothing has been changed so far
	locals int  // of the input, parameters included; our own follows them
	frames []frame
	depth  int    // of blocks in the output
	path   int    // length of the longest unchecked path to here, in bytes, or unreached
	labels []byte // scratch
}

// A frame is a block of the input that the walk is in.
type frame struct {
	op     byte
	target int // depth of the output's block that a branch to this one goes to
	path   int // longest unchecked path that branches to the block's end
	before int // path at the start of an if, which goes on at its else or end
}

const unreached = -1

// rewrite walks over the i-th defined function and writes its new body to out.
func (f *function) rewrite(w *rewriter, r *reader, i int) {
	t := w.types[w.funcs[w.imported+i]]
	*f = function{w: w, r: r, plain: true, out: f.out[:0], frames: f.frames[:0], labels: f.labels[:0]}

	groups := r.count(2)
	start := r.pos
	f.locals = t.params
	for range groups {
		n := r.u32()
		checkValueType(r, r.byte())
		if f.locals += int(n); n > maxLocals || f.locals > maxLocals {
			r.malformed("too many locals")
		}
		if r.err != nil {
			return
		}
	}
	f.out = appendU32(f.out, uint32(groups)+1)
	f.out = append(f.out, r.b[start:r.pos]...)
	f.out.op(1, 0x7f)
	f.copied = r.pos

	// A branch to the function's own label goes to the end of the if, as that is where its results are.
	f.out.op(opLoop)
	f.resultType(t)
	f.count()
	f.resultType(t)
	f.push(frame{op: opBlock, target: 2}, 2)
	for r.err == nil && len(f.frames) > 0 {
		f.instruction()
	}
	if r.err == nil && r.pos != len(r.b) {
		r.malformed("code after the end")
	}
	f.out = append(f.out, r.b[f.copied:r.pos]...)
}

func (f *function) resultType(t funcType) {
	switch len(t.results) {
	case 0:
		f.out.op(0x40)
	case 1:
		f.out.op(t.results[0])
	default:
		f.out = appendS32(f.out, int32(t.block))
	}
}

// count begins a block that runs unless the interval is used up, up to and without the block's type. A loop becomes
//
//	loop  count  if  body  else  tick  br to the loop  end end
//
// and so does a function. The tick comes after the body and goes back to the start, not before the body, because there
// compilers would keep everything in memory that must outlive its call.
func (f *function) count() {
	counter, left := f.w.counter(), uint32(f.locals)
	f.out.index(opGlobalGet, counter)
	f.out.i32(1)
	f.out.op(opI32Sub)
	f.out.index(opLocalTee, left)
	f.out.index(opGlobalSet, counter)
	f.out.index(opLocalGet, left)
	f.out.op(opIf)
}

// closeCount ends what count began.
func (f *function) closeCount() {
	f.out.op(opElse)
	f.tick()
	f.out.index(opBr, 1)
	f.out.op(opEnd, opEnd)
}

func (f *function) tick() { f.out.index(opCall, f.w.helper(helperTick)) }

// spend counts down by the cost that is on the stack, to no less than one, or ticks.
func (f *function) spend(cost func()) {
	counter := f.w.counter()
	cost()
	f.out.index(opGlobalGet, counter)
	f.out.op(opI32GeU, opIf, 0x40)
	f.tick()
	f.out.op(opElse)
	f.out.index(opGlobalGet, counter)
	cost()
	f.out.op(opI32Sub)
	f.out.index(opGlobalSet, counter)
	f.out.op(opEnd)
}

// push enters a block that takes so many blocks in the output.
func (f *function) push(b frame, blocks int) {
	b.path, b.before = unreached, f.path
	f.frames = append(f.frames, b)
	f.depth += blocks
}

// flush copies the input up to an instruction that is to be replaced, and goes on after it.
func (f *function) flush(pos int) {
	f.out = append(f.out, f.r.b[f.copied:pos]...)
	f.copied = f.r.pos
	f.plain = false
}

func (f *function) instruction() {
	w, r := f.w, f.r
	pos := r.pos
	op := r.byte()
	switch immediates[op] {
	case unknown:
		r.fail(ErrUnsupported, "opcode %#x", op)
	case none:
		f.control(op, pos)
	case blockType:
		f.block(op, pos)
	case label:
		l := r.index("label", len(f.frames))
		if to := f.branch(l); to != l {
			f.flush(pos)
			f.out.index(op, to)
		}
		if op == opBr {
			f.path = unreached
		}
	case labels:
		f.branchTable(pos)
	case funcIndex:
		i := r.index("function", len(w.funcs))
		f.flush(pos)
		f.out.index(op, w.funcIndex(i))
		if defined := int(i) - w.imported; r.err == nil && op == opCall && defined >= 0 && w.plain[defined] {
			f.walked(small)
		}
		if op == opReturnCall {
			f.path = unreached
		}
	case indirect:
		r.index("type", len(w.types))
		r.index("table", w.tables)
		f.plain = false
		if f.walked(small); op == opReturnCallIndirect {
			f.path = unreached
		}
	case local:
		r.index("local", f.locals)
	case global:
		r.index("global", w.globals)
	case table:
		r.index("table", w.tables)
	case memory:
		r.index("memory", w.memories)
	case memArg:
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
	case heapType:
		heapTypeImmediate(r)
	case prefix:
		f.prefixed(op, pos)
	}
	f.walked(r.pos - pos)
	if f.path > straight && len(f.frames) > 0 {
		f.flush(r.pos)
		f.spend(func() { f.out.i32(straightCost) })
		f.path = 0
	}
}

// walked adds to the unchecked path.
func (f *function) walked(n int) {
	if f.path >= 0 {
		f.path += n
	}
}

func (f *function) control(op byte, pos int) {
	switch op {
	case opUnreachable, opReturn:
		f.path = unreached
	case opElse:
		b := &f.frames[len(f.frames)-1]
		if b.op != opIf {
			f.r.malformed("else without if")
		}
		b.op = opElse
		b.path = max(b.path, f.path)
		f.path = b.before
	case opEnd:
		b := f.frames[len(f.frames)-1]
		f.frames = f.frames[:len(f.frames)-1]
		f.path = max(f.path, b.path)
		if b.op == opIf {
			f.path = max(f.path, b.before)
		}
		f.depth--
		if b.op == opLoop || len(f.frames) == 0 {
			f.depth--
			f.out = append(f.out, f.r.b[f.copied:pos]...)
			f.copied = f.r.pos
			f.closeCount()
			if len(f.frames) == 0 {
				f.out.op(opEnd)
			}
		}
	}
}

func (f *function) block(op byte, pos int) {
	r := f.r
	start := r.pos
	switch t := r.signed(33); {
	case t >= int64(len(f.w.types)):
		r.malformed("unknown type %d", t)
	case t < 0 && t != -64:
		checkValueType(r, byte(t)&0x7f)
	}
	b := frame{op: op, target: f.depth + 1}
	if op != opLoop {
		f.push(b, 1)
		return
	}
	f.flush(r.pos)
	f.count()
	f.out = append(f.out, r.b[start:r.pos]...)
	f.push(b, 2)
	f.path = min(f.path, 0)
}

// branch notes a branch to a label of the input, and gives the output's.
func (f *function) branch(l uint32) uint32 {
	if f.r.err != nil {
		return l
	}
	b := &f.frames[len(f.frames)-1-int(l)]
	if b.op != opLoop {
		b.path = max(b.path, f.path)
	}
	return uint32(f.depth - b.target)
}

func (f *function) branchTable(pos int) {
	r := f.r
	n := r.count(1)
	f.labels = appendU32(f.labels[:0], uint32(n))
	changed := false
	for range n + 1 {
		l := r.index("label", len(f.frames))
		to := f.branch(l)
		f.labels = appendU32(f.labels, to)
		changed = changed || to != l
	}
	if changed {
		f.flush(pos)
		f.out.op(opBrTable)
		f.out = append(f.out, f.labels...)
	}
	f.path = unreached
}

func memArgImmediate(r *reader) (offset uint32) {
	if align := r.u32(); align >= 32 {
		r.fail(ErrUnsupported, "alignment %#x", align)
	}
	return r.u32()
}

func (f *function) prefixed(op byte, pos int) {
	w, r := f.w, f.r
	sub := r.u32()
	switch op {
	case opMisc:
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
		case 15, 17: // table.grow, table.fill
			r.index("table", w.tables)
			f.bulk(pos, 1)
		case 16: // table.size
			r.index("table", w.tables)
		default:
			r.fail(ErrUnsupported, "opcode 0xfc %d", sub)
		}
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
			f.atomic(pos, sub, memArgImmediate(r))
		case sub == 3: // atomic.fence
			r.byte()
		case sub >= 0x10 && sub <= 0x4e:
			memArgImmediate(r)
		default:
			r.fail(ErrUnsupported, "opcode 0xfe %d", sub)
		}
	}
}

// bulk puts an instruction behind a check that counts as much as its length, which is on top of the stack, shifted right.
func (f *function) bulk(pos int, shift int32) {
	length := uint32(f.locals)
	f.flush(pos)
	f.out.index(opLocalSet, length)
	f.spend(func() { f.cost(shift) })
	f.out.index(opLocalGet, length)
	f.out = append(f.out, f.r.b[pos:f.r.pos]...)
}

// bulkMemory does the same with memory.copy and memory.fill. When the interval is used up, as it is by a long one
// in any case, a function of ours takes over, which does it in pieces.
func (f *function) bulkMemory(pos int, helper int) {
	counter, length := f.w.counter(), uint32(f.locals)
	f.flush(pos)
	f.out.index(opLocalSet, length)
	f.cost(4)
	f.out.index(opGlobalGet, counter)
	f.out.op(opI32GeU, opIf)
	f.out = appendS32(f.out, int32(f.w.typePair))
	f.out.index(opLocalGet, length)
	f.out.index(opCall, f.w.helper(helper))
	f.out.op(opElse)
	f.out.index(opGlobalGet, counter)
	f.cost(4)
	f.out.op(opI32Sub)
	f.out.index(opGlobalSet, counter)
	f.out.index(opLocalGet, length)
	f.out = append(f.out, f.r.b[pos:f.r.pos]...)
	f.out.op(opEnd)
}

func (f *function) cost(shift int32) {
	f.out.index(opLocalGet, uint32(f.locals))
	f.out.i32(shift)
	f.out.op(opI32ShrU)
}

// atomic makes a call of an atomic wait or notify on shared memory, so that whoever waits can be woken. On memory that is not
// shared they trap, or find nobody, without delay.
func (f *function) atomic(pos int, sub, offset uint32) {
	if !f.w.memory.Shared {
		return
	}
	f.flush(pos)
	f.out.i32(int32(offset))
	f.out.index(opCall, uint32(f.w.imported)+1+sub)
}
