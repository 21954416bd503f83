package interrupt

// Go's compiler has no structured control flow. A function that jumps is one loop, which begins
// with a table of its blocks:
//
//	loop  block…  local.get x  br_table   block's code  end  next block's code  end …
//
// A jump sets x to a number of the table and branches to the loop. Of these jumps only those that
// lead back have to be iterations. The walk lets the others branch to the end of the block that the
// table would, without a check and without the table: between the two no other instruction would
// run.

// A dispatch is a loop that begins with a table.
type dispatch struct {
	// loop is the index of the loop's frame, and local that of the table's operand.
	loop  int
	local uint32

	// targets are the indices of the frames that the table's labels mean. Those from openFrames on
	// have ended.
	targets    []int
	openFrames int

	// candidate is the index of the frame of the last loop. Up to candidateEnd there are only
	// blocks, and a local.get of candidateLocal if hasLocal is set.
	candidate, candidateEnd int
	candidateLocal          uint32
	hasLocal                bool

	// constant is that of the last i32.const, which ends at constantEnd. At assignedEnd ends the
	// last assignment of such a constant, to a local of the index assigned.
	constant, assigned       uint32
	constantEnd, assignedEnd int
}

// noteBlock notes a block or loop without parameters and results. It starts and ends at positions.
func (d *dispatch) noteBlock(op byte, frame, start, end int) {
	switch {
	case op == opLoop:
		d.candidate, d.candidateEnd, d.hasLocal = frame, end, false
	case op == opBlock && start == d.candidateEnd && !d.hasLocal:
		d.candidateEnd = end
	}
}

// noteLocal notes a local.get or local.set.
func (d *dispatch) noteLocal(op byte, local uint32, start, end int) {
	switch {
	case op == opLocalGet && start == d.candidateEnd && !d.hasLocal:
		d.candidateLocal, d.candidateEnd, d.hasLocal = local, end, true
	case op == opLocalSet && start == d.constantEnd:
		d.assigned, d.assignedEnd = local, end
	}
}

// beginTable reports whether a br_table at a position begins a dispatch. The caller then adds the
// targets.
func (d *dispatch) beginTable(frames, pos int) bool {
	if pos != d.candidateEnd || !d.hasLocal {
		return false
	}
	d.loop, d.local, d.openFrames, d.targets = d.candidate, d.candidateLocal, frames, d.targets[:0]
	return true
}

// noteEnd notes that a block has ended.
func (d *dispatch) noteEnd(frames int) { d.openFrames = min(d.openFrames, frames) }

// target returns the index of the frame to which a br at a position to another frame leads.
func (d *dispatch) target(frame, pos int) int {
	if d.openFrames <= d.loop || frame != d.loop || pos != d.assignedEnd || d.assigned != d.local {
		return frame
	}
	to := d.targets[min(d.constant, uint32(len(d.targets)-1))]
	if to <= d.loop || to >= d.openFrames {
		return frame
	}
	return to
}
