package policy

import (
	"cmp"
	"math"
	"net/netip"
	"slices"
)

// rulePorts finds the rule that is filed under a protocol and a port; of several, the one that was
// written first.
type rulePorts [2]struct {
	starts []uint16 // the first is 0
	rules  []*Rule  // rules[i] is valid from starts[i] on; nil where nothing is filed
}

// find returns the rule for one protocol's port, or nil. A nil index has none.
func (x *rulePorts) find(p Protocol, port uint16) *Rule {
	if x == nil || x[p>>1].starts == nil {
		return nil
	}
	s := &x[p>>1]
	i, exact := slices.BinarySearch(s.starts, port)
	if !exact {
		i-- // port is in the stretch before
	}
	return s.rules[i]
}

// first returns the rule for a protocol's lowest port that has one, or nil.
func (x *rulePorts) first(p Protocol) *Rule {
	for _, r := range x[p>>1].rules { // of two neighbours one has a rule
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

// firstRules returns for each stretch of ports, which begin at the cuts, the first rule that has it.
// Each stretch is visited once, however many rules have it, so that the cost does not grow with the
// square of the rules.
func firstRules(cuts []int, rules []*Rule, proto Protocol) []*Rule {
	painted := make([]*Rule, len(cuts))
	next := make([]int, len(cuts)+1) // leads from a painted stretch towards one that is not
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

// anyRule returns one of the rules in an index that is not empty.
func anyRule(x *rulePorts) *Rule { return cmp.Or(x.first(TCP), x.first(UDP)) }

func firstRule(rules []*Rule) *Rule { return rules[0] }

// findPort returns the rule for an address and a port, the one with the longest prefix first.
func findPort(x *hostIndex[rulePorts], a netip.Addr, proto Protocol, port uint16) *Rule {
	if r := findExplicit(x, a, proto, port); r != nil {
		return r
	}
	return x.findPublic(a).find(proto, port)
}

// findExplicit leaves out rules for all public addresses.
func findExplicit(x *hostIndex[rulePorts], a netip.Addr, proto Protocol, port uint16) *Rule {
	for n := x.find(a); n != nil; n = n.parent {
		if r := n.leaf.find(proto, port); r != nil {
			return r
		}
	}
	return nil
}

// peers are the listen rules for one local address, by the peers that they are about.
type peers struct {
	all     rulePorts             // whatever the peer
	anyPeer rulePorts             // those about every peer
	byPeer  *hostIndex[rulePorts] // those about some
}

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

// find returns the rule for a local port and a peer. Without a peer any rule for the port allows,
// and only one against every peer denies. Nil peers have no rule.
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
