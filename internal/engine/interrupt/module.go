package interrupt

import (
	"bytes"
	"math"
	"slices"
)

// Section numbers. Source: WebAssembly Core Specification 2.0, section 5.5.2.
const (
	secCustom    = 0
	secType      = 1
	secImport    = 2
	secFunction  = 3
	secTable     = 4
	secMemory    = 5
	secGlobal    = 6
	secExport    = 7
	secStart     = 8
	secElement   = 9
	secCode      = 10
	secData      = 11
	secDataCount = 12
)

// order is that in which sections stand in a module.
var order = []byte{secType, secImport, secFunction, secTable, secMemory, secGlobal, secExport, secStart, secElement,
	secDataCount, secCode, secData}

// Limits on what a module may declare, so that few bytes cannot make an engine allocate much.
// Source: WebAssembly JavaScript Interface, section "Implementation-defined Limits".
const (
	maxItems    = 1_000_000 // of any kind
	maxParams   = 1000
	maxResults  = 1000
	maxLocals   = 50_000
	maxBodySize = 7_654_321
	maxPages    = 65536

	// Browsers allow 10,000,000 entries in a table. Here it is fewer, and for all tables of a module together.
	maxEntries = 1_000_000
)

const pageSize = 65536

type funcType struct {
	params  int
	results []byte
	block   int // the block type that has these results, as an index; only if there are two or more
}

type rewriter struct {
	o      Options
	out    []byte
	err    error
	memory Memory

	types      []funcType // of the input; ours follow
	typeVoid   uint32     // () -> ()
	typePair   uint32     // (i32, i32) -> ()
	typeBulk   uint32     // (i32, i32, i32) -> ()
	typeWait32 uint32     // (i32, i32, i64, i32) -> i32
	typeWait64 uint32     // (i32, i64, i64, i32) -> i32
	typeNotify uint32     // (i32, i32, i32) -> i32

	funcs    []uint32 // the type of every function of the input, imported ones first
	imported int      // how many of funcs are imported
	plain    []bool   // which of the defined ones need no checks
	shift    uint32   // how many imports are added: by so much the indices of the defined functions grow

	overflow uint32 // the import's index
	waits    uint32 // index of the first import for atomics, or 0

	globals, tables, memories uint32

	named bool // whether a name section has been written
}

var header = []byte("\x00asm\x01\x00\x00\x00")

func (w *rewriter) rewrite(module []byte) {
	r := &reader{b: module}
	if !bytes.Equal(r.bytes(8), header) {
		r.malformed("no module of version 1")
	}
	var sections [13]*reader
	// The sections that grow exist in every output.
	for _, id := range []byte{secType, secImport, secFunction, secGlobal, secCode} {
		sections[id] = &reader{b: []byte{0}}
	}
	var custom []*reader
	rank := 0
	for r.more() {
		id := r.byte()
		n := r.u32()
		s := &reader{base: r.base + r.pos}
		s.b = r.bytes(n)
		if r.err != nil {
			break
		}
		if id == secCustom {
			custom = append(custom, s)
			continue
		}
		i := slices.Index(order, id)
		if id == 13 {
			r.fail(ErrUnsupported, "tag section")
		} else if i < rank {
			r.malformed("section %d out of place", id)
		} else {
			rank = i + 1
			sections[id] = s
		}
	}
	if w.err = r.err; w.err != nil {
		return
	}
	if s := sections[secMemory]; s != nil {
		// Whether the memory is shared decides on the imports, so its type is wanted before its turn.
		early := *s
		for range early.count(2) {
			w.memoryType(&early)
		}
		if early.more() {
			early.malformed("bytes left in the memory section")
		}
		if w.err = early.err; w.err != nil {
			return
		}
	}
	w.out = append(w.out, header...)
	for _, id := range order {
		if s := sections[id]; s != nil {
			w.section(id, s)
		}
	}
	for _, s := range custom {
		w.custom(s)
	}
}

// section rewrites one section. Its size takes five bytes whatever it is, as it is known only in the end.
func (w *rewriter) section(id byte, r *reader) {
	if w.err != nil {
		return
	}
	w.out = append(w.out, id, 0, 0, 0, 0, 0)
	start := len(w.out)
	[...]func(*reader){
		secType:      w.typeSection,
		secImport:    w.importSection,
		secFunction:  w.functionSection,
		secTable:     w.tableSection,
		secMemory:    w.memorySection,
		secGlobal:    w.globalSection,
		secExport:    w.exportSection,
		secStart:     w.startSection,
		secElement:   w.elementSection,
		secCode:      w.codeSection,
		secData:      w.dataSection,
		secDataCount: w.copySection,
	}[id](r)
	if r.err == nil && r.pos != len(r.b) {
		r.malformed("%d bytes left in section %d", len(r.b)-r.pos, id)
	}
	if r.err != nil {
		w.err = r.err
		return
	}
	w.closeSection(start)
}

func (w *rewriter) closeSection(start int) {
	n := uint32(len(w.out) - start)
	for i := range 5 {
		w.out[start-5+i] = byte(n>>(7*i))&0x7f | 0x80
	}
	w.out[start-1] &= 0x7f
}

// since copies what has been read since the given position.
func (w *rewriter) since(r *reader, pos int) {
	if r.err == nil {
		w.out = append(w.out, r.b[pos:r.pos]...)
	}
}

func (w *rewriter) u32(v uint32) { w.out = appendU32(w.out, v) }

func (w *rewriter) copySection(r *reader) {
	w.out = append(w.out, r.bytes(uint32(len(r.b)-r.pos))...)
}

func (w *rewriter) typeSection(r *reader) {
	n := r.count(3)
	start := r.pos
	w.types = make([]funcType, n)
	added := 0
	for i := range w.types {
		if form := r.byte(); form != 0x60 && r.err == nil {
			r.fail(ErrUnsupported, "type of form %#x", form)
		}
		t := &w.types[i]
		t.params = len(valueTypes(r, maxParams))
		t.results = valueTypes(r, maxResults)
		if r.err != nil {
			return
		}
		if len(t.results) > 1 {
			t.block = n + added
			added++
		}
	}
	const i32, i64 = typeI32, typeI64
	ours := []struct {
		index           *uint32
		params, results []byte
	}{
		{&w.typeVoid, nil, nil},
		{&w.typePair, []byte{i32, i32}, nil},
		{&w.typeBulk, []byte{i32, i32, i32}, nil},
		{&w.typeNotify, []byte{i32, i32, i32}, []byte{i32}},
		{&w.typeWait32, []byte{i32, i32, i64, i32}, []byte{i32}},
		{&w.typeWait64, []byte{i32, i64, i64, i32}, []byte{i32}},
	}
	w.u32(uint32(n + added + len(ours)))
	w.since(r, start)
	for _, t := range w.types {
		if t.block != 0 {
			w.functionType(nil, t.results)
		}
	}
	for i, t := range ours {
		*t.index = uint32(n + added + i)
		w.functionType(t.params, t.results)
	}
}

func (w *rewriter) functionType(params, results []byte) {
	w.out = append(w.out, 0x60)
	w.u32(uint32(len(params)))
	w.out = append(w.out, params...)
	w.u32(uint32(len(results)))
	w.out = append(w.out, results...)
}

func valueTypes(r *reader, limit int) []byte {
	n := r.count(1)
	if n > limit {
		r.malformed("%d parameters or results", n)
	}
	b := r.bytes(uint32(n))
	for _, t := range b {
		checkValueType(r, t)
	}
	return b
}

func checkValueType(r *reader, t byte) {
	switch t {
	case 0x7f, 0x7e, 0x7d, 0x7c, 0x7b, 0x70, 0x6f:
	default:
		r.fail(ErrUnsupported, "value type %#x", t)
	}
}

func (w *rewriter) importSection(r *reader) {
	n := r.count(4)
	start := r.pos
	for range n {
		if r.name() == Module {
			r.malformed("reserved import module")
		}
		r.name()
		switch kind := r.byte(); kind {
		case 0:
			w.funcs = append(w.funcs, r.index("type", uint32(len(w.types))))
		case 1:
			w.tables++
			checkValueType(r, r.byte())
			tableLimits(r)
		case 2:
			w.memoryType(r)
			w.memory.Imported = true
		case 3:
			w.globals++
			globalType(r)
		case 4:
			r.fail(ErrUnsupported, "tag import")
		default:
			r.malformed("import of kind %d", kind)
		}
		if r.err != nil {
			return
		}
	}
	type function struct {
		name string
		of   uint32
	}
	w.imported = len(w.funcs)
	ours := []function{{Tick, w.typeVoid}}
	if w.o.MaxStack > 0 {
		w.overflow = uint32(w.imported + len(ours))
		ours = append(ours, function{Overflow, w.typeVoid})
	}
	if w.o.Atomics && w.memory.Shared {
		w.waits = uint32(w.imported + len(ours))
		ours = append(ours, function{Notify, w.typeNotify}, function{Wait32, w.typeWait32}, function{Wait64, w.typeWait64})
	}
	w.shift = uint32(len(ours))
	w.u32(uint32(n) + w.shift)
	w.since(r, start)
	for _, f := range ours {
		w.out = appendName(w.out, Module)
		w.out = appendName(w.out, f.name)
		w.out = append(w.out, 0)
		w.u32(f.of)
	}
}

// memoryType reads the type of a memory, of which there is at most one.
func (w *rewriter) memoryType(r *reader) {
	flag := r.byte()
	if flag > 3 || flag == 2 {
		r.fail(ErrUnsupported, "memory of form %#x", flag)
	}
	if w.memories++; w.memories > 1 {
		r.fail(ErrUnsupported, "second memory")
	}
	least, most := r.u32(), uint32(maxPages)
	if flag&1 != 0 {
		most = r.u32()
	}
	if least > most || most > maxPages {
		r.malformed("memory of %d to %d pages", least, most)
	}
	w.memory = Memory{Min: uint64(least) * pageSize, Max: uint64(most) * pageSize, Shared: flag&2 != 0}
}

func tableLimits(r *reader) (least, most uint32) {
	flag := r.byte()
	if flag > 1 {
		r.fail(ErrUnsupported, "table of form %#x", flag)
	}
	least, most = r.u32(), math.MaxUint32
	if flag == 1 {
		most = r.u32()
	}
	if least > most {
		r.malformed("table of %d to %d entries", least, most)
	}
	return least, most
}

func globalType(r *reader) {
	checkValueType(r, r.byte())
	if m := r.byte(); m > 1 {
		r.malformed("mutability %d", m)
	}
}

func (w *rewriter) functionSection(r *reader) {
	n := r.count(1)
	start := r.pos
	w.funcs = slices.Grow(w.funcs, n)
	for range n {
		w.funcs = append(w.funcs, r.index("type", uint32(len(w.types))))
	}
	ours := w.helperTypes()
	w.u32(uint32(n + len(ours)))
	w.since(r, start)
	for _, t := range ours {
		w.u32(t)
	}
}

// tableSection bounds the tables: together they may grow to no more than maxEntries. An engine allocates a table's
// entries, of eight bytes each, as soon as a guest asks for them.
func (w *rewriter) tableSection(r *reader) {
	type tableType struct {
		of          byte
		least, most uint32
	}
	tables := make([]tableType, r.count(3))
	rest := int64(maxEntries)
	for i := range tables {
		t := &tables[i]
		t.of = r.byte()
		checkValueType(r, t.of)
		t.least, t.most = tableLimits(r)
		rest -= int64(t.least)
	}
	if rest < 0 {
		r.malformed("tables of more than %d entries", maxEntries)
	}
	w.tables += uint32(len(tables))
	w.u32(uint32(len(tables)))
	for _, t := range tables {
		w.out = append(w.out, t.of, 1)
		w.u32(t.least)
		w.u32(uint32(min(int64(t.most), int64(t.least)+rest/int64(len(tables)))))
	}
}

// memorySection copies the memory's type, which has been read before.
func (w *rewriter) memorySection(r *reader) { w.copySection(r) }

func (w *rewriter) globalSection(r *reader) {
	n := r.count(4)
	w.globals += uint32(n)
	ours := uint32(1)
	if w.o.MaxStack > 0 {
		ours = 2
	}
	w.u32(uint32(n) + ours)
	for range n {
		start := r.pos
		globalType(r)
		w.since(r, start)
		w.constExpr(r)
		if r.err != nil {
			return
		}
	}
	w.out = append(w.out, typeI32, 1, opI32Const)
	w.out = appendS32(w.out, int32(w.o.Interval))
	w.out = append(w.out, opEnd)
	if ours == 2 {
		w.out = append(w.out, typeI32, 1, opI32Const, 0, opEnd)
	}
}

// Our globals follow those of the input, so that no index changes: what is left of the interval, from which every check
// takes, and the depth of the stack.
func (w *rewriter) counter() uint32 { return w.globals }
func (w *rewriter) depth() uint32   { return w.globals + 1 }

// funcIndex gives a function's index in the output.
func (w *rewriter) funcIndex(i uint32) uint32 {
	if int64(i) < int64(w.imported) {
		return i
	}
	return i + w.shift
}

// helper is the index of the n-th function of ours.
func (w *rewriter) helper(n int) uint32 { return uint32(len(w.funcs)+n) + w.shift }

func (w *rewriter) function(r *reader) {
	w.u32(w.funcIndex(r.index("function", uint32(len(w.funcs)))))
}

func (w *rewriter) constExpr(r *reader) {
	for r.err == nil {
		start := r.pos
		op := r.byte()
		switch op {
		case opEnd:
			w.out = append(w.out, op)
			return
		case opRefFunc:
			w.out = append(w.out, op)
			w.function(r)
			continue
		case opGlobalGet:
			r.index("global", w.globals)
		case opI32Const:
			r.signed(32)
		case opI64Const:
			r.signed(64)
		case 0x43:
			r.bytes(4)
		case 0x44:
			r.bytes(8)
		case 0x6a, 0x6b, 0x6c, 0x7c, 0x7d, 0x7e: // i32 and i64 add, sub, mul
		case opRefNull:
			heapTypeImmediate(r)
		case opVector:
			if r.u32() != 12 {
				r.fail(ErrUnsupported, "vector instruction in a constant expression")
			}
			r.bytes(16)
		default:
			r.fail(ErrUnsupported, "opcode %#x in a constant expression", op)
		}
		w.since(r, start)
	}
}

func heapTypeImmediate(r *reader) {
	if t := r.byte(); t != 0x70 && t != 0x6f {
		r.fail(ErrUnsupported, "heap type %#x", t)
	}
}

func (w *rewriter) exportSection(r *reader) {
	n := r.count(3)
	w.u32(uint32(n))
	for range n {
		start := r.pos
		r.name()
		kind := r.byte()
		w.since(r, start)
		switch kind {
		case 0:
			w.function(r)
		case 1:
			w.u32(r.index("table", w.tables))
		case 2:
			w.u32(r.index("memory", w.memories))
		case 3:
			w.u32(r.index("global", w.globals))
		default:
			r.malformed("export of kind %d", kind)
		}
		if r.err != nil {
			return
		}
	}
}

func (w *rewriter) startSection(r *reader) { w.function(r) }

// elementSection knows the eight forms of a segment. Bit 0 says passive or declarative, bit 1 an explicit table (or
// declarative), bit 2 expressions in place of indices.
func (w *rewriter) elementSection(r *reader) {
	n := r.count(2)
	w.u32(uint32(n))
	for range n {
		start := r.pos
		form := r.u32()
		if form > 7 {
			r.fail(ErrUnsupported, "element segment of form %d", form)
		}
		if form&1 == 0 {
			if form&2 != 0 {
				r.index("table", w.tables)
			}
			w.since(r, start)
			w.constExpr(r)
			start = r.pos
		}
		expressions := form&4 != 0
		if form&3 != 0 {
			if kind := r.byte(); expressions {
				checkValueType(r, kind)
			} else if kind != 0 {
				r.malformed("element kind %d", kind)
			}
		}
		items := r.count(1)
		w.since(r, start)
		for range items {
			if expressions {
				w.constExpr(r)
			} else {
				w.function(r)
			}
			if r.err != nil {
				return
			}
		}
	}
}

func (w *rewriter) dataSection(r *reader) {
	n := r.count(2)
	w.u32(uint32(n))
	for range n {
		start := r.pos
		form := r.u32()
		if form > 2 {
			r.malformed("data segment of form %d", form)
		}
		if form == 2 {
			r.index("memory", w.memories)
		}
		if form != 1 {
			w.since(r, start)
			w.constExpr(r)
			start = r.pos
		}
		r.bytes(r.u32())
		w.since(r, start)
		if r.err != nil {
			return
		}
	}
}
