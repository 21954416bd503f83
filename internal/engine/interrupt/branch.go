package interrupt

// rewriteBranch renumbers the label of a br or br_if.
func (f *function) rewriteBranch(op byte, pos int) {
	f.branched = true
	if op == opBrIf {
		f.liveness.popUsed(1)
	}
	label := f.r.index("label", uint32(len(f.frames)))
	if to := f.noteBranch(label); to != label {
		f.beginReplacement(pos)
		f.body.index(op, to)
	}
	f.complexity.blocks += 2
	if op == opBr {
		f.markUnreachable()
	}
}

// noteBranch notes a branch to a label, and returns the label in the output.
func (f *function) noteBranch(l uint32) uint32 {
	if f.r.err != nil {
		return l
	}
	b := &f.frames[len(f.frames)-1-int(l)]
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
	f.markUnreachable()
}

// markUnreachable notes that the code up to the end of the block is unreachable.
func (f *function) markUnreachable() {
	f.flow = unreachable
	f.liveness.markUnreachable()
}
