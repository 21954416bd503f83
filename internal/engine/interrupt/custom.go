package interrupt

import (
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/wasport/wasport/internal/printable"
)

// customSection copies a custom section. It drops the sections that hold offsets into the input's
// code or indices that have changed: DWARF, relocations, code metadata, source maps.
func (w *rewriter) customSection(r *reader) {
	name := r.name()
	if w.err == nil {
		w.err = r.err
	}
	switch {
	case w.err != nil, name == "linking", strings.HasPrefix(name, "reloc."),
		strings.HasPrefix(name, ".debug_"), strings.HasPrefix(name, "metadata.code."),
		name == "sourceMappingURL", name == "external_debug_info":
		return
	case name == "name" && w.hasNameSection:
		return // Engines read the first name section only.
	}
	w.hasNameSection = w.hasNameSection || name == "name"
	sectionStart := len(w.out)
	w.out = append(w.out, secCustom, 0, 0, 0, 0, 0)
	start := len(w.out)
	w.copySince(r, 0)
	if name == "name" {
		w.nameSection(r)
		w.wroteNameSection = r.err == nil
	} else {
		w.copyRest(r)
	}
	if r.err != nil {
		// A malformed custom section does not make a module invalid (WebAssembly Core Specification
		// 2.0, section 7.4).
		w.out = w.out[:sectionStart]
		return
	}
	w.patchSectionSize(start)
}

// nameSection renumbers the functions in the names of functions, locals and labels. It names the
// functions without names. Source: WebAssembly Core Specification 2.0, section 7.4, and the
// extended name section proposal.
func (w *rewriter) nameSection(r *reader) {
	wroteFunctionNames := false
	if w.o.Name != "" {
		w.out = append(w.out, 0, 0, 0, 0, 0, 0)
		start := len(w.out)
		w.out = appendName(w.out, w.o.Name)
		w.patchSectionSize(start)
	}
	for r.more() {
		id := r.byte()
		s := reader{b: r.bytes(r.u32())}
		if r.err != nil {
			return
		}
		if id == 0 && w.o.Name != "" {
			continue
		}
		if id > 1 && !wroteFunctionNames {
			w.writeFunctionNames(&reader{b: []byte{0}})
			wroteFunctionNames = true
		}
		if id == 1 {
			if wroteFunctionNames {
				r.malformed("function names out of place")
				return
			}
			w.writeFunctionNames(&s)
			wroteFunctionNames, r.err = true, s.err
			continue
		}
		w.out = append(w.out, id, 0, 0, 0, 0, 0)
		start := len(w.out)
		switch id {
		case 0:
			w.copyName(&s)
		case 2, 3:
			names := func(s *reader) { w.copyNameMap(s, w.copyIndex, w.copyName) }
			w.copyNameMap(&s, w.copyFuncIndex, names)
		default:
			w.copyRest(&s)
		}
		if s.more() {
			s.malformed("bytes left")
		}
		r.err = s.err
		w.patchSectionSize(start)
	}
	if !wroteFunctionNames {
		w.writeFunctionNames(&reader{b: []byte{0}})
	}
}

// maxName is the length of a name in bytes, beyond which it is cut. wazero writes the names of a
// module and its functions for every frame into a stack trace.
const maxName = 2 << 10

// clipName returns a name with at most maxName bytes.
func clipName(name []byte) []byte {
	if len(name) <= maxName {
		return name
	}
	n := maxName
	for n > 0 && !utf8.RuneStart(name[n]) {
		n--
	}
	return name[:n]
}

// helperNames are the names of the helper functions.
var helperNames = []string{helperTick: "tick", helperCopy: "memory.copy", helperFill: "memory.fill",
	helperGrow: "memory.grow"}

// writeFunctionNames writes the names of functions.
//
// A function without a name is named by its index in the input. Otherwise wazero would report its
// index in the output. A name that is unsafe for a terminal is quoted, since wazero prints names as
// they are.
func (w *rewriter) writeFunctionNames(r *reader) {
	names := make([][]byte, len(w.funcTypes))
	next := uint32(0)
	for range r.count(2) {
		i := r.index("function", uint32(len(names)))
		name := r.bytes(r.u32())
		if i < next {
			r.malformed("function names out of order")
		}
		if !utf8.Valid(name) {
			r.malformed("name is not UTF-8")
		}
		if r.err != nil {
			return
		}
		names[i], next = []byte(printable.Name(string(clipName(name)))), i+1
	}
	if r.more() {
		r.malformed("bytes left")
	}
	count := 0
	for i := range names {
		if len(names[i]) == 0 && i >= w.numImportedFuncs {
			names[i] = strconv.AppendInt([]byte{'$'}, int64(i), 10)
		}
		if len(names[i]) > 0 {
			count++
		}
	}
	helpers := helperNames[:len(w.helperTypes())]
	w.out = append(w.out, 1, 0, 0, 0, 0, 0)
	start := len(w.out)
	w.writeU32(uint32(count + len(helpers)))
	for i, name := range names {
		if len(name) == 0 {
			continue
		}
		w.writeU32(w.outputFuncIndex(uint32(i)))
		w.writeU32(uint32(len(name)))
		w.out = append(w.out, name...)
	}
	for i, name := range helpers {
		w.writeU32(w.helperIndex(i))
		w.out = appendName(w.out, name)
	}
	w.patchSectionSize(start)
}

// copyNameMap copies a vector of pairs. Key and value copy the parts of each.
func (w *rewriter) copyNameMap(r *reader, key, value func(*reader)) {
	n := r.count(2)
	w.writeU32(uint32(n))
	for range n {
		key(r)
		value(r)
		if r.err != nil {
			return
		}
	}
}

func (w *rewriter) copyIndex(r *reader) { w.writeU32(r.u32()) }

func (w *rewriter) copyName(r *reader) {
	b := r.bytes(r.u32())
	if !utf8.Valid(b) {
		r.malformed("name is not UTF-8")
	}
	b = clipName(b)
	w.writeU32(uint32(len(b)))
	w.out = append(w.out, b...)
}
