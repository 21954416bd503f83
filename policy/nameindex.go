package policy

import "strings"

// nameIndex finds the items that are filed under a name: under the name itself, and then under the
// wildcards that cover it, the longest first.
type nameIndex[L any] struct {
	exact map[string]*L
	// under has the wildcards without their "*.".
	under     map[string]*L
	everyName *L
}

// find calls try with each leaf that covers the canonical name until try returns true.
func (x *nameIndex[L]) find(name string, try func(*L) bool) bool {
	if l := x.exact[name]; l != nil && try(l) {
		return true
	}
	for rest := name; len(x.under) > 0; {
		_, after, ok := strings.Cut(rest, ".")
		if !ok {
			break
		}
		rest = after
		if l := x.under[rest]; l != nil && try(l) {
			return true
		}
	}
	return x.everyName != nil && try(x.everyName)
}

// nameBuilder collects rules by name, from which buildNames makes a nameIndex.
type nameBuilder struct {
	exact, under map[string][]*Rule
	everyName    []*Rule
}

func (b *nameBuilder) add(r *Rule) {
	switch r.host.kind {
	case byName:
		b.exact = addByName(b.exact, r)
	case underName:
		b.under = addByName(b.under, r)
	case star:
		b.everyName = append(b.everyName, r)
	}
}

func addByName(m map[string][]*Rule, r *Rule) map[string][]*Rule {
	if m == nil {
		m = make(map[string][]*Rule)
	}
	m[r.host.name] = append(m[r.host.name], r)
	return m
}

// buildNames returns the index of the collected rules. leaf makes the leaf of a name from its
// rules.
func buildNames[L any](b *nameBuilder, leaf func([]*Rule) L) nameIndex[L] {
	x := nameIndex[L]{exact: make(map[string]*L, len(b.exact)),
		under: make(map[string]*L, len(b.under))}
	for name, rules := range b.exact {
		l := leaf(rules)
		x.exact[name] = &l
	}
	for name, rules := range b.under {
		l := leaf(rules)
		x.under[name] = &l
	}
	if b.everyName != nil {
		l := leaf(b.everyName)
		x.everyName = &l
	}
	return x
}
