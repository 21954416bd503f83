package policy

import (
	"net/netip"
	"slices"
)

// Policy is a compiled set of rules, or several laid over each other. It is immutable and may be
// used by any number of guests and goroutines at once, so a program that changes a guest's policy
// while it runs swaps one pointer. A nil Policy, like one without rules, allows nothing.
type Policy struct {
	layers []*layer // the guest's first, then its ceilings; a request must pass them all
	limits Limits
}

// New compiles rules into a policy. Their order does not matter: a deny that matches wins over
// every allow.
func New(rules []Rule, limits Limits) *Policy {
	return &Policy{[]*layer{compile(slices.Clone(rules))}, limits}
}

// All lays ceilings over a guest's policy: what the result allows, each of them allows, and of each
// limit the strictest holds. A nil ceiling is left out; a nil guest policy allows nothing.
func All(guest *Policy, ceilings ...*Policy) *Policy {
	if guest == nil {
		guest = New(nil, Limits{})
	}
	all := &Policy{slices.Clone(guest.layers), guest.limits}
	for _, c := range ceilings {
		if c == nil {
			continue
		}
		all.layers = append(all.layers, c.layers...)
		all.limits = all.limits.strictest(c.limits)
	}
	return all
}

// Rules returns the rules that the policy was made of; of policies that [All] joined, the guest's.
func (p *Policy) Rules() []Rule {
	if p == nil || len(p.layers) == 0 {
		return nil
	}
	return slices.Clone(p.layers[0].rules)
}

// MayJoin reports whether some rule of the guest's allows to join some group.
func (p *Policy) MayJoin() bool {
	return p != nil && len(p.layers) > 0 && !p.layers[0].join[Allow].empty()
}

// Limits returns the limits in force.
func (p *Policy) Limits() Limits {
	if p == nil {
		return Limits{}
	}
	return p.limits
}

// layer is one set of rules, indexed for decisions. The arrays of two hold Allow and Deny.
type layer struct {
	rules      []Rule
	connect    [2]*hostIndex[rulePorts]
	listen     [2]*hostIndex[peers]
	join       [2]*hostIndex[*Rule]
	resolve    [2]nameIndex[*Rule]
	names      nameIndex[rulePorts] // the allow connect rules that name a host
	namedPorts rulePorts            // the same, whatever the name
	clientRule [2]*Rule             // an allow connect rule for TCP, and one for UDP
}

func compile(rules []Rule) *layer {
	l := &layer{rules: rules}
	var connect, listen, join [2]hostBuilder[*Rule]
	var resolve [2]nameBuilder
	var names nameBuilder
	var named []*Rule
	for i := range rules {
		switch r := &rules[i]; r.action {
		case Connect:
			for _, p := range []Protocol{TCP, UDP} {
				if r.effect == Allow && r.protocols&p != 0 && l.clientRule[p>>1] == nil {
					l.clientRule[p>>1] = r
				}
			}
			if r.host.kind == byName || r.host.kind == underName {
				names.add(r)
				named = append(named, r)
			} else {
				connect[r.effect].addHost(r.host, r)
			}
		case Listen:
			listen[r.effect].addHost(r.host, r)
			if r.effect == Deny {
				addUnspecified(&listen[Deny], r)
			}
		case Join:
			join[r.effect].addHost(r.host, r)
		case Resolve:
			resolve[r.effect].add(r)
		}
	}
	for e := range l.connect {
		l.connect[e] = buildHosts(&connect[e], indexPorts)
		l.listen[e] = buildHosts(&listen[e], indexPeers)
		l.join[e] = buildHosts(&join[e], firstRule)
		l.resolve[e] = buildNames(&resolve[e], firstRule)
	}
	l.names, l.namedPorts = buildNames(&names, indexPorts), indexPorts(named)
	return l
}

// addUnspecified makes a deny for some addresses of a host hold for a socket on all of them, since
// it would listen there as well.
func addUnspecified(b *hostBuilder[*Rule], r *Rule) {
	has4 := r.host.isPublic() ||
		slices.ContainsFunc(r.host.prefixes(), func(p netip.Prefix) bool { return p.Addr().Is4() })
	if has4 {
		b.add(netip.PrefixFrom(netip.IPv4Unspecified(), 32), r)
	}
	b.add(netip.PrefixFrom(netip.IPv6Unspecified(), 128), r)
}
