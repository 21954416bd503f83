package interrupt

import (
	"strings"
	"unicode/utf8"
)

// custom copies a custom section, unless it tells of offsets in the input's code or of indices that are others now.
func (w *rewriter) custom(r *reader) {
	name := r.name()
	if w.err == nil {
		w.err = r.err
	}
	switch {
	case w.err != nil, name == "linking", strings.HasPrefix(name, "reloc."), strings.HasPrefix(name, ".debug_"),
		strings.HasPrefix(name, "metadata.code."), name == "sourceMappingURL", name == "external_debug_info":
		return
	case name == "name" && w.named:
		return
	}
	before := len(w.out)
	w.out = append(w.out, secCustom, 0, 0, 0, 0, 0)
	start := len(w.out)
	w.since(r, 0)
	if name == "name" {
		w.named = true
		w.nameSection(r)
	} else {
		w.copySection(r)
	}
	if r.err != nil {
		// Names that nobody can read are not worth an error.
		w.out = w.out[:before]
		return
	}
	w.closeSection(start)
}

// nameSection renumbers the functions in the names of functions, locals and labels.
// Source: WebAssembly Core Specification 2.0, section 7.4, and the extended name section proposal.
func (w *rewriter) nameSection(r *reader) {
	for r.more() {
		id := r.byte()
		s := reader{b: r.bytes(r.u32())}
		if r.err != nil {
			return
		}
		w.out = append(w.out, id, 0, 0, 0, 0, 0)
		start := len(w.out)
		switch id {
		case 0:
			w.text(&s)
		case 1:
			w.nameMap(&s, w.funcRef, w.text)
		case 2, 3:
			w.nameMap(&s, w.funcRef, func(s *reader) { w.nameMap(s, w.anyName, w.text) })
		default:
			w.copySection(&s)
		}
		if s.more() {
			s.malformed("bytes left")
		}
		r.err = s.err
		w.closeSection(start)
	}
}

// nameMap copies a vector of indices and what they stand for.
func (w *rewriter) nameMap(r *reader, key, value func(*reader)) {
	n := r.count(2)
	w.u32(uint32(n))
	for range n {
		key(r)
		value(r)
		if r.err != nil {
			return
		}
	}
}

func (w *rewriter) anyName(r *reader) { w.u32(r.u32()) }

func (w *rewriter) text(r *reader) {
	b := r.bytes(r.u32())
	if !utf8.Valid(b) {
		r.malformed("name is not UTF-8")
	}
	w.u32(uint32(len(b)))
	w.out = append(w.out, b...)
}
