package binary

import "bytes"

var magic = []byte("\x00asm")

// The layers, which are the last two bytes of a preamble.
const (
	coreLayer      = 0
	componentLayer = 1
	version        = 0x0d
)

// IsComponent reports whether b begins as a component of any version does.
func IsComponent(b []byte) bool {
	return len(b) >= 8 && bytes.HasPrefix(b, magic) && b[6] == componentLayer && b[7] == 0
}

// The sections of a component.
const (
	customSection = iota
	coreModuleSection
	coreInstanceSection
	coreTypeSection
	componentSection
	instanceSection
	aliasSection
	typeSection
	canonSection
	startSection
	importSection
	exportSection
	valueSection
)

// Decode decodes a component. The result refers to b, which must not change afterwards. The error
// is an *Error.
func Decode(b []byte) (*Component, error) {
	if len(b) > maxSize {
		return nil, Errorf(TooMuch, 0, "%d bytes, at most %d are allowed", len(b), maxSize)
	}
	r := &reader{b: b, total: &totals{}}
	c := decodeComponent(r, 0)
	if r.err != nil {
		return nil, r.err
	}
	return c, nil
}

// A decoder decodes one component.
type decoder struct {
	*reader
	c       *Component
	counts  [sorts]int
	nesting int
}

func decodeComponent(r *reader, nesting int) *Component {
	d := &decoder{reader: r, c: &Component{Offset: r.offset(), Size: len(r.b)}, nesting: nesting}
	if nesting > maxNesting {
		r.fail(TooMuch, "components nested deeper than %d", maxNesting)
	}
	d.preamble()
	for r.more() {
		d.section()
	}
	return d.c
}

func (d *decoder) preamble() {
	b := d.bytes(8)
	switch {
	case d.err != nil:
	case !bytes.HasPrefix(b, magic):
		d.err = Errorf(Malformed, d.c.Offset, "no WebAssembly, which begins with 00 61 73 6d")
	case b[6] != componentLayer || b[7] != 0:
		d.err = Errorf(Malformed, d.c.Offset, "no component")
	case b[4] != version || b[5] != 0:
		d.err = Errorf(Unsupported, d.c.Offset, "it was built for another version of the "+
			"component model, %#x; the version is %#x", int(b[4])|int(b[5])<<8, version)
	}
}

// section decodes one section.
func (d *decoder) section() {
	id := d.byte()
	body := d.sub(d.u32())
	if d.err != nil {
		return
	}
	s := &decoder{body, d.c, d.counts, d.nesting}
	switch id {
	case customSection:
		s.custom()
	case coreModuleSection:
		s.coreModule()
	case componentSection:
		s.add(decodeComponent(body, d.nesting+1))
		s.grow(ComponentSort)
	case startSection, valueSection:
		s.unsupported("values and start functions of components")
	default:
		s.vectorSection(id)
	}
	s.end("section")
	d.counts, d.err = s.counts, s.err
}

// minimal are the least sizes of the definitions in a section.
var minimal = map[byte]int{
	coreInstanceSection: 2, coreTypeSection: 2, instanceSection: 2, aliasSection: 4, typeSection: 1,
	canonSection: 1, importSection: 4, exportSection: 5,
}

func (d *decoder) vectorSection(id byte) {
	size, ok := minimal[id]
	if !ok {
		d.pos = 0
		d.malformed("unknown section %d", id)
		return
	}
	n := d.count(size)
	d.c.Defs = append(make([]Definition, 0, len(d.c.Defs)+n), d.c.Defs...)
	for range n {
		d.definition(id)
		if d.err != nil {
			return
		}
	}
}

func (d *decoder) definition(id byte) {
	switch id {
	case coreInstanceSection:
		d.add(d.coreInstance())
		d.grow(CoreInstanceSort)
	case coreTypeSection:
		d.add(d.coreType(d.nesting))
		d.grow(CoreTypeSort)
	case instanceSection:
		d.add(d.instance())
		d.grow(InstanceSort)
	case aliasSection:
		a := d.alias()
		d.add(a)
		d.grow(a.Sort)
	case typeSection:
		d.add(d.typ(d.nesting))
		d.grow(TypeSort)
	case canonSection:
		c := d.canon()
		d.add(c)
		if c.Kind == Lift {
			d.grow(FuncSort)
		} else {
			d.grow(CoreFuncSort)
		}
	case importSection:
		i := &Import{Pos: Pos(d.offset()), Name: d.externName(), Desc: d.desc()}
		d.add(i)
		d.grow(i.Desc.Sort)
	case exportSection:
		e := d.export()
		d.add(e)
		d.grow(e.Item.Sort)
	}
}

func (d *decoder) add(def Definition) {
	if d.err == nil {
		d.c.Defs = append(d.c.Defs, def)
	}
}

// grow counts an item of an index space.
func (d *decoder) grow(s Sort) {
	if d.counts[s]++; d.counts[s] > maxItems {
		d.fail(TooMuch, "more than %d items of the sort %q", maxItems, s)
	}
}

func (d *decoder) coreModule() {
	at := Pos(d.offset())
	d.add(&CoreModule{at, d.bytes(uint32(len(d.b)))})
	d.grow(CoreModuleSort)
}

// custom reads the names of core modules in the section "component-name". It ignores unknown
// parts, since the section is for debugging only.
// Source: component model, Binary.md, "Name Section".
func (d *decoder) custom() {
	if d.name() != "component-name" || d.err != nil {
		d.pos = len(d.b)
		return
	}
	names := &reader{b: d.b, pos: d.pos}
	d.pos = len(d.b)
	for names.more() {
		kind := names.byte()
		sub := names.sub(names.u32())
		if kind != 1 || sub.byte() != 0 || sub.byte() != 0x11 {
			continue
		}
		for range sub.countMax(2, maxFields, "names") {
			index, name := sub.u32(), sub.label()
			if sub.err != nil {
				return
			}
			if d.c.ModuleNames == nil {
				d.c.ModuleNames = make(map[uint32]string)
			}
			d.c.ModuleNames[index] = name
		}
	}
}
