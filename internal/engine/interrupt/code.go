package interrupt

import "fmt"

// These bound the code that runs without a check, in bytes.
//
//   - A path of more than maxUncheckedPath gets a check, which counts for uncheckedPathCost loop
//     iterations.
//   - A function of at most maxUncheckedBody without loops and calls has no check. It adds to the
//     paths of its callers.
//
// So at most interval × (maxUncheckedPath + maxUncheckedBody) bytes of code run between two ticks,
// in addition to the ends of the functions on the stack, after their last calls.
const (
	maxUncheckedPath  = 512
	uncheckedPathCost = 32
	maxUncheckedBody  = 128
)

// codeSection rewrites the functions in two passes. The first finds those that need no check, which
// the second must know at their callers.
func (w *rewriter) codeSection(r *reader) {
	n := r.count(2)
	if n != len(w.funcTypes)-w.numImportedFuncs {
		r.malformed("%d bodies for %d functions", n, len(w.funcTypes)-w.numImportedFuncs)
		return
	}
	w.origins.beginCode(r.base, len(w.out))
	bodies := make([]reader, n)
	w.uncheckedFuncs = make([]bool, n)
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
		if size <= maxUncheckedBody {
			probe := *b
			f.walk(w, &probe, i)
			if r.err = w.wrapFunctionError(probe.err, i); r.err != nil {
				return
			}
			if w.uncheckedFuncs[i] = f.unchanged; f.unchanged {
				w.chargeCompileCost(&probe, &f)
				if r.err = w.wrapFunctionError(probe.err, i); r.err != nil {
					return
				}
			}
		}
	}
	helpers := w.helperBodies()
	w.writeU32(uint32(n + len(helpers)))
	for i := range bodies {
		b := &bodies[i]
		if w.uncheckedFuncs[i] {
			w.origins.markUnchanged()
			w.origins.find(w, b, nil, b.b, 0)
			w.writeBody(nil, b.b)
			continue
		}
		f.walk(w, b, i)
		if b.err == nil {
			w.chargeCompileCost(b, &f)
		}
		if r.err = w.wrapFunctionError(b.err, i); r.err != nil {
			return
		}
		f.addPrologueAndEpilogue()
		w.origins.find(w, b, f.head.b, f.body.b, f.codeStart)
		w.writeBody(f.head.b, f.body.b)
	}
	for _, h := range helpers {
		w.writeBody(h.b, nil)
	}
}

// wrapFunctionError adds the index of the i-th defined function to an error.
func (w *rewriter) wrapFunctionError(err error, i int) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("%w in function %d", err, w.numImportedFuncs+i)
}

// writeBody writes a function's body, which has two parts.
func (w *rewriter) writeBody(head, rest []byte) {
	w.writeU32(uint32(len(head) + len(rest)))
	w.out = append(w.out, head...)
	w.out = append(w.out, rest...)
}

// minLeafFrame is the smallest frame of a leaf function that counts for the depth, in bytes. A
// stack has at most one frame of a leaf function, at its end.
const minLeafFrame = 4096

// addPrologueAndEpilogue encloses the instructions of a function. The prologue adds the function's
// frame to the depth of the stack and counts the entry. The epilogue takes the frame off again.
func (f *function) addPrologueAndEpilogue() {
	h := &f.head
	h.b = appendU32(h.b, uint32(f.localGroups)+1)
	h.op(f.r.b[f.localsStart:f.codeStart]...)
	frameSize := f.liveness.frameSize()
	tracksDepth := (f.calls > 0 || frameSize > minLeafFrame) && f.w.o.Stack > 0
	if tracksDepth {
		h.op(2, typeI32)
		h.enterFrame(frameSize)
	} else {
		h.op(1, typeI32)
	}
	f.emitEntryCheck(tracksDepth)
	h.op(opBlock)
	f.emitResultType(h)

	f.body.op(opEnd)
	if tracksDepth {
		f.body.leaveFrame()
	}
	f.body.op(opEnd)
}

// emitEntryCheck emits a check that ticks if the interval is used up or the stack is too deep. A
// function that begins with a loop does not count its entry, since the loop does.
func (f *function) emitEntryCheck(tracksDepth bool) {
	h := &f.head
	counts := !f.startsWithLoop
	if !counts && !tracksDepth {
		return
	}
	if counts {
		h.countDown()
	}
	h.op(opBlock, blockVoid)
	switch {
	case !tracksDepth:
		h.index(opLocalGet, h.scratchLocal())
	case counts:
		h.index(opLocalGet, h.scratchLocal())
		h.i32(0)
		h.stackWithinLimit()
		h.op(opSelect)
	default:
		h.stackWithinLimit()
	}
	h.index(opBrIf, 0)
	h.callTick()
	h.op(opEnd)
}

// emitResultType emits the block type of the function's results.
func (f *function) emitResultType(c *code) {
	switch len(f.typ.results) {
	case 0:
		c.op(blockVoid)
	case 1:
		c.op(f.typ.results[0])
	default:
		c.b = appendS32(c.b, int32(f.typ.resultBlock))
	}
}
