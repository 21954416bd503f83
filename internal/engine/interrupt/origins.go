package interrupt

// Origins returns where the instructions at offsets of the rewritten module were in the module. All
// offsets count from the start of the code section's content. An added instruction has the origin
// of the next instruction; those of the helper functions have none, which is 0.
//
// Origins rewrites the module again, with the options of the first time, and takes as long.
func Origins(module []byte, o Options, offsets []uint64) ([]uint64, error) {
	f := &originFinder{offsets: offsets, origins: make([]uint64, len(offsets))}
	if _, _, err := rewriteFor(module, o, f); err != nil {
		return nil, err
	}
	return f.origins, nil
}

// originFinder finds origins while the rewriter writes the functions. The methods of a nil finder,
// which Rewrite has, do nothing.
type originFinder struct {
	offsets, origins []uint64

	// codeIn and codeOut are the positions of the code sections' contents in the input and output.
	codeIn, codeOut int

	// marks are of the function that is being rewritten, in the order of the output.
	marks []mark
}

// A mark says where the output's bytes from one position on come from, up to the next mark: from a
// copy of the input, or from the instruction at one position. Positions in the output are those of
// function.body, positions in the input those of the function's body.
type mark struct {
	out, in uint32
	copied  bool
}

func (o *originFinder) beginCode(in, out int) {
	if o != nil {
		o.codeIn, o.codeOut = in, out
	}
}

func (o *originFinder) beginFunction() {
	if o != nil {
		o.marks = o.marks[:0]
	}
}

// mark notes that f.body's next bytes are the input's from f.copied to pos, and those after them
// are in place of the instruction at pos.
func (o *originFinder) mark(f *function, pos int) {
	if o == nil {
		return
	}
	n := len(f.body.b)
	if pos > f.copied {
		o.marks = append(o.marks, mark{uint32(n), uint32(f.copied), true})
	}
	o.marks = append(o.marks, mark{uint32(n + pos - f.copied), uint32(pos), false})
}

// markUnchanged notes that a function is copied as it is.
func (o *originFinder) markUnchanged() {
	if o != nil {
		o.marks = append(o.marks[:0], mark{copied: true})
	}
}

// find finds origins in a function that is about to be written: its head, and the rest, which the
// marks are about. The function's first instruction in the input is at codeStart.
func (o *originFinder) find(w *rewriter, in *reader, head, rest []byte, codeStart int) {
	if o == nil {
		return
	}
	size := len(head) + len(rest)
	start := len(w.out) + len(appendU32(nil, uint32(size))) - o.codeOut
	for i, offset := range o.offsets {
		if offset < uint64(start) || offset >= uint64(start+size) {
			continue
		}
		at, origin := int(offset)-start-len(head), codeStart
		for _, m := range o.marks {
			if int(m.out) > at {
				break
			}
			if origin = int(m.in); m.copied {
				origin += at - int(m.out)
			}
		}
		o.origins[i] = uint64(in.base - o.codeIn + origin)
	}
}
