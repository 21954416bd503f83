package policy

import (
	"net/netip"
	"strconv"
	"syscall"
)

// Refusal is the error of a denied request. It wraps syscall.EACCES.
type Refusal struct {
	Request Request
	// Rule is the deny rule that refused, or nil if no rule allowed the request.
	Rule *Rule
	// Reason is the reason, as a phrase.
	Reason string

	// Allow are the rules that would allow this request and nothing else if they were added to the
	// guest's policy. It is empty if no such rule helps, since a deny rule or a ceiling refused.
	Allow []Rule

	// fallbackHint is the hint if Allow is empty.
	fallbackHint string
}

// Error returns one line, such as
//
//	denied connect tcp 10.0.0.5:5432: "*" covers public addresses only, 10.0.0.5 is private
func (r *Refusal) Error() string { return "denied " + r.Request.String() + ": " + r.Reason }

// Unwrap returns syscall.EACCES, the errno that a guest gets.
func (r *Refusal) Unwrap() error { return syscall.EACCES }

// Hint returns the flag that allows the request, such as "--allow-connect tcp://10.0.0.5:5432", or
// another way if no flag helps. It returns "" for a request that no policy can allow.
func (r *Refusal) Hint() string {
	if len(r.Allow) == 0 {
		return r.fallbackHint
	}
	return Hint(r.Allow)
}

// emptyLayer is the layer of a nil policy.
var emptyLayer = compile(nil)

// Explain tells why a request was refused, given the decision on it. It returns nil if the request
// was allowed. It formats text and allocates, so it is for refusals alone; its time does not grow
// with the number of rules.
func (p *Policy) Explain(r Request, d Decision) *Refusal {
	if d.Allowed {
		return nil
	}
	ref := &Refusal{Request: r, Rule: d.Rule}
	q := r.normalized()
	if !q.complete() {
		switch q.op {
		case OpResolve:
			_, err := CanonicalName(r.Name)
			ref.Reason = "it is " + err.Error()
		case OpAlter:
			ref.Reason = "a socket that was handed over stays as its owner has it"
		default:
			ref.Reason = "it is not complete"
		}
		return ref
	}
	l := emptyLayer
	if p != nil && d.layer < len(p.layers) {
		l = p.layers[d.layer]
	}
	if q.op == OpOpen {
		ref.Reason = "no rule lets it connect or listen by " + q.protocol.String()
		ref.fallbackHint = openHint(q.protocol, d.layer > 0)
	} else if d.Rule != nil {
		ref.Reason = d.Rule.quoted() + " refuses it"
		if q.remotely && d.Rule.action == ActionConnect {
			ref.Reason = d.Rule.quoted() +
				" may refuse it: the proxy resolves the name, so nobody " +
				"here knows its address"
		}
		ref.fallbackHint = "take out " + d.Rule.quoted() + ", or make it narrower"
	} else {
		ref.Reason = l.reason(&q)
		ref.Allow = l.missingRules(&q, d.source)
	}
	if d.layer == 0 && q.op == OpBind && q.isClient() && len(ref.Allow) > 0 {
		ref.fallbackHint, ref.Allow = clientHint(q.protocol, ref.Allow), nil
	}
	if q.protocol == Unix && d.Rule == nil && len(ref.Allow) == 0 {
		ref.fallbackHint = unspelledHint(q.op.action())
	}
	if d.layer > 0 {
		ref.Reason = "the ceiling: " + ref.Reason
		if len(ref.Allow) > 0 {
			ref.fallbackHint, ref.Allow = ceilingHint(ref.Allow), nil
		}
	}
	return ref
}

// reason tells why no rule of the layer allows q.
func (l *layer) reason(q *query) string {
	if q.protocol == Unix {
		return l.paths.reason(q)
	}
	switch q.op {
	case OpResolve:
		return l.reasonName(q)
	case OpBind:
		if q.isClient() {
			return l.reasonHost(ActionListen, q.protocol, q.local, 0) +
				", and none lets it connect by " + q.protocol.String()
		}
	case OpConnect:
		if !q.remote.IsValid() {
			return l.reasonName(q)
		}
		if l.ownAddrUnnamed(q) {
			return ownReason(q)
		}
		for _, a := range q.remotes() {
			if l.findConnect(Allow, a, q) == nil {
				return viaEmbedded(q, a) + l.reasonHost(ActionConnect, q.protocol, a, q.rport)
			}
		}
	case OpAccept, OpReceive:
		if q.isClient() {
			if l.ownAddrUnnamed(q) {
				return "the guest may not connect there: " + ownReason(q)
			}
			return "the guest may not connect there: " +
				l.reasonHost(ActionConnect, q.protocol, q.remote, q.rport)
		}
		local := *q
		local.remote = netip.Addr{}
		for _, a := range q.remotes() {
			if rule := l.findListen(Allow, &local, netip.Addr{}); rule != nil &&
				l.findListen(Allow, q, a) == nil {
				return viaEmbedded(q, a) + rule.quoted() + " does not admit " + a.String()
			}
		}
		return l.reasonHost(ActionListen, q.protocol, q.local, q.allowPort())
	case OpJoin:
		return l.reasonHost(ActionJoin, UDP, q.remote, 0)
	}
	return l.reasonHost(ActionListen, q.protocol, q.local, q.allowPort())
}

// ownAddrUnnamed reports whether q is about an address of the host that no rule names.
func (l *layer) ownAddrUnnamed(q *query) bool {
	return q.own && l.connect[Allow].find(q.remote) == nil
}

// ownReason says why a rule for public addresses does not cover an address of the host.
func ownReason(q *query) string {
	return q.remote.String() +
		` is an address of this host, for which no name, "*" or "public" stands`
}

// viaEmbedded returns the start of a sentence about an IPv4 address that q's address embeds.
func viaEmbedded(q *query, a netip.Addr) string {
	if a == q.remote {
		return ""
	}
	return q.remote.String() + " carries " + a.String() + ": "
}

// reasonHost tells why no rule of an action covers an address and a port, by the rule that comes
// nearest. A guest can cause it with every call, so it searches the indexes and does not read the
// list of rules.
func (l *layer) reasonHost(action Action, proto Protocol, a netip.Addr, port uint16) string {
	// covers has another port, other the other protocol. public and named have the port, for other
	// addresses.
	var covers, other, public, named *Rule
	some := true
	is := a.String() + " is " + classes[classOf(a)].is
	switch action {
	case ActionConnect:
		x := l.connect[Allow]
		some = l.clientRule != [2]*Rule{}
		covers, other = nearest(x, a, proto, func(p *rulePorts) *rulePorts { return p })
		public, named = x.public.find(proto, port), l.namedPorts.find(proto, port)
	case ActionListen:
		x := l.listen[Allow]
		some = !x.empty()
		covers, other = nearest(x, a, proto, func(p *peers) *rulePorts { return &p.all })
		if x.public != nil {
			public = x.public.all.find(proto, port)
		}
	case ActionJoin:
		x := l.join[Allow]
		some = !x.empty()
		if x.public != nil {
			public = *x.public
		}
	}
	switch {
	case covers != nil && port == 0:
		return covers.quoted() + " does not cover a port of the host's choice"
	case covers != nil:
		return covers.quoted() + " does not cover port " + strconv.Itoa(int(port))
	case other != nil:
		return other.quoted() + " covers " + other.protocols.String() + " only"
	case public != nil:
		return strconv.Quote(public.host.String()) + " covers public addresses only, " + is
	case named != nil && nonPublic(a):
		return strconv.Quote(named.host.String()) + " reaches public addresses only, " + is
	case named != nil:
		return "no lookup of " + strconv.Quote(named.host.String()) + " returned it"
	case some:
		return "no " + action.String() + " rule covers it"
	}
	return "no rule allows " + action.String()
}

// nearest returns a rule for an address and a protocol at any port, or one for the other protocol.
// ports returns the index in a leaf.
func nearest[L any](x *hostIndex[L], a netip.Addr, proto Protocol,
	ports func(*L) *rulePorts) (covers, other *Rule) {
	try := func(leaf *L) bool {
		p := ports(leaf)
		if other == nil {
			other = p.first(proto ^ (TCP | UDP))
		}
		covers = p.first(proto)
		return covers != nil
	}
	for n := x.find(a); n != nil; n = n.parent {
		if try(&n.leaf) {
			return covers, other
		}
	}
	if leaf := x.findPublic(a); leaf != nil {
		try(leaf)
	}
	return covers, other
}

// reasonName tells why no rule covers a lookup of q's name, or a connect to the addresses of the
// name.
func (l *layer) reasonName(q *query) string {
	if q.op == OpConnect && l.decideResolve(q.name).allowed {
		if rule := l.grantsLookup(q.name); rule != nil {
			return rule.quoted() + " does not cover port " + strconv.Itoa(int(q.rport))
		}
		if public := l.connect[Allow].public.find(q.protocol, q.rport); public != nil {
			return strconv.Quote(public.host.String()) + " covers public addresses only, and the " +
				"proxy resolves the name, so nobody here knows its address"
		}
		return "no connect rule covers it"
	}
	if l.names.under[q.name] != nil || l.resolve[Allow].under[q.name] != nil {
		return strconv.Quote("*."+q.name) + " covers the names under " + q.name + ", not itself"
	}
	return "no rule allows its lookup"
}
