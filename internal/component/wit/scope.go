package wit

import "fmt"

// Scope has the types of an interface by name, and parses WIT's spelling of types and signatures
// that use them. It serves tables that are written by hand: it has no limits, and is
// not for text of guests. The zero Scope is ready; it may be read by several goroutines once it
// is complete.
type Scope struct {
	types     map[string]*Type
	resources map[string]*Resource
}

// Define adds types. It takes the definitions of an interface in WIT, without functions:
//
//	resource input-stream;
//	type filesize = u64;
//	record datetime { seconds: u64, nanoseconds: u32 }
//	variant stream-error { last-operation-failed(error), closed }
//	enum ip-address-family { ipv4, ipv6 }
//	flags path-flags { symlink-follow }
//
// A name must be defined before it is used. The resources are new ones, of the host.
func (s *Scope) Define(text string) error {
	p := newParser(s, text)
	for p.token != "" {
		if err := p.definition(); err != nil {
			return err
		}
	}
	return nil
}

// Use adds types of another scope, all of them if no names are given, as WIT's use does.
func (s *Scope) Use(other *Scope, names ...string) error {
	if len(names) == 0 {
		for name, t := range other.types {
			s.addType(name, t)
		}
		for name, r := range other.resources {
			s.addResource(name, r)
		}
	}
	for _, name := range names {
		t, isType := other.types[name]
		r, isResource := other.resources[name]
		switch {
		case isType:
			s.addType(name, t)
		case isResource:
			s.addResource(name, r)
		default:
			return fmt.Errorf("there is no type %s to use", name)
		}
	}
	return nil
}

// Resource returns the resource type with a name, nil without one.
func (s *Scope) Resource(name string) *Resource { return s.resources[name] }

// Lookup returns the type that is defined with a name, nil without one. Resources are not among
// them.
func (s *Scope) Lookup(name string) *Type { return s.types[name] }

// Type parses a type, such as result<list<u8>, stream-error>. The name of a resource alone is the
// handle that owns it.
func (s *Scope) Type(text string) (*Type, error) {
	p := newParser(s, text)
	t, err := p.typ()
	if err == nil {
		err = p.end()
	}
	return t, err
}

// Func parses a signature, such as (self: borrow<input-stream>, len: u64) -> bool.
func (s *Scope) Func(signature string) (*Func, error) {
	p := newParser(s, signature)
	f, err := p.function()
	if err == nil {
		err = p.end()
	}
	return f, err
}

func (s *Scope) addType(name string, t *Type) {
	if s.types == nil {
		s.types = map[string]*Type{}
	}
	s.types[name] = t
}

func (s *Scope) addResource(name string, r *Resource) {
	if s.resources == nil {
		s.resources = map[string]*Resource{}
	}
	s.resources[name] = r
}

func (s *Scope) has(name string) bool {
	return s.types[name] != nil || s.resources[name] != nil
}
