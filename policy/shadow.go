package policy

import (
	"cmp"
	"slices"
	"strconv"
	"strings"
)

// shadowIndex finds the deny rules that refuse all requests that an allow rule grants. To compare
// each allow rule with each deny rule would take time that grows with the square of the file.
type shadowIndex struct {
	denies map[denyKey]*deniedPorts
	paths  pathIndex
	// hosts has, for each action, the hosts of the deny rules by address.
	hosts [ActionResolve]*hostIndex[[]host]
}

// denyKey has the fields in which the deny rules of one entry agree. They differ in protocols and
// ports.
type denyKey struct {
	action Action
	host   host
	peer   host
}

// deniedPorts has the ranges that rules deny by TCP and by UDP, in the order of their first port.
type deniedPorts [2][]deniedRange

// deniedRange is a range that a rule denies. farthest is the rule, among this one and those before
// it, with the range that ends last; farthestLast is the last port of that range.
type deniedRange struct {
	portRange
	farthest     *Rule
	farthestLast uint16
}

// indexShadows indexes the deny rules among rules.
func indexShadows(rules []Rule) *shadowIndex {
	s := &shadowIndex{denies: make(map[denyKey]*deniedPorts), paths: indexPaths(rules)}
	var hosts [ActionResolve]hostBuilder[host]
	for i := range rules {
		r := &rules[i]
		if r.effect != Deny || r.protocols == Unix {
			continue
		}
		key := denyKey{r.action, r.host, r.peer}
		ports := s.denies[key]
		if ports == nil {
			ports = new(deniedPorts)
			s.denies[key] = ports
			if r.action != ActionResolve {
				hosts[r.action].addHost(r.host, r.host)
			}
		}
		for _, p := range r.portRanges() {
			for _, proto := range []Protocol{TCP, UDP} {
				if r.protocols&proto != 0 {
					ports[proto>>1] = append(ports[proto>>1], deniedRange{p, r, p.last})
				}
			}
		}
	}
	for _, ports := range s.denies {
		for _, list := range ports {
			slices.SortStableFunc(list, func(a, b deniedRange) int {
				return cmp.Compare(a.first, b.first)
			})
			for i := 1; i < len(list); i++ {
				if before := list[i-1]; before.farthestLast >= list[i].last {
					list[i].farthest, list[i].farthestLast = before.farthest, before.farthestLast
				}
			}
		}
	}
	for a := range hosts {
		s.hosts[a] = buildHosts(&hosts[a], func(h []host) []host { return h })
	}
	return s
}

// find returns deny rules that together refuse everything that r grants, or nil if r grants more.
func (s *shadowIndex) find(r *Rule) []*Rule {
	if r.protocols == Unix {
		if deny := s.paths.find(Deny, r.action, r.host); deny != nil {
			return []*Rule{deny}
		}
		return nil
	}
	for _, h := range s.coveringHosts(r) {
		for _, peer := range []host{{}, r.peer} {
			if ports := s.denies[denyKey{r.action, h, peer}]; ports != nil {
				if denies := ports.find(r); denies != nil {
					return denies
				}
			}
		}
	}
	return nil
}

// coveringHosts returns the hosts of deny rules that contain all hosts of r.
func (s *shadowIndex) coveringHosts(r *Rule) []host {
	list := []host{r.host, {kind: star}, anyHost, {kind: byClass, class: classPublic}}
	if r.host.kind == byName || r.host.kind == underName {
		for rest, ok := r.host.name, true; ok; {
			if _, rest, ok = strings.Cut(rest, "."); ok {
				list = append(list, host{kind: underName, name: rest})
			}
		}
	}
	if prefixes := r.host.prefixes(); len(prefixes) > 0 && r.action != ActionResolve {
		for n := s.hosts[r.action].find(prefixes[0].Addr()); n != nil; n = n.parent {
			list = append(list, n.leaf...)
		}
	}
	return slices.DeleteFunc(list, func(h host) bool { return !h.covers(r.host, r.action) })
}

// find returns deny rules that together have all ports of r, or nil.
func (d *deniedPorts) find(r *Rule) (denies []*Rule) {
	for _, proto := range []Protocol{TCP, UDP} {
		if r.protocols&proto == 0 {
			continue
		}
		list := d[proto>>1]
		for _, p := range r.portRanges() {
			after := func(d deniedRange, first int) int { return cmp.Compare(int(d.first), first) }
			i, _ := slices.BinarySearchFunc(list, int(p.first)+1, after)
			if i == 0 || list[i-1].farthestLast < p.last {
				return nil
			}
			if deny := list[i-1].farthest; !slices.Contains(denies, deny) {
				denies = append(denies, deny)
			}
		}
	}
	return denies
}

// refuseShadowed refuses each allow rule that deny rules refuse completely.
func (f *file) refuseShadowed() { f.errs = append(f.errs, Shadowed(f.rules)...) }

// Shadowed returns an *Error for each allow rule that the deny rules among rules refuse completely.
// Parse refuses a file with such rules. New takes them, since a deny may come from another place
// than the rule that it overrides.
func Shadowed(rules []Rule) (errs []error) {
	index := indexShadows(rules)
	for i := range rules {
		allow := &rules[i]
		if allow.effect != Allow {
			continue
		}
		denies := index.find(allow)
		if len(denies) == 0 {
			continue
		}
		var where []string
		for _, d := range denies {
			where = append(where, d.quoted())
		}
		refuse := " refuses all of it"
		if len(denies) > 1 {
			refuse = " refuse all of it"
		}
		errs = append(errs, &Error{allow.origin,
			strconv.Quote(allow.text) + " never matches: " + strings.Join(where, " and ") + refuse,
			"a deny always wins, so take one of them out, or make the deny narrower"})
	}
	return errs
}
