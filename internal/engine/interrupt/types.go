package interrupt

// funcType is a function type of the input.
type funcType struct {
	numParams           int
	paramTypes, results []byte

	// resultBlock is the index of an added type without parameters and with these results. It is
	// set if there are at least two.
	resultBlock int
}

// An addedType is a function type that is added to the module.
type addedType uint32

const (
	typeVoid addedType = iota
	typeResult
	typeUnary
	typeBinary
	typePair
	typeBulk
	typeNotify
	typeWait32
	typeWait64
)

var addedTypes = []struct{ params, results []byte }{
	typeVoid:   {},
	typeResult: {results: []byte{typeI32}},
	typeUnary:  {[]byte{typeI32}, []byte{typeI32}},
	typeBinary: {[]byte{typeI32, typeI32}, []byte{typeI32}},
	typePair:   {params: []byte{typeI32, typeI32}},
	typeBulk:   {params: []byte{typeI32, typeI32, typeI32}},
	typeNotify: {[]byte{typeI32, typeI32, typeI32}, []byte{typeI32}},
	typeWait32: {[]byte{typeI32, typeI32, typeI64, typeI32}, []byte{typeI32}},
	typeWait64: {[]byte{typeI32, typeI64, typeI64, typeI32}, []byte{typeI32}},
}

// addedTypeIndex returns the index of an added type in the output.
func (w *rewriter) addedTypeIndex(t addedType) uint32 { return w.firstAddedType + uint32(t) }

// typeSection copies the types. It adds the block types of functions with several results, then
// addedTypes.
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
		t.paramTypes = valueTypes(r, maxParams)
		t.numParams = len(t.paramTypes)
		t.results = valueTypes(r, maxResults)
		if r.err != nil {
			return
		}
		if len(t.results) > 1 {
			t.resultBlock = n + added
			added++
		}
	}
	w.firstAddedType = uint32(n + added)
	w.writeU32(w.firstAddedType + uint32(len(addedTypes)))
	w.copySince(r, start)
	for _, t := range w.types {
		if t.resultBlock != 0 {
			w.functionType(nil, t.results)
		}
	}
	for _, t := range addedTypes {
		w.functionType(t.params, t.results)
	}
}

func (w *rewriter) functionType(params, results []byte) {
	w.out = append(w.out, 0x60)
	w.writeU32(uint32(len(params)))
	w.out = append(w.out, params...)
	w.writeU32(uint32(len(results)))
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
