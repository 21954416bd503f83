package link

import (
	"github.com/wasport/wasport/internal/component/binary"
	"github.com/wasport/wasport/internal/component/wit"
)

// subtype checks that a can stand for b.
// Source: component model, Subtyping.md, with functions and values compared for equality.
func (v *validator) subtype(a, b entity, offset int) error {
	if a.sort != b.sort {
		return binary.Errorf(binary.Invalid, offset, "got the sort %q, want %q", a.sort, b.sort)
	}
	if a.sort == binary.TypeSort {
		return v.subtypes(a.ref, b.ref, offset)
	}
	return v.subtypes(a.typ, b.typ, offset)
}

func (v *validator) subtypes(a, b typ, offset int) error {
	if a == b {
		return nil
	}
	switch b := b.(type) {
	case *wit.Resource:
		if r, ok := a.(*wit.Resource); ok && v.base(r) == v.base(b) {
			return nil
		}
		return binary.Errorf(binary.Invalid, offset, "the resource types are not the same")
	case *wit.Type:
		if t, ok := a.(*wit.Type); ok {
			return v.equalValues(t, b, offset)
		}
	case *wit.Func:
		if f, ok := a.(*wit.Func); ok {
			return v.equalFuncs(f, b, offset)
		}
	case *instanceType:
		if i, ok := a.(*instanceType); ok {
			return v.subInstance(i, b, offset)
		}
	case *componentType:
		if c, ok := a.(*componentType); ok {
			return v.subComponent(c, b, offset)
		}
	case *moduleType:
		if m, ok := a.(*moduleType); ok {
			return subModule(m, b, offset)
		}
	}
	return binary.Errorf(binary.Invalid, offset, "the types are of different sorts")
}

func (v *validator) equalValues(a, b *wit.Type, offset int) error {
	if err := v.look(a.Nodes(), offset); err != nil {
		return err
	}
	before := v.canonical.Made()
	ca, cb := v.canonical.Type(a), v.canonical.Type(b)
	if err := v.take(v.canonical.Made()-before, offset); err != nil {
		return err
	}
	if !wit.Equal(ca, cb) {
		return different(a.Structure(), b.Structure(), offset)
	}
	return nil
}

func (v *validator) equalFuncs(a, b *wit.Func, offset int) error {
	ca, err := v.canonicalFunc(a, offset)
	if err != nil {
		return err
	}
	cb, err := v.canonicalFunc(b, offset)
	if err != nil {
		return err
	}
	if !wit.EqualFunc(ca, cb) {
		return different(a.String(), b.String(), offset)
	}
	return nil
}

// different is the error of two types that are spelled a and b.
func different(a, b string, offset int) error {
	if a == b {
		return binary.Errorf(binary.Invalid, offset, "got the type %s, want that with handles of "+
			"another resource type, or with other types behind the names", a)
	}
	return binary.Errorf(binary.Invalid, offset, "got the type %s, want %s", a, b)
}

// canonicalFunc returns a function type without aliases of resource types.
func (v *validator) canonicalFunc(f *wit.Func, offset int) (*wit.Func, error) {
	nodes := 1
	for _, p := range f.Params {
		nodes += p.Type.Nodes()
	}
	if f.Result != nil {
		nodes += f.Result.Nodes()
	}
	if err := v.look(nodes, offset); err != nil {
		return nil, err
	}
	before := v.canonical.Made()
	made := v.canonical.Func(f)
	return made, v.take(v.canonical.Made()-before, offset)
}

func (v *validator) subInstance(a, b *instanceType, offset int) error {
	for i, name := range b.exports.list {
		e, ok := a.exports.get(name)
		if !ok {
			return binary.Errorf(binary.Invalid, offset, "export %q is missing", name)
		}
		if err := v.look(1, offset); err != nil {
			return err
		}
		if err := v.subtype(e, b.exports.items[i], offset); err != nil {
			return mismatch(err, "export %q", name)
		}
	}
	return nil
}

// subComponent checks that the imports of b suffice for a, and that the exports of a, which has
// them, suffice for b.
func (v *validator) subComponent(a, b *componentType, offset int) error {
	m, err := v.open(&b.imports, &a.imports, a.imported, offset)
	if err != nil {
		return err
	}
	if err := m.addAliases(offset); err != nil {
		return err
	}
	exports, err := m.table(a.exports, offset)
	if err != nil {
		return err
	}
	_, err = v.open(&exports, &b.exports, b.defined, offset)
	return err
}

// open checks that args have all of wanted, with subtypes. It returns a mapping from the resource
// types that are bound in wanted to those in args, and from types that wanted names to the
// arguments of these names.
func (v *validator) open(
	args, wanted *table, resources []bound, offset int,
) (*mapping, error) {
	compared, m := v.newMapping(), v.newMapping()
	for _, b := range resources {
		if r := v.find(args, b.path); r != nil {
			compared.resources[b.resource] = v.base(r)
			m.resources[b.resource] = v.base(r)
		}
	}
	for _, b := range resources {
		by, ok := compared.resources[b.resource]
		if !ok {
			continue
		}
		if err := v.look(len(v.named[b.resource]), offset); err != nil {
			return nil, err
		}
		for _, alias := range v.named[b.resource] {
			compared.resources[alias] = by
		}
	}
	for i, name := range wanted.list {
		arg, ok := args.get(name)
		if !ok {
			return nil, binary.Errorf(binary.Invalid, offset, "%q is missing", name)
		}
		expected, err := compared.entity(wanted.items[i], offset)
		if err == nil {
			err = v.subtype(arg, expected, offset)
		}
		if err != nil {
			return nil, mismatch(err, "%q", name)
		}
		if err := v.takeNames(m, wanted.items[i], arg, offset); err != nil {
			return nil, err
		}
	}
	return m, nil
}

// find returns the resource type at a path, nil without one.
func (v *validator) find(args *table, p *path) *wit.Resource {
	e, _ := args.get(p.name)
	for p = p.next; p != nil; p = p.next {
		i, ok := e.typ.(*instanceType)
		if !ok {
			return nil
		}
		e, _ = i.exports.get(p.name)
	}
	r, _ := e.typ.(*wit.Resource)
	return r
}

// takeNames makes the types of an argument stand for those that the component imports under its
// names, so that its exports refer to the argument's.
func (v *validator) takeNames(m *mapping, wanted, arg entity, offset int) error {
	if err := v.look(1, offset); err != nil {
		return err
	}
	if wanted.sort == binary.TypeSort {
		m.put(wanted.typ, arg.typ)
		return nil
	}
	w, ok := wanted.typ.(*instanceType)
	a, _ := arg.typ.(*instanceType)
	if !ok || a == nil {
		return nil
	}
	for i, name := range w.exports.list {
		e, _ := a.exports.get(name)
		if err := v.takeNames(m, w.exports.items[i], e, offset); err != nil {
			return err
		}
	}
	return nil
}
