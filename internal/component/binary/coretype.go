package binary

// A CoreKind is the kind of an import or export of a core module. Its numbers are the format's.
type CoreKind byte

// The kinds of imports and exports of a core module.
const (
	CoreFunc CoreKind = iota
	CoreTable
	CoreMemory
	CoreGlobal
)

var coreKindNames = [...]string{"function", "table", "memory", "global"}

func (k CoreKind) String() string { return coreKindNames[k] }

// A CoreValue is the type of a core value, by its byte in the format.
type CoreValue byte

// The types of core values.
const (
	I32       CoreValue = 0x7f
	I64       CoreValue = 0x7e
	CoreF32   CoreValue = 0x7d
	CoreF64   CoreValue = 0x7c
	V128      CoreValue = 0x7b
	FuncRef   CoreValue = 0x70
	ExternRef CoreValue = 0x6f
)

var coreValueNames = map[CoreValue]string{
	I32: "i32", I64: "i64", CoreF32: "f32", CoreF64: "f64", V128: "v128", FuncRef: "funcref",
	ExternRef: "externref",
}

func (v CoreValue) String() string { return coreValueNames[v] }

// A CoreFuncType is the type of a core function.
type CoreFuncType struct {
	Params, Results []CoreValue
}

// A CoreExtern is the type of an import or export of a core module.
type CoreExtern struct {
	Kind CoreKind

	// Func is the type of a function.
	Func *CoreFuncType

	// Value is the type of a global, or of the elements of a table.
	Value CoreValue

	// Mutable says that a global can be set.
	Mutable bool

	// Shared says that threads share a memory.
	Shared bool

	// Min and Max bound a table in elements, or a memory in pages. Max is -1 for none.
	Min, Max int64
}

// A CoreType adds a core type. Its Def is a *CoreFuncType or *CoreModuleType.
type CoreType struct {
	Pos
	Def any
}

// A CoreModuleType is the type of a core module.
type CoreModuleType struct {
	Decls []CoreDecl
}

// A CoreDeclKind is the kind of a CoreDecl.
type CoreDeclKind byte

// The kinds of declarations in the type of a core module.
const (
	CoreImportDecl CoreDeclKind = iota
	CoreTypeDecl
	CoreAliasDecl
	CoreExportDecl
)

// A CoreDecl is a declaration in the type of a core module.
type CoreDecl struct {
	Pos
	Kind         CoreDeclKind
	Module, Name string

	// Extern is the type of an import or export. Index is that of its type, for a function.
	Extern CoreExtern
	Index  uint32

	// Type is the type of a CoreTypeDecl.
	Type *CoreFuncType

	// Count says how many scopes outwards a CoreAliasDecl leads to the type Index.
	Count uint32
}

func (r *reader) coreType(nesting int) *CoreType {
	t := &CoreType{Pos: Pos(r.offset())}
	r.countType()
	if r.peek() == 0x50 {
		r.byte()
		if nesting+1 > maxNesting {
			r.fail(TooMuch, "types nested deeper than %d", maxNesting)
		}
		t.Def = &CoreModuleType{vector(r, 4, r.coreDecl)}
		return t
	}
	t.Def = r.coreFuncType()
	return t
}

func (r *reader) coreDecl() CoreDecl {
	d := CoreDecl{Pos: Pos(r.offset())}
	r.countName()
	kind := r.byte()
	d.Kind = CoreDeclKind(kind)
	switch d.Kind {
	case CoreImportDecl:
		d.Module, d.Name = r.name(), r.name()
		d.Extern, d.Index = r.coreExtern()
	case CoreTypeDecl:
		d.Type = r.coreFuncType()
	case CoreAliasDecl:
		if sort, outer := r.byte(), r.byte(); sort != 0x10 || outer != 1 {
			r.malformed("an alias in the type of a core module that is no outer type")
		}
		d.Count, d.Index = r.u32(), r.u32()
	case CoreExportDecl:
		d.Name = r.name()
		d.Extern, d.Index = r.coreExtern()
	default:
		r.malformed("unknown declaration %#x in the type of a core module", kind)
	}
	return d
}

func (r *reader) coreFuncType() *CoreFuncType {
	switch b := r.byte(); b {
	case 0x60:
	case 0x4e, 0x4f, 0x50, 0x5e, 0x5f, 0x00, 0x5d, 0x65, 0x4c, 0x4d:
		r.unsupported("types of the garbage collection proposal")
	default:
		r.malformed("unknown core type %#x", b)
	}
	f := &CoreFuncType{}
	f.Params = vector(r, 1, r.coreValue)
	f.Results = vector(r, 1, r.coreValue)
	if len(f.Params) > maxFields || len(f.Results) > maxFields {
		r.fail(TooMuch, "a core function of more than %d parameters or results", maxFields)
	}
	return f
}

func (r *reader) coreValue() CoreValue {
	v := CoreValue(r.byte())
	if r.err != nil {
		return 0
	}
	if _, ok := coreValueNames[v]; !ok {
		if v >= 0x63 && v <= 0x74 {
			r.unsupported("references to types of the garbage collection proposal")
		}
		r.malformed("unknown core value type %#x", byte(v))
	}
	return v
}

func (r *reader) refType() CoreValue {
	v := r.coreValue()
	if r.err == nil && v != FuncRef && v != ExternRef {
		r.malformed("a table of %s", v)
	}
	return v
}

// coreExtern reads the type of an import or export. A function's is an index.
func (r *reader) coreExtern() (CoreExtern, uint32) {
	kind := r.byte()
	x := CoreExtern{Kind: CoreKind(kind)}
	switch x.Kind {
	case CoreFunc:
		return x, r.u32()
	case CoreTable:
		return r.table(), 0
	case CoreMemory:
		return r.memory(), 0
	case CoreGlobal:
		return r.global(), 0
	}
	if kind == 4 {
		r.unsupported("exceptions")
	}
	r.malformed("unknown kind %#x of a core import or export", kind)
	return CoreExtern{}, 0
}

func (r *reader) table() CoreExtern {
	x := CoreExtern{Kind: CoreTable, Value: r.refType()}
	flags := r.byte()
	if flags > 1 {
		r.unsupported("tables that are shared or of 64 bits")
	}
	r.limits(&x, flags)
	return x
}

// maxPages is the greatest size of a memory with addresses of 32 bits.
const maxPages = 1 << 16

func (r *reader) memory() CoreExtern {
	x := CoreExtern{Kind: CoreMemory}
	flags := r.byte()
	if flags > 3 {
		r.unsupported("memories of 64 bits or with pages of another size")
	}
	x.Shared = flags&2 != 0
	r.limits(&x, flags)
	if x.Min > maxPages || x.Max > maxPages {
		r.fail(Invalid, "a memory of more than %d pages", maxPages)
	}
	if x.Shared && x.Max < 0 {
		r.fail(Invalid, "a shared memory without a maximum")
	}
	return x
}

func (r *reader) limits(x *CoreExtern, flags byte) {
	x.Min, x.Max = int64(r.u32()), -1
	if flags&1 != 0 {
		x.Max = int64(r.u32())
		if x.Max < x.Min {
			r.fail(Invalid, "a minimum of %d above the maximum of %d", x.Min, x.Max)
		}
	}
}

func (r *reader) global() CoreExtern {
	x := CoreExtern{Kind: CoreGlobal, Value: r.coreValue()}
	flags := r.byte()
	if flags > 1 {
		r.malformed("unknown flags %#x of a global", flags)
	}
	x.Mutable = flags == 1
	return x
}
