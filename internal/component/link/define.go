package link

import (
	"github.com/wasport/wasport/internal/component/binary"
	"github.com/wasport/wasport/internal/component/wit"
)

// typ makes the type that a definition defines.
func (v *validator) typ(s *scope, d *binary.Type) (typ, error) {
	switch def := d.Def.(type) {
	case *binary.ValueType:
		t, err := v.valueType(s, def, d.At())
		if err != nil {
			return nil, err
		}
		return t, nil
	case *binary.FuncType:
		return v.funcType(s, def, d.At())
	case *binary.ResourceType:
		return v.resourceType(s, def, d.At())
	case *binary.ScopeType:
		return v.scopeType(s, def, d.At())
	}
	return nil, nil
}

func (v *validator) valueType(s *scope, d *binary.ValueType, offset int) (*wit.Type, error) {
	switch d.Kind {
	case binary.Own, binary.Borrow:
		r, err := s.resource(d.Resource, offset)
		if err != nil {
			return nil, err
		}
		if d.Kind == binary.Own {
			return wit.Own(r), nil
		}
		return wit.Borrow(r), nil
	case binary.Primitive:
		return primitives[d.Elem], nil
	}
	elem, err := v.optional(s, d.Elem, offset)
	if err != nil {
		return nil, err
	}
	second, err := v.optional(s, d.Err, offset)
	if err != nil {
		return nil, err
	}
	t, err := v.compound(s, d, elem, second, offset)
	if err == nil {
		return t, nil
	}
	if _, ok := err.(*binary.Error); !ok {
		err = binary.Errorf(binary.TooMuch, offset, "%v", err)
	}
	return nil, err
}

// optional returns the type that a reference names, nil for none.
func (v *validator) optional(s *scope, r binary.Ref, offset int) (*wit.Type, error) {
	if r == binary.None {
		return nil, nil
	}
	return s.value(r, offset)
}

func (v *validator) compound(
	s *scope, d *binary.ValueType, elem, second *wit.Type, offset int,
) (*wit.Type, error) {
	switch d.Kind {
	case binary.List:
		return wit.List(elem)
	case binary.Option:
		return wit.Option(elem)
	case binary.Result:
		return wit.Result(elem, second)
	}
	if d.Kind != binary.Tuple {
		if err := uniqueLabels(d.Fields, "a type", offset); err != nil {
			return nil, err
		}
	}
	fields := make([]wit.Field, len(d.Fields))
	for i, f := range d.Fields {
		t, err := v.optional(s, f.Type, offset)
		if err != nil {
			return nil, err
		}
		fields[i] = wit.Field{Name: f.Name, Type: t}
	}
	switch d.Kind {
	case binary.Record:
		return wit.Record(fields)
	case binary.Variant:
		return wit.Variant(fields)
	case binary.Tuple:
		types := make([]*wit.Type, len(fields))
		for i, f := range fields {
			types[i] = f.Type
		}
		return wit.Tuple(types...)
	}
	labels := make([]string, len(fields))
	for i, f := range fields {
		labels[i] = f.Name
	}
	if d.Kind == binary.Enum {
		return wit.Enum(labels)
	}
	if len(labels) > wit.MaxFlags {
		return nil, binary.Errorf(binary.Invalid, offset, "more than %d flags", wit.MaxFlags)
	}
	return wit.Flags(labels)
}

func (v *validator) funcType(s *scope, d *binary.FuncType, offset int) (typ, error) {
	if err := uniqueLabels(d.Params, "a function", offset); err != nil {
		return nil, err
	}
	f := &wit.Func{Params: make([]wit.Param, len(d.Params))}
	for i, p := range d.Params {
		t, err := s.value(p.Type, offset)
		if err != nil {
			return nil, err
		}
		f.Params[i] = wit.Param{Name: p.Name, Type: t}
	}
	var err error
	if f.Result, err = v.optional(s, d.Result, offset); err != nil {
		return nil, err
	}
	if f.Result.HasBorrow() {
		return nil, binary.Errorf(binary.Invalid, offset, "the result of a function borrows")
	}
	if _, err := f.ParamTuple(); err != nil {
		return nil, binary.Errorf(binary.TooMuch, offset, "the parameters of a function: %v", err)
	}
	return f, nil
}

func (v *validator) resourceType(s *scope, d *binary.ResourceType, offset int) (typ, error) {
	if s.kind != componentScope {
		return nil, binary.Errorf(binary.Invalid, offset,
			"a resource type is defined in the type of an instance or component")
	}
	if d.Destructor >= 0 {
		f, err := at(s.coreFuncs, uint32(d.Destructor), binary.CoreFuncSort, offset)
		if err != nil {
			return nil, err
		}
		if !equalCore(f, &binary.CoreFuncType{Params: []binary.CoreValue{binary.I32}}) {
			return nil, binary.Errorf(binary.Invalid, offset,
				"a destructor has the type %s, not (i32)", coreSignature(f))
		}
	}
	r := &wit.Resource{}
	s.define(r, true)
	return r, nil
}

func (v *validator) scopeType(outer *scope, d *binary.ScopeType, offset int) (typ, error) {
	kind := instanceTypeScope
	if d.Component {
		kind = componentTypeScope
	}
	s := newScope(kind, outer, d.Decls)
	for _, decl := range d.Decls {
		if _, err := v.declaration(s, decl); err != nil {
			return nil, err
		}
	}
	if d.Component {
		c, err := v.finish(s, offset)
		return c, err
	}
	i := &instanceType{exports: s.exports, defined: s.definedOrder}
	i.explicit = s.explicitBounds()
	return i, nil
}

// explicitBounds lists the exported resource types with a path, in the order of the exports.
func (s *scope) explicitBounds() []bound {
	list := make([]bound, 0, len(s.explicit))
	for _, r := range s.explicitOrder {
		list = append(list, bound{r, s.explicit[r]})
	}
	return list
}

// finish returns the type of a component. Its imports must not refer to resource types of its own,
// and its exports only to those that it exports or imports.
func (v *validator) finish(s *scope, offset int) (*componentType, error) {
	c := &componentType{imports: s.imports, exports: s.exports, imported: s.imported,
		explicit: s.explicitBounds()}
	imported, exported := v.newFree(), v.newFree()
	if err := imported.table(&s.imports, offset); err != nil {
		return nil, err
	}
	if err := exported.table(&s.exports, offset); err != nil {
		return nil, err
	}
	for _, r := range s.definedOrder {
		if _, ok := imported.set[r]; ok {
			return nil, binary.Errorf(binary.Invalid, offset,
				"an import refers to a resource type of the component's own")
		}
		if _, ok := exported.set[r]; !ok {
			continue
		}
		p, ok := s.explicit[r]
		if !ok {
			return nil, binary.Errorf(binary.Invalid, offset,
				"an export refers to a resource type that is not exported")
		}
		c.defined = append(c.defined, bound{r, p})
	}
	return c, nil
}
