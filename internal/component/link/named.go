package link

import "github.com/wasport/wasport/internal/component/wit"

// namedTypes finds types that imports or exports refer to without importing or exporting them.
// Records, variants, enums, flags and resource types must be named; types that are made of them
// need not.
// Source: component model, Explainer.md, "Import and Export Definitions".
type namedTypes struct {
	v      *validator
	set    map[typ]bool
	dir    direction
	offset int
}

// has reports whether t is named.
func (n *namedTypes) has(t typ) bool {
	imported, ok := n.set[t]
	return ok && (imported || n.dir == exporting)
}

// typ reports whether the parts of t are named. T is about to be.
func (n *namedTypes) typ(t typ) (bool, error) {
	switch t := t.(type) {
	case *wit.Type:
		return n.parts(t)
	case *wit.Func:
		return n.fn(t)
	case *instanceType:
		return n.instance(t)
	}
	return true, nil
}

func (n *namedTypes) instance(t *instanceType) (bool, error) {
	for _, e := range t.exports.items {
		if err := n.v.look(1, n.offset); err != nil {
			return false, err
		}
		if _, ok := e.typ.(*componentType); ok {
			continue
		}
		if ok, err := n.typ(e.typ); !ok || err != nil {
			return ok, err
		}
	}
	return true, nil
}

func (n *namedTypes) fn(f *wit.Func) (bool, error) {
	for _, p := range f.Params {
		if ok, err := n.value(p.Type); !ok || err != nil {
			return ok, err
		}
	}
	return n.value(f.Result)
}

// value reports whether t is named, or made of types that are.
func (n *namedTypes) value(t *wit.Type) (bool, error) {
	if t == nil {
		return true, nil
	}
	switch t.Kind() {
	case wit.KindFlags, wit.KindEnum, wit.KindRecord, wit.KindVariant:
		return n.has(t), nil
	}
	return n.parts(t)
}

func (n *namedTypes) parts(t *wit.Type) (bool, error) {
	if err := n.v.look(1+len(t.Fields()), n.offset); err != nil {
		return false, err
	}
	if r := t.Resource(); r != nil {
		return n.has(r), nil
	}
	for _, f := range t.Fields() {
		if ok, err := n.value(f.Type); !ok || err != nil {
			return ok, err
		}
	}
	if ok, err := n.value(t.Elem()); !ok || err != nil {
		return ok, err
	}
	return n.value(t.Err())
}
