package binary

import "bytes"

// A Module has the imports and exports of a core module. Its code is not looked at.
type Module struct {
	Imports []CoreImport
	Exports []CoreExport

	// Memories are those that the module defines.
	Memories []CoreExtern

	// ImportSection are the offsets in the module between which its import section lies, header
	// included. Both are 0 if it has none.
	ImportSection [2]int

	// Code is the size of the code section, in bytes.
	Code int
}

// A CoreImport is an import of a core module.
type CoreImport struct {
	Module, Name string
	Extern       CoreExtern

	// Desc are the bytes of its kind and type in the import section.
	Desc []byte
}

// A CoreExport is an export of a core module.
type CoreExport struct {
	Name   string
	Extern CoreExtern
}

// The sections of a core module that are read.
const (
	coreTypes    = 1
	coreImports  = 2
	coreFuncs    = 3
	coreTables   = 4
	coreMemories = 5
	coreGlobals  = 6
	coreExports  = 7
	coreCode     = 10
)

// A moduleDecoder decodes a core module.
type moduleDecoder struct {
	*reader
	m        *Module
	types    []*CoreFuncType
	funcs    []*CoreFuncType
	tables   []CoreExtern
	memories []CoreExtern
	globals  []CoreExtern
}

// DecodeModule reads the imports and exports of a core module, with their types. Base is its offset
// in the component. The error is an *Error.
func DecodeModule(b []byte, base int) (*Module, error) {
	d := &moduleDecoder{reader: &reader{b: b, base: base}, m: &Module{}}
	if h := d.bytes(8); d.err == nil && !bytes.Equal(h, []byte("\x00asm\x01\x00\x00\x00")) {
		d.err = Errorf(Malformed, base, "a core module of another version than 1")
	}
	last := byte(0)
	for d.more() {
		start := d.pos
		id := d.byte()
		body := d.sub(d.u32())
		if d.err != nil {
			break
		}
		if id != 0 && id <= coreExports {
			if id <= last {
				body.malformed("section %d of a core module in disorder", id)
			}
			last = id
		}
		s := *d
		s.reader = body
		s.section(id)
		if id == coreImports {
			d.m.ImportSection = [2]int{start, d.pos}
		}
		s.reader, d.err = d.reader, body.err
		*d = s
	}
	if d.err != nil {
		return nil, d.err
	}
	return d.m, nil
}

func (d *moduleDecoder) section(id byte) {
	switch id {
	case coreTypes:
		d.types = vector(d.reader, 3, d.coreFuncType)
	case coreImports:
		d.m.Imports = vector(d.reader, 4, d.coreImport)
	case coreFuncs:
		d.funcs = append(d.funcs, vector(d.reader, 1, func() *CoreFuncType {
			return d.typeAt(d.u32())
		})...)
	case coreTables:
		d.tables = append(d.tables, vector(d.reader, 3, d.definedTable)...)
	case coreMemories:
		d.m.Memories = vector(d.reader, 2, d.memory)
		if len(d.memories)+len(d.m.Memories) > 1 {
			d.unsupported("core modules with several memories")
			return
		}
		d.memories = append(d.memories, d.m.Memories...)
	case coreGlobals:
		d.globals = append(d.globals, vector(d.reader, 4, func() CoreExtern {
			g := d.global()
			d.constant()
			return g
		})...)
	case coreExports:
		d.m.Exports = vector(d.reader, 3, d.coreExport)
		d.uniqueExports()
	case coreCode:
		d.m.Code = len(d.b)
		fallthrough
	default:
		return
	}
	d.end("section")
}

func (d *moduleDecoder) typeAt(i uint32) *CoreFuncType {
	if int64(i) >= int64(len(d.types)) {
		d.fail(Invalid, "unknown core type %d", i)
		return nil
	}
	return d.types[i]
}

func (d *moduleDecoder) coreImport() CoreImport {
	i := CoreImport{Module: d.name(), Name: d.name()}
	start := d.pos
	var index uint32
	i.Extern, index = d.coreExtern()
	if d.err != nil {
		return i
	}
	i.Desc = d.b[start:d.pos]
	switch i.Extern.Kind {
	case CoreFunc:
		i.Extern.Func = d.typeAt(index)
		d.funcs = append(d.funcs, i.Extern.Func)
	case CoreTable:
		d.tables = append(d.tables, i.Extern)
	case CoreMemory:
		d.memories = append(d.memories, i.Extern)
	case CoreGlobal:
		d.globals = append(d.globals, i.Extern)
	}
	return i
}

func (d *moduleDecoder) definedTable() CoreExtern {
	if d.peek() == 0x40 {
		d.unsupported("tables with an initial value")
	}
	return d.table()
}

func (d *moduleDecoder) coreExport() CoreExport {
	e := CoreExport{Name: d.name()}
	kind := d.byte()
	i := int64(d.u32())
	lengths := [...]int{len(d.funcs), len(d.tables), len(d.memories), len(d.globals)}
	if kind == 4 {
		d.unsupported("exceptions")
	}
	if int(kind) >= len(lengths) {
		d.malformed("unknown kind %#x of a core export", kind)
	}
	if d.err != nil {
		return e
	}
	if i >= int64(lengths[kind]) {
		d.fail(Invalid, "unknown %s %d in a core export", CoreKind(kind), i)
		return e
	}
	switch CoreKind(kind) {
	case CoreFunc:
		e.Extern = CoreExtern{Kind: CoreFunc, Func: d.funcs[i]}
	case CoreTable:
		e.Extern = d.tables[i]
	case CoreMemory:
		e.Extern = d.memories[i]
	case CoreGlobal:
		e.Extern = d.globals[i]
	}
	return e
}

func (d *moduleDecoder) uniqueExports() {
	seen := make(map[string]struct{}, len(d.m.Exports))
	for _, e := range d.m.Exports {
		if _, ok := seen[e.Name]; ok {
			d.fail(Invalid, "two core exports are named %q", e.Name)
			return
		}
		seen[e.Name] = struct{}{}
	}
}

// constant skips a constant expression. Its value does not matter here.
// Source: WebAssembly Core Specification 2.0, section 3.3.10; and the proposal of extended constant
// expressions.
func (d *moduleDecoder) constant() {
	for d.err == nil {
		switch op := d.byte(); op {
		case 0x0b:
			return
		case 0x41:
			d.signed(32)
		case 0x42:
			d.signed(64)
		case 0x43:
			d.bytes(4)
		case 0x44:
			d.bytes(8)
		case 0x23, 0xd2:
			d.u32()
		case 0xd0:
			d.refType()
		case 0xfd:
			if sub := d.u32(); sub != 12 {
				d.malformed("instruction fd %#x in a constant", sub)
			}
			d.bytes(16)
		case 0x6a, 0x6b, 0x6c, 0x7c, 0x7d, 0x7e:
		default:
			d.malformed("instruction %#x in a constant", op)
		}
	}
}
