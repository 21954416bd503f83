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

// Learner makes a policy of what a guest did: feed it the requests that were allowed and the
// answers to lookups. It may be used from several goroutines at once; its zero value is ready. It
// keeps every request that differs from the others, so it grows with what the guest tries.
type Learner struct {
	// Known, if it is set before the first use, is a policy that is there already: what it allows
	// needs no other rule. This is how a policy is learnt in several runs.
	Known *Policy

	mu             sync.Mutex
	requests       map[query]bool
	names          map[netip.Addr]string // public addresses, by the name that was looked up last
	ephemeralPorts map[localPort]bool    // the guest's own addresses whose ports the host chose
}

// Request notes a request that was allowed.
func (l *Learner) Request(r Request) {
	q := r.normalized()
	if !q.complete() {
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

// allowedByKnown reports whether the policy that is there allows a request, or what its answer may be.
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

// isOwnEphemeral reports whether a connect goes to a port that the host chose for the guest itself, which
// is another one in the next run.
func (l *Learner) isOwnEphemeral(q *query) bool {
	if q.rport < firstEphemeralPort {
		return false
	}
	for _, a := range []netip.Addr{q.remote, netip.IPv4Unspecified(), netip.IPv6Unspecified()} {
		if l.ephemeralPorts[localPort{q.protocol, a, q.rport}] && (a == q.remote || nonPublic(q.remote)) {
			return true
		}
	}
	return false
}

// firstEphemeralPort is the first port that a host may choose: ip(7), ip_local_port_range, and RFC 6335,
// section 6. It chooses among all that are not privileged if it is told so.
const firstEphemeralPort = 1024

// Lookup notes what a lookup of a name returned.
func (l *Learner) Lookup(name string, addrs []netip.Addr) {
	name, err := CanonicalName(name)
	if err != nil {
		return
	}
	rules, err := ParseTargets(Allow, Connect, name+".", Origin{})
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

// Rules returns the smallest set of rules that allows what was noted: by name where an address came
// from a lookup, by address and port otherwise; a port that the host chose is port 0 where the
// guest binds, and any that the host may choose where the guest connects to itself. The peers of a
// listener are narrowed to loopback, private or link-local where all of them were there.
func (l *Learner) Rules() []Rule {
	l.mu.Lock()
	defer l.mu.Unlock()
	listeners := make(map[localPort][]class) // and where their peers were
	for q := range l.requests {
		if q.op.action() == Listen && !q.isClient() {
			listeners[q.localPort()] = nil
		}
	}
	need := make(neededPorts)
	for q := range l.requests {
		peers, listening := listeners[q.localPort()]
		switch {
		case q.op == OpJoin:
			need.add(ruleKey{Join, UDP, bracketed(q.remote), ""}, 0)
		case q.op == OpAccept, q.op == OpReceive && listening:
			for _, a := range q.remotes() {
				peers = append(peers, classOf(a))
			}
			listeners[q.localPort()] = peers
		case q.name != "" && q.op != OpResolve:
			need.add(ruleKey{Connect, q.protocol, q.name + ".", ""}, q.rport)
		case q.op == OpConnect, q.op == OpReceive:
			for _, a := range q.remotes() {
				g := ruleKey{Connect, q.protocol, bracketed(a), ""}
				if l.isOwnEphemeral(&q) {
					need.addEphemeral(g)
				} else {
					need.add(g, q.rport)
				}
			}
		}
	}
	for at, peers := range listeners {
		need.add(ruleKey{Listen, at.protocol, bracketed(at.local), commonPeerGroup(peers)}, at.port)
	}
	var clients Protocol // what a connect rule allows to bind
	for g := range need {
		if g.action == Connect {
			clients |= g.protocol
		}
	}
	for q := range l.requests {
		switch {
		case q.op == OpResolve && need[ruleKey{Connect, TCP, q.name + ".", ""}] == nil &&
			need[ruleKey{Connect, UDP, q.name + ".", ""}] == nil:
			need.add(ruleKey{Resolve, bothProtocols, q.name + ".", ""}, 0)
		case q.op == OpBind && q.isClient() && clients&q.protocol == 0:
			need.add(ruleKey{Listen, q.protocol, bracketed(q.local), ""}, 0)
		}
	}
	return need.rules()
}

// localPort is a local address, port 0 being one of the host's choice.
type localPort struct {
	protocol Protocol
	local    netip.Addr
	port     uint16
}

func (q *query) localPort() localPort { return localPort{q.protocol, q.local, q.lport} }

// commonPeerGroup returns the group that all of some peers belong to, if it is one worth naming.
func commonPeerGroup(peers []class) string {
	peers = slices.Compact(slices.Sorted(slices.Values(peers)))
	if len(peers) != 1 || peers[0] != classLoopback && peers[0] != classPrivate &&
		peers[0] != classLinkLocal {
		return ""
	}
	return classes[peers[0]].group
}

// ruleKey is a rule without its ports.
type ruleKey struct {
	action   Action
	protocol Protocol
	host     string // an IPv6 address in brackets; a name with a final dot
	from     string
}

// neededPorts is what has to be allowed: grants and their ports.
type neededPorts map[ruleKey]*portSet

type portSet struct {
	ports     []uint16
	ephemeral bool // also those that the host may choose
}

func (n neededPorts) at(g ruleKey) *portSet {
	if n[g] == nil {
		n[g] = new(portSet)
	}
	return n[g]
}

func (n neededPorts) add(g ruleKey, port uint16) { n.at(g).ports = append(n.at(g).ports, port) }

func (n neededPorts) addEphemeral(g ruleKey) { n.at(g).ephemeral = true }

// String returns the ports as a rule has them.
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

func (n neededPorts) rules() []Rule {
	var out []Rule
	for g, p := range n {
		var text strings.Builder
		if g.action != Resolve {
			text.WriteString(g.protocol.String() + "://")
		}
		text.WriteString(g.host)
		if g.action == Connect || g.action == Listen {
			text.WriteString(":" + p.String())
		}
		if g.from != "" {
			text.WriteString(" from " + g.from)
		}
		rules, err := ParseTargets(Allow, g.action, text.String(), Origin{})
		if err != nil {
			continue // no rule can say this: port 0, or a name that the DNS cannot have
		}
		out = append(out, rules...)
	}
	slices.SortFunc(out, func(a, b Rule) int {
		return cmp.Or(cmp.Compare(a.action, b.action), cmp.Compare(a.text, b.text))
	})
	return out
}
