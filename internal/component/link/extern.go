package link

import (
	"fmt"

	"github.com/wasport/wasport/internal/component/binary"
	"github.com/wasport/wasport/internal/component/wit"
)

type direction uint8

const (
	importing direction = iota
	exporting
)

func (d direction) String() string {
	if d == importing {
		return "import"
	}
	return "export"
}

// desc returns the entity that a description stands for.
func (v *validator) desc(s *scope, d binary.Desc, offset int) (entity, error) {
	e := entity{sort: d.Sort}
	var err error
	switch d.Sort {
	case binary.CoreModuleSort:
		var t any
		if t, err = at(s.coreTypes, d.Index, binary.CoreTypeSort, offset); err == nil {
			m, ok := t.(*moduleType)
			if !ok {
				err = binary.Errorf(binary.Invalid, offset, "core type %d is no type of modules",
					d.Index)
			}
			e.typ = m
		}
	case binary.FuncSort:
		e.typ, err = typeAt[*wit.Func](s, d.Index, "functions", offset)
	case binary.ComponentSort:
		e.typ, err = typeAt[*componentType](s, d.Index, "components", offset)
	case binary.InstanceSort:
		e.typ, err = typeAt[*instanceType](s, d.Index, "instances", offset)
	case binary.TypeSort:
		if d.Fresh {
			e.typ = &wit.Resource{}
			e.ref = e.typ
			break
		}
		if e.ref, err = at(s.types, d.Index, binary.TypeSort, offset); err == nil {
			e.typ = v.rename(e.ref, "")
		}
	}
	return e, err
}

// rename returns another type of the same structure, which stands for the name that an import or
// export gives it.
func (v *validator) rename(t typ, name string) typ {
	switch t := t.(type) {
	case *wit.Type:
		if t.Kind() <= wit.KindString {
			return t
		}
		return t.Named(name)
	case *wit.Func:
		f := *t
		return &f
	case *wit.Resource:
		return v.aliasOf(t, t.Name)
	case *instanceType:
		i := *t
		return &i
	case *componentType:
		c := *t
		return &c
	}
	return t
}

// aliasOf makes another name of a resource type.
func (v *validator) aliasOf(r *wit.Resource, name string) *wit.Resource {
	base, alias := v.base(r), &wit.Resource{Name: name}
	v.aliases[alias] = base
	v.named[base] = append(v.named[base], alias)
	return alias
}

// base returns the resource type that r is a name of, or r.
func (v *validator) base(r *wit.Resource) *wit.Resource {
	if base, ok := v.aliases[r]; ok {
		return base
	}
	return r
}

// addExtern adds an import or export to the scope, and to the index space of its sort. It returns
// the entity as it is known there.
func (v *validator) addExtern(
	s *scope, name string, e entity, dir direction, offset int,
) (entity, error) {
	var err error
	names, items := &s.importNames, &s.imports
	if dir == exporting {
		names, items = &s.exportNames, &s.exports
	}
	switch t := e.typ.(type) {
	case *instanceType:
		switch {
		case e.sort == binary.TypeSort: // no instance: what the type defines is not there
		case dir == importing:
			e.typ, err = v.importInstance(s, name, t, offset)
		default:
			e.typ, err = v.exportInstance(s, name, t, offset)
		}
	case *wit.Resource:
		v.addResource(s, name, e, t, dir)
		names.addResource(name, t)
	case *wit.Type:
		if t.Name() == "" && t.Kind() > wit.KindString {
			e.typ = t.Named(name)
		}
	}
	if err != nil {
		return e, err
	}
	s.add(e)
	named, err := v.registerNamed(s, e, dir, offset)
	if err != nil {
		return e, err
	}
	if !named {
		return e, binary.Errorf(binary.Invalid, offset,
			"%s %q refers to a type that is not %sed", dir, name, dir)
	}
	if err := names.check(items, name, e, offset); err != nil {
		return e, err
	}
	if !items.add(name, e) {
		return e, binary.Errorf(binary.Invalid, offset, "two %ss are named %q", dir, name)
	}
	return e, nil
}

// addResource notes a resource type that is imported or exported.
func (v *validator) addResource(
	s *scope, name string, e entity, r *wit.Resource, dir direction,
) {
	fresh, p := e.typ == e.ref, &path{name: name}
	for _, r := range []*wit.Resource{r, v.base(r)} {
		if r.Name == "" {
			r.Name = name
		}
	}
	switch {
	case dir == exporting:
		if fresh {
			s.define(r, false)
		}
		s.exportResource(v.base(r), p)
	case fresh:
		s.imported = append(s.imported, bound{r, p})
	}
}

// importInstance makes the resource types that an imported instance defines new ones of the scope.
func (v *validator) importInstance(
	s *scope, name string, t *instanceType, offset int,
) (*instanceType, error) {
	if len(t.defined) == 0 {
		return t, nil
	}
	fresh, m, err := v.freshen(t, offset)
	if err != nil {
		return nil, err
	}
	paths := make(map[*wit.Resource]*path, len(t.explicit))
	for _, b := range t.explicit {
		paths[b.resource] = b.path
	}
	for _, old := range t.defined {
		s.imported = append(s.imported, bound{m.resources[old], &path{name, paths[old]}})
	}
	return fresh, nil
}

// exportInstance makes the resource types that an exported instance defines new ones of the scope.
// That happens in types only: an instance that exists defines none.
func (v *validator) exportInstance(
	s *scope, name string, t *instanceType, offset int,
) (*instanceType, error) {
	if len(t.defined) > 0 {
		fresh, m, err := v.freshen(t, offset)
		if err != nil {
			return nil, err
		}
		for _, old := range t.defined {
			s.define(m.resources[old], false)
		}
		t = fresh
	}
	if err := v.take(len(t.explicit), offset); err != nil {
		return nil, err
	}
	for _, b := range t.explicit {
		s.exportResource(b.resource, &path{name, b.path})
	}
	return t, nil
}

// freshen returns an instance of the type, with new resource types for those that it defines.
func (v *validator) freshen(t *instanceType, offset int) (*instanceType, *mapping, error) {
	m := v.newMapping()
	for _, old := range t.defined {
		m.resources[old] = &wit.Resource{Name: old.Name}
	}
	if err := m.addAliases(offset); err != nil {
		return nil, nil, err
	}
	fresh := &instanceType{}
	var err error
	if fresh.exports, err = m.table(t.exports, offset); err == nil {
		fresh.explicit, err = m.bounds(t.explicit, offset)
	}
	return fresh, m, err
}

// registerNamed reports whether e refers to types only that the scope imports, or exports, and adds
// those that e names. An instance names the types that it exports, but the type of an instance does
// not: there is no instance to take them from.
func (v *validator) registerNamed(
	s *scope, e entity, dir direction, offset int,
) (bool, error) {
	if s.kind == instanceTypeScope {
		return true, nil
	}
	n := &namedTypes{v: v, set: s.referable, dir: dir, offset: offset}
	if err := v.look(1, offset); err != nil {
		return false, err
	}
	switch e.sort {
	case binary.InstanceSort:
		for _, x := range e.typ.(*instanceType).exports.items {
			if ok, err := v.registerNamed(s, x, dir, offset); !ok || err != nil {
				return ok, err
			}
		}
		return true, nil
	case binary.FuncSort:
		return n.fn(e.typ.(*wit.Func))
	case binary.TypeSort:
	default:
		return true, nil
	}
	if ok, err := n.typ(e.ref); !ok || err != nil {
		return ok, err
	}
	if s.referable == nil {
		s.referable = make(map[typ]bool)
	}
	s.referable[e.typ] = s.referable[e.typ] || dir == importing
	return true, nil
}

// mismatch puts the place of a mismatch before its reason.
func mismatch(err error, format string, args ...any) error {
	if e, ok := err.(*binary.Error); ok {
		return binary.Errorf(e.Kind, e.Offset, "%s: %s", fmt.Sprintf(format, args...), e.Text)
	}
	return err
}
