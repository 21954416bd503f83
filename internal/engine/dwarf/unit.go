package dwarf

// A unit is a compilation unit.
type unit struct {
	sections *Sections

	// r reads the unit's entries. It ends with the unit.
	r reader

	// start is the offset of the unit's header in .debug_info, end that of the next unit.
	start, end int

	version, addressSize, abbrevOffset uint64

	// root is the first entry, which begins at firstEntry.
	root       entry
	firstEntry int

	abbreviations map[uint64]*abbreviation
	directories   [][]byte
	files         []file
}

// An abbreviation is the layout of entries.
type abbreviation struct {
	tag        uint64
	attributes []attribute
}

type attribute struct {
	name, form uint16
	implicit   int64 // Of formImplicitConst.
}

// An entry is a debugging information entry, with the attributes that lines need.
type entry struct {
	tag    uint64
	values []namedValue
}

type namedValue struct {
	name uint16
	value
}

func (e *entry) find(name uint16) (value, bool) {
	for i := range e.values {
		if e.values[i].name == name {
			return e.values[i].value, true
		}
	}
	return value{}, false
}

// number returns the value of an attribute that is a number, or 0 without it.
func (e *entry) number(name uint16) uint64 {
	v, _ := e.find(name)
	return v.n
}

// nextUnit reads the header and the first entry of the next unit. It moves info to the one after
// it, and returns nil for a unit that has no code or is of an unknown kind.
func (s *Sections) nextUnit(info *reader) *unit {
	start := info.pos
	length := info.fixed(4)
	if length >= 0xfffffff0 {
		// The 64-bit format, which no compiler writes for wasm32. Its length follows.
		info.take(info.fixed(8))
		return nil
	}
	content := info.pos
	if info.take(length); info.failed {
		return nil
	}
	u := &unit{sections: s, start: start, end: info.pos,
		r: reader{b: s.Info[:info.pos], pos: content, steps: info.steps}}
	r := &u.r
	u.version = r.fixed(2)
	switch {
	case u.version >= 2 && u.version <= 4:
		u.abbrevOffset, u.addressSize = r.fixed(4), uint64(r.u8())
	case u.version == 5 && r.u8() == unitCompile:
		u.addressSize, u.abbrevOffset = uint64(r.u8()), r.fixed(4)
	default:
		return nil
	}
	if u.addressSize != 4 && u.addressSize != 8 {
		return nil
	}
	u.firstEntry = r.pos
	code := r.uleb()
	table := r.at(s.Abbrev, u.abbrevOffset)
	for a, c := readAbbreviation(&table); a != nil; a, c = readAbbreviation(&table) {
		if c == code {
			u.readEntry(r, a, &u.root)
			break
		}
	}
	if r.failed || u.root.tag != tagCompileUnit {
		return nil
	}
	return u
}

// unitCompile is the type of a unit that stands for itself (DWARF 5, section 7.5.1).
const unitCompile = 1

// readAbbreviation reads the next abbreviation of a table, with its code. At the end it returns
// nil.
func readAbbreviation(r *reader) (*abbreviation, uint64) {
	code := r.uleb()
	if code == 0 || r.failed {
		return nil, 0
	}
	a := &abbreviation{tag: r.uleb()}
	r.u8() // Whether it has children.
	for !r.failed && len(a.attributes) < maxAttributes {
		name, form := r.uleb(), r.uleb()
		if name == 0 && form == 0 {
			return a, code
		}
		if name > 0xffff || form > 0xffff {
			// An attribute that nothing here asks for; an unknown form makes the entry fail.
			name, form = 0xffff, min(form, 0xffff)
		}
		at := attribute{name: uint16(name), form: uint16(form)}
		if form == formImplicitConst {
			at.implicit = r.sleb()
		}
		a.attributes = append(a.attributes, at)
	}
	return nil, 0
}

// readAbbreviations reads all abbreviations of the unit.
func (u *unit) readAbbreviations() {
	u.abbreviations = map[uint64]*abbreviation{}
	r := u.r.at(u.sections.Abbrev, u.abbrevOffset)
	left := maxAttributes
	for a, code := readAbbreviation(&r); a != nil; a, code = readAbbreviation(&r) {
		if left -= 1 + len(a.attributes); left < 0 {
			return
		}
		u.abbreviations[code] = a
	}
}

// readEntry reads the attributes of an entry, and keeps those that lines need.
func (u *unit) readEntry(r *reader, a *abbreviation, e *entry) {
	e.tag, e.values = a.tag, e.values[:0]
	for i := range a.attributes {
		at := &a.attributes[i]
		v := u.readValue(r, at.form, at.implicit)
		if r.failed {
			return
		}
		switch at.name {
		case attrName, attrStmtList, attrLowPC, attrHighPC, attrCompDir, attrAbstractOrigin,
			attrSpecification, attrRanges, attrCallColumn, attrCallFile, attrCallLine,
			attrStrOffsetsBase, attrAddrBase, attrRnglistsBase:
			if len(e.values) < maxValues {
				e.values = append(e.values, namedValue{at.name, v})
			}
		}
	}
}

// maxValues is the number of attributes that readEntry keeps at most. No entry has one twice.
const maxValues = 14

// nextEntry reads the next entry, and reports whether there was one. An entry of code 0 only ends
// the children of another.
func (u *unit) nextEntry(r *reader, e *entry) bool {
	for r.more() {
		code := r.uleb()
		if code == 0 {
			continue
		}
		a := u.abbreviations[code]
		if a == nil {
			r.failed = true
			return false
		}
		u.readEntry(r, a, e)
		return !r.failed
	}
	return false
}

// findInlined finds the functions that are inlined at the places. A function that is inlined in
// another comes after it.
func (u *unit) findInlined(places []place) {
	u.readAbbreviations()
	r := u.r
	r.pos = u.firstEntry
	var e entry
	for u.nextEntry(&r, &e) {
		if e.tag != tagInlinedSubroutine {
			continue
		}
		*r.steps -= len(places) / placesPerStep
		for i := range places {
			p := &places[i]
			if p.wanted && len(p.inlined) < maxInlined && u.contains(&e, p.offset) {
				p.inlined = append(p.inlined, entry{e.tag, append([]namedValue(nil), e.values...)})
			}
		}
	}
}

// functionName returns the name of an inlined function. Its entry refers to that of the function,
// and that one to a declaration with the name if the function is a method.
func (u *unit) functionName(e *entry) string {
	at := *e
	for range 4 {
		if v, ok := at.find(attrName); ok {
			return string(clip(u.text(v), maxName))
		}
		v, ok := at.find(attrAbstractOrigin)
		if !ok {
			if v, ok = at.find(attrSpecification); !ok {
				return ""
			}
		}
		offset := v.n
		if v.form != formRefAddr {
			offset += uint64(u.start)
		}
		if offset < uint64(u.firstEntry) || offset >= uint64(u.end) {
			return "" // In another unit, or malformed.
		}
		r := u.r
		r.failed, r.pos = false, int(offset)
		if !u.nextEntry(&r, &at) {
			return ""
		}
	}
	return ""
}

func clip(b []byte, n int) []byte { return b[:min(len(b), n)] }
