// Package binary decodes components and core modules into definitions, in the order of the bytes.
// It gives them no meaning: an index is a number here, and package link judges it. The format is
// the component model's Binary.md, of August 2026, without values and the features of WASI 0.3.
//
// Everything is bounded before it is allocated.
package binary

// A Component is a component in the order of its definitions.
type Component struct {
	// Offset is where its preamble begins in the whole binary. Size is in bytes.
	Offset, Size int

	Defs []Definition

	// ModuleNames are the names of core modules for debugging, by their index.
	ModuleNames map[uint32]string
}

// A Definition extends an index space, or several. It is a *CoreModule, *CoreInstantiate,
// *CoreExports, *CoreType, *Component, *Instantiate, *Exports, *Alias, *Type, *Canon, *Import or
// *Export.
type Definition interface {
	// At returns the offset of the definition in the whole binary.
	At() int
}

// A Pos is the offset of a definition.
type Pos int

// At returns the offset.
func (p Pos) At() int { return int(p) }

// At returns the offset of the preamble.
func (c *Component) At() int { return c.Offset }

// A Sort names an index space.
type Sort uint8

// The sorts. Those of core WebAssembly come first.
const (
	CoreFuncSort Sort = iota
	CoreTableSort
	CoreMemorySort
	CoreGlobalSort
	CoreTagSort
	CoreTypeSort
	CoreModuleSort
	CoreInstanceSort
	FuncSort
	ValueSort
	TypeSort
	ComponentSort
	InstanceSort
	sorts
)

var sortNames = [sorts]string{
	"core function", "core table", "core memory", "core global", "core tag", "core type",
	"core module", "core instance", "function", "value", "type", "component", "instance",
}

func (s Sort) String() string { return sortNames[s] }

// An Item is an index with its sort.
type Item struct {
	Sort  Sort
	Index uint32
}

// A NamedItem is an argument of an instantiation, or an export.
type NamedItem struct {
	Name string
	Item
}

// A CoreModule is a core module. Bytes begin with its preamble.
type CoreModule struct {
	Pos
	Bytes []byte
}

// CoreInstantiate makes an instance of a core module. Its arguments are core instances.
type CoreInstantiate struct {
	Pos
	Module uint32
	Args   []NamedItem
}

// CoreExports makes a core instance of items that exist.
type CoreExports struct {
	Pos
	Exports []NamedItem
}

// Instantiate makes an instance of a component.
type Instantiate struct {
	Pos
	Component uint32
	Args      []NamedItem
}

// Exports makes an instance of items that exist.
type Exports struct {
	Pos
	Exports []NamedItem
}

// An AliasKind says where an alias leads.
type AliasKind uint8

// The kinds of aliases.
const (
	ExportAlias     AliasKind = iota // an export of an instance
	CoreExportAlias                  // an export of a core instance
	OuterAlias                       // an item of an enclosing component or type
)

// An Alias adds an item that exists to the index space of its sort.
type Alias struct {
	Pos
	Sort Sort
	Kind AliasKind

	// Count says how many scopes outwards an OuterAlias leads: 0 is the present one.
	Count uint32

	// Index is the instance's, or the item's in the outer scope.
	Index uint32

	// Name is that of the export.
	Name string
}

// A Desc describes an import or export.
type Desc struct {
	Sort Sort

	// Index is a type's. It is a core type's for CoreModuleSort.
	Index uint32

	// Fresh says, for TypeSort, that the type is a new resource type; else it equals type Index.
	Fresh bool
}

// An Import adds an item that the component is given.
type Import struct {
	Pos
	Name string
	Desc Desc
}

// An Export makes an item an export, and adds it to the index space of its sort once more.
type Export struct {
	Pos
	Name string
	Item Item

	// Desc is a supertype of the item's type, or nil.
	Desc *Desc
}

// A CanonKind is the kind of a Canon.
type CanonKind uint8

// The kinds of canonical definitions.
const (
	Lift CanonKind = iota
	Lower
	ResourceNew
	ResourceDrop
	ResourceRep
)

// A Canon makes a function of a core function, or the reverse, or a built-in core function.
type Canon struct {
	Pos
	Kind CanonKind

	// Func is the core function to lift, or the function to lower.
	Func uint32

	// Type is the type of the lifted function, or the resource type.
	Type uint32

	Options Options
}

// An Encoding is the encoding of strings in a memory.
type Encoding uint8

// The encodings.
const (
	UTF8 Encoding = iota
	UTF16
	Latin1OrUTF16
)

// Options are the options of a Lift or Lower. An index is -1 if the option is not given.
type Options struct {
	Encoding   Encoding
	Memory     int64
	Realloc    int64
	PostReturn int64
}
