package policy

import (
	"fmt"
	"math"
	"net/netip"
	"slices"
	"strconv"
	"strings"
)

// Effect tells whether a rule allows or denies.
type Effect uint8

const (
	Allow Effect = iota
	Deny
)

func (e Effect) String() string { return [...]string{"allow", "deny"}[e] }

// Action is the kind of request that a rule is about.
type Action uint8

const (
	// ActionConnect is a connect, or a datagram sent to an address.
	ActionConnect Action = iota
	// ActionListen is a bind to a chosen port, and to listen, accept and receive there.
	ActionListen
	// ActionJoin is the membership in a multicast group.
	ActionJoin
	// ActionResolve is the lookup of a name.
	ActionResolve
)

var actionNames = [...]string{"connect", "listen", "join", "resolve"}

func (a Action) String() string { return actionNames[a] }

// Protocol is a set of transport protocols: exactly one in a [Request]; in a rule one, or TCP and
// UDP.
type Protocol uint8

const (
	TCP Protocol = 1 << iota
	UDP
	// Unix is that of Unix-domain streams (unix(7)). No rule has it together with others.
	Unix
)

const bothProtocols = TCP | UDP

func (p Protocol) String() string {
	if p == Unix {
		return "unix"
	}
	return [...]string{"no protocol", "tcp", "udp", "tcp and udp"}[p&bothProtocols]
}

// Origin is the place where a rule was written.
type Origin struct {
	// Source is the name of a file, or a flag such as "--allow-connect".
	Source string
	// Line is the line in a file, from 1, and 0 elsewhere.
	Line int
	// Column is in bytes, from 1, in the text of the flag if Line is 0. It is 0 if it is not known.
	Column int
}

// String returns "net.toml:3:5" for a file, and the flag alone for a flag.
func (o Origin) String() string {
	if o.Line == 0 {
		return o.Source
	}
	return fmt.Sprintf("%s:%d:%d", o.Source, o.Line, o.Column)
}

// Rule is a parsed rule. It is immutable. The zero Rule is not a rule; rules come from parsing.
type Rule struct {
	effect Effect
	action Action
	// protocols has TCP and UDP if the rule names none, and for a resolve rule.
	protocols Protocol
	host      host
	// ports is nil for every port. Otherwise the ranges are sorted and do not touch.
	ports []portRange
	// peer is of kind anyPeer if the rule names none. Only a listen rule names one.
	peer   host
	text   string
	origin Origin
}

// Effect returns the effect of the rule.
func (r Rule) Effect() Effect { return r.effect }

// Action returns the action of the rule.
func (r Rule) Action() Action { return r.action }

// Origin returns the place where the rule was written.
func (r Rule) Origin() Origin { return r.origin }

// String returns the rule in its canonical spelling, such as "allow connect
// tcp://10.0.0.0/8:80,443". Parsing it gives the same rule.
func (r Rule) String() string { return r.text }

// Target returns the text after the action, as a flag carries it.
func (r Rule) Target() string {
	_, rest, _ := strings.Cut(r.text, " ")
	_, rest, _ = strings.Cut(rest, " ")
	return rest
}

// quoted returns the rule as a message quotes it, with its origin if that is known.
func (r *Rule) quoted() string {
	if r.origin.Source == "" {
		return strconv.Quote(r.text)
	}
	return strconv.Quote(r.text) + " (" + r.origin.String() + ")"
}

// setText sets the canonical text of a rule from its other fields.
func (r *Rule) setText() {
	var b strings.Builder
	b.WriteString(r.effect.String() + " " + r.action.String() + " ")
	if r.protocols == TCP || r.protocols == UDP {
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

// portRange is a range of ports. Both ends are included.
type portRange struct{ first, last uint16 }

func (p portRange) String() string {
	if p.first == p.last {
		return strconv.Itoa(int(p.first))
	}
	return fmt.Sprintf("%d-%d", p.first, p.last)
}

// hostKind is the way in which a rule names hosts.
type hostKind uint8

const (
	// anyPeer is the peer of a rule that names none.
	anyPeer hostKind = iota
	byPrefix
	byClass
	byName
	// underName is "*.name".
	underName
	// star is "*": every public address, or every name.
	star
	// byPath is "unix:/dir/name", inDir is "unix:/dir/*", and anyPath "unix:*".
	byPath
	inDir
	anyPath
)

// host is the part of a rule that names hosts.
type host struct {
	kind hostKind
	// prefix is set for byPrefix, without bits beyond the mask.
	prefix netip.Prefix
	// class is set for byClass.
	class class
	// name is set for byName and underName: the canonical name without "*."; for byPath the path,
	// and for inDir the directory with a slash at its end.
	name string
}

// anyHost is "any" in a rule. An index has its rules a second time, under every public address, so
// that a search for the rules of all public addresses finds them without an address.
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
	case byPath:
		return unixScheme + h.name
	case inDir, anyPath:
		return unixScheme + h.name + "*"
	default:
		return "any"
	}
}

// isPublic reports whether h stands for all public addresses.
func (h host) isPublic() bool {
	return h.kind == star || h.kind == byClass && h.class == classPublic
}

// prefixes returns the ranges of h. It returns none for names and for all public addresses.
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

// contains reports whether h has the normalized address a. It serves explanations; decisions use an
// index.
func (h host) contains(a netip.Addr) bool {
	if h.isPublic() {
		return classOf(a) == classPublic
	}
	return slices.ContainsFunc(h.prefixes(), func(p netip.Prefix) bool { return p.Contains(a) })
}
