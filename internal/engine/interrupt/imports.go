package interrupt

import "bytes"

// Kind is the kind of an import, with the numbers of the binary format.
// Source: WebAssembly Core Specification 2.0, section 5.5.5.
type Kind byte

const (
	kindFunction Kind = 0

	KindTable  Kind = 1
	KindMemory Kind = 2
	KindGlobal Kind = 3
)

// Import is an import that is no function.
type Import struct {
	Module, Name string
	Kind         Kind

	// Shared is set for a memory that threads share.
	Shared bool
}

// Imports lists the imports of a module that are no functions, in the module's order. It reads no
// further than the import section, in linear time. The error wraps ErrMalformed or ErrUnsupported
// if Rewrite would refuse the section.
func Imports(module []byte) ([]Import, error) {
	r := &reader{b: module}
	if !bytes.Equal(r.bytes(8), header) {
		r.malformed("no module of version 1")
	}
	for r.more() {
		id := r.byte()
		n := r.u32()
		s := &reader{base: r.base + r.pos}
		s.b = r.bytes(n)
		if r.err == nil && id == secImport {
			list := readNonFuncImports(s)
			return list, wrapSectionError(s.err, secImport)
		}
	}
	return nil, r.err
}

func readNonFuncImports(r *reader) (list []Import) {
	w := &rewriter{}
	for range r.count(4) {
		i := Import{Module: r.name(), Name: r.name(), Kind: Kind(r.byte())}
		switch i.Kind {
		case kindFunction:
			r.u32()
			continue
		case KindTable:
			checkValueType(r, r.byte())
			readTableLimits(r)
		case KindMemory:
			w.readMemoryType(r)
			i.Shared = w.memory.Shared
		case KindGlobal:
			readGlobalType(r)
		case 4:
			r.fail(ErrUnsupported, "exceptions (a tag)")
		default:
			r.malformed("import of kind %d", i.Kind)
		}
		if r.err != nil {
			return nil
		}
		list = append(list, i)
	}
	return list
}
