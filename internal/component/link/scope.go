package link

import (
	"github.com/wasport/wasport/internal/component/binary"
	"github.com/wasport/wasport/internal/component/wit"
)

type scopeKind uint8

const (
	componentScope scopeKind = iota
	componentTypeScope
	instanceTypeScope
)

// A scope has the index spaces of a component, or of the declarations of a type.
type scope struct {
	kind  scopeKind
	outer *scope

	coreFuncs     []*binary.CoreFuncType
	coreTables    []*binary.CoreExtern
	coreMemories  []*binary.CoreExtern
	coreGlobals   []*binary.CoreExtern
	coreTypes     []any // *binary.CoreFuncType or *moduleType
	coreModules   []*moduleType
	coreInstances []coreExports

	funcs      []*wit.Func
	types      []typ
	instances  []*instanceType
	components []*componentType

	imports, exports         table
	importNames, exportNames externNames

	// imported are resource types that the scope imports.
	imported []bound

	// defined are resource types that are defined in the scope or by an instantiation there. They
	// are true if the scope knows their representation.
	defined map[*wit.Resource]bool

	// definedOrder are the keys of defined in order.
	definedOrder []*wit.Resource

	// explicit are the paths of exported resource types, the latest for each. explicitOrder are
	// its keys in order.
	explicit      map[*wit.Resource]*path
	explicitOrder []*wit.Resource

	// referable are the types that exports may refer to. They are true if imports may, too.
	referable map[typ]bool
}

func newScope(kind scopeKind, outer *scope, defs []binary.Definition) *scope {
	imports, exports := 0, 0
	for _, d := range defs {
		switch d.(type) {
		case *binary.Import:
			imports++
		case *binary.Export:
			exports++
		}
	}
	return &scope{kind: kind, outer: outer, imports: newTable(imports),
		exports: newTable(exports)}
}

// define adds a resource type that is new in each instance.
func (s *scope) define(r *wit.Resource, local bool) {
	if s.defined == nil {
		s.defined = make(map[*wit.Resource]bool)
	}
	s.defined[r] = local
	s.definedOrder = append(s.definedOrder, r)
}

func (s *scope) exportResource(r *wit.Resource, p *path) {
	if s.explicit == nil {
		s.explicit = make(map[*wit.Resource]*path)
	}
	if _, ok := s.explicit[r]; !ok {
		s.explicitOrder = append(s.explicitOrder, r)
	}
	s.explicit[r] = p
}

// at returns item i of an index space.
func at[T any](space []T, i uint32, sort binary.Sort, offset int) (T, error) {
	if int64(i) >= int64(len(space)) {
		var none T
		return none, binary.Errorf(binary.Invalid, offset, "unknown %s %d", sort, i)
	}
	return space[i], nil
}

func (s *scope) value(i binary.Ref, offset int) (*wit.Type, error) {
	if i < 0 {
		return primitives[i], nil
	}
	t, err := at(s.types, uint32(i), binary.TypeSort, offset)
	if err != nil {
		return nil, err
	}
	if v, ok := t.(*wit.Type); ok {
		return v, nil
	}
	return nil, binary.Errorf(binary.Invalid, offset, "type %d is no type of values", i)
}

// typeAt returns type i, which must be a T, in words a type of the things named.
func typeAt[T typ](s *scope, i uint32, things string, offset int) (T, error) {
	t, err := at(s.types, i, binary.TypeSort, offset)
	v, ok := t.(T)
	if err == nil && !ok {
		err = binary.Errorf(binary.Invalid, offset, "type %d is no type of %s", i, things)
	}
	return v, err
}

func (s *scope) resource(i uint32, offset int) (*wit.Resource, error) {
	return typeAt[*wit.Resource](s, i, "resources", offset)
}

// entity returns the type of an item that exists.
func (s *scope) entity(i binary.Item, offset int) (entity, error) {
	e := entity{sort: i.Sort}
	var err error
	switch i.Sort {
	case binary.CoreModuleSort:
		e.typ, err = at(s.coreModules, i.Index, i.Sort, offset)
	case binary.FuncSort:
		e.typ, err = at(s.funcs, i.Index, i.Sort, offset)
	case binary.TypeSort:
		e.typ, err = at(s.types, i.Index, i.Sort, offset)
		e.ref = e.typ
	case binary.ComponentSort:
		e.typ, err = at(s.components, i.Index, i.Sort, offset)
	case binary.InstanceSort:
		e.typ, err = at(s.instances, i.Index, i.Sort, offset)
	}
	return e, err
}

// add adds an item to the index space of its sort.
func (s *scope) add(e entity) {
	switch e.sort {
	case binary.CoreModuleSort:
		s.coreModules = append(s.coreModules, e.typ.(*moduleType))
	case binary.FuncSort:
		s.funcs = append(s.funcs, e.typ.(*wit.Func))
	case binary.TypeSort:
		s.types = append(s.types, e.typ)
	case binary.ComponentSort:
		s.components = append(s.components, e.typ.(*componentType))
	case binary.InstanceSort:
		s.instances = append(s.instances, e.typ.(*instanceType))
	}
}

// enclosing returns the scope count levels outwards, and the one inside of it on the way.
func (s *scope) enclosing(count uint32, offset int) (target, inside *scope, err error) {
	target = s
	for range count {
		inside, target = target, target.outer
		if target == nil {
			return nil, nil, binary.Errorf(binary.Invalid, offset,
				"an alias leads %d scopes outwards, which are not there", count)
		}
	}
	return target, inside, nil
}

var primitives = map[binary.Ref]*wit.Type{
	binary.Bool: wit.Bool, binary.S8: wit.S8, binary.U8: wit.U8, binary.S16: wit.S16,
	binary.U16: wit.U16, binary.S32: wit.S32, binary.U32: wit.U32, binary.S64: wit.S64,
	binary.U64: wit.U64, binary.F32: wit.F32, binary.F64: wit.F64, binary.Char: wit.Char,
	binary.String: wit.String,
}
