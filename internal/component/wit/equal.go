package wit

import "strings"

// comparer compares types. It remembers which are equal, so that types that share parts are
// compared in time proportional to the number of different parts. The zero comparer is ready.
type comparer struct {
	known map[[2]*Type]bool
}

// Equal reports whether two types have the same structure, with the same labels in the same order,
// and handles of the same resources. Labels that differ in case only are the same: no scope can
// have both (Explainer.md, "Name Uniqueness"). Both may be nil.
func Equal(a, b *Type) bool {
	var c comparer
	return c.equal(a, b)
}

// EqualFunc reports whether two functions have equal parameters, labels included, and results.
func EqualFunc(f, g *Func) bool {
	var c comparer
	return c.equalFunc(f, g)
}

func (c *comparer) equalFunc(f, g *Func) bool {
	if len(f.Params) != len(g.Params) {
		return false
	}
	for i, p := range f.Params {
		if !strings.EqualFold(p.Name, g.Params[i].Name) || !c.equal(p.Type, g.Params[i].Type) {
			return false
		}
	}
	return c.equal(f.Result, g.Result)
}

func (c *comparer) equal(a, b *Type) bool {
	if a == b {
		return true
	}
	if a == nil || b == nil || a.kind != b.kind || a.resource != b.resource ||
		a.nodes != b.nodes || a.size != b.size || len(a.fields) != len(b.fields) {
		return false
	}
	if a.depth == 1 && len(a.fields) == 0 {
		return true
	}
	pair := [2]*Type{a, b}
	if equal, ok := c.known[pair]; ok {
		return equal
	}
	equal := c.equal(a.elem, b.elem) && c.equal(a.err, b.err) && c.equalFields(a, b)
	if c.known == nil {
		c.known = map[[2]*Type]bool{}
	}
	c.known[pair] = equal
	return equal
}

func (c *comparer) equalFields(a, b *Type) bool {
	for i, f := range a.fields {
		if !strings.EqualFold(f.Name, b.fields[i].Name) || !c.equal(f.Type, b.fields[i].Type) {
			return false
		}
	}
	return true
}
