package wit

import "slices"

// Param is a parameter of a function.
type Param struct {
	Name string
	Type *Type
}

// Func is the type of a function. Result is nil if it has none.
type Func struct {
	Params []Param
	Result *Type
}

// CoreFunc is the type of a function of core WebAssembly.
type CoreFunc struct {
	Params  []CoreType
	Results []CoreType
}

// Equal reports whether both have the same parameters and results.
func (c CoreFunc) Equal(d CoreFunc) bool {
	return slices.Equal(c.Params, d.Params) && slices.Equal(c.Results, d.Results)
}

// FlatParams returns how many core values the parameters flatten to, at most MaxFlatParams+1.
func (f *Func) FlatParams() int {
	n := 0
	for _, p := range f.Params {
		n += p.Type.FlatCount()
	}
	return min(n, MaxFlatParams+1)
}

// ParamsInMemory reports whether the parameters are passed by a pointer to a tuple of them.
func (f *Func) ParamsInMemory() bool { return f.FlatParams() > MaxFlatParams }

// ResultInMemory reports whether the result is passed in memory.
func (f *Func) ResultInMemory() bool {
	return f.Result != nil && f.Result.FlatCount() > MaxFlatResults
}

// Lifted returns the type that the core function must have which is lifted to f: it returns a
// pointer to a result in memory.
func (f *Func) Lifted() CoreFunc {
	core := CoreFunc{Params: f.flatParams()}
	switch {
	case f.ResultInMemory():
		core.Results = []CoreType{I32}
	case f.Result != nil:
		core.Results = f.Result.Flat()
	}
	return core
}

// Lowered returns the type of the core function that f is lowered to: it gets a pointer to where
// the caller wants a result in memory, as the last parameter.
func (f *Func) Lowered() CoreFunc {
	core := CoreFunc{Params: f.flatParams()}
	switch {
	case f.ResultInMemory():
		core.Params = append(core.Params, I32)
	case f.Result != nil:
		core.Results = f.Result.Flat()
	}
	return core
}

func (f *Func) flatParams() []CoreType {
	if f.ParamsInMemory() {
		return []CoreType{I32}
	}
	var core []CoreType
	for _, p := range f.Params {
		core = append(core, p.Type.Flat()...)
	}
	return core
}

// ParamTuple returns the tuple of the parameters, which is how they lie in memory; nil if there are
// none. It fails if the tuple exceeds a limit.
func (f *Func) ParamTuple() (*Type, error) {
	if len(f.Params) == 0 {
		return nil, nil
	}
	types := make([]*Type, len(f.Params))
	for i, p := range f.Params {
		types[i] = p.Type
	}
	return Tuple(types...)
}
