package policy

import (
	"net/netip"
	"slices"
	"strconv"
	"strings"
)

// check refuses a rule that contradicts itself or can never match.
func (p parser) check(r *Rule, host, ports word, hasPorts bool) *Error {
	named := r.host.kind == byName || r.host.kind == underName
	switch r.action {
	case ActionResolve:
		return p.checkResolve(r, host)
	case ActionConnect:
		if hasPorts && r.ports != nil && r.ports[0].first == 0 {
			return p.fail(ports.offset, "write ports from 1 on", "nothing connects to port 0")
		}
		if named {
			return p.checkName(r, host)
		}
		if isUnspecified(r.host) {
			to := connectDestination(r.host.prefix.Addr()).String()
			return p.fail(host.offset, "write "+to+" or loopback",
				"a connect to %s is a connect to %s, and judged as such", host.text, to)
		}
	case ActionListen:
		if named {
			return p.fail(host.offset,
				"write the host's own address, such as 127.0.0.1, 0.0.0.0 or loopback",
				"listen takes an address to listen on; %q is a name", host.text)
		}
	case ActionJoin:
		switch {
		case named:
			return p.fail(host.offset, "write its address",
				"join takes a multicast address; %q is a name", host.text)
		case r.protocols == TCP:
			return p.fail(host.offset-len("tcp://"), "write udp://"+host.text,
				"there is no multicast over tcp")
		case hasPorts:
			return p.fail(ports.offset, "write "+host.text,
				"join takes no port: a membership is for every port")
		case !r.host.hasMulticast():
			return p.fail(host.offset, `write a multicast address, "multicast" or "any"`,
				"there is no multicast address in %s", host.text)
		}
	}
	return nil
}

// hasMulticast reports whether h contains a multicast address.
func (h host) hasMulticast() bool {
	return slices.ContainsFunc(h.prefixes(), func(p netip.Prefix) bool {
		return slices.ContainsFunc(classMulticast.prefixes(), p.Overlaps)
	})
}

// checkResolve refuses a resolve rule for addresses.
func (p parser) checkResolve(r *Rule, host word) *Error {
	switch r.host.kind {
	case byClass:
		hint := "write a name, *.name or *"
		if r.host.class == classAny {
			hint = `write "*" for every name`
		}
		return p.fail(host.offset, hint, "%q stands for addresses, and resolve takes names",
			host.text)
	case byPrefix:
		return p.fail(host.offset, "leave the rule out", "%s is an address, which needs no lookup",
			host.text)
	}
	return nil
}

// checkName refuses a connect rule for a name that no request can match, or that a guest could
// evade.
func (p parser) checkName(r *Rule, host word) *Error {
	name := r.host.name
	local := name == "localhost" || isSubdomain(name, "localhost")
	lookup := newRule(ActionResolve, r.host, p.origin)
	switch {
	case r.effect == Deny && local:
		return p.fail(host.offset, "write loopback",
			"a connect cannot be denied by name, and %s is loopback", host.text)
	case r.effect == Deny:
		lookup.effect = Deny
		lookup.setText()
		hint := "write its addresses, a CIDR or a group; or deny the lookup with " +
			p.asWritten(lookup)
		return p.fail(host.offset, hint,
			"a connect cannot be denied by name: the same host has other names, and the name may "+
				"get other addresses")
	case local:
		like := appendForAddr(nil, []*Rule{r}, netip.AddrFrom4([4]byte{127, 0, 0, 1}))
		like = appendForAddr(like, []*Rule{r}, netip.IPv6Loopback())
		return p.fail(host.offset, "write "+p.asWritten(like...)+" and "+p.asWritten(lookup),
			"%s is loopback, which no name reaches", host.text)
	}
	return nil
}

// asWritten returns rules of one action in the form of the text that is parsed: a flag, or a list
// of strings in a file.
func (p parser) asWritten(rules ...Rule) string {
	if p.origin.Line == 0 && strings.HasPrefix(p.origin.Source, "--") {
		return Hint(rules)
	}
	var texts []string
	for _, r := range rules {
		_, text, _ := strings.Cut(r.text, " ")
		texts = append(texts, strconv.Quote(text))
	}
	return strings.Join(texts, ", ")
}

// covers reports whether h contains everything that o contains, as targets of the action.
func (h host) covers(o host, action Action) bool {
	switch {
	case h == o, h.kind == star && action == ActionResolve, h.isPublic() && o.isPublic():
		return true
	case h.kind == underName:
		return (o.kind == byName || o.kind == underName) && isSubdomain(o.name, h.name)
	case h.kind == byClass && h.class == classAny:
		return true
	case h.isPublic():
		// A name reaches public addresses only.
		return o.kind == byName || o.kind == underName
	}
	inner := o.prefixes()
	return len(inner) > 0 && !slices.ContainsFunc(inner, func(p netip.Prefix) bool {
		return !slices.ContainsFunc(h.prefixes(),
			func(q netip.Prefix) bool { return q.Bits() <= p.Bits() && q.Overlaps(p) })
	})
}
