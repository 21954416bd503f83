package policy

import "net/netip"

// Decision is the answer to a request.
type Decision struct {
	Allowed bool

	// Rule is the rule that decided: the guest's rule that allows, or the deny rule that refused.
	// It is nil if no rule allows the request.
	Rule *Rule

	// Name is the name by which a lookup granted an address that no rule grants by itself. A
	// decision without a Name holds as long as the policy. A decision with one may be ended by a
	// later lookup, or by time.
	Name string

	// layer is the index of the layer that refused.
	layer int
	// source is the name that resolved to the refused address, or "".
	source string
}

// Decide judges a request. pins has the addresses that the guest's lookups returned, and may be
// nil. Decide allocates nothing, except for a name that is not canonical. It may be called from
// several goroutines.
func (p *Policy) Decide(r Request, pins *Pins) Decision {
	q := r.normalized()
	if p == nil || !q.complete() {
		return Decision{}
	}
	var v verdict
	var pinned string
	// ceilings first, so that the rule that allows is the guest's
	for i := len(p.layers) - 1; i >= 0; i-- {
		v = p.layers[i].decide(&q, pins)
		if !v.allowed {
			d := Decision{Rule: v.rule, Name: v.name, layer: i}
			if q.protocol != Unix {
				d.source = pins.source(q.remote)
			}
			return d
		}
		if v.name != "" {
			pinned = v.name
		}
	}
	return Decision{Allowed: v.allowed, Rule: v.rule, Name: pinned}
}

// verdict is the Decision of one layer. Its size lets the compiler keep it in registers. Decisions
// would make the deepest calls of a component need a stack of 16 KiB in place of 8.
type verdict struct {
	allowed bool
	rule    *Rule
	name    string
}

// decide judges a request by one layer.
func (l *layer) decide(q *query, pins *Pins) verdict {
	if q.protocol == Unix {
		return l.paths.decide(q)
	}
	switch q.op {
	case OpConnect:
		if !q.remote.IsValid() {
			return l.decideName(q)
		}
		return l.decideConnect(q, pins)
	case OpBind:
		v := l.decideListen(q)
		if rule := l.clientRule[q.protocol>>1]; !v.allowed && q.isClient() && rule != nil {
			return verdict{allowed: true, rule: rule}
		}
		return v
	case OpReceive:
		v := l.decideListen(q)
		if !v.allowed && q.isClient() {
			return l.decideConnect(q, pins)
		}
		return v
	case OpJoin:
		return denyWins(findRule(l.join[Allow], q.remote), findRule(l.join[Deny], q.remote))
	case OpResolve:
		return l.decideResolve(q.name)
	case OpOpen:
		rule := l.socketRule[q.protocol>>1]
		return verdict{allowed: rule != nil, rule: rule}
	default:
		return l.decideListen(q)
	}
}

// findRule returns the rule with the longest prefix that covers an address, or nil.
func findRule(x *hostIndex[*Rule], a netip.Addr) *Rule {
	if n := x.find(a); n != nil {
		return n.leaf
	}
	if r := x.findPublic(a); r != nil {
		return *r
	}
	return nil
}

// denyWins returns the verdict for the rules that allow and deny a request: any deny rule wins.
func denyWins(allow, deny *Rule) verdict {
	if deny != nil {
		return verdict{rule: deny}
	}
	return verdict{allowed: allow != nil, rule: allow}
}

// decideConnect judges an address, and each IPv4 address that it embeds. All of them must be
// allowed, and none denied. A pin counts only if no rule has decided.
func (l *layer) decideConnect(q *query, pins *Pins) verdict {
	allow, deny := l.findConnect(Allow, q.remote, q), l.findConnect(Deny, q.remote, q)
	for i := range q.embedded.n {
		a := q.embedded.at(i)
		if l.findConnect(Allow, a, q) == nil {
			allow = nil
		}
		if deny == nil {
			deny = l.findConnect(Deny, a, q)
		}
	}
	if allow == nil && deny == nil && pins != nil && !q.own && !nonPublic(q.remote) {
		rule, name := pins.find(l, q)
		return verdict{allowed: rule != nil, rule: rule, name: name}
	}
	return denyWins(allow, deny)
}

// findConnect returns the connect rule that covers an address and q's port, the one with the
// longest prefix first. The host's own address is not one of the public addresses for an allow
// rule.
func (l *layer) findConnect(e Effect, a netip.Addr, q *query) *Rule {
	if q.own && e == Allow && a == q.remote {
		return findExplicit(l.connect[e], a, q.protocol, q.rport)
	}
	return findPort(l.connect[e], a, q.protocol, q.rport)
}

// decideName judges a connect to every public address that a lookup of q.name may return or, if a
// proxy makes the lookup, to any address at all.
func (l *layer) decideName(q *query) verdict {
	denied, every := l.connect[Deny].public, l.connect[Allow].public
	if q.remotely {
		denied, every = &l.deniedPorts, &l.anyPorts
	}
	if deny := denied.find(q.protocol, q.rport); deny != nil {
		return verdict{rule: deny}
	}
	if v := l.decideResolve(q.name); !v.allowed {
		return v
	}
	allow := l.findName(q.name, q)
	if allow == nil {
		allow = every.find(q.protocol, q.rport)
	}
	return denyWins(allow, nil)
}

// findName returns the connect rule that covers a name and q's port.
func (l *layer) findName(name string, q *query) (rule *Rule) {
	l.names.find(name, func(x *rulePorts) bool {
		rule = x.find(q.protocol, q.rport)
		return rule != nil
	})
	return rule
}

// decideListen judges a local address and, if there is one, the peer.
func (l *layer) decideListen(q *query) verdict {
	allow, deny := l.findListen(Allow, q, q.remote), l.findListen(Deny, q, q.remote)
	for i := range q.embedded.n {
		a := q.embedded.at(i)
		if l.findListen(Allow, q, a) == nil {
			allow = nil
		}
		if deny == nil {
			deny = l.findListen(Deny, q, a)
		}
	}
	return denyWins(allow, deny)
}

// findListen returns the listen rule that covers q's local address and admits the peer. Without a
// peer any allow rule for the address counts, and only a deny rule against every peer. A peer that
// connects to :: by IPv4 has connected to 0.0.0.0 as well (RFC 3493, section 3.7), so an allow rule
// for 0.0.0.0 admits it too. addUnspecified has filed each deny rule for an IPv4 address under ::
// already.
func (l *layer) findListen(e Effect, q *query, peer netip.Addr) *Rule {
	r := l.findListenAt(e, q, q.local, peer)
	if r == nil && e == Allow && peer.Is4() && q.local == netip.IPv6Unspecified() {
		r = l.findListenAt(e, q, netip.IPv4Unspecified(), peer)
	}
	return r
}

// findListenAt is findListen for one spelling of the local address.
func (l *layer) findListenAt(e Effect, q *query, local, peer netip.Addr) *Rule {
	x := l.listen[e]
	for n := x.find(local); n != nil; n = n.parent {
		if r := findInPeers(&n.leaf, e, q, peer); r != nil {
			return r
		}
	}
	return findInPeers(x.findPublic(local), e, q, peer)
}

// findInPeers returns the rule for a peer among those for one local address. An ephemeral port
// counts as port 0. A deny rule also holds for the port that the host chose.
func findInPeers(x *peers, e Effect, q *query, peer netip.Addr) *Rule {
	r := x.find(e, q.protocol, q.allowPort(), peer)
	if r == nil && e == Deny && q.ephemeral {
		r = x.find(e, q.protocol, q.lport, peer)
	}
	return r
}

// decideResolve judges a lookup. A connect rule for a name grants its lookup.
func (l *layer) decideResolve(name string) verdict {
	var allow, deny *Rule
	l.resolve[Deny].find(name, func(r **Rule) bool { deny = *r; return true })
	l.resolve[Allow].find(name, func(r **Rule) bool { allow = *r; return true })
	if allow == nil {
		allow = l.grantsLookup(name)
	}
	return denyWins(allow, deny)
}

// grantsLookup returns a connect rule for the name, or nil.
func (l *layer) grantsLookup(name string) (rule *Rule) {
	l.names.find(name, func(x *rulePorts) bool { rule = anyRule(x); return true })
	return rule
}
