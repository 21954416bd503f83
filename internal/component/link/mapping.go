package link

import (
	"github.com/wasport/wasport/internal/component/binary"
	"github.com/wasport/wasport/internal/component/wit"
)

// A mapping replaces resource types in types. It remembers the types that it made.
type mapping struct {
	v *validator

	// resources are the resource types to be replaced. Once addAliases was called, their aliases
	// are among them.
	resources map[*wit.Resource]*wit.Resource
	values    *wit.Substitution
	made      map[typ]typ
}

func (v *validator) newMapping() *mapping {
	m := &mapping{v: v, resources: make(map[*wit.Resource]*wit.Resource),
		made: make(map[typ]typ)}
	m.values = wit.NewSubstitution(m.resources)
	return m
}

// put makes by the replacement of t.
func (m *mapping) put(t, by typ) {
	if r, ok := t.(*wit.Resource); ok {
		m.resources[r] = by.(*wit.Resource)
		return
	}
	if v, ok := t.(*wit.Type); ok {
		m.values.Put(v, by.(*wit.Type))
		return
	}
	m.made[t] = by
}

// addAliases adds the aliases of the resource types that are replaced, each by an alias of the
// replacement, unless they have a replacement.
func (m *mapping) addAliases(offset int) error {
	for _, old := range m.keys() {
		for _, alias := range m.v.named[old] {
			if m.resources[alias] != nil {
				continue
			}
			if err := m.v.take(1, offset); err != nil {
				return err
			}
			m.resources[alias] = m.v.aliasOf(m.resources[old], alias.Name)
		}
	}
	return nil
}

func (m *mapping) keys() []*wit.Resource {
	keys := make([]*wit.Resource, 0, len(m.resources))
	for r := range m.resources {
		keys = append(keys, r)
	}
	return keys
}

// table returns t with its types replaced; t itself if nothing changes.
func (m *mapping) table(t table, offset int) (table, error) {
	var items []entity
	for i, e := range t.items {
		made, err := m.entity(e, offset)
		if err != nil {
			return t, err
		}
		if made == e {
			continue
		}
		if items == nil {
			if err := m.v.take(len(t.items), offset); err != nil {
				return t, err
			}
			items = append(make([]entity, 0, len(t.items)), t.items...)
		}
		items[i] = made
	}
	if items != nil {
		t.items = items
	}
	return t, m.v.look(len(t.items), offset)
}

func (m *mapping) entity(e entity, offset int) (entity, error) {
	if e.sort == binary.CoreModuleSort {
		return e, nil
	}
	var err error
	old := e.typ
	if e.typ, err = m.typ(old, offset); err != nil || e.sort != binary.TypeSort {
		return e, err
	}
	if e.ref == old {
		e.ref = e.typ
		return e, nil
	}
	e.ref, err = m.typ(e.ref, offset)
	return e, err
}

func (m *mapping) typ(t typ, offset int) (typ, error) {
	switch t := t.(type) {
	case *wit.Resource:
		if r, ok := m.resources[t]; ok {
			return r, nil
		}
		return t, nil
	case *wit.Type:
		before := m.values.Made()
		made := m.values.Type(t)
		return made, m.v.take(m.values.Made()-before, offset)
	}
	if made, ok := m.made[t]; ok {
		return made, nil
	}
	made, err := m.replace(t, offset)
	m.made[t] = made
	return made, err
}

func (m *mapping) replace(t typ, offset int) (typ, error) {
	switch t := t.(type) {
	case *wit.Func:
		before := m.values.Made()
		made := m.values.Func(t)
		return made, m.v.take(m.values.Made()-before+1, offset)
	case *instanceType:
		made := *t
		var err error
		if made.exports, err = m.table(t.exports, offset); err != nil {
			return t, err
		}
		if made.explicit, err = m.bounds(t.explicit, offset); err != nil {
			return t, err
		}
		if same(made.exports, t.exports) {
			return t, nil
		}
		return &made, nil
	case *componentType:
		made := *t
		var err error
		if made.imports, err = m.table(t.imports, offset); err != nil {
			return t, err
		}
		if made.exports, err = m.table(t.exports, offset); err != nil {
			return t, err
		}
		if made.explicit, err = m.bounds(t.explicit, offset); err != nil {
			return t, err
		}
		if same(made.imports, t.imports) && same(made.exports, t.exports) {
			return t, nil
		}
		return &made, nil
	}
	return t, nil
}

// same reports whether two tables are one.
func same(t, u table) bool {
	return len(t.items) == 0 || &t.items[0] == &u.items[0]
}

// bounds replaces resource types, and keeps their paths. No replaced type binds resources that are
// replaced: those are bound outside.
func (m *mapping) bounds(list []bound, offset int) ([]bound, error) {
	if len(list) == 0 {
		return nil, nil
	}
	made := make([]bound, len(list))
	for i, b := range list {
		made[i] = b
		if r, ok := m.resources[b.resource]; ok {
			made[i].resource = m.v.base(r)
		}
	}
	return made, m.v.take(len(list), offset)
}
