// Package dwarf finds the source lines of a module's instructions in its DWARF sections, versions 2
// to 5, with the functions that were inlined there.
//
// The sections are a guest's bytes. Go's debug/dwarf is not meant for such: a count of a few bytes
// makes it allocate gigabytes. This package reads no more than lines need. It allocates
// little beyond its result, and it stops after a number of steps. Malformed sections yield fewer
// lines, or none. Other uses of DWARF, such as variables and types, do not belong here.
//
// Functions of this package have no shared state, and may be called from several goroutines.
//
// Source: DWARF Debugging Information Format, versions 4 and 5; "DWARF for WebAssembly" of the
// WebAssembly tool conventions, by which addresses are offsets in the code section's content.
package dwarf

import "slices"

// Sections are the contents of the sections of these names. Those that a module lacks are empty.
type Sections struct {
	Info, Abbrev, Line, Str, LineStr, Ranges, Rnglists, Addr, StrOffsets []byte
}

// OfModule returns the sections of a module. Custom returns the content of the custom section of a
// name.
func OfModule(custom func(name string) []byte) *Sections {
	return &Sections{
		Info:       custom(".debug_info"),
		Abbrev:     custom(".debug_abbrev"),
		Line:       custom(".debug_line"),
		Str:        custom(".debug_str"),
		LineStr:    custom(".debug_line_str"),
		Ranges:     custom(".debug_ranges"),
		Rnglists:   custom(".debug_rnglists"),
		Addr:       custom(".debug_addr"),
		StrOffsets: custom(".debug_str_offsets"),
	}
}

// A Line is a place in a source file.
type Line struct {
	File string

	// Number and Column count from 1. They are 0 if they are not known.
	Number, Column uint32

	// Inlined is set if the line belongs to a function that was inlined where the next Line is.
	// Function is then its name, if that is known.
	Inlined  bool
	Function string
}

const (
	// maxSteps bounds the numbers and strings that one call of Lines reads. They take about 0.3 s.
	// For a Rust program with its standard library, 220,000 are enough.
	maxSteps = 1 << 23

	// placesPerStep is the number of places that are compared with an inlined function in the time
	// of a step. A row takes a quarter of that for each.
	placesPerStep = 4

	// maxInlined bounds the functions that are inlined in each other at one place.
	maxInlined = 64

	// maxAttributes bounds the attributes in the abbreviations of one unit, maxFiles the files and
	// directories of its line table.
	maxAttributes, maxFiles = 1 << 18, 1 << 16

	// maxPath and maxName bound a file's path and a function's name, in bytes.
	maxPath, maxName = 1024, 256
)

// Lines returns the lines of each offset in the code section, the innermost inlined function's
// first. The lines of an offset are nil if they are not known.
func (s *Sections) Lines(offsets []uint64) [][]Line {
	steps := maxSteps
	info := reader{b: s.Info, steps: &steps}
	found := make([]place, len(offsets))
	lines := make([][]Line, len(offsets))
	for info.more() {
		u := s.nextUnit(&info)
		if u == nil {
			continue
		}
		steps -= len(found) / placesPerStep
		for i := range found {
			found[i] = place{offset: offsets[i], wanted: lines[i] == nil &&
				u.contains(&u.root, offsets[i])}
		}
		if !slices.ContainsFunc(found, func(p place) bool { return p.wanted }) {
			continue
		}
		u.findInlined(found)
		u.findRows(found)
		for i := range found {
			if found[i].hasRow {
				lines[i] = u.linesOf(&found[i])
			}
		}
	}

	return lines
}

// A place is an offset and its row and inlined functions in the unit that is being read.
type place struct {
	offset uint64
	wanted bool // Whether the unit has code at the offset.

	// inlined are the entries of the functions that are inlined at the offset, the outermost first.
	inlined []entry

	hasRow bool
	row    row
}

// linesOf puts the lines of a place together: the row's for the innermost function, and for each
// inlined function the line of its call.
func (u *unit) linesOf(p *place) []Line {
	lines := []Line{{File: u.path(p.row.file), Number: p.row.line, Column: p.row.column}}
	for _, call := range slices.Backward(p.inlined) {
		last := &lines[len(lines)-1]
		last.Inlined, last.Function = true, u.functionName(&call)
		lines = append(lines, Line{
			File:   u.path(call.number(attrCallFile)),
			Number: uint32(call.number(attrCallLine)),
			Column: uint32(call.number(attrCallColumn)),
		})
	}
	return lines
}
