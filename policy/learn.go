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

	mu     sync.Mutex
	seen   map[query]bool
	names  map[netip.Addr]string // public addresses, by the name that was looked up last
	chosen map[listener]bool     // the guest's own addresses whose ports the host chose
}

// Request notes a request that was allowed.
func (l *Learner) Request(r Request) {
	q := r.normal()
	if !q.judgeable() {
		return
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.seen == nil {
		l.seen, l.chosen = make(map[query]bool), make(map[listener]bool)
	}
	if q.ephemeral {
		if q.lport != 0 {
			l.chosen[q.listener()] = true
		}
		q.lport = 0
	}
	switch q.op {
	case OpConnect:
		if name := l.names[q.remote]; name != "" && !q.own {
			q.name, q.remote, q.inner = name, netip.Addr{}, carried{}
		}
	case OpReceive:
		if !q.own {
			q.name = l.names[q.remote]
		}
	}
	if !l.known(r, &q) {
		l.seen[q] = true
	}
}

// known reports whether the policy that is there allows a request, or what its answer may be.
func (l *Learner) known(r Request, q *query) bool {
	if l.Known.Decide(r, nil).Allowed {
		return true
	}
	if q.name == "" || q.op == OpResolve || q.op == OpReceive && !q.client() {
		return false
	}
	named := Request{Op: OpConnect, Protocol: q.protocol, Name: q.name,
		Remote: netip.AddrPortFrom(netip.Addr{}, q.rport)}
	return l.Known.Decide(named, nil).Allowed
}

// isOwn reports whether a connect goes to a port that the host chose for the guest itself, which
// is another one in the next run.
func (l *Learner) isOwn(q *query) bool {
	if q.rport < firstChosen {
		return false
	}
	for _, a := range []netip.Addr{q.remote, netip.IPv4Unspecified(), netip.IPv6Unspecified()} {
		if l.chosen[listener{q.protocol, a, q.rport}] && (a == q.remote || special(q.remote)) {
			return true
		}
	}
	return false
}

// firstChosen is the first port that a host may choose: ip(7), ip_local_port_range, and RFC 6335,
// section 6. It chooses among all that are not privileged if it is told so.
const firstChosen = 1024

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
		if a = normal(a); !special(a) {
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
	listeners := make(map[listener][]class) // and where their peers were
	for q := range l.seen {
		if q.op.action() == Listen && !q.client() {
			listeners[q.listener()] = nil
		}
	}
	need := make(lesson)
	for q := range l.seen {
		peers, listening := listeners[q.listener()]
		switch {
		case q.op == OpJoin:
			need.add(grant{Join, UDP, bracketed(q.remote), ""}, 0)
		case q.op == OpAccept, q.op == OpReceive && listening:
			for _, a := range q.remotes() {
				peers = append(peers, classOf(a))
			}
			listeners[q.listener()] = peers
		case q.name != "" && q.op != OpResolve:
			need.add(grant{Connect, q.protocol, q.name + ".", ""}, q.rport)
		case q.op == OpConnect, q.op == OpReceive:
			for _, a := range q.remotes() {
				g := grant{Connect, q.protocol, bracketed(a), ""}
				if l.isOwn(&q) {
					need.addChosen(g)
				} else {
					need.add(g, q.rport)
				}
			}
		}
	}
	for at, peers := range listeners {
		need.add(grant{Listen, at.protocol, bracketed(at.local), commonGroup(peers)}, at.port)
	}
	var clients Protocol // what a connect rule allows to bind
	for g := range need {
		if g.action == Connect {
			clients |= g.protocol
		}
	}
	for q := range l.seen {
		switch {
		case q.op == OpResolve && need[grant{Connect, TCP, q.name + ".", ""}] == nil &&
			need[grant{Connect, UDP, q.name + ".", ""}] == nil:
			need.add(grant{Resolve, both, q.name + ".", ""}, 0)
		case q.op == OpBind && q.client() && clients&q.protocol == 0:
			need.add(grant{Listen, q.protocol, bracketed(q.local), ""}, 0)
		}
	}
	return need.rules()
}

// listener is a local address, port 0 being one of the host's choice.
type listener struct {
	protocol Protocol
	local    netip.Addr
	port     uint16
}

func (q *query) listener() listener { return listener{q.protocol, q.local, q.lport} }

// commonGroup returns the group that all of some peers belong to, if it is one worth naming.
func commonGroup(peers []class) string {
	peers = slices.Compact(slices.Sorted(slices.Values(peers)))
	if len(peers) != 1 || peers[0] != classLoopback && peers[0] != classPrivate &&
		peers[0] != classLinkLocal {
		return ""
	}
	return classes[peers[0]].group
}

// grant is a rule without its ports.
type grant struct {
	action   Action
	protocol Protocol
	host     string // an IPv6 address in brackets; a name with a final dot
	from     string
}

// lesson is what has to be allowed: grants and their ports.
type lesson map[grant]*learntPorts

type learntPorts struct {
	ports  []uint16
	chosen bool // also those that the host may choose
}

func (n lesson) at(g grant) *learntPorts {
	if n[g] == nil {
		n[g] = new(learntPorts)
	}
	return n[g]
}

func (n lesson) add(g grant, port uint16) { n.at(g).ports = append(n.at(g).ports, port) }

func (n lesson) addChosen(g grant) { n.at(g).chosen = true }

// String returns the ports as a rule has them.
func (p *learntPorts) String() string {
	var list []string
	slices.Sort(p.ports)
	for _, port := range slices.Compact(p.ports) {
		list = append(list, strconv.Itoa(int(port)))
	}
	if p.chosen {
		list = append(list, strconv.Itoa(firstChosen)+"-"+strconv.Itoa(math.MaxUint16))
	}
	return strings.Join(list, ",")
}

func (n lesson) rules() []Rule {
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
