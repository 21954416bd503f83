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
	secTag       = 13 // Of the exception handling proposal.
)

var sectionNames = [...]string{
	secCustom: "custom", secType: "type", secImport: "import", secFunction: "function",
	secTable: "table", secMemory: "memory", secGlobal: "global", secExport: "export",
	secStart: "start", secElement: "element", secCode: "code", secData: "data",
	secDataCount: "data count",
}

// sectionOrder is the order of the sections in a module.
// Source: WebAssembly Core Specification 2.0, section 5.5.16.
var sectionOrder = []byte{
	secType, secImport, secFunction, secTable, secMemory, secGlobal, secExport, secStart,
	secElement, secDataCount, secCode, secData,
}

// The limits of a module's declarations. They keep a few bytes from making an engine allocate much.
// Source: WebAssembly JavaScript Interface, section "Implementation-defined Limits".
const (
	maxItems    = 1_000_000 // Of any vector.
	maxParams   = 1000
	maxResults  = 1000
	maxLocals   = 50_000
	maxBodySize = 7_654_321
	maxPages    = 65536

	// maxImports and maxImportModules are lower than the 1,000,000 imports of browsers. The time
	// that wazero needs to supply imports is quadratic in their number, and in the number of
	// modules that they come from. Real guests import about a hundred from a few modules.
	maxImports       = 2048
	maxImportModules = 256

	// maxGlobals is lower than the 1,000,000 of browsers. wazero declares all globals again for
	// each function that it compiles. Most programs have about ten, dynamically linked ones a few
	// thousand.
	maxGlobals = 20_000

	// maxEntries is lower than the 10,000,000 of browsers, and bounds all tables of a module
	// together.
	maxEntries = 1_000_000

	// Two bytes can declare thousands of locals, or call a function with a thousand results. A
	// compiler allocates for each. So a module has a budget for such values, of budgetBase and of
	// budgetPerByte for each byte of the binary. A local costs 1; each of several values that an
	// instruction makes at once costs valueCost. The end of a block costs 1 for each local that the
	// block assigned, since the analysis of liveness makes a value for it: nested blocks otherwise
	// cost the product of their number and that of the locals. Compilers of C, C++, Rust and Go use
	// a small part.
	budgetBase, budgetPerByte = 1_000_000, 16
	valueCost                 = 32

	// maxValues bounds the values that a function has when instructions make several at once. It
	// keeps the analysis of a function within a few hundred MB, and the indices of values within 32
	// bits. It exceeds maxBodySize, so that values made one by one do not reach it. The largest
	// function of Go's compiler has 190,000.
	maxValues = 1 << 23
)

const pageSize = 65536

// The memory that wazero 1.12 allocates for each instance of a module, in bytes and rounded up. A
// global takes its GlobalInstance, a pointer, its value, and garbage. An item of an element segment
// takes a functionInstance and the references to it.
const (
	typeSize    = 8
	globalSize  = 160
	importSize  = 64
	tableSize   = 128
	entrySize   = 8
	segmentSize = 32
	itemSize    = 56
)

// maxAddedGlobals is the number of globals that globalSection adds at most.
const maxAddedGlobals = 3

// rewriter is the state of rewriting one module. All counts and indices are those of the input,
// unless said otherwise.
type rewriter struct {
	o      Options
	out    []byte
	err    error
	memory Memory

	types []funcType

	// firstAddedType is the index of the first of addedTypes in the output.
	firstAddedType uint32

	// funcTypes holds the type index of every function, the imported ones first.
	funcTypes        []uint32
	numImportedFuncs int

	// uncheckedFuncs tells which of the defined functions need no check.
	uncheckedFuncs []bool

	// addedImports is the number of functions that the output imports from Module. The indices of
	// the defined functions grow by it.
	addedImports uint32

	// deepenImport, chargeImport and firstAtomicImport are the indices of added imports in the
	// output. They are 0 if the options do not call for them.
	deepenImport, chargeImport, firstAtomicImport uint32

	numGlobals, numTables, numMemories uint32

	// globalSizes holds the size of every global's value, in bytes.
	globalSizes []uint8

	// maxTableEntries holds the maximum of every table in the output.
	maxTableEntries []uint32

	// instanceSize is Needs.Instance.
	instanceSize uint64

	// valueBudget is the rest of the budget described at budgetBase.
	valueBudget int

	// compileBudget is the rest of the budget described at costBase, in ns.
	compileBudget float64

	// hasNameSection is set once the input's name section has been read, wroteNameSection once one
	// has been written.
	hasNameSection, wroteNameSection bool

	// origins is nil unless Origins runs the rewriter.
	origins *originFinder
}

var header = []byte("\x00asm\x01\x00\x00\x00")

func (w *rewriter) rewrite(module []byte) {
	w.valueBudget = budgetBase + budgetPerByte*len(module)
	w.compileBudget = costBase + costPerByte*float64(len(module))
	sections, custom, err := readSections(module)
	if w.err = err; w.err != nil {
		return
	}
	if s := sections[secMemory]; s != nil {
		if w.err = w.readOwnMemory(*s); w.err != nil {
			return
		}
	}
	w.out = append(w.out, header...)
	for _, id := range sectionOrder {
		if s := sections[id]; s != nil {
			w.rewriteSection(id, s)
		}
	}
	w.instanceSize += uint64(len(w.types)+len(addedTypes)) * typeSize
	w.instanceSize += uint64(w.numGlobals+maxAddedGlobals) * globalSize
	w.instanceSize += uint64(w.numImportedFuncs+int(w.addedImports)) * importSize
	for _, s := range custom {
		w.customSection(s)
	}
	if !w.wroteNameSection {
		w.hasNameSection = false
		w.customSection(&reader{b: appendName(nil, "name")})
	}
	if w.err == nil && w.o.Lines != "" {
		w.writeOffsetLines()
	}
}

// readSections finds the sections of a module, and checks their order. Sections that rewriting adds
// to are in the result also if the module lacks them.
func readSections(module []byte) (sections [13]*reader, custom []*reader, err error) {
	r := &reader{b: module}
	if !bytes.Equal(r.bytes(8), header) {
		r.malformed("no module of version 1")
	}
	for _, id := range []byte{secType, secImport, secFunction, secGlobal, secCode} {
		sections[id] = &reader{b: []byte{0}}
	}
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
		if id == secTag {
			r.fail(ErrUnsupported, "exceptions (a tag section)")
		} else if i < rank {
			r.malformed("section %d out of place", id)
		} else {
			rank = i + 1
			sections[id] = s
		}
	}
	return sections, custom, r.err
}

// readOwnMemory reads the memory section before its turn. The import section, which comes first,
// depends on whether the memory is shared.
func (w *rewriter) readOwnMemory(r reader) error {
	for range r.count(2) {
		w.readMemoryType(&r)
	}
	if r.more() {
		r.malformed("%d bytes left", len(r.b)-r.pos)
	}
	return wrapSectionError(r.err, secMemory)
}

// rewriteSection rewrites one section. The size is written in five bytes, since it is known only at
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

// patchSectionSize writes the size of the section with the content from start to the end of the
// output.
func (w *rewriter) patchSectionSize(start int) {
	n := uint32(len(w.out) - start)
	for i := range 5 {
		w.out[start-5+i] = byte(n>>(7*i))&0x7f | 0x80
	}
	w.out[start-1] &= 0x7f
}

// copySince copies the bytes that have been read since the given position.
func (w *rewriter) copySince(r *reader, pos int) {
	if r.err == nil {
		w.out = append(w.out, r.b[pos:r.pos]...)
	}
}

func (w *rewriter) writeU32(v uint32) { w.out = appendU32(w.out, v) }

// copyRest copies the bytes that have not been read.
func (w *rewriter) copyRest(r *reader) {
	w.out = append(w.out, r.bytes(uint32(len(r.b)-r.pos))...)
}

// chargeValueBudget charges n to the budget described at budgetBase. It fails r if that is used up.
func (w *rewriter) chargeValueBudget(r *reader, n int) {
	if w.valueBudget -= n; w.valueBudget < 0 {
		r.malformed("too many locals and values for so little code")
	}
}

// The added globals follow those of the input, so that no index changes. They hold the rest of the
// interval, the depth of the stack, and the depth beyond which Deepen is called.
func (w *rewriter) counterGlobal() uint32 { return w.numGlobals }
func (w *rewriter) depthGlobal() uint32   { return w.numGlobals + 1 }
func (w *rewriter) limitGlobal() uint32   { return w.numGlobals + 2 }

// outputFuncIndex returns a function's index in the output.
func (w *rewriter) outputFuncIndex(i uint32) uint32 {
	if int(i) < w.numImportedFuncs {
		return i
	}
	return i + w.addedImports
}

// helperIndex returns the index of a helper in the output.
func (w *rewriter) helperIndex(n int) uint32 { return uint32(len(w.funcTypes)+n) + w.addedImports }

// copyFuncIndex reads a function's index, and writes its index in the output.
func (w *rewriter) copyFuncIndex(r *reader) {
	w.writeU32(w.outputFuncIndex(r.index("function", uint32(len(w.funcTypes)))))
}
