package link

import (
	"github.com/wasport/wasport/internal/component/binary"
	"github.com/wasport/wasport/internal/component/wit"
)

// A validator checks a component and the components in it.
type validator struct {
	*budget

	// aliases are further names of resource types, with the types. Handles of an alias and of its
	// type are of the same type, but only one of them may have been exported.
	aliases map[*wit.Resource]*wit.Resource
	named   map[*wit.Resource][]*wit.Resource

	// canonical replaces aliases in types by the types that they name. Keys are added to aliases
	// before any type has them.
	canonical *wit.Substitution

	// modules counts the core modules.
	modules int
}

// checked is a valid component, with the types that a plan needs to know.
type checked struct {
	*binary.Component
	typ *componentType

	// facts are the results of checking each definition; most have none.
	facts []any
}

// The facts of definitions: *module of a core module, *checked of a component, *wit.Resource of a
// resource type or of the export of one, and these.
type (
	// importFact is the entity that is imported.
	importFact struct{ entity }

	// canonFact has the type of the lifted or lowered function, or the resource type of a
	// built-in.
	canonFact struct {
		fn       *wit.Func
		core     wit.CoreFunc
		resource *wit.Resource
	}

	// instanceFact has the names that an instance of items exports, the resource types that an
	// instance defines, and those among its arguments or exports, by their index.
	instanceFact struct {
		exports   *names
		defined   []bound
		resources map[int]*wit.Resource
	}
)

// Validate checks that a component is valid, whatever the host has. The error is a *binary.Error.
// The code of core modules is not looked at.
func Validate(c *binary.Component) error {
	_, _, err := check(c)
	return err
}

func check(c *binary.Component) (*validator, *checked, error) {
	v := &validator{
		budget:  newBudget(c.Size),
		aliases: make(map[*wit.Resource]*wit.Resource),
		named:   make(map[*wit.Resource][]*wit.Resource),
	}
	v.canonical = wit.NewSubstitution(v.aliases)
	k, err := v.component(c, nil)
	return v, k, err
}

func (v *validator) component(c *binary.Component, outer *scope) (*checked, error) {
	k := &checked{Component: c, facts: make([]any, len(c.Defs))}
	s := newScope(componentScope, outer, c.Defs)
	for i, d := range c.Defs {
		fact, err := v.definition(s, c, d)
		if err != nil {
			return nil, err
		}
		k.facts[i] = fact
	}
	var err error
	k.typ, err = v.finish(s, c.Offset)
	return k, err
}

// definition checks a definition of a component and adds it to its index space.
func (v *validator) definition(s *scope, c *binary.Component, d binary.Definition) (any, error) {
	switch d := d.(type) {
	case *binary.CoreModule:
		return v.coreModule(s, c, d)
	case *binary.CoreInstantiate:
		return nil, v.coreInstantiate(s, d)
	case *binary.CoreExports:
		return nil, v.coreExports(s, d)
	case *binary.Component:
		k, err := v.component(d, s)
		if err == nil {
			s.components = append(s.components, k.typ)
		}
		return k, err
	case *binary.Instantiate:
		return v.instantiate(s, d)
	case *binary.Exports:
		return v.exports(s, d)
	case *binary.Canon:
		return v.canon(s, d)
	case *binary.Import:
		e, err := v.importExtern(s, d)
		return importFact{e}, err
	case *binary.Export:
		return v.export(s, d)
	}
	return v.declaration(s, d)
}

// declaration checks a definition that can occur in a component and in the type of one.
func (v *validator) declaration(s *scope, d binary.Definition) (any, error) {
	switch d := d.(type) {
	case *binary.CoreType:
		t, err := v.coreType(s, d)
		s.coreTypes = append(s.coreTypes, t)
		return nil, err
	case *binary.Type:
		t, err := v.typ(s, d)
		s.types = append(s.types, t)
		if r, ok := t.(*wit.Resource); ok {
			return r, err
		}
		return nil, err
	case *binary.Alias:
		return nil, v.alias(s, d)
	case *binary.Import:
		_, err := v.importExtern(s, d)
		return nil, err
	case *binary.Export: // in a type
		e, err := v.desc(s, *d.Desc, d.At())
		if err == nil {
			_, err = v.addExtern(s, d.Name, e, exporting, d.At())
		}
		return nil, err
	}
	return nil, nil
}

func (v *validator) importExtern(s *scope, d *binary.Import) (entity, error) {
	e, err := v.desc(s, d.Desc, d.At())
	if err != nil {
		return e, err
	}
	return v.addExtern(s, d.Name, e, importing, d.At())
}

// export checks an export of a component. Its fact is the resource type that it exports.
func (v *validator) export(s *scope, d *binary.Export) (any, error) {
	e, err := s.entity(d.Item, d.At())
	if err != nil {
		return nil, err
	}
	fact, _ := e.typ.(*wit.Resource)
	if d.Desc != nil {
		ascribed, err := v.desc(s, *d.Desc, d.At())
		if err != nil {
			return nil, err
		}
		if err := v.subtype(e, ascribed, d.At()); err != nil {
			return nil, mismatch(err, "the type of export %q does not fit the item", d.Name)
		}
		e = ascribed
	} else if e.sort == binary.TypeSort {
		e.typ = v.rename(e.typ, d.Name)
	}
	if _, err = v.addExtern(s, d.Name, e, exporting, d.At()); err != nil || fact == nil {
		return nil, err
	}
	return v.base(fact), nil
}

func (v *validator) alias(s *scope, a *binary.Alias) error {
	switch a.Kind {
	case binary.CoreExportAlias:
		return v.aliasCore(s, a)
	case binary.ExportAlias:
		i, err := at(s.instances, a.Index, binary.InstanceSort, a.At())
		if err != nil {
			return err
		}
		e, ok := i.exports.get(a.Name)
		if !ok || e.sort != a.Sort {
			return binary.Errorf(binary.Invalid, a.At(), "instance %d has no export %q of the "+
				"sort %q", a.Index, a.Name, a.Sort)
		}
		s.add(e)
		return nil
	}
	target, inside, err := s.enclosing(a.Count, a.At())
	if err != nil {
		return err
	}
	if a.Sort == binary.CoreTypeSort {
		t, err := at(target.coreTypes, a.Index, a.Sort, a.At())
		s.coreTypes = append(s.coreTypes, t)
		return err
	}
	e, err := target.entity(binary.Item{Sort: a.Sort, Index: a.Index}, a.At())
	if err != nil {
		return err
	}
	if a.Sort == binary.TypeSort && inside != nil && inside.kind == componentScope {
		free := v.newFree()
		if err := free.typ(e.typ, a.At()); err != nil {
			return err
		}
		if len(free.set) > 0 {
			return binary.Errorf(binary.Invalid, a.At(),
				"an alias of an outer type that refers to resources of the outer component")
		}
	}
	s.add(e)
	return nil
}

// instantiate checks that a component gets its imports, and adds the instance.
func (v *validator) instantiate(s *scope, d *binary.Instantiate) (any, error) {
	c, err := at(s.components, d.Component, binary.ComponentSort, d.At())
	if err != nil {
		return nil, err
	}
	args, fact := newTable(len(d.Args)), &instanceFact{}
	for i, a := range d.Args {
		e, err := s.entity(a.Item, d.At())
		if err != nil {
			return nil, err
		}
		if !args.add(a.Name, e) {
			return nil, binary.Errorf(binary.Invalid, d.At(), "two arguments are named %q", a.Name)
		}
		v.noteResource(fact, i, e)
	}
	m, err := v.open(&args, &c.imports, c.imported, d.At())
	if err != nil {
		return nil, err
	}
	for _, b := range c.defined {
		r := &wit.Resource{Name: b.resource.Name}
		m.resources[b.resource] = r
		s.define(r, false)
		fact.defined = append(fact.defined, bound{r, b.path})
	}
	if err := m.addAliases(d.At()); err != nil {
		return nil, err
	}
	i := &instanceType{}
	if i.exports, err = m.table(c.exports, d.At()); err == nil {
		i.explicit, err = m.bounds(c.explicit, d.At())
	}
	s.instances = append(s.instances, i)
	return fact, err
}

// noteResource remembers a resource type that is an argument or export of an instance.
func (v *validator) noteResource(fact *instanceFact, i int, e entity) {
	r, ok := e.typ.(*wit.Resource)
	if !ok {
		return
	}
	if fact.resources == nil {
		fact.resources = make(map[int]*wit.Resource)
	}
	fact.resources[i] = v.base(r)
}

// exports checks an instance that consists of items, and adds it.
func (v *validator) exports(s *scope, d *binary.Exports) (any, error) {
	i, fact := &instanceType{exports: newTable(len(d.Exports))}, &instanceFact{}
	var names externNames
	none := newTable(0) // no resource type gets a name here
	for n, x := range d.Exports {
		e, err := s.entity(x.Item, d.At())
		if err != nil {
			return nil, err
		}
		switch t := e.typ.(type) {
		case *instanceType:
			if x.Item.Sort == binary.TypeSort {
				break // no instance: the resource types of a type are not there
			}
			if err := v.take(len(t.explicit), d.At()); err != nil {
				return nil, err
			}
			for _, b := range t.explicit {
				i.explicit = append(i.explicit, bound{b.resource, &path{x.Name, b.path}})
			}
		case *wit.Resource:
			i.explicit = append(i.explicit, bound{v.base(t), &path{name: x.Name}})
			v.noteResource(fact, n, e)
		}
		if err := names.check(&none, x.Name, e, d.At()); err != nil {
			return nil, err
		}
		if !i.exports.add(x.Name, e) {
			return nil, binary.Errorf(binary.Invalid, d.At(), "two exports are named %q", x.Name)
		}
	}
	s.instances = append(s.instances, i)
	fact.exports = i.exports.names
	return fact, nil
}
