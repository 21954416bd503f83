package policy

import (
	"net/netip"
	"slices"
)

// Policy is a compiled set of rules, or several with ceilings over each other. It is immutable, so
// any number of guests and goroutines may use it at once, and a program changes the policy of a
// running guest by swapping one pointer. A nil Policy, like one without rules, allows nothing.
type Policy struct {
	// layers has the guest's layer first and then its ceilings. A request must pass each of them.
	layers []*layer
	limits Limits
}

// New compiles rules into a policy. Their order does not matter, since a deny rule that matches
// wins over every allow rule.
func New(rules []Rule, limits Limits) *Policy {
	return &Policy{[]*layer{compile(slices.Clone(rules))}, limits}
}

// All puts ceilings over a guest's policy. The result allows a request if the guest's policy and
// each ceiling allow it, and has the lowest of each limit. A nil ceiling is ignored. A nil guest
// policy allows nothing.
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

// Rules returns the rules of the policy, and after [All] those of the guest's policy.
func (p *Policy) Rules() []Rule {
	if p == nil || len(p.layers) == 0 {
		return nil
	}
	return slices.Clone(p.layers[0].rules)
}

// MayJoin reports whether a rule of the guest's policy allows to join some group.
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

// layer is one set of rules, indexed for decisions. An array of two has the allow rules at Allow
// and the deny rules at Deny.
type layer struct {
	rules   []Rule
	connect [2]*hostIndex[rulePorts]
	listen  [2]*hostIndex[peers]
	join    [2]*hostIndex[*Rule]
	resolve [2]nameIndex[*Rule]
	paths   pathIndex
	// names has the allow connect rules that name a host.
	names nameIndex[rulePorts]
	// namedPorts has the same rules by port alone.
	namedPorts rulePorts
	// anyPorts has the allow connect rules for "any", and deniedPorts all deny connect rules.
	anyPorts, deniedPorts rulePorts
	// clientRule has an allow connect rule for TCP, and one for UDP.
	clientRule [2]*Rule
	// socketRule has an allow rule to connect or to listen by TCP, and one by UDP.
	socketRule [2]*Rule
}

// compile indexes rules.
func compile(rules []Rule) *layer {
	l := &layer{rules: rules, paths: indexPaths(rules)}
	var connect, listen, join [2]hostBuilder[*Rule]
	var resolve [2]nameBuilder
	var names nameBuilder
	var named, anywhere, denied []*Rule
	for i := range rules {
		if rules[i].protocols == Unix {
			continue
		}
		l.noteProtocols(&rules[i])
		switch r := &rules[i]; r.action {
		case ActionConnect:
			if r.host.kind == byName || r.host.kind == underName {
				names.add(r)
				named = append(named, r)
				continue
			}
			connect[r.effect].addHost(r.host, r)
			if r.effect == Deny {
				denied = append(denied, r)
			} else if r.host == anyHost {
				anywhere = append(anywhere, r)
			}
		case ActionListen:
			listen[r.effect].addHost(r.host, r)
			if r.effect == Deny {
				addUnspecified(&listen[Deny], r)
			}
		case ActionJoin:
			join[r.effect].addHost(r.host, r)
		case ActionResolve:
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
	l.anyPorts, l.deniedPorts = indexPorts(anywhere), indexPorts(denied)
	return l
}

// noteProtocols notes an allow rule as the clientRule and the socketRule of its protocols, unless
// an earlier one is noted.
func (l *layer) noteProtocols(r *Rule) {
	if r.effect != Allow || r.action != ActionConnect && r.action != ActionListen {
		return
	}
	for _, p := range []Protocol{TCP, UDP} {
		if r.protocols&p == 0 {
			continue
		}
		if l.socketRule[p>>1] == nil {
			l.socketRule[p>>1] = r
		}
		if r.action == ActionConnect && l.clientRule[p>>1] == nil {
			l.clientRule[p>>1] = r
		}
	}
}

// addUnspecified files a deny rule for some addresses of a host under the unspecified address as
// well, since a socket on every address listens there too (ip(7), INADDR_ANY).
func addUnspecified(b *hostBuilder[*Rule], r *Rule) {
	has4 := r.host.isPublic() ||
		slices.ContainsFunc(r.host.prefixes(), func(p netip.Prefix) bool { return p.Addr().Is4() })
	if has4 {
		b.add(netip.PrefixFrom(netip.IPv4Unspecified(), 32), r)
	}
	b.add(netip.PrefixFrom(netip.IPv6Unspecified(), 128), r)
}
