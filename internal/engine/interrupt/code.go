package interrupt

import "fmt"

// A path of more than straight bytes of code without a check gets one of its own, which counts for
// straightCost. A function of no more than small bytes that has neither loops nor calls goes
// without checks: it counts for the paths of its callers. So between two ticks there run at most
// interval × (straight + small) bytes of code, and what the functions on the stack do after their
// last calls.
const (
	straight     = 512
	straightCost = 32
	small        = 128
)

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
			f.walk(w, &probe, i)
			if r.err = w.inFunction(probe.err, i); r.err != nil {
				return
			}
			if w.plain[i] = f.plain; f.plain {
				w.compiles(&probe, &f)
				if r.err = w.inFunction(probe.err, i); r.err != nil {
					return
				}
			}
		}
	}
	ours := w.helperBodies()
	w.u32(uint32(n + len(ours)))
	for i := range bodies {
		b := &bodies[i]
		if w.plain[i] {
			w.body(b.b, nil)
			continue
		}
		f.walk(w, b, i)
		if b.err == nil {
			w.compiles(b, &f)
		}
		if r.err = w.inFunction(b.err, i); r.err != nil {
			return
		}
		f.wrap()
		w.body(f.head.b, f.body.b)
	}
	for _, h := range ours {
		w.body(h.b, nil)
	}
}

// inFunction says in which of the defined functions something is wrong.
func (w *rewriter) inFunction(err error, i int) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("%w in function %d", err, w.imported+i)
}

// body writes a function's body, in two parts.
func (w *rewriter) body(head, rest []byte) {
	w.u32(uint32(len(head) + len(rest)))
	w.out = append(w.out, head...)
	w.out = append(w.out, rest...)
}

// largeFrame is from which size on the frame of a function that calls none counts: else there is
// but one of them on a stack, at its end.
const largeFrame = 4096

// wrap puts around the instructions of a function what happens at its entry and at its end: it adds
// the function's frame to the depth of the stack and takes it off again, and counts the entry.
func (f *function) wrap() {
	h := &f.head
	h.b = appendU32(h.b, uint32(f.groups)+1)
	h.op(f.r.b[f.start:f.code]...)
	frame := f.live.size()
	deep := (f.calls > 0 || frame > largeFrame) && f.w.o.Stack > 0
	if deep {
		h.op(2, typeI32)
		h.enter(frame)
	} else {
		h.op(1, typeI32)
	}
	f.checkEntry(deep)
	h.op(opBlock)
	f.resultType(h)

	f.body.op(opEnd)
	if deep {
		f.body.leave()
	}
	f.body.op(opEnd)
}

// checkEntry ticks if the interval is used up, or if the stack is too deep.
func (f *function) checkEntry(deep bool) {
	h := &f.head
	counts := !f.loopFirst
	if !counts && !deep {
		return
	}
	if counts {
		h.countDown()
	}
	h.op(opBlock, blockVoid)
	switch {
	case !deep:
		h.index(opLocalGet, h.left())
	case counts:
		h.index(opLocalGet, h.left())
		h.i32(0)
		h.withinLimit()
		h.op(opSelect)
	default:
		h.withinLimit()
	}
	h.index(opBrIf, 0)
	h.tick()
	h.op(opEnd)
}

func (f *function) resultType(c *code) {
	switch len(f.of.results) {
	case 0:
		c.op(blockVoid)
	case 1:
		c.op(f.of.results[0])
	default:
		c.b = appendS32(c.b, int32(f.of.block))
	}
}
