package policy

import (
	"cmp"
	"math"
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"sync"
)

// Learner makes a policy from the calls of a guest: it is given the requests that were allowed, and
// the answers to lookups. Its methods may be called from several goroutines, and its zero value is
// ready. It keeps each different request, so its memory grows with the calls of the guest.
type Learner struct {
	// Known is an earlier policy: a request that it allows needs no new rule. So a policy can be
	// learnt in several runs. Known is set before the first use, and may be nil.
	Known *Policy

	// mu protects the fields below.
	mu       sync.Mutex
	requests map[query]bool
	// names has, for a public address, the name that was looked up last.
	names map[netip.Addr]string
	// ephemeralPorts has the guest's own addresses with ports that the host chose.
	ephemeralPorts map[localPort]bool
}

// Request adds a request that was allowed.
func (l *Learner) Request(r Request) {
	q := r.normalized()
	if !q.complete() || q.op == OpOpen { // what the socket is opened for has a rule of its own
		return
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.requests == nil {
		l.requests, l.ephemeralPorts = make(map[query]bool), make(map[localPort]bool)
	}
	if q.ephemeral {
		if q.lport != 0 {
			l.ephemeralPorts[q.localPort()] = true
		}
		q.lport = 0
	}
	switch q.op {
	case OpConnect:
		if name := l.names[q.remote]; name != "" && !q.own {
			q.name, q.remote, q.embedded = name, netip.Addr{}, embeddedIPv4{}
		}
	case OpReceive:
		if !q.own {
			q.name = l.names[q.remote]
		}
	}
	if !l.allowedByKnown(r, &q) {
		l.requests[q] = true
	}
}

// allowedByKnown reports whether Known allows a request, or a connect to any address of its name.
func (l *Learner) allowedByKnown(r Request, q *query) bool {
	if l.Known.Decide(r, nil).Allowed {
		return true
	}
	if q.name == "" || q.op == OpResolve || q.op == OpReceive && !q.isClient() {
		return false
	}
	named := Request{Op: OpConnect, Protocol: q.protocol, Name: q.name,
		Remote: netip.AddrPortFrom(netip.Addr{}, q.rport)}
	return l.Known.Decide(named, nil).Allowed
}

// isOwnEphemeral reports whether a connect goes to a port that the host chose for the guest itself.
// The next run gets another port, so a rule for this one would not help.
func (l *Learner) isOwnEphemeral(q *query) bool {
	if q.rport < firstEphemeralPort {
		return false
	}
	for _, a := range []netip.Addr{q.remote, netip.IPv4Unspecified(), netip.IPv6Unspecified()} {
		chosen := l.ephemeralPorts[localPort{q.protocol, a, q.rport}]
		if chosen && (a == q.remote || nonPublic(q.remote)) {
			return true
		}
	}
	return false
}

// firstEphemeralPort is the lowest port that a host may choose: every port that is not privileged,
// if it is configured so (ip(7), ip_local_port_range; RFC 6335, section 6).
const firstEphemeralPort = 1024

// Lookup adds the answer to a lookup of a name.
func (l *Learner) Lookup(name string, addrs []netip.Addr) {
	name, err := CanonicalName(name)
	if err != nil {
		return
	}
	rules, err := ParseTargets(Allow, ActionConnect, name+".", Origin{})
	if err != nil || len(rules) != 1 || rules[0].host.kind != byName {
		return // no rule can have this name
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.names == nil {
		l.names = make(map[netip.Addr]string)
	}
	for _, a := range addrs {
		if a = normalizeAddr(a); !nonPublic(a) {
			l.names[a] = rules[0].host.name
		}
	}
}

// Rules returns the smallest set of rules that allows the requests: by name for an address from a
// lookup, and otherwise by address and port. A port that the host chose becomes port 0 of a listen
// rule, and the range of ephemeral ports if the guest connects to itself. The peers of a listener
// are narrowed to loopback, private or link-local if all were there that no other rule admits.
func (l *Learner) Rules() []Rule {
	l.mu.Lock()
	defer l.mu.Unlock()
	need, at := make(neededPorts), make(listeners)
	// 1. Listeners, connects and memberships.
	for q := range l.requests {
		switch {
		case q.protocol == Unix:
			need.add(ruleKey{q.op.action(), Unix, unixScheme + q.name, ""}, 0)
		case q.op == OpJoin:
			need.add(ruleKey{ActionJoin, UDP, bracketed(q.remote), ""}, 0)
		case q.op == OpConnect:
			l.needConnect(need, &q)
		case q.op.action() == ActionListen && !q.isClient():
			x := at.listener(&q)
			x.bound = x.bound || q.op == OpBind || q.op == OpListen
		}
	}

	// 2. Datagrams to sockets that do not listen. What they need may admit peers of listeners too.
	for q := range l.requests {
		if q.op == OpReceive && at[q.localPort()] == nil {
			l.needConnect(need, &q)
		}
	}

	// 3. The peers of each listener.
	for q := range l.requests {
		if x := at[q.localPort()]; x != nil && (q.op == OpAccept || q.op == OpReceive) {
			x.peers = append(x.peers, q.remotes()...)
			if !q.isClient() || !need.grantConnect(&q) {
				x.unsolicited = append(x.unsolicited, q.remotes()...)
			}
		}
	}

	// 4. Lookups and binds that no rule so far grants. A bind needs no rule beside the one with
	// the peers of its address.
	clients := need.clients()
	for q := range l.requests {
		switch {
		case q.op == OpResolve && need[ruleKey{ActionConnect, TCP, q.name + ".", ""}] == nil &&
			need[ruleKey{ActionConnect, UDP, q.name + ".", ""}] == nil:
			need.add(ruleKey{ActionResolve, bothProtocols, q.name + ".", ""}, 0)
		case q.op == OpBind && q.isClient() && clients&q.protocol == 0:
			at.listener(&q).bound = true
		}
	}
	at.addRules(need)
	return need.rules()
}

// needConnect adds the connect rules that a request needs. No rule can have port 0.
func (l *Learner) needConnect(need neededPorts, q *query) {
	switch {
	case q.rport == 0:
	case q.name != "":
		need.add(q.connectByName(), q.rport)
	default:
		for _, g := range q.connectByAddr() {
			if l.isOwnEphemeral(q) {
				need.addEphemeral(g)
			} else {
				need.add(g, q.rport)
			}
		}
	}
}

// ruleKey is a rule without its ports.
type ruleKey struct {
	action   Action
	protocol Protocol
	// host has brackets around an IPv6 address, and a final dot after a name.
	host string
	from string
}

func (q *query) connectByName() ruleKey {
	return ruleKey{ActionConnect, q.protocol, q.name + ".", ""}
}

func (q *query) connectByAddr() []ruleKey {
	var keys []ruleKey
	for _, a := range q.remotes() {
		keys = append(keys, ruleKey{ActionConnect, q.protocol, bracketed(a), ""})
	}
	return keys
}

// neededPorts has the ports of each rule that the guest needs.
type neededPorts map[ruleKey]*portSet

type portSet struct {
	ports []uint16
	// ephemeral adds the range of ports that the host may choose.
	ephemeral bool
}

func (n neededPorts) at(g ruleKey) *portSet {
	if n[g] == nil {
		n[g] = new(portSet)
	}
	return n[g]
}

func (n neededPorts) add(g ruleKey, port uint16) { n.at(g).ports = append(n.at(g).ports, port) }

func (n neededPorts) addEphemeral(g ruleKey) { n.at(g).ephemeral = true }

// grantConnect reports whether the rules let the guest connect to q's remote address.
func (n neededPorts) grantConnect(q *query) bool {
	lacks := func(g ruleKey) bool { return n[g] == nil || !n[g].has(q.rport) }
	return q.name != "" && !lacks(q.connectByName()) ||
		!slices.ContainsFunc(q.connectByAddr(), lacks)
}

// clients returns the protocols by which the rules let the guest connect.
func (n neededPorts) clients() (p Protocol) {
	for g := range n {
		if g.action == ActionConnect {
			p |= g.protocol
		}
	}
	return p
}

func (p *portSet) has(port uint16) bool {
	return slices.Contains(p.ports, port) || p.ephemeral && port >= firstEphemeralPort
}

// String returns the ports as a rule spells them.
func (p *portSet) String() string {
	var list []string
	slices.Sort(p.ports)
	for _, port := range slices.Compact(p.ports) {
		list = append(list, strconv.Itoa(int(port)))
	}
	if p.ephemeral {
		list = append(list, strconv.Itoa(firstEphemeralPort)+"-"+strconv.Itoa(math.MaxUint16))
	}
	return strings.Join(list, ",")
}

// rules returns the rules in the order of their actions and texts.
func (n neededPorts) rules() []Rule {
	var out []Rule
	for g, p := range n {
		var text strings.Builder
		if g.action != ActionResolve && g.protocol != Unix {
			text.WriteString(g.protocol.String() + "://")
		}
		text.WriteString(g.host)
		if g.protocol != Unix && (g.action == ActionConnect || g.action == ActionListen) {
			text.WriteString(":" + p.String())
		}
		if g.from != "" {
			text.WriteString(" from " + g.from)
		}
		rules, err := ParseTargets(Allow, g.action, text.String(), Origin{})
		if err != nil {
			continue // a name that the DNS cannot have, or a path that no rule can have
		}
		out = append(out, rules...)
	}
	slices.SortFunc(out, func(a, b Rule) int {
		return cmp.Or(cmp.Compare(a.action, b.action), cmp.Compare(a.text, b.text))
	})
	return out
}
