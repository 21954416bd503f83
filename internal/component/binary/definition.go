package binary

// coreSorts are the sorts of core WebAssembly by their number.
var coreSorts = map[byte]Sort{
	0x00: CoreFuncSort, 0x01: CoreTableSort, 0x02: CoreMemorySort, 0x03: CoreGlobalSort,
	0x04: CoreTagSort, 0x10: CoreTypeSort, 0x11: CoreModuleSort, 0x12: CoreInstanceSort,
}

var componentSorts = map[byte]Sort{
	0x01: FuncSort, 0x02: ValueSort, 0x03: TypeSort, 0x04: ComponentSort, 0x05: InstanceSort,
}

func (r *reader) coreSort() Sort {
	b := r.byte()
	s, ok := coreSorts[b]
	if !ok {
		r.malformed("unknown core sort %#x", b)
	}
	if s == CoreTagSort {
		r.unsupported("exceptions")
	}
	return s
}

func (r *reader) sort() Sort {
	b := r.byte()
	if b == 0 {
		return r.coreSort()
	}
	s, ok := componentSorts[b]
	if !ok {
		r.malformed("unknown sort %#x", b)
	}
	if s == ValueSort {
		r.unsupported("values")
	}
	return s
}

func (r *reader) item() Item { return Item{r.sort(), r.u32()} }

// coreItem reads an item that a core instance can export.
func (r *reader) coreItem() NamedItem {
	r.countName()
	i := NamedItem{r.name(), Item{r.coreSort(), r.u32()}}
	if i.Sort > CoreTagSort {
		r.malformed("a %s cannot be exported by a core instance", i.Sort)
	}
	return i
}

// componentItem reads an item that a component can import or export.
func (r *reader) componentItem(name string) NamedItem {
	i := NamedItem{name, r.item()}
	if i.Sort < FuncSort && i.Sort != CoreModuleSort {
		r.malformed("a %s cannot be passed to or exported by a component", i.Sort)
	}
	return i
}

func (r *reader) coreInstance() Definition {
	at := Pos(r.offset())
	switch kind := r.byte(); kind {
	case 0:
		return &CoreInstantiate{at, r.u32(), vector(r, 3, r.coreArgument)}
	case 1:
		return &CoreExports{at, vector(r, 3, r.coreItem)}
	default:
		r.malformed("unknown kind %d of a core instance", kind)
		return nil
	}
}

func (r *reader) coreArgument() NamedItem {
	r.countName()
	name := r.name()
	if s := r.byte(); s != 0x12 {
		r.malformed("an argument of sort %#x for a core module, which takes instances", s)
	}
	return NamedItem{name, Item{CoreInstanceSort, r.u32()}}
}

func (r *reader) instance() Definition {
	at := Pos(r.offset())
	switch kind := r.byte(); kind {
	case 0:
		return &Instantiate{at, r.u32(), vector(r, 3, func() NamedItem {
			r.countName()
			return r.componentItem(r.name())
		})}
	case 1:
		return &Exports{at, vector(r, 4, func() NamedItem {
			return r.componentItem(r.externName())
		})}
	default:
		r.malformed("unknown kind %d of an instance", kind)
		return nil
	}
}

func (r *reader) alias() *Alias {
	a := &Alias{Pos: Pos(r.offset()), Sort: r.sort()}
	switch kind := r.byte(); kind {
	case 0, 1:
		a.Kind = AliasKind(kind)
		a.Index, a.Name = r.u32(), r.name()
	case 2:
		a.Kind, a.Count, a.Index = OuterAlias, r.u32(), r.u32()
	default:
		r.malformed("unknown kind %d of an alias", kind)
	}
	switch {
	case a.Kind == CoreExportAlias && a.Sort > CoreTagSort:
		r.malformed("a %s is no export of a core instance", a.Sort)
	case a.Kind == ExportAlias && a.Sort < FuncSort && a.Sort != CoreModuleSort:
		r.malformed("a %s is no export of an instance", a.Sort)
	case a.Kind == OuterAlias && a.Sort != CoreModuleSort && a.Sort != CoreTypeSort &&
		a.Sort != TypeSort && a.Sort != ComponentSort:
		r.malformed("an outer alias cannot be a %s", a.Sort)
	}
	return a
}

// externName reads the name of an import or export. Attributes of the third form add nothing that
// is needed here.
func (r *reader) externName() string {
	r.countName()
	switch kind := r.byte(); kind {
	case 0, 1:
		return r.name()
	case 2:
		name := r.name()
		vector(r, 2, func() byte {
			attribute := r.byte()
			if attribute > 2 {
				r.malformed("unknown attribute %d of a name", attribute)
			}
			r.name()
			return attribute
		})
		return name
	default:
		r.malformed("unknown kind %d of a name", kind)
		return ""
	}
}

func (r *reader) desc() Desc {
	switch kind := r.byte(); kind {
	case 0:
		if b := r.byte(); b != 0x11 {
			r.malformed("unknown core sort %#x of an import or export", b)
		}
		return Desc{Sort: CoreModuleSort, Index: r.u32()}
	case 1:
		return Desc{Sort: FuncSort, Index: r.u32()}
	case 2:
		r.unsupported("values")
	case 3:
		switch bound := r.byte(); bound {
		case 0:
			return Desc{Sort: TypeSort, Index: r.u32()}
		case 1:
			return Desc{Sort: TypeSort, Fresh: true}
		default:
			r.malformed("unknown bound %d of a type", bound)
		}
	case 4:
		return Desc{Sort: ComponentSort, Index: r.u32()}
	case 5:
		return Desc{Sort: InstanceSort, Index: r.u32()}
	default:
		r.malformed("unknown sort %#x of an import or export", kind)
	}
	return Desc{}
}

func (r *reader) export() *Export {
	e := &Export{Pos: Pos(r.offset())}
	i := r.componentItem(r.externName())
	e.Name, e.Item = i.Name, i.Item
	switch b := r.byte(); b {
	case 0:
	case 1:
		d := r.desc()
		e.Desc = &d
	default:
		r.malformed("%#x in place of 0 or 1 before the type of an export", b)
	}
	return e
}
