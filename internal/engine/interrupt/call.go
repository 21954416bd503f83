package interrupt

// rewriteCall renumbers the function of a call, and gives the callee the counter. A tail call
// (return_call) leaves the frame before it calls.
func (f *function) rewriteCall(op byte, pos int) {
	r := f.r
	var callee, typ uint32
	direct, tail := op == opCall || op == opReturnCall, op == opReturnCall ||
		op == opReturnCallIndirect
	if direct {
		if callee = r.index("function", uint32(len(f.w.funcTypes))); r.err == nil {
			typ = f.w.funcTypes[callee]
		}
	} else {
		typ = r.index("type", uint32(len(f.w.types)))
		r.index("table", f.w.numTables)
	}
	if r.err != nil {
		return
	}
	f.chargeValues(len(f.w.types[typ].results))
	if !direct {
		f.liveness.popUsed(1)
	}
	f.liveness.applyCall(f.w.types[typ])
	f.beginReplacement(pos)
	f.branched = true
	f.calls++

	definedIndex := int(callee) - f.w.numImportedFuncs
	unchecked := direct && definedIndex >= 0 && f.w.uncheckedFuncs[definedIndex]
	if !unchecked || tail {
		f.storeCounter()
	}
	if tail && f.w.o.Stack > 0 {
		f.leaveFrame()
	}
	if direct {
		f.body.index(op, f.w.outputFuncIndex(callee))
	} else {
		f.body.op(f.r.b[pos:f.r.pos]...)
	}
	if !unchecked && !tail {
		f.loadCounter(&f.body)
	}
	if !direct || definedIndex >= 0 {
		f.notePathOfCall(!direct || unchecked)
	}
	if tail {
		f.markUnreachable()
	}
}

// notePathOfCall updates the unchecked path after a call. An unchecked function adds to the path;
// any other begins with a check, which ends the path.
func (f *function) notePathOfCall(unchecked bool) {
	if unchecked {
		f.extendPath(maxUncheckedBody)
	} else {
		f.uncheckedPath = min(f.uncheckedPath, 0)
	}
}
