package interrupt

// rewriteControl rewrites unreachable, return, else and end.
func (f *function) rewriteControl(op byte, pos int) {
	f.branched = true
	f.complexity.blocks++
	switch op {
	case opUnreachable:
		f.markUnreachable()
	case opReturn:
		// A return becomes a branch to the end of the instructions, where the epilogue follows.
		unchanged := f.unchanged
		f.chargeValues(len(f.typ.results))
		f.beginReplacement(pos)
		f.body.index(opBr, uint32(f.outputDepth-1))
		f.unchanged = unchanged
		f.frames[0].branches = f.frames[0].branches.join(f.flow)
		f.liveness.noteBranchOperands(len(f.typ.results))
		f.markUnreachable()
	case opElse:
		b := &f.frames[len(f.frames)-1]
		if b.op != opIf {
			f.r.malformed("else without if")
		}
		if !f.chargeMerge(b) {
			return
		}
		b.op = opElse
		b.branches = b.branches.join(f.flow)
		f.flow = b.before
		f.liveness.enterElse(&b.liveScope, len(b.results), b.params)
	case opEnd:
		b := f.frames[len(f.frames)-1]
		if !f.chargeMerge(&b) {
			return
		}
		f.liveness.leaveBlock(b.op, &b.liveScope, b.results)
		f.frames = f.frames[:len(f.frames)-1]
		f.dispatch.noteEnd(len(f.frames))
		f.flow = f.flow.join(b.branches)
		if b.op == opIf {
			f.flow = f.flow.join(b.before)
		}
		f.outputDepth--
		switch {
		case len(f.frames) == 0:
			f.w.origins.mark(f, pos)
			f.body.op(f.r.b[f.copied:pos]...)
		case b.op == opLoop:
			f.outputDepth--
			f.hasTightLoop = f.hasTightLoop || f.calls == b.callsBefore
			f.beginReplacement(pos)
			f.endCountedLoop(f.leaveLoop(&b))
			f.complexity.loopDepth--
		}
	}
}

// rewriteBlock rewrites the start of a block, loop or if.
func (f *function) rewriteBlock(op byte, pos int) {
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
	if len(params)+len(results) == 0 {
		f.dispatch.noteBlock(op, len(f.frames), pos, r.pos)
	}
	f.push(op, params, results)
	if op == opLoop {
		f.startsWithLoop = f.startsWithLoop || !f.branched
		f.beginReplacement(r.pos)
		f.beginCountedLoop()
		f.body.op(r.b[start:r.pos]...)
		f.uncheckedPath = min(f.uncheckedPath, 0)
	}
	f.branched = f.branched || op != opBlock
}
