package link

import (
	"github.com/wasport/wasport/internal/component/binary"
	"github.com/wasport/wasport/internal/component/wit"
)

// A typ is an item of the index space of types: a *wit.Type, *wit.Func, *wit.Resource,
// *instanceType or *componentType. Two types of the same structure are different as values of typ:
// names belong to one of them only.
type typ any

// An entity is the type of an import or export. For TypeSort typ is the type as it is
// known here, and ref the one that it was made of; they are the same for a fresh resource type.
// For CoreModuleSort typ is a *moduleType.
type entity struct {
	sort binary.Sort
	typ  typ
	ref  typ
}

// A table has entities by name, in order.
type table struct {
	*names
	items []entity
}

// names are those of a table. Tables that differ in types only share them.
type names struct {
	list  []string
	index map[string]int
}

// newTable makes a table with room for n entities.
func newTable(n int) table {
	t := table{names: &names{}}
	if n > 0 {
		t.list, t.items = make([]string, 0, n), make([]entity, 0, n)
		t.index = make(map[string]int, n)
	}
	return t
}

func (t *table) len() int { return len(t.items) }

func (t *table) get(name string) (entity, bool) {
	if i, ok := t.index[name]; ok {
		return t.items[i], true
	}
	return entity{}, false
}

// add adds an entity. It reports false if the name is taken.
func (t *table) add(name string, e entity) bool {
	if _, ok := t.index[name]; ok {
		return false
	}
	if t.index == nil {
		t.index = make(map[string]int)
	}
	t.index[name] = len(t.list)
	t.list = append(t.list, name)
	t.items = append(t.items, e)
	return true
}

// A path leads to a resource type through exports of instances, by name.
type path struct {
	name string
	next *path
}

// bound is a resource type with the path on which it is imported or exported.
type bound struct {
	resource *wit.Resource
	path     *path
}

// An instanceType is the type of an instance of a component.
type instanceType struct {
	exports table

	// defined are the resource types that are new in each instance of the type. It is empty for
	// an instance that exists.
	defined []*wit.Resource

	// explicit are the resource types that are exported.
	explicit []bound
}

// A componentType is the type of a component.
type componentType struct {
	imports, exports table

	// imported are the resource types that are supplied when it is instantiated.
	imported []bound

	// defined are those that are new in each instance, and explicit all that are exported.
	defined, explicit []bound
}

// A moduleType is the type of a core module.
type moduleType struct {
	imports []binary.CoreImport
	exports coreExports

	// module is nil for a module that is known by its type only.
	module *module
}

// coreExports are the exports of a core instance or core module.
type coreExports map[string]*binary.CoreExtern

// A module is a core module of the component.
type module struct {
	*binary.Module
	bytes  []byte
	number int
	name   string
}
