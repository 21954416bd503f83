package interrupt

import "fmt"

// These bound the code that runs without a check, in bytes.
//
//   - A path of more than maxUncheckedPath gets a check, which counts for uncheckedPathCost loop
//     iterations, or jumpedPathCost if the path has jumps that would have been iterations.
//   - A jump after a path of more than maxJumpedPath stays an iteration (see dispatch.go). A check
//     in the midst of the code after it would take longer than the table.
//   - A function of at most maxUncheckedBody without loops and calls has no check. It adds to the
//     paths of its callers.
//
// So at most interval × (maxUncheckedPath + maxUncheckedBody) bytes of code run between two ticks,
// in addition to the ends of the functions on the stack, after their last calls.
const (
	maxUncheckedPath  = 512
	uncheckedPathCost = 32
	jumpedPathCost    = 1
	maxJumpedPath     = 400
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
			f.walk(w, &probe, i, false)
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
		f.rewrite(w, b, i)
		if b.err == nil {
			w.chargeCompileCost(b, &f)
		}
		if r.err = w.wrapFunctionError(b.err, i); r.err != nil {
			return
		}
		f.enclose()
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
