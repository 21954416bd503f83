package policy

import (
	"fmt"
	"net/netip"
	"slices"
)

// check refuses a rule that makes no sense or can never match.
func (p parser) check(r *Rule, host, ports word, hasPorts bool) *Error {
	named := r.host.kind == byName || r.host.kind == underName
	switch r.action {
	case Resolve:
		return p.checkResolve(r, host)
	case Connect:
		if named {
			return p.checkName(r, host, ports)
		}
		if isUnspecified(r.host) {
			to := destination(r.host.prefix.Addr()).String()
			return p.fail(host.at, "write "+to+" or loopback", "a connect to %s is a connect to %s, and judged as such", host.text, to)
		}
		if hasPorts && r.ports != nil && r.ports[0].first == 0 {
			return p.fail(ports.at, "write ports from 1 on", "nothing connects to port 0")
		}
	case Listen:
		if named {
			return p.fail(host.at, "write the host's own address, such as 127.0.0.1, 0.0.0.0 or loopback",
				"listen takes an address to listen on; %q is a name", host.text)
		}
	case Join:
		switch {
		case named:
			return p.fail(host.at, "write its address", "join takes a multicast address; %q is a name", host.text)
		case r.protocols == TCP:
			return p.fail(host.at-len("tcp://"), "write udp://"+host.text, "there is no multicast over tcp")
		case hasPorts:
			return p.fail(ports.at, "write "+host.text, "join takes no port: a membership is for every port")
		case !r.host.hasMulticast():
			return p.fail(host.at, `write a multicast address, "multicast" or "any"`, "there is no multicast address in %s", host.text)
		}
	}
	return nil
}

// hasMulticast reports whether there is a multicast address in h.
func (h host) hasMulticast() bool {
	return slices.ContainsFunc(h.prefixes(), func(p netip.Prefix) bool {
		return slices.ContainsFunc(classMulticast.prefixes(), p.Overlaps)
	})
}

func (p parser) checkResolve(r *Rule, host word) *Error {
	switch r.host.kind {
	case byClass:
		mend := "write a name, *.name or *"
		if r.host.class == classAny {
			mend = `write "*" for every name`
		}
		return p.fail(host.at, mend, "%q stands for addresses, and resolve takes names", host.text)
	case byPrefix:
		return p.fail(host.at, "leave the rule out", "%s is an address, which needs no lookup", host.text)
	}
	return nil
}

func (p parser) checkName(r *Rule, host, ports word) *Error {
	if r.effect == Deny {
		return p.fail(host.at, "write its addresses, a CIDR or a group; or deny the lookup with deny resolve "+host.text,
			"a connect cannot be denied by name: the same host has other names, and the name may get other addresses")
	}
	if name := r.host.name; name == "localhost" || within(name, "localhost") {
		loopback := "loopback"
		if ports.text != "" {
			loopback += ":" + ports.text
		}
		return p.fail(host.at, fmt.Sprintf("write connect %s, and resolve %s", loopback, host.text),
			"%s is loopback, which no name reaches", host.text)
	}
	return nil
}

// covers reports whether h contains all that o contains, as targets of the action.
func (h host) covers(o host, action Action) bool {
	switch {
	case h == o, h.kind == star && action == Resolve, h.public() && o.public():
		return true
	case h.kind == underName:
		return (o.kind == byName || o.kind == underName) && within(o.name, h.name)
	case h.kind == byClass && h.class == classAny:
		return true
	case h.public():
		return o.kind == byName || o.kind == underName // which reach public addresses only
	}
	inner := o.prefixes()
	return len(inner) > 0 && !slices.ContainsFunc(inner, func(p netip.Prefix) bool {
		return !slices.ContainsFunc(h.prefixes(), func(q netip.Prefix) bool { return q.Bits() <= p.Bits() && q.Overlaps(p) })
	})
}
