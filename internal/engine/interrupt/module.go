package interrupt

import (
	"bytes"
	"fmt"
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

var sectionNames = [...]string{secCustom: "custom", secType: "type", secImport: "import",
	secFunction: "function", secTable: "table",
	secMemory: "memory", secGlobal: "global", secExport: "export", secStart: "start",
	secElement: "element", secCode: "code",
	secData: "data", secDataCount: "data count"}

// sectionOrder is that in which sections stand in a module.
var sectionOrder = []byte{secType, secImport, secFunction, secTable, secMemory, secGlobal, secExport,
	secStart, secElement,
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

	// Browsers allow 1,000,000 imports. wazero's time to supply them is quadratic in their number,
	// and in that of the modules that they come from. What runs here imports a hundred from a
	// handful.
	maxImports       = 2048
	maxImportModules = 256

	// Browsers allow 1,000,000 globals. wazero declares all of them anew for each function that it
	// compiles. Programs have some ten, or a few thousand if their parts are linked when they are
	// loaded.
	maxGlobals = 20_000

	// Browsers allow 10,000,000 entries in a table. Here it is fewer, and for all tables of a
	// module together.
	maxEntries = 1_000_000

	// Two bytes can declare thousands of locals, or call a function with a thousand results, for
	// each of which a compiler allocates. So a module has a budget for what is not written out,
	// from which a local takes 1, and a value of several at once valueCost. Compilers of C, C++,
	// Rust and Go come nowhere near.
	budgetBase, budgetPerByte = 1_000_000, 16
	valueCost                 = 32
)

const pageSize = 65536

// What wazero 1.12 allocates for each instance of a module, in bytes and rounded up: for a global
// its GlobalInstance, a pointer, its value, and what is thrown away while it is made; for an item
// of an element segment a functionInstance and the references to it.
const (
	typeSize    = 8
	globalSize  = 160
	importSize  = 64
	tableSize   = 128
	entrySize   = 8
	segmentSize = 32
	itemSize    = 56
)

type rewriter struct {
	o      Options
	out    []byte
	err    error
	memory Memory

	types          []funcType // of the input
	firstAddedType uint32     // index of the first of ours

	funcTypes        []uint32 // the type of every function of the input, imported ones first
	numImportedFuncs int      // how many of funcs are imported
	uncheckedFuncs   []bool   // which of the defined ones need no checks
	// how many imports are added: by so much the indices of the defined functions grow
	addedImports uint32

	deepenImport      uint32 // the import's index
	chargeImport      uint32 // likewise, or 0
	firstAtomicImport uint32 // index of the first import for atomics, or 0

	numGlobals, numTables, numMemories uint32

	globalSizes []uint8

	maxTableEntries []uint32 // the most that each table may have
	instanceSize    uint64   // see Needs.Instance

	valueBudget   int     // see budgetBase
	compileBudget float64 // what is left of the time for compiling, in ns

	hasNameSection   bool // whether the input has a name section
	wroteNameSection bool // whether one has been written
}

var header = []byte("\x00asm\x01\x00\x00\x00")

func (w *rewriter) rewrite(module []byte) {
	w.valueBudget = budgetBase + budgetPerByte*len(module)
	w.compileBudget = costBase + costPerByte*float64(len(module))
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
		if left := len(r.b) - r.pos; int(id) < len(sectionNames) && uint64(n) > uint64(left) {
			r.malformed("cut off, of the %d bytes of its %s section there are %d,", n,
				sectionNames[id], left)
		}
		s := &reader{base: r.base + r.pos}
		s.b = r.bytes(n)
		if r.err != nil {
			break
		}
		if id == secCustom {
			custom = append(custom, s)
			continue
		}
		i := slices.Index(sectionOrder, id)
		if id == 13 {
			r.fail(ErrUnsupported, "exceptions (a tag section)")
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
		// Whether the memory is shared decides on the imports, so its type is wanted before its
		// turn.
		early := *s
		for range early.count(2) {
			w.readMemoryType(&early)
		}
		if early.more() {
			early.malformed("%d bytes left", len(early.b)-early.pos)
		}
		if w.err = wrapSectionError(early.err, secMemory); w.err != nil {
			return
		}
	}
	w.out = append(w.out, header...)
	for _, id := range sectionOrder {
		if s := sections[id]; s != nil {
			w.rewriteSection(id, s)
		}
	}
	w.instanceSize += uint64(len(w.types)+len(addedTypes))*typeSize + uint64(w.numGlobals+3)*globalSize + uint64(w.numImportedFuncs+int(w.addedImports))*importSize
	for _, s := range custom {
		w.customSection(s)
	}
	if !w.wroteNameSection {
		w.hasNameSection = false
		w.customSection(&reader{b: appendName(nil, "name")})
	}
}

// rewriteSection rewrites one section. Its size takes five bytes whatever it is, as it is known only in
// the end.
func (w *rewriter) rewriteSection(id byte, r *reader) {
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
		secDataCount: w.copyRest,
	}[id](r)
	if r.err == nil && r.pos != len(r.b) {
		r.malformed("%d bytes left", len(r.b)-r.pos)
	}
	if w.err = wrapSectionError(r.err, id); w.err != nil {
		return
	}
	w.patchSectionSize(start)
}

func wrapSectionError(err error, id byte) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("%w in the %s section", err, sectionNames[id])
}

func (w *rewriter) patchSectionSize(start int) {
	n := uint32(len(w.out) - start)
	for i := range 5 {
		w.out[start-5+i] = byte(n>>(7*i))&0x7f | 0x80
	}
	w.out[start-1] &= 0x7f
}

// copySince copies what has been read since the given position.
func (w *rewriter) copySince(r *reader, pos int) {
	if r.err == nil {
		w.out = append(w.out, r.b[pos:r.pos]...)
	}
}

func (w *rewriter) writeU32(v uint32) { w.out = appendU32(w.out, v) }

func (w *rewriter) copyRest(r *reader) {
	w.out = append(w.out, r.bytes(uint32(len(r.b)-r.pos))...)
}

// chargeValueBudget takes from the budget.
func (w *rewriter) chargeValueBudget(r *reader, n int) {
	if w.valueBudget -= n; w.valueBudget < 0 {
		r.malformed("too many locals and values for so little code")
	}
}

// Our globals follow those of the input, so that no index changes: what is left of the interval,
// from which every check takes, the depth of the stack, and the depth from which on Deepen is
// asked.
func (w *rewriter) counterGlobal() uint32 { return w.numGlobals }
func (w *rewriter) depthGlobal() uint32   { return w.numGlobals + 1 }
func (w *rewriter) limitGlobal() uint32   { return w.numGlobals + 2 }

// outputFuncIndex gives a function's index in the output.
func (w *rewriter) outputFuncIndex(i uint32) uint32 {
	if int(i) < w.numImportedFuncs {
		return i
	}
	return i + w.addedImports
}

// helperIndex is the index of the n-th function of ours.
func (w *rewriter) helperIndex(n int) uint32 { return uint32(len(w.funcTypes)+n) + w.addedImports }

// copyFuncIndex copies the index of a function.
func (w *rewriter) copyFuncIndex(r *reader) {
	w.writeU32(w.outputFuncIndex(r.index("function", uint32(len(w.funcTypes)))))
}
