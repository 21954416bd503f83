package interrupt

// rewriteBranch renumbers the label of a br or br_if.
func (f *function) rewriteBranch(op byte, pos int) {
	f.branched = true
	if op == opBrIf {
		f.liveness.popUsed(1)
	}
	label := f.r.index("label", uint32(len(f.frames)))
	if f.r.err != nil {
		return
	}
	frame := len(f.frames) - 1 - int(label)
	if op == opBr && f.uncheckedPath <= maxJumpedPath {
		to := f.dispatch.target(frame, pos)
		f.jumped = f.jumped || to != frame
		frame = to
	}
	b := &f.frames[frame]
	switch to := f.noteBranch(b); {
	case op == opBrIf && b.branchValues == 0 && (b.op == opLoop || f.comparedAt == pos):
		f.rewriteBranchIf(pos, to, to != label)
	case to != label:
		f.beginReplacement(pos)
		f.body.index(op, to)
	}
	f.complexity.blocks += 2
	if op == opBr {
		f.markUnreachable()
	}
}

// rewriteBranchIf replaces a br_if by a br in an if. wazero 1.12 merges a comparison and a branch
// into two instructions of the processor, but takes five where it has to split the branch's edge.
// The if splits the edge.
func (f *function) rewriteBranchIf(pos int, to uint32, needed bool) {
	unchanged := f.unchanged && !needed
	f.beginReplacement(pos)
	f.body.op(opIf, blockVoid)
	f.body.index(opBr, to+1)
	f.body.op(opEnd)
	f.complexity.blocks++
	f.unchanged = unchanged
}

// noteBranch notes a branch to a frame, and returns its label in the output.
func (f *function) noteBranch(b *controlFrame) uint32 {
	f.chargeValues(b.branchValues)
	f.liveness.noteBranchOperands(b.branchValues)
	if b.op != opLoop {
		b.branches = b.branches.join(f.flow)
	}
	return uint32(f.outputDepth - b.outputTarget)
}

// rewriteBranchTable renumbers the labels of a br_table.
func (f *function) rewriteBranchTable(pos int) {
	r := f.r
	n := r.count(1)
	f.branched = true
	f.liveness.popUsed(1)
	f.labels = appendU32(f.labels[:0], uint32(n))
	changed := false
	dispatches := f.dispatch.beginTable(len(f.frames), pos)
	f.complexity.blocks += 2 + n/4
	for range n + 1 {
		l := r.index("label", uint32(len(f.frames)))
		if r.err != nil {
			return
		}
		frame := len(f.frames) - 1 - int(l)
		if dispatches {
			f.dispatch.targets = append(f.dispatch.targets, frame)
		}
		to := f.noteBranch(&f.frames[frame])
		f.labels = appendU32(f.labels, to)
		changed = changed || to != l
	}
	if changed {
		f.beginReplacement(pos)
		f.body.op(opBrTable)
		f.body.op(f.labels...)
	}
	f.markUnreachable()
}

// markUnreachable notes that the code up to the end of the block is unreachable.
func (f *function) markUnreachable() {
	f.flow = unreachable
	f.liveness.markUnreachable()
}
