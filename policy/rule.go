package policy

import (
	"fmt"
	"math"
	"net/netip"
	"slices"
	"strconv"
	"strings"
)

// Effect says whether a rule grants or takes away.
type Effect uint8

const (
	Allow Effect = iota
	Deny
)

func (e Effect) String() string { return [...]string{"allow", "deny"}[e] }

// Action is what a rule is about.
type Action uint8

const (
	Connect Action = iota // TCP connect, UDP connect, UDP send to an address
	Listen                // bind to a chosen port, listen, accept, receive there
	Join                  // membership in a multicast group
	Resolve               // name lookup
)

var actionNames = [...]string{"connect", "listen", "join", "resolve"}

func (a Action) String() string { return actionNames[a] }

// Protocol is a set of transport protocols: in a [Request] exactly one, in a rule one or both.
type Protocol uint8

const (
	TCP Protocol = 1 << iota
	UDP
)

const bothProtocols = TCP | UDP

func (p Protocol) String() string {
	return [...]string{"no protocol", "tcp", "udp", "tcp and udp"}[p&bothProtocols]
}

// Origin says where a rule was written.
type Origin struct {
	Source string // a file's name, or a flag such as "--allow-connect"
	Line   int    // in a file, from 1; 0 elsewhere
	Column int    // in bytes, from 1; in a flag's text where Line is 0; 0 when unknown
}

// String returns "net.toml:3:5" for a file, the flag alone for a flag.
func (o Origin) String() string {
	if o.Line == 0 {
		return o.Source
	}
	return fmt.Sprintf("%s:%d:%d", o.Source, o.Line, o.Column)
}

// Rule is one parsed rule. It is immutable. The zero Rule is not a rule; rules come from parsing.
type Rule struct {
	effect    Effect
	action    Action
	protocols Protocol // both when left out, and for resolve
	host      host
	ports     []portRange // nil = all; else sorted, apart, and not all
	peer      host        // listen only; kind everyone when left out
	text      string
	origin    Origin
}

// Effect returns whether the rule allows or denies.
func (r Rule) Effect() Effect { return r.effect }

// Action returns what the rule is about.
func (r Rule) Action() Action { return r.action }

// Origin returns where the rule was written.
func (r Rule) Origin() Origin { return r.origin }

// String returns the rule in its canonical spelling, such as "allow connect
// tcp://10.0.0.0/8:80,443". Parsing it gives the same rule.
func (r Rule) String() string { return r.text }

// Target returns what follows the action, as a flag carries it.
func (r Rule) Target() string {
	_, rest, _ := strings.Cut(r.text, " ")
	_, rest, _ = strings.Cut(rest, " ")
	return rest
}

// quoted returns the rule as a message quotes it: with its place, when that is known.
func (r *Rule) quoted() string {
	if r.origin.Source == "" {
		return strconv.Quote(r.text)
	}
	return strconv.Quote(r.text) + " (" + r.origin.String() + ")"
}

// setText sets the canonical text of a rule whose other fields are set.
func (r *Rule) setText() {
	var b strings.Builder
	b.WriteString(r.effect.String() + " " + r.action.String() + " ")
	if r.action != Resolve && r.protocols != bothProtocols {
		b.WriteString(r.protocols.String() + "://")
	}
	h := r.host.String()
	if _, alone := Readings(h); alone != "" {
		h = alone
	} else if r.ports != nil && strings.Contains(h, ":") {
		h = "[" + h + "]"
	}
	if problem, _ := r.action.likelyMistake(h); problem != "" && r.host.kind == byName {
		h += "."
	}
	b.WriteString(h)
	sep := ":"
	for _, p := range r.ports {
		b.WriteString(sep + p.String())
		sep = ","
	}
	if r.peer.kind != anyPeer {
		peer := r.peer.String()
		if _, alone := Readings(peer); alone != "" {
			peer = alone
		}
		b.WriteString(" from " + peer)
	}
	r.text = b.String()
}

var allPorts = []portRange{{0, math.MaxUint16}}

func (r *Rule) portRanges() []portRange {
	if r.ports == nil {
		return allPorts
	}
	return r.ports
}

func (r *Rule) hasPort(port uint16) bool {
	return slices.ContainsFunc(r.portRanges(),
		func(p portRange) bool { return p.first <= port && port <= p.last })
}

// portRange is a range of ports, both ends included.
type portRange struct{ first, last uint16 }

func (p portRange) String() string {
	if p.first == p.last {
		return strconv.Itoa(int(p.first))
	}
	return fmt.Sprintf("%d-%d", p.first, p.last)
}

// hostKind says how a rule names hosts.
type hostKind uint8

const (
	anyPeer hostKind = iota // nothing was said; only a peer can be that
	byPrefix
	byClass
	byName
	underName // "*.name"
	star      // "*": every public address, or every name
)

// host is the part of a rule that says which hosts, or which names.
type host struct {
	kind   hostKind
	prefix netip.Prefix // byPrefix; masked
	class  class        // byClass
	name   string       // byName and underName, canonical, without "*."
}

// anyHost is "any" in a rule. Every public address is filed under it once more, so that the rules
// for all public addresses can be found without one.
var anyHost = host{kind: byClass, class: classAny}

func (h host) String() string {
	switch h.kind {
	case byPrefix:
		if h.prefix.IsSingleIP() {
			return h.prefix.Addr().String()
		}
		return h.prefix.String()
	case byClass:
		return classes[h.class].group
	case byName:
		return h.name
	case underName:
		return "*." + h.name
	case star:
		return "*"
	default:
		return "any"
	}
}

// isPublic reports whether h stands for all public addresses.
func (h host) isPublic() bool {
	return h.kind == star || h.kind == byClass && h.class == classPublic
}

// prefixes lists the address ranges of h; none for names and for the public addresses.
func (h host) prefixes() []netip.Prefix {
	switch {
	case h.kind == byPrefix:
		return []netip.Prefix{h.prefix}
	case h.kind == anyPeer:
		return classAny.prefixes()
	case h.kind == byClass:
		return h.class.prefixes()
	default:
		return nil
	}
}

// contains reports whether the normalised address a is one of h's. It is for explanations;
// decisions use an index.
func (h host) contains(a netip.Addr) bool {
	if h.isPublic() {
		return classOf(a) == classPublic
	}
	return slices.ContainsFunc(h.prefixes(), func(p netip.Prefix) bool { return p.Contains(a) })
}
