package policy

import (
	"math"
	"slices"
)

// portIndex finds what is filed under a protocol and a port.
type portIndex[L any] [2]struct {
	starts []uint16 // the first is 0
	leaves []*L     // leaves[i] is valid from starts[i] to the next start; nil where nothing is filed
}

// find returns the leaf of one protocol's port, or nil. A nil index has none.
func (x *portIndex[L]) find(p Protocol, port uint16) *L {
	if x == nil {
		return nil
	}
	s := &x[p>>1]
	i, exact := slices.BinarySearch(s.starts, port)
	if !exact {
		i-- // port is in the stretch before
	}
	return s.leaves[i]
}

// indexPorts files rules under their protocols and ports. leaf makes one leaf of the rules that share a stretch of
// ports, in the order in which they were written.
func indexPorts[L any](rules []*Rule, leaf func([]*Rule) *L) portIndex[L] {
	var x portIndex[L]
	for _, proto := range []Protocol{TCP, UDP} {
		cuts := []int{0}
		for _, r := range rules {
			if r.protocols&proto != 0 {
				for _, p := range r.portRanges() {
					cuts = append(cuts, int(p.first), int(p.last)+1)
				}
			}
		}
		slices.Sort(cuts)
		s := &x[proto>>1]
		var before []*Rule
		for _, c := range slices.Compact(cuts) {
			if c > math.MaxUint16 {
				break
			}
			var here []*Rule
			for _, r := range rules {
				if r.protocols&proto != 0 && r.hasPort(uint16(c)) {
					here = append(here, r)
				}
			}
			if len(s.starts) > 0 && slices.Equal(here, before) {
				continue
			}
			var l *L
			if len(here) > 0 {
				l = leaf(here)
			}
			s.starts, s.leaves, before = append(s.starts, uint16(c)), append(s.leaves, l), here
		}
	}
	return x
}

// rulePorts is an index of rules that differ in nothing but their ports.
type rulePorts = portIndex[Rule]

// anyRule returns one of the rules in an index that is not empty.
func anyRule(x *rulePorts) *Rule {
	for _, s := range x {
		for _, r := range s.leaves {
			if r != nil {
				return r
			}
		}
	}
	return nil
}

func indexRulePorts(rules []*Rule) rulePorts { return indexPorts(rules, firstRule) }

func firstRule(rules []*Rule) *Rule { return rules[0] }
