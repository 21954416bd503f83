package link

import (
	"github.com/wasport/wasport/internal/component/binary"
	"github.com/wasport/wasport/internal/component/wit"
)

// canon checks a canonical definition and adds its function.
func (v *validator) canon(s *scope, d *binary.Canon) (any, error) {
	fact := &canonFact{}
	var err error
	switch d.Kind {
	case binary.Lift:
		f, err := typeAt[*wit.Func](s, d.Type, "functions", d.At())
		if err != nil {
			return nil, err
		}
		if err := v.lift(s, d, f); err != nil {
			return nil, err
		}
		s.funcs = append(s.funcs, f)
		fact.fn, err = v.canonicalFunc(f, d.At())
		return fact, err
	case binary.Lower:
		f, err := at(s.funcs, d.Func, binary.FuncSort, d.At())
		if err != nil {
			return nil, err
		}
		if err := v.lower(s, d, f); err != nil {
			return nil, err
		}
		fact.core = f.Lowered()
		if fact.fn, err = v.canonicalFunc(f, d.At()); err != nil {
			return nil, err
		}
	default:
		r, err := s.resource(d.Type, d.At())
		if err != nil {
			return nil, err
		}
		fact.resource = v.base(r)
		if d.Kind != binary.ResourceDrop && !s.defined[fact.resource] {
			return nil, binary.Errorf(binary.Invalid, d.At(),
				"the representation of a resource of another component")
		}
		fact.core.Params = []wit.CoreType{wit.I32}
		if d.Kind != binary.ResourceDrop {
			fact.core.Results = fact.core.Params
		}
	}
	s.coreFuncs = append(s.coreFuncs, coreOf(fact.core))
	return fact, err
}

// coreOf returns a core type in the form of package binary. The bytes are the same.
func coreOf(f wit.CoreFunc) *binary.CoreFuncType {
	values := func(list []wit.CoreType) []binary.CoreValue {
		var values []binary.CoreValue
		for _, t := range list {
			values = append(values, binary.CoreValue(t))
		}
		return values
	}
	return &binary.CoreFuncType{Params: values(f.Params), Results: values(f.Results)}
}

func (v *validator) lift(s *scope, d *binary.Canon, f *wit.Func) error {
	core, err := at(s.coreFuncs, d.Func, binary.CoreFuncSort, d.At())
	if err != nil {
		return err
	}
	if err := v.options(s, d); err != nil {
		return err
	}
	if d.Options.PostReturn >= 0 {
		post, err := at(s.coreFuncs, uint32(d.Options.PostReturn), binary.CoreFuncSort, d.At())
		if err != nil {
			return err
		}
		if !equalCore(post, &binary.CoreFuncType{Params: core.Results}) {
			return binary.Errorf(binary.Invalid, d.At(), "post-return has the type %s",
				coreSignature(post))
		}
	}
	// A lifted function gets its parameters and gives its result.
	if err := needs(d, f.ParamsInMemory() || hasPointers(f), f.ResultInMemory() ||
		f.Result.HasPointer(), "parameters", "result"); err != nil {
		return err
	}
	if want := coreOf(f.Lifted()); !equalCore(core, want) {
		return binary.Errorf(binary.Invalid, d.At(),
			"a core function of the type %s is lifted to %s, which takes %s",
			coreSignature(core), f, coreSignature(want))
	}
	return nil
}

func (v *validator) lower(s *scope, d *binary.Canon, f *wit.Func) error {
	if err := v.options(s, d); err != nil {
		return err
	}
	if d.Options.PostReturn >= 0 {
		return binary.Errorf(binary.Invalid, d.At(), "post-return for a lowered function")
	}
	// A lowered function gives its parameters and gets its result.
	return needs(d, f.Result.HasPointer(), f.ResultInMemory() || f.ParamsInMemory() ||
		hasPointers(f), "result", "parameters")
}

func hasPointers(f *wit.Func) bool {
	for _, p := range f.Params {
		if p.Type.HasPointer() {
			return true
		}
	}
	return false
}

// needs checks that the options suffice to write values into the component's memory, and to have
// values there at all.
func needs(d *binary.Canon, writes, reads bool, written, read string) error {
	switch {
	case writes && (d.Options.Memory < 0 || d.Options.Realloc < 0):
		return binary.Errorf(binary.Invalid, d.At(),
			"the %s need the options memory and realloc", written)
	case reads && d.Options.Memory < 0:
		return binary.Errorf(binary.Invalid, d.At(), "the %s need the option memory", read)
	}
	return nil
}

var reallocType = &binary.CoreFuncType{
	Params:  []binary.CoreValue{binary.I32, binary.I32, binary.I32, binary.I32},
	Results: []binary.CoreValue{binary.I32},
}

func (v *validator) options(s *scope, d *binary.Canon) error {
	if d.Options.Memory >= 0 {
		m, err := at(s.coreMemories, uint32(d.Options.Memory), binary.CoreMemorySort, d.At())
		if err != nil {
			return err
		}
		if m.Shared {
			return binary.Errorf(binary.Invalid, d.At(), "the option memory is a shared memory")
		}
	}
	if d.Options.Realloc < 0 {
		return nil
	}
	if d.Options.Memory < 0 {
		return binary.Errorf(binary.Invalid, d.At(), "the option realloc needs memory")
	}
	f, err := at(s.coreFuncs, uint32(d.Options.Realloc), binary.CoreFuncSort, d.At())
	if err == nil && !equalCore(f, reallocType) {
		err = binary.Errorf(binary.Invalid, d.At(), "realloc has the type %s", coreSignature(f))
	}
	return err
}
