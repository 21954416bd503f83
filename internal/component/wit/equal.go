package wit

import "strings"

// Comparer compares types. It remembers which are equal, so that types that share parts are
// compared in time proportional to the number of different parts. The zero Comparer is ready; it is
// not safe for concurrent use.
type Comparer struct {
	equal map[[2]*Type]bool
}

// Equal reports whether two types have the same structure, with the same labels in the same order,
// and handles of the same resources. Labels that differ in case only are the same: no scope can
// have both (Explainer.md, "Name Uniqueness"). Both may be nil.
func Equal(a, b *Type) bool {
	var c Comparer
	return c.Equal(a, b)
}

// EqualFunc reports whether two functions have equal parameters, labels included, and results.
func EqualFunc(f, g *Func) bool {
	var c Comparer
	return c.EqualFunc(f, g)
}

// EqualFunc is the package's EqualFunc.
func (c *Comparer) EqualFunc(f, g *Func) bool {
	if len(f.Params) != len(g.Params) {
		return false
	}
	for i, p := range f.Params {
		if !strings.EqualFold(p.Name, g.Params[i].Name) || !c.Equal(p.Type, g.Params[i].Type) {
			return false
		}
	}
	return c.Equal(f.Result, g.Result)
}

// Equal is the package's Equal.
func (c *Comparer) Equal(a, b *Type) bool {
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
	if known, ok := c.equal[pair]; ok {
		return known
	}
	equal := c.Equal(a.elem, b.elem) && c.Equal(a.err, b.err) && c.equalFields(a, b)
	if c.equal == nil {
		c.equal = map[[2]*Type]bool{}
	}
	c.equal[pair] = equal
	return equal
}

func (c *Comparer) equalFields(a, b *Type) bool {
	for i, f := range a.fields {
		if !strings.EqualFold(f.Name, b.fields[i].Name) || !c.Equal(f.Type, b.fields[i].Type) {
			return false
		}
	}
	return true
}
