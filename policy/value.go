package policy

import (
	"errors"
	"fmt"
	"math"
	"net/netip"
	"strings"
)

// Host is a type of value that a rule can name:
//
//   - a string: one name or one address, such as "api.example.com" or "10.0.0.5". A string is
//     never more than one host, so it may come from a user: a group, a range, a wildcard, a port,
//     a space and a word of the rule language are refused
//   - a [netip.Addr]: an address. An IPv4-mapped one is the IPv4 address
//   - a [netip.Prefix]: a range of addresses
//   - a [Group]: a group of addresses, such as [Private]
//   - an [Under]: every name below a name
//
// With the protocol [Unix] they name Unix-domain sockets by their paths, as the guest sees them: a
// string is one absolute path, an Under the names in one directory, and [Any] every path.
type Host interface {
	string | netip.Addr | netip.Prefix | Group | Under
}

// Group is a set of addresses with a word in the rule language. The groups are constants of this
// package; no other value is valid.
type Group string

const (
	// Any is every address, and for [Resolve] every name.
	Any Group = "any"
	// Public is every public address. Loopback, private, link-local and other special addresses
	// are not among them.
	Public    Group = "public"
	Loopback  Group = "loopback"
	Private   Group = "private"
	LinkLocal Group = "link-local"
	Metadata  Group = "metadata"
	Multicast Group = "multicast"
	Broadcast Group = "broadcast"
)

// Under stands for every name below a name: Under("example.com") is "*.example.com" in the rule
// language. The name itself is not among them.
type Under string

// Spec describes a rule by values. [Connect], [Listen], [ListenFrom], [Join] and [Resolve] make
// one, and [Rules] checks them. The zero Spec is not valid.
type Spec struct {
	effect    Effect
	action    Action
	protocols Protocol
	host      any
	peer      any // nil for every peer
	ports     []intRange
}

// intRange is a range of ports that is not checked yet. Both ends are included.
type intRange struct{ first, last int }

// Connect allows to connect, and to send datagrams, to the ports of a host; without ports, to every
// port. p is [TCP], [UDP] or both, or [Unix], which has no ports. A rule for a name allows its
// lookup too.
func Connect[H Host](p Protocol, host H, ports ...int) Spec {
	return newSpec(ActionConnect, p, host, ports)
}

// Listen allows to listen, accept and receive at the ports of a local address, from every peer;
// without ports, at every port. Port 0 is an ephemeral port. p is [TCP], [UDP] or both, or [Unix],
// which has no ports: the guest may then make the socket's file, too.
func Listen[H Host](p Protocol, local H, ports ...int) Spec {
	return newSpec(ActionListen, p, local, ports)
}

// ListenFrom is [Listen] for the peers that peer names.
func ListenFrom[H, P Host](p Protocol, local H, peer P, ports ...int) Spec {
	s := newSpec(ActionListen, p, local, ports)
	s.peer = peer
	return s
}

// Join allows to join multicast groups.
func Join[H Host](group H) Spec { return newSpec(ActionJoin, bothProtocols, group, nil) }

// Resolve allows to look names up: a name, those [Under] a name, or [Any].
func Resolve[H Host](name H) Spec { return newSpec(ActionResolve, bothProtocols, name, nil) }

func newSpec(action Action, p Protocol, host any, ports []int) Spec {
	s := Spec{action: action, protocols: p, host: host}
	for _, n := range ports {
		s.ports = append(s.ports, intRange{n, n})
	}
	return s
}

// PortRange adds the ports from first to last, both included.
func (s Spec) PortRange(first, last int) Spec {
	s.ports = append(s.ports[:len(s.ports):len(s.ports)], intRange{first, last})
	return s
}

// Deny makes the rule a deny rule. A deny rule wins over every allow rule.
func (s Spec) Deny() Spec {
	s.effect = Deny
	return s
}

// Rules makes rules of values, for [New]. The error joins one [*Error] for each value that is not
// a rule; its Origin is the function that made the value. The rules have no Origin. An allow rule
// all of which a deny rule takes away is no error.
func Rules(specs ...Spec) ([]Rule, error) {
	var rules []Rule
	var errs []error
	for _, s := range specs {
		r, err := s.rule()
		if err != nil {
			errs = append(errs, err)
			continue
		}
		rules = append(rules, r)
	}
	if errs != nil {
		return nil, errors.Join(errs...)
	}
	return rules, nil
}

// rule checks the values, and the rule that they make as if it had been parsed.
func (s Spec) rule() (Rule, *Error) {
	p := parser{Origin{Source: "policy." + s.constructor()}}
	r := Rule{effect: s.effect, action: s.action, protocols: s.protocols}
	if s.protocols == Unix {
		return p.unixValue(r, s)
	}
	if s.protocols == 0 || s.protocols&^bothProtocols != 0 {
		return Rule{}, p.fail(0, "pass policy.TCP, policy.UDP or both, or policy.Unix",
			"%d is not a protocol",
			s.protocols)
	}
	h, w, err := p.valueHost(s.action, s.host)
	if err != nil {
		return Rule{}, err
	}
	r.host = h
	if s.ports != nil && (s.action == ActionJoin || s.action == ActionResolve) {
		return Rule{}, p.fail(0, "leave them out", "%s takes no ports", s.action)
	}
	if r.ports, err = p.valuePorts(s.ports); err != nil {
		return Rule{}, err
	}
	if err := p.check(&r, w, word{}, s.ports != nil); err != nil {
		return Rule{}, err
	}
	if s.peer != nil {
		peer, w, err := p.valueHost(s.action, s.peer)
		if err != nil {
			return Rule{}, err
		}
		if err := p.setPeer(&r, w, peer); err != nil {
			return Rule{}, err
		}
	}
	r.setText()
	return r, nil
}

// constructor returns the name of the function that made s.
func (s Spec) constructor() string {
	name := [...]string{"Connect", "Listen", "Join", "Resolve"}[s.action]
	if s.peer != nil {
		name += "From"
	}
	return name
}

// valueHost returns the host that a value of a type of [Host] names, and its text for messages.
func (p parser) valueHost(action Action, v any) (host, word, *Error) {
	var text string
	switch v := v.(type) {
	case string:
		h, err := p.oneHost(action, v)
		return h, word{text: v}, err
	case netip.Addr:
		if !v.IsValid() {
			return host{}, word{}, p.fail(0, "pass a valid one", "a zero netip.Addr is no address")
		}
		text = v.Unmap().String()
	case netip.Prefix:
		if !v.IsValid() {
			return host{}, word{}, p.fail(0, "pass a valid one",
				"an invalid netip.Prefix is no range")
		}
		text = v.String()
	case Group:
		if v == Any && action == ActionResolve {
			return host{kind: star}, word{text: "*"}, nil
		}
		if !isGroup(string(v)) {
			return host{}, word{}, p.fail(0, "pass a constant such as policy.Private",
				"%q is not a group", v)
		}
		text = string(v)
	case Under:
		if strings.Contains(string(v), "*") {
			return host{}, word{}, p.fail(0, "pass the name alone", "%q has a wildcard", v)
		}
		text = "*." + string(v)
	default:
		return host{}, word{}, p.fail(0, "make it by policy.Connect or the like",
			"a zero Spec is not a rule")
	}
	w := word{text: text}
	h, err := p.host(w)
	return h, w, err
}

// oneHost parses a string that names exactly one host.
func (p parser) oneHost(action Action, s string) (host, *Error) {
	_, notAddr := netip.ParseAddr(s)
	switch {
	case s == "":
		return host{}, p.fail(0, "pass a name or an address", "the host is an empty string")
	case strings.ContainsAny(s, " \t\n"):
		return host{}, p.fail(0, "pass a value for each rule", "%q is not one host", s)
	case isGroup(s):
		return host{}, p.fail(0, fmt.Sprintf("pass policy.Group(%q) if the group is meant, or %q "+
			"for a host of that name", s, s+"."), "%q is a group, not one host", s)
	case strings.Contains(s, "*"):
		return host{}, p.fail(0, "pass a policy.Under for the names under a name, policy.Public "+
			"for every public address", "%q has a wildcard, and is not one host", s)
	case strings.Contains(s, "/"):
		return host{}, p.fail(0, "pass a netip.Prefix for a range, and the protocol by itself",
			"%q is not one host", s)
	case notAddr != nil && strings.Contains(s, ":"):
		return host{}, p.fail(0, "pass the address without brackets, and the port by itself",
			"%q is not one host", s)
	}
	w := word{text: s}
	h, err := p.host(w)
	if err != nil {
		return host{}, err
	}
	return h, p.refuseUnlikelyName(action, w, h)
}

// valuePorts returns the ports of a rule. It returns nil for every port.
func (p parser) valuePorts(ports []intRange) ([]portRange, *Error) {
	if ports == nil {
		return nil, nil
	}
	out := make([]portRange, len(ports))
	for i, r := range ports {
		if r.first < 0 || r.last > math.MaxUint16 || r.first > r.last {
			return nil, p.fail(0, "ports are from 0 to 65535, the lower one first",
				"%d to %d is not a range of ports", r.first, r.last)
		}
		out[i] = portRange{uint16(r.first), uint16(r.last)}
	}
	return mergePorts(out), nil
}

// MustParse is [Parse] for a policy that is part of a program. It panics if the text has a mistake.
func MustParse(name string, text []byte) *Policy {
	p, err := Parse(name, text)
	if err != nil {
		panic("policy: " + err.Error())
	}
	return p
}
