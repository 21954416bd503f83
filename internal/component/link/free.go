package link

import "github.com/wasport/wasport/internal/component/wit"

// free collects the resource types that types refer to and do not define.
type free struct {
	v    *validator
	set  map[*wit.Resource]struct{}
	seen map[typ]struct{}
}

func (v *validator) newFree() *free {
	return &free{v, make(map[*wit.Resource]struct{}), make(map[typ]struct{})}
}

// visit reports whether t has not been seen.
func (f *free) visit(t typ, offset int) (bool, error) {
	if _, ok := f.seen[t]; ok {
		return false, nil
	}
	f.seen[t] = struct{}{}
	return true, f.v.look(1, offset)
}

func (f *free) table(t *table, offset int) error {
	for _, e := range t.items {
		if err := f.typ(e.typ, offset); err != nil {
			return err
		}
	}
	return nil
}

func (f *free) typ(t typ, offset int) error {
	if v, ok := t.(*wit.Type); ok {
		return f.value(v, offset)
	}
	if fresh, err := f.visit(t, offset); !fresh || err != nil {
		return err
	}
	switch t := t.(type) {
	case *wit.Resource:
		f.set[f.v.base(t)] = struct{}{}
	case *wit.Func:
		for _, p := range t.Params {
			if err := f.value(p.Type, offset); err != nil {
				return err
			}
		}
		return f.value(t.Result, offset)
	case *instanceType:
		return f.closed(t.defined, offset, &t.exports)
	case *componentType:
		var own []*wit.Resource
		for _, list := range [][]bound{t.imported, t.defined} {
			for _, b := range list {
				own = append(own, b.resource)
			}
		}
		return f.closed(own, offset, &t.imports, &t.exports)
	}
	return nil
}

// closed adds the resource types that tables refer to, but for those that they define.
func (f *free) closed(own []*wit.Resource, offset int, tables ...*table) error {
	inner := f.v.newFree()
	for _, t := range tables {
		if err := inner.table(t, offset); err != nil {
			return err
		}
	}
	for _, r := range own {
		delete(inner.set, r)
	}
	for r := range inner.set {
		f.set[r] = struct{}{}
	}
	return nil
}

func (f *free) value(t *wit.Type, offset int) error {
	if t == nil || t.Kind() <= wit.KindString {
		return nil
	}
	if fresh, err := f.visit(t, offset); !fresh || err != nil {
		return err
	}
	if r := t.Resource(); r != nil {
		f.set[f.v.base(r)] = struct{}{}
	}
	for _, x := range t.Fields() {
		if err := f.value(x.Type, offset); err != nil {
			return err
		}
	}
	if err := f.value(t.Elem(), offset); err != nil {
		return err
	}
	return f.value(t.Err(), offset)
}
