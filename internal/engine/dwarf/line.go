package dwarf

// A row of the line table says where the instructions from its address to the next row's are.
type row struct {
	address      uint64
	file         uint64
	line, column uint32
}

var firstRow = row{file: 1, line: 1} // DWARF 5, section 6.2.2.

// A lineProgram is the program of a line table, which makes its rows.
type lineProgram struct {
	r          reader
	minLength  uint64 // Of an instruction.
	lineBase   int64
	lineRange  uint64
	opcodeBase uint64
	operands   []byte // The numbers of the standard opcodes' operands.

	// state is the next row. Last is the row before, if it has an address that exists.
	state, last       row
	inSequence, exist bool
	places            []place
}

// findRows runs the unit's line program, and finds the rows of the places.
func (u *unit) findRows(places []place) {
	offset, ok := u.root.find(attrStmtList)
	r := u.r.at(u.sections.Line, offset.n)
	length := r.fixed(4)
	if !ok || r.failed || length > uint64(len(r.b)-r.pos) {
		return
	}
	r.b = r.b[:r.pos+int(length)]
	p := lineProgram{r: r, state: firstRow, places: places}
	p.readHeader(u)
	for p.r.more() {
		p.step()
	}
}

// readHeader reads the header, with the files.
func (p *lineProgram) readHeader(u *unit) {
	r := &p.r
	version := r.fixed(2)
	if version < 2 || version > 5 {
		r.failed = true
		return
	}
	if version == 5 {
		r.take(2) // The sizes of addresses and of segment selectors.
	}
	length := r.fixed(4)
	if length > uint64(len(r.b)-r.pos) {
		r.failed = true
		return
	}
	start := r.pos + int(length)
	p.minLength = r.fixed(1)
	if version >= 4 {
		r.u8() // Operations in an instruction, which matter for VLIW machines.
	}
	r.u8() // Whether rows are statements by default.
	p.lineBase, p.lineRange = int64(int8(r.u8())), r.fixed(1)
	if p.opcodeBase = r.fixed(1); p.opcodeBase == 0 || p.lineRange == 0 {
		r.failed = true
		return
	}
	p.operands = r.take(p.opcodeBase - 1)
	u.readFiles(r, version)
	r.pos = start
}

// The standard and extended opcodes. Source: DWARF 5, sections 7.22.
const (
	lineExtended       = 0
	lineCopy           = 1
	lineAdvancePC      = 2
	lineAdvanceLine    = 3
	lineSetFile        = 4
	lineSetColumn      = 5
	lineConstAddPC     = 8
	lineFixedAdvancePC = 9

	lineEndSequence = 1
	lineSetAddress  = 2
)

// step runs one instruction of the program.
func (p *lineProgram) step() {
	r := &p.r
	opcode := r.fixed(1)
	if opcode >= p.opcodeBase {
		p.special(opcode - p.opcodeBase)
		p.emit()
		return
	}
	switch opcode {
	case lineExtended:
		p.extended()
	case lineCopy:
		p.emit()
	case lineAdvancePC:
		p.state.address += p.minLength * r.uleb()
	case lineAdvanceLine:
		p.state.line += uint32(r.sleb())
	case lineSetFile:
		p.state.file = r.uleb()
	case lineSetColumn:
		p.state.column = uint32(r.uleb())
	case lineConstAddPC:
		p.state.address += p.minLength * ((255 - p.opcodeBase) / p.lineRange)
	case lineFixedAdvancePC:
		p.state.address += r.fixed(2)
	default:
		for range p.operands[opcode-1] {
			r.uleb()
		}
	}
}

// special advances the address and the line.
func (p *lineProgram) special(adjusted uint64) {
	p.state.address += p.minLength * (adjusted / p.lineRange)
	p.state.line += uint32(p.lineBase + int64(adjusted%p.lineRange))
}

func (p *lineProgram) extended() {
	r := &p.r
	length := r.uleb()
	content := reader{b: r.take(length), steps: r.steps}
	switch content.fixed(1) {
	case lineEndSequence:
		p.emit()
		p.state, p.inSequence = firstRow, false
	case lineSetAddress:
		p.state.address = content.fixed(min(uint64(len(content.b)-content.pos), 8))
	}
}

// emit ends the row before with the address of the next, and begins that. A sequence that begins at
// the address 0 is of code that the linker dropped.
func (p *lineProgram) emit() {
	if !p.inSequence {
		p.inSequence, p.exist = true, p.state.address != 0
	} else if p.exist {
		*p.r.steps -= len(p.places) / placesPerStep / 4
		for i := range p.places {
			at := &p.places[i]
			if at.wanted && !at.hasRow && p.last.address <= at.offset &&
				at.offset < p.state.address {
				at.hasRow, at.row = true, p.last
			}
		}
	}
	p.last = p.state
}
