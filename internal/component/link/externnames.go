package link

import (
	"github.com/wasport/wasport/internal/component/binary"
	"github.com/wasport/wasport/internal/component/wit"
)

// externNames are the names of a scope's imports, or of its exports.
type externNames struct {
	seen map[string]struct{}

	// resources are the resource types among them, under their latest names.
	resources map[*wit.Resource]string
	known     map[string]struct{}
}

func (n *externNames) addResource(name string, r *wit.Resource) {
	if n.resources == nil {
		n.resources, n.known = make(map[*wit.Resource]string), make(map[string]struct{})
	}
	n.resources[r] = name
	n.known[name] = struct{}{}
}

// check checks that a name may name e, and that it is unlike the names before it.
func (n *externNames) check(v *validator, name string, e entity, offset int) error {
	x, err := parseName(name, offset)
	if err != nil {
		return err
	}
	if x.kind != plainName && x.kind != interfaceName {
		f, ok := e.typ.(*wit.Func)
		if !ok || e.sort != binary.FuncSort {
			return binary.Errorf(binary.Invalid, offset, "%q is no function", name)
		}
		if why := n.checkFunc(x, f); why != "" {
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
func (n *externNames) checkFunc(x externName, f *wit.Func) string {
	var handle *wit.Type
	switch x.kind {
	case staticName:
		if _, ok := n.known[x.resource]; !ok {
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
