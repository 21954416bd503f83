package binary

// A Ref refers to a value type: the index of a type, a primitive type, or None.
type Ref int32

// None stands for a payload or result that is not there.
const None Ref = -1 << 31

// The primitive types.
const (
	Bool Ref = -1 - iota
	S8
	U8
	S16
	U16
	S32
	U32
	S64
	U64
	F32
	F64
	Char
	String
)

// A ValueKind says how a value type is made. Its numbers are those of the format.
type ValueKind byte

// The kinds of value types. A Primitive is another name for one.
const (
	Borrow    ValueKind = 0x68
	Own       ValueKind = 0x69
	Result    ValueKind = 0x6a
	Option    ValueKind = 0x6b
	Enum      ValueKind = 0x6d
	Flags     ValueKind = 0x6e
	Tuple     ValueKind = 0x6f
	List      ValueKind = 0x70
	Variant   ValueKind = 0x71
	Record    ValueKind = 0x72
	Primitive ValueKind = 0x7f
)

// A Field is a field of a record or tuple, a case, a label, or a parameter. Names of fields that
// have none are empty, and types are None.
type Field struct {
	Name string
	Type Ref
}

// A Type adds a type. Its Def is a *ValueType, *FuncType, *ResourceType or *ScopeType.
type Type struct {
	Pos
	Def any
}

// A ValueType is a type of values.
type ValueType struct {
	Kind ValueKind

	// Elem is the type of a primitive, the element of a list or option, the first of a result.
	Elem Ref

	// Err is the second type of a result.
	Err Ref

	// Resource is the index of the resource type of a handle.
	Resource uint32

	Fields []Field
}

// A FuncType is the type of a function.
type FuncType struct {
	Params []Field
	Result Ref
}

// A ResourceType is a new type of resources.
type ResourceType struct {
	// Destructor is the index of a core function, or -1.
	Destructor int64
}

// A ScopeType is the type of an instance or of a component. Its declarations have index spaces of
// their own. They are *CoreType, *Type, *Alias, *Import and *Export. The Desc of such an *Export
// describes the item, and its Item is not set.
type ScopeType struct {
	Component bool
	Decls     []Definition
}

// typ reads a type.
// Source: component model, Binary.md, "Type Definitions".
func (r *reader) typ(nesting int) *Type {
	t := &Type{Pos: Pos(r.offset())}
	r.countType()
	switch b := r.byte(); b {
	case 0x40:
		t.Def = r.funcType()
	case 0x43:
		r.unsupported("async functions of WASI 0.3")
	case 0x3f:
		t.Def = r.resourceType()
	case 0x41, 0x42:
		t.Def = r.scopeType(b == 0x41, nesting+1)
	default:
		t.Def = r.valueType(b)
	}
	return t
}

func (r *reader) valueType(b byte) *ValueType {
	v := &ValueType{Kind: ValueKind(b), Elem: None, Err: None}
	switch v.Kind {
	case Record, Variant, Tuple, Flags, Enum:
		v.Fields = r.fields(v.Kind)
	case List, Option:
		v.Elem = r.ref()
	case Result:
		v.Elem, v.Err = r.optional(), r.optional()
	case Own, Borrow:
		v.Resource = r.u32()
	default:
		if b < 0x40 || b > 0x7f {
			r.malformed("unknown type %#x", b)
			break
		}
		r.refuseType(b)
		v.Kind, v.Elem = Primitive, Ref(b)-0x80
	}
	return v
}

// refuseType reports a byte that is no primitive type.
func (r *reader) refuseType(b byte) {
	switch {
	case Ref(b)-0x80 >= String:
	case b == 0x63:
		r.unsupported("maps")
	case b == 0x64:
		r.unsupported("error contexts of WASI 0.3")
	case b == 0x65 || b == 0x66:
		r.unsupported("streams and futures of WASI 0.3")
	case b == 0x67:
		r.unsupported("lists of fixed length")
	default:
		r.malformed("unknown type %#x", b)
	}
}

// ref reads a reference to a value type, which is a signed number of 33 bits.
func (r *reader) ref() Ref {
	at := r.pos
	v := r.signed(33)
	switch {
	case v < -64:
		r.malformed("unknown type %d", v)
	case v < 0:
		r.refuseType(byte(v + 0x80))
	case v >= maxItems:
		r.pos = at
		r.fail(Invalid, "unknown type %d", v)
		return None
	}
	return Ref(v)
}

// optional reads a reference that may be missing.
func (r *reader) optional() Ref {
	switch b := r.byte(); b {
	case 0:
		return None
	case 1:
		return r.ref()
	default:
		r.malformed("%#x in place of 0 or 1 before a type", b)
		return None
	}
}

// fieldSizes are the least sizes of the fields of a type.
var fieldSizes = map[ValueKind]int{Record: 2, Variant: 3, Tuple: 1, Flags: 1, Enum: 1}

func (r *reader) fields(kind ValueKind) []Field {
	n := r.countMax(fieldSizes[kind], maxFields, "fields")
	if n == 0 {
		r.fail(Invalid, "a type without fields, cases or labels")
	}
	list := make([]Field, n)
	for i := range list {
		list[i].Type = None
		if kind != Tuple {
			list[i].Name = r.label()
		}
		switch kind {
		case Record, Tuple:
			list[i].Type = r.ref()
		case Variant:
			list[i].Type = r.optional()
			if b := r.byte(); b != 0 {
				r.malformed("%#x in place of 0 behind a case", b)
			}
		}
		if r.err != nil {
			return nil
		}
	}
	return list
}

func (r *reader) funcType() *FuncType {
	f := &FuncType{Result: None}
	f.Params = make([]Field, r.countMax(2, maxFields, "parameters"))
	for i := range f.Params {
		f.Params[i] = Field{r.label(), r.ref()}
		if r.err != nil {
			return nil
		}
	}
	switch b := r.byte(); b {
	case 0:
		f.Result = r.ref()
	case 1:
		if b := r.byte(); b != 0 {
			r.malformed("%#x in place of 0 for a function without a result", b)
		}
	default:
		r.malformed("%#x in place of 0 or 1 before a result", b)
	}
	return f
}

func (r *reader) resourceType() *ResourceType {
	t := &ResourceType{Destructor: -1}
	if b := r.byte(); b == 0x7e {
		r.unsupported("resources that are represented by i64")
	} else if b != 0x7f {
		r.malformed("a resource represented by the type %#x", b)
	}
	switch b := r.byte(); b {
	case 0:
	case 1:
		t.Destructor = int64(r.u32())
	default:
		r.malformed("%#x in place of 0 or 1 before a destructor", b)
	}
	return t
}

func (r *reader) scopeType(component bool, nesting int) *ScopeType {
	if nesting > maxNesting {
		r.fail(TooMuch, "types nested deeper than %d", maxNesting)
	}
	t := &ScopeType{Component: component}
	externs := 0
	t.Decls = vector(r, 2, func() Definition {
		d := r.declaration(component, nesting)
		switch d.(type) {
		case *Import, *Export:
			if externs++; externs > maxDecls {
				r.fail(TooMuch, "more than %d imports and exports of one type", maxDecls)
			}
		}
		return d
	})
	return t
}

func (r *reader) declaration(component bool, nesting int) Definition {
	at := Pos(r.offset())
	switch b := r.byte(); {
	case b == 0:
		return r.coreType(nesting)
	case b == 1:
		return r.typ(nesting)
	case b == 2:
		return r.alias()
	case b == 3 && component:
		return &Import{Pos: at, Name: r.externName(), Desc: r.desc()}
	case b == 4:
		e := &Export{Pos: at, Name: r.externName()}
		d := r.desc()
		e.Desc = &d
		return e
	default:
		r.malformed("unknown declaration %#x in a type", b)
		return nil
	}
}
