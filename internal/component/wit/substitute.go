package wit

// Substitution replaces resources in types: a component's types name the resources of its imports,
// which are known only when it is instantiated. It remembers the types that it made, so that types
// that share parts share them afterwards. It is not safe for concurrent use.
type Substitution struct {
	resources map[*Resource]*Resource
	made      map[*Type]*Type
}

// NewSubstitution returns a substitution of keys by values. The map may only grow afterwards, by
// resources that no type has yet which was given to the substitution.
func NewSubstitution(resources map[*Resource]*Resource) *Substitution {
	return &Substitution{resources: resources, made: map[*Type]*Type{}}
}

// Type returns t with resources replaced; t itself if it has none of them. Nothing else changes, so
// no limit can be exceeded.
func (s *Substitution) Type(t *Type) *Type {
	if t == nil {
		return nil
	}
	if made, ok := s.made[t]; ok {
		return made
	}
	made := s.replace(t)
	s.made[t] = made
	return made
}

func (s *Substitution) replace(t *Type) *Type {
	made := *t
	changed := false
	if r, ok := s.resources[t.resource]; ok && t.resource != nil {
		made.resource, changed = r, true
	}
	made.elem, made.err = s.Type(t.elem), s.Type(t.err)
	changed = changed || made.elem != t.elem || made.err != t.err
	var fields []Field
	for i, f := range t.fields {
		part := s.Type(f.Type)
		if part == f.Type {
			continue
		}
		if fields == nil {
			fields = append(fields, t.fields...)
		}
		fields[i].Type = part
	}
	if fields != nil {
		made.fields, changed = fields, true
	}
	if !changed {
		return t
	}
	return &made
}

// Put makes by the result for t, wherever t is part of a type.
func (s *Substitution) Put(t, by *Type) { s.made[t] = by }

// Made returns how many types have a result.
func (s *Substitution) Made() int { return len(s.made) }

// Func returns f with resources replaced; f itself if it has none of them.
func (s *Substitution) Func(f *Func) *Func {
	made := &Func{Params: make([]Param, len(f.Params)), Result: s.Type(f.Result)}
	changed := made.Result != f.Result
	for i, p := range f.Params {
		made.Params[i] = Param{p.Name, s.Type(p.Type)}
		changed = changed || made.Params[i].Type != p.Type
	}
	if !changed {
		return f
	}
	return made
}
