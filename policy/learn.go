package policy

import (
	"cmp"
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"sync"
)

// Learner makes a policy of what a guest did: feed it the requests that were allowed and the answers to lookups. It may be
// used from several goroutines at once; its zero value is ready. It keeps every request that differs from the others,
// so it grows with what the guest tries.
type Learner struct {
	mu    sync.Mutex
	seen  map[query]bool
	names map[netip.Addr]string // public addresses, by the name that was looked up last
}

// Request notes a request that was allowed.
func (l *Learner) Request(r Request) {
	q := r.normal()
	if !q.judgeable() {
		return
	}
	if q.ephemeral {
		q.lport = 0
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	switch q.op {
	case OpConnect:
		if name := l.names[q.remote]; name != "" {
			q.name, q.remote, q.inner = name, netip.Addr{}, carried{}
		}
	case OpReceive:
		q.name = l.names[q.remote]
	}
	if l.seen == nil {
		l.seen = make(map[query]bool)
	}
	l.seen[q] = true
}

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

// Rules returns the smallest set of rules that allows what was noted: by name where an address came from a lookup, by
// address and port otherwise. The peers of a listener are narrowed to loopback, private or link-local where all of them
// were there.
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
				need.add(grant{Connect, q.protocol, bracketed(a), ""}, q.rport)
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
		case q.op == OpResolve && need[grant{Connect, TCP, q.name + ".", ""}] == nil && need[grant{Connect, UDP, q.name + ".", ""}] == nil:
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
	if len(peers) != 1 || peers[0] != classLoopback && peers[0] != classPrivate && peers[0] != classLinkLocal {
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
type lesson map[grant][]uint16

func (n lesson) add(g grant, port uint16) { n[g] = append(n[g], port) }

func (n lesson) rules() []Rule {
	var out []Rule
	for g, ports := range n {
		var text strings.Builder
		if g.action != Resolve {
			text.WriteString(g.protocol.String() + "://")
		}
		text.WriteString(g.host)
		if g.action == Connect || g.action == Listen {
			slices.Sort(ports)
			sep := ":"
			for _, port := range slices.Compact(ports) {
				text.WriteString(sep + strconv.Itoa(int(port)))
				sep = ","
			}
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
