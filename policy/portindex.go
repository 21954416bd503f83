package policy

import (
	"cmp"
	"math"
	"net/netip"
	"slices"
)

// rulePorts finds the rule that is filed under a protocol and a port. The first of several rules
// wins.
type rulePorts [2]struct {
	// starts has the first port of each range. The first of all is 0.
	starts []uint16
	// rules has the rule of the ports from starts[i] to the next start, or nil.
	rules []*Rule
}

// find returns the rule for a protocol and a port, or nil. A nil index has no rule.
func (x *rulePorts) find(p Protocol, port uint16) *Rule {
	if x == nil || x[p>>1].starts == nil {
		return nil
	}
	s := &x[p>>1]
	i, exact := slices.BinarySearch(s.starts, port)
	if !exact {
		i-- // the port is in the range before
	}
	return s.rules[i]
}

// first returns the rule for a protocol's lowest port that has a rule, or nil.
func (x *rulePorts) first(p Protocol) *Rule {
	for _, r := range x[p>>1].rules { // the first or the second range has a rule
		if r != nil {
			return r
		}
	}
	return nil
}

// indexPorts files rules under their protocols and ports.
func indexPorts(rules []*Rule) rulePorts {
	var x rulePorts
	for _, proto := range []Protocol{TCP, UDP} {
		cuts := []int{0}
		for _, r := range rules {
			if r.protocols&proto != 0 {
				for _, p := range r.portRanges() {
					cuts = append(cuts, int(p.first), int(p.last)+1)
				}
			}
		}
		if len(cuts) == 1 {
			continue
		}
		slices.Sort(cuts)
		cuts = slices.Compact(cuts)
		s := &x[proto>>1]
		for i, r := range firstRules(cuts, rules, proto) {
			if cuts[i] <= math.MaxUint16 && (i == 0 || s.rules[len(s.rules)-1] != r) {
				s.starts, s.rules = append(s.starts, uint16(cuts[i])), append(s.rules, r)
			}
		}
	}
	return x
}

// firstRules returns, for each range of ports between two cuts, the first rule that has it. It
// visits each range once, however many rules have it, so that the cost does not grow with the
// square of the number of rules.
func firstRules(cuts []int, rules []*Rule, proto Protocol) []*Rule {
	painted := make([]*Rule, len(cuts))
	// next leads from a range that has its rule towards one that has none, as in a union-find.
	next := make([]int, len(cuts)+1)
	for i := range next {
		next[i] = i
	}
	free := func(i int) int {
		for next[i] != i {
			next[i] = next[next[i]]
			i = next[i]
		}
		return i
	}
	for _, r := range rules {
		if r.protocols&proto == 0 {
			continue
		}
		for _, p := range r.portRanges() {
			i, _ := slices.BinarySearch(cuts, int(p.first))
			for i = free(i); i < len(cuts) && cuts[i] <= int(p.last); i = free(i) {
				painted[i], next[i] = r, i+1
			}
		}
	}
	return painted
}

// anyRule returns a rule of an index that is not empty.
func anyRule(x *rulePorts) *Rule { return cmp.Or(x.first(TCP), x.first(UDP)) }

func firstRule(rules []*Rule) *Rule { return rules[0] }

// findPort returns the rule for an address and a port, the one with the longest prefix first.
func findPort(x *hostIndex[rulePorts], a netip.Addr, proto Protocol, port uint16) *Rule {
	if r := findExplicit(x, a, proto, port); r != nil {
		return r
	}
	return x.findPublic(a).find(proto, port)
}

// findExplicit is findPort without the rules for all public addresses.
func findExplicit(x *hostIndex[rulePorts], a netip.Addr, proto Protocol, port uint16) *Rule {
	for n := x.find(a); n != nil; n = n.parent {
		if r := n.leaf.find(proto, port); r != nil {
			return r
		}
	}
	return nil
}

// peers has the listen rules for one local address.
type peers struct {
	// all has every rule.
	all rulePorts
	// anyPeer has the rules for every peer.
	anyPeer rulePorts
	// byPeer has the rules for some peers, by the peer's address.
	byPeer *hostIndex[rulePorts]
}

// indexPeers files rules for one local address under their peers and ports.
func indexPeers(rules []*Rule) peers {
	var everybody []*Rule
	var some hostBuilder[*Rule]
	for _, r := range rules {
		if r.peer.kind == anyPeer {
			everybody = append(everybody, r)
		} else {
			some.addHost(r.peer, r)
		}
	}
	return peers{indexPorts(rules), indexPorts(everybody), buildHosts(&some, indexPorts)}
}

// find returns the rule for a local port and a peer. Without a peer any allow rule for the port
// counts, and only a deny rule for every peer. A nil index has no rule.
func (p *peers) find(e Effect, proto Protocol, port uint16, peer netip.Addr) *Rule {
	switch {
	case p == nil:
		return nil
	case !peer.IsValid() && e == Allow:
		return p.all.find(proto, port)
	}
	if r := p.anyPeer.find(proto, port); r != nil || !peer.IsValid() {
		return r
	}
	return findPort(p.byPeer, peer, proto, port)
}
