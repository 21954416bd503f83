package interrupt

import le "encoding/binary"

// The sections without which there are no source lines.
const (
	infoSection = ".debug_info"
	lineSection = ".debug_line"
)

// HasLines reports whether a module has DWARF with source lines.
func HasLines(module []byte) bool {
	return len(CustomSection(module, infoSection)) > 0 &&
		len(CustomSection(module, lineSection)) > 0
}

// CustomSection returns the content of a module's custom section, or nil without it. The last
// section of a name counts.
func CustomSection(module []byte, name string) (content []byte) {
	r := &reader{b: module}
	r.bytes(uint32(len(header)))
	for r.more() {
		id := r.byte()
		s := &reader{b: r.bytes(r.u32())}
		if id == secCustom && s.name() == name && s.err == nil {
			content = s.b[s.pos:]
		}
	}
	return content
}

// writeOffsetLines writes DWARF that gives every instruction the same line, line 0 of the file
// Options.Lines. wazero then knows the offsets of instructions in the code section, and writes them
// into stack traces: "0x1a2: FILE". Source: DWARF 4, sections 6.2.4 and 7.5.
func (w *rewriter) writeOffsetLines() {
	const start, end = 1, 0x7fffffff   // wazero takes 0 and -1 for code that the linker dropped.
	abbreviation := []byte{1, 0x11, 0, // A compile unit without children.
		0x10, 0x17, 0x11, 0x01, 0x12, 0x06, 0, 0, // DW_AT_stmt_list, low_pc, high_pc.
		0}
	unit := []byte{4, 0, 0, 0, 0, 0, 4, 1, 0, 0, 0, 0}
	unit = le.LittleEndian.AppendUint32(unit, start)
	unit = le.LittleEndian.AppendUint32(unit, end-start)

	table := []byte{1, 1, 1, 0, 1, 10, 0, 1, 1, 1, 1, 0, 0, 0, 1, 0}
	table = append(append(table, w.o.Lines...), 0, 0, 0, 0, 0)
	table = withLength([]byte{4, 0}, table)
	setAddress := []byte{0, 5, 2}
	table = le.LittleEndian.AppendUint32(append(table, setAddress...), start)
	table = append(table, 3, 0x7f, 1) // DW_LNS_advance_line -1, DW_LNS_copy.
	table = le.LittleEndian.AppendUint32(append(table, setAddress...), end)
	table = append(table, 0, 1, 1) // DW_LNE_end_sequence.

	for _, s := range []struct {
		name    string
		content []byte
	}{
		{".debug_abbrev", abbreviation},
		{infoSection, withLength(nil, unit)},
		{lineSection, withLength(nil, table)},
	} {
		w.out = append(w.out, secCustom, 0, 0, 0, 0, 0)
		start := len(w.out)
		w.out = append(appendName(w.out, s.name), s.content...)
		w.patchSectionSize(start)
	}
}

// withLength appends a DWARF length and the content of that length.
func withLength(b, content []byte) []byte {
	return append(le.LittleEndian.AppendUint32(b, uint32(len(content))), content...)
}
