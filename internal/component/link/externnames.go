package link

import (
	"github.com/wasport/wasport/internal/component/binary"
	"github.com/wasport/wasport/internal/component/wit"
)

// externNames are the names of a scope's imports, or of its exports.
type externNames struct {
	// seen are the names in the form in which they must differ.
	seen map[string]struct{}

	// resources are the resource types among them.
	resources map[*wit.Resource]string
}

func (n *externNames) addResource(name string, r *wit.Resource) {
	if n.resources == nil {
		n.resources = make(map[*wit.Resource]string)
	}
	n.resources[r] = name
}

// check checks that a name may name e, and that it is unlike the names before it, which are those
// of a table.
func (n *externNames) check(before *table, name string, e entity, offset int) error {
	x, err := parseName(name, offset)
	if err != nil {
		return err
	}
	if x.kind != plainName && x.kind != interfaceName {
		f, ok := e.typ.(*wit.Func)
		if !ok || e.sort != binary.FuncSort {
			return binary.Errorf(binary.Invalid, offset, "%q is no function", name)
		}
		if why := n.checkFunc(before, x, f); why != "" {
			return binary.Errorf(binary.Invalid, offset, "%q %s", name, why)
		}
	}
	key := x.unique(name)
	if _, ok := n.seen[key]; ok {
		return binary.Errorf(binary.Invalid, offset, "%q is too much like another name", name)
	}
	if n.seen == nil {
		n.seen = make(map[string]struct{})
	}
	n.seen[key] = struct{}{}
	return nil
}

// checkFunc tells the fault of a function of a resource type, or nothing.
func (n *externNames) checkFunc(before *table, x externName, f *wit.Func) string {
	var handle *wit.Type
	switch x.kind {
	case staticName:
		e, _ := before.get(x.resource)
		if _, ok := e.typ.(*wit.Resource); !ok {
			return "is of a resource type that is not known here"
		}
		return ""
	case constructorName:
		handle = f.Result
		if handle != nil && handle.Kind() == wit.KindResult {
			handle = handle.Ok()
		}
		if handle == nil || handle.Kind() != wit.KindOwn {
			return "does not return a handle that owns a resource"
		}
	case methodName:
		if len(f.Params) > 0 {
			handle = f.Params[0].Type
		}
		if handle == nil || f.Params[0].Name != "self" || handle.Kind() != wit.KindBorrow {
			return "does not take self, a handle that borrows a resource, at first"
		}
	}
	if name, ok := n.resources[handle.Resource()]; !ok || name != x.resource {
		return "is of another resource type than its handle"
	}
	return ""
}
