package link

import (
	"github.com/wasport/wasport/internal/component/binary"
	"github.com/wasport/wasport/internal/component/wit"
)

// A hostInterface is an interface of the host, as it is imported.
type hostInterface struct {
	*component
	iface, name string
	offset      int

	// missing says why the host does not have it, and is empty otherwise.
	missing string
}

// item returns the item with a name, of the type that the component wants.
func (h *hostInterface) item(name string, want entity) (item, error) {
	switch t := want.typ.(type) {
	case *wit.Func:
		if want.sort == binary.FuncSort {
			return h.function(name, t)
		}
	case *wit.Resource:
		return h.resource(name, h.concrete[h.v.base(t)]), nil
	case *wit.Type:
		h.value(name, t)
		return nil, nil
	}
	if want.sort != binary.TypeSort {
		h.lacking = append(h.lacking, Lacking{Interface: h.name, Item: name,
			Reason: want.sort.String() + "s cannot be imported"})
	}
	return nil, nil
}

// lack notes that something is lacking, unless all of the interface is.
func (h *hostInterface) lack(l Lacking) {
	if h.missing == "" && !h.trapMissing {
		l.Interface = h.name
		h.lacking = append(h.lacking, l)
	}
}

func (h *hostInterface) function(name string, abstract *wit.Func) (item, error) {
	want, err := h.funcType(abstract, h.offset)
	if err != nil {
		return nil, err
	}
	i := Import{Interface: h.name, Func: name, Want: want, Err: h.missing}
	if h.missing == "" {
		i.Have = h.world.Func(h.iface, name)
		switch {
		case i.Have == nil:
			i.Err = "the host has no such function in the interface"
			h.lack(Lacking{Item: name, Want: i.Want.String(), Reason: i.Err})
		case !wit.EqualFunc(i.Want, i.Have):
			i.Err = "the host's function is of another type"
			h.lack(Lacking{Item: name, Want: i.Want.String(), Have: i.Have.String()})
		}
	}
	h.Imports = append(h.Imports, i)
	return &function{lifted: -1, imports: len(h.Imports) - 1}, nil
}

func (h *hostInterface) resource(name string, r *wit.Resource) *wit.Resource {
	if h.missing == "" && h.world.Resource(h.iface, name) != r {
		h.lack(Lacking{Item: name, Reason: "the host has no such resource type in the interface"})
	}
	return r
}

// value compares a type that the interface names. Types that no function of the host uses are the
// component's own affair.
func (h *hostInterface) value(name string, abstract *wit.Type) {
	want := h.substitution.Type(h.v.canonical.Type(abstract))
	have := h.world.Type(h.iface, name)
	if h.missing == "" && have != nil && !wit.Equal(want, have) {
		h.lack(Lacking{Item: name, Want: want.Structure(), Have: have.Structure()})
	}
}
