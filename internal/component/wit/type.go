// Package wit has the value and function types of the component model: how they are made, how
// large they are in memory, which core values they flatten to, when they are equal and how they are
// written.
//
// A type is immutable and may be shared by any number of goroutines. Its size, alignment and flat
// types are computed when it is made, so a constructor refuses a type that is beyond a limit.
// Constructors do not judge names: the binary format is validated elsewhere.
//
// A host describes its functions in the spelling of WIT. A Scope has the names of the types of an
// interface and parses signatures:
//
//	var scope wit.Scope
//	err := scope.Define(`
//		resource error;
//		resource input-stream;
//		variant stream-error { last-operation-failed(error), closed }`)
//	f, err := scope.Func("(self: borrow<input-stream>) -> result<list<u8>, stream-error>")
//
// References are to Explainer.md and CanonicalABI.md of the component model.
package wit

import "fmt"

// Kind is the kind of a type.
type Kind uint8

// The kinds. Those up to KindString have one type each; KindOwn and KindBorrow are handles.
const (
	KindBool Kind = iota
	KindS8
	KindU8
	KindS16
	KindU16
	KindS32
	KindU32
	KindS64
	KindU64
	KindF32
	KindF64
	KindChar
	KindString
	KindList
	KindRecord
	KindTuple
	KindVariant
	KindEnum
	KindOption
	KindResult
	KindFlags
	KindOwn
	KindBorrow
)

// Limits of a type. A constructor refuses a type that exceeds one.
const (
	MaxFields = 1000      // fields, cases or labels
	MaxFlags  = 32        // labels of flags
	MaxDepth  = 100       // types within types
	MaxNodes  = 1_000_000 // types within types, counted as often as they occur
	MaxSize   = 1<<28 - 1 // bytes in memory (CanonicalABI.md, MAX_LIST_BYTE_LENGTH)
)

// Field is a field of a record or tuple, a case of a variant, or a label of an enum or of flags. A
// tuple's have no name; a label and a case without a payload have no type.
type Field struct {
	Name string
	Type *Type
	// Offset is the position in memory from the start of a record or tuple.
	Offset uint32
}

// Resource identifies a resource type. Two resource types are the same if their pointers are equal;
// names are for messages alone.
type Resource struct {
	Name string
	// Instance is the number of the component instance that defines the resource, 0 for the host
	// and for a resource that is not known yet.
	Instance int
}

// Type is a value type.
type Type struct {
	kind  Kind
	depth uint8
	align uint8
	flat  flatTypes
	size  uint32
	nodes uint32
	// payload is the position of a variant's payload in memory.
	payload uint32
	name    string
	fields  []Field
	// elem is the element of a list, the payload of an option, the ok type of a result.
	elem     *Type
	err      *Type
	resource *Resource
}

// The types that need no constructor.
var (
	Bool   = primitive(KindBool, 1, I32)
	S8     = primitive(KindS8, 1, I32)
	U8     = primitive(KindU8, 1, I32)
	S16    = primitive(KindS16, 2, I32)
	U16    = primitive(KindU16, 2, I32)
	S32    = primitive(KindS32, 4, I32)
	U32    = primitive(KindU32, 4, I32)
	S64    = primitive(KindS64, 8, I64)
	U64    = primitive(KindU64, 8, I64)
	F32    = primitive(KindF32, 4, F32Core)
	F64    = primitive(KindF64, 8, F64Core)
	Char   = primitive(KindChar, 4, I32)
	String = &Type{kind: KindString, depth: 1, nodes: 1, size: 8, align: 4, flat: flatten(I32, I32)}
)

func primitive(k Kind, size uint8, core CoreType) *Type {
	return &Type{kind: k, depth: 1, nodes: 1, size: uint32(size), align: size, flat: flatten(core)}
}

// Kind returns the kind of the type.
func (t *Type) Kind() Kind { return t.kind }

// Size returns the bytes that a value takes in memory.
func (t *Type) Size() uint32 { return t.size }

// Align returns the alignment of a value in memory: 1, 2, 4 or 8.
func (t *Type) Align() uint32 { return uint32(t.align) }

// Nodes returns how many types the type consists of, each counted as often as it occurs.
func (t *Type) Nodes() int { return int(t.nodes) }

// Depth returns how deep types are nested in the type; a primitive has 1.
func (t *Type) Depth() int { return int(t.depth) }

// Fields returns the fields of a record or tuple, the cases of a variant or enum, the labels of
// flags. It is empty for option and result; see Case. The caller must not change it.
func (t *Type) Fields() []Field { return t.fields }

// Elem returns the element type of a list, or the payload of an option.
func (t *Type) Elem() *Type { return t.elem }

// Ok and Err return the payloads of a result, nil without one.
func (t *Type) Ok() *Type  { return t.elem }
func (t *Type) Err() *Type { return t.err }

// Resource returns the resource type of a handle.
func (t *Type) Resource() *Resource { return t.resource }

// Cases returns how many cases a variant, enum, option or result has.
func (t *Type) Cases() int {
	switch t.kind {
	case KindOption, KindResult:
		return 2
	case KindVariant, KindEnum:
		return len(t.fields)
	}
	return 0
}

// Case returns the payload of case i of a variant, enum, option or result, nil without one.
// none and ok are case 0, some and error are case 1.
func (t *Type) Case(i int) *Type {
	switch t.kind {
	case KindOption:
		if i == 1 {
			return t.elem
		}
		return nil
	case KindResult:
		if i == 1 {
			return t.err
		}
		return t.elem
	}
	return t.fields[i].Type
}

// HasBorrow reports whether the type has a borrow handle anywhere. Such a type is not allowed in a
// result (Explainer.md, "Type definitions").
func (t *Type) HasBorrow() bool { return t.has(map[*Type]bool{}, KindBorrow) }

// HasPointer reports whether a value of the type has strings or lists, which lie in memory.
func (t *Type) HasPointer() bool { return t.has(map[*Type]bool{}, KindString, KindList) }

// has finds a type of one of the kinds in t. It looks at each type once; seen has those that have
// none.
func (t *Type) has(seen map[*Type]bool, kinds ...Kind) bool {
	if t == nil || seen[t] {
		return false
	}
	for _, k := range kinds {
		if t.kind == k {
			return true
		}
	}
	for _, f := range t.fields {
		if f.Type.has(seen, kinds...) {
			return true
		}
	}
	if t.elem.has(seen, kinds...) || t.err.has(seen, kinds...) {
		return true
	}
	if t.depth > 1 {
		seen[t] = true
	}
	return false
}

// Named returns the type with a name, which String prints in place of the structure. Names do not
// matter to Equal.
func (t *Type) Named(name string) *Type {
	named := *t
	named.name = name
	return &named
}

// Name returns the name of the type, "" without one.
func (t *Type) Name() string { return t.name }

// Own returns the type of handles that own a resource, and Borrow of those that borrow it.
func Own(r *Resource) *Type    { return handle(KindOwn, r) }
func Borrow(r *Resource) *Type { return handle(KindBorrow, r) }

func handle(k Kind, r *Resource) *Type {
	return &Type{kind: k, depth: 1, nodes: 1, size: 4, align: 4, flat: flatten(I32), resource: r}
}

// List returns the type of lists of elem.
func List(elem *Type) (*Type, error) {
	return finish(&Type{kind: KindList, elem: elem})
}

// Record returns the type of records with fields in order; their offsets are computed.
func Record(fields []Field) (*Type, error) {
	return finish(&Type{kind: KindRecord, fields: withOffsets(fields)})
}

// Tuple returns the type of tuples of types.
func Tuple(types ...*Type) (*Type, error) {
	fields := make([]Field, len(types))
	for i, t := range types {
		fields[i].Type = t
	}
	return finish(&Type{kind: KindTuple, fields: withOffsets(fields)})
}

// Variant returns the type of variants with cases in order.
func Variant(cases []Field) (*Type, error) {
	return finish(&Type{kind: KindVariant, fields: cases})
}

// Enum returns the type of enums with labels in order.
func Enum(labels []string) (*Type, error) {
	return finish(&Type{kind: KindEnum, fields: fieldsOf(labels)})
}

// Flags returns the type of flags with labels in order, the first for bit 0.
func Flags(labels []string) (*Type, error) {
	return finish(&Type{kind: KindFlags, fields: fieldsOf(labels)})
}

// Option returns the type of an optional some.
func Option(some *Type) (*Type, error) {
	return finish(&Type{kind: KindOption, elem: some})
}

// Result returns the type of results; either payload may be nil.
func Result(ok, err *Type) (*Type, error) {
	return finish(&Type{kind: KindResult, elem: ok, err: err})
}

func fieldsOf(labels []string) []Field {
	fields := make([]Field, len(labels))
	for i, l := range labels {
		fields[i].Name = l
	}
	return fields
}

// finish computes the rest of t from its structure, and refuses t if it exceeds a limit.
func finish(t *Type) (*Type, error) {
	if err := t.count(); err != nil {
		return nil, err
	}
	if err := t.layOut(); err != nil {
		return nil, err
	}
	t.flat = t.flattened()
	return t, nil
}

// count checks the number of fields, and computes depth and nodes.
func (t *Type) count() error {
	switch t.kind {
	case KindRecord, KindTuple, KindVariant, KindEnum, KindFlags:
		most := MaxFields
		if t.kind == KindFlags {
			most = MaxFlags
		}
		if n := len(t.fields); n == 0 || n > most {
			return fmt.Errorf("a %s has %d %s, 1 to %d are allowed",
				t.kind, n, t.kind.parts(), most)
		}
	}
	depth, nodes := 0, 1
	include := func(part *Type) {
		if part != nil {
			depth, nodes = max(depth, part.Depth()), nodes+part.Nodes()
		}
	}
	for _, f := range t.fields {
		include(f.Type)
	}
	include(t.elem)
	include(t.err)
	if depth >= MaxDepth {
		return fmt.Errorf("a %s nests types deeper than %d", t.kind, MaxDepth)
	}
	if nodes > MaxNodes {
		return fmt.Errorf("a %s consists of more than %d types", t.kind, MaxNodes)
	}
	t.depth, t.nodes = uint8(depth+1), uint32(nodes)
	return nil
}
