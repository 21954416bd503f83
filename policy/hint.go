package policy

import (
	"fmt"
	"net/netip"
	"slices"
	"strconv"
	"strings"
)

// Hint returns the flag of the command for rules of one effect and action, as a shell reads it,
// such as "--allow-connect tcp://10.0.0.5:5432". All hints come from here.
func Hint(rules []Rule) string {
	if len(rules) == 0 {
		return ""
	}
	value := joinTargets(rules)
	if strings.ContainsAny(value, " []*") {
		value = `"` + value + `"` // shells split or expand it
	}
	return "--" + rules[0].effect.String() + "-" + rules[0].action.String() + " " + value
}

// FileHint is [Hint] for somebody who has the rules in a file: what to add to which of its lists,
// such as
//
//	add "connect tcp://10.0.0.5:5432" to allow
func FileHint(rules []Rule) string {
	var list []string
	for i := range rules {
		_, rule, _ := strings.Cut(rules[i].text, " ")
		list = append(list, `"`+rule+`"`)
	}
	if list == nil {
		return ""
	}
	return "add " + strings.Join(list, ", ") + " to " + rules[0].effect.String()
}

// ceilingHint says what a ceiling has to allow.
func ceilingHint(rules []Rule) string {
	return "let the ceiling allow " + rules[0].action.String() + " " + joinTargets(rules)
}

// clientHint says what lets a client bind: any rule that lets it connect, of which nobody knows yet
// where to, since it binds first. To listen is more than a client needs.
func clientHint(p Protocol, listen []Rule) string {
	return "if it is a client, a connect rule for where it goes by " + p.String() +
		"; if it is a server: " + Hint(listen)
}

func joinTargets(rules []Rule) string {
	var out []string
	for i := range rules {
		out = append(out, rules[i].Target())
	}
	return strings.Join(out, " ")
}

// missingRules returns the least rules that are missing for q to be allowed, none if no rule helps.
// source is the name whose lookup returned q's remote address, if any: it is what the next run has
// in common with this one, where the address may be another.
func (l *layer) missingRules(q *query, source string) []Rule {
	if q.protocol == TCP && q.impossibleTCP() {
		return nil
	}
	action, proto := q.op.action(), q.protocol.String()+"://"
	port := ":" + strconv.Itoa(int(q.rport))
	var text []string
	switch {
	case q.op == OpResolve:
		text = []string{q.name + "."}
	case q.op == OpConnect && !q.remote.IsValid():
		text = []string{proto + q.name + "." + port}
	case q.op == OpJoin:
		text = []string{"udp://" + bracketed(q.remote)}
	case q.op == OpConnect, q.op == OpReceive && q.isClient():
		action = Connect
		if source != "" && !q.own && !nonPublic(q.remote) {
			if rules := parseHint(Connect, proto+source+"."+port); rules != nil {
				return rules
			}
		}
		for _, a := range q.remotes() {
			if l.findConnect(Allow, a, q) == nil {
				text = append(text, proto+bracketed(a)+port)
			}
		}
	default:
		local := proto + netip.AddrPortFrom(q.local, q.allowPort()).String()
		if q.op == OpBind || q.op == OpListen {
			text = []string{local}
		}
		for _, a := range q.remotes() {
			if l.findListen(Allow, q, a) == nil {
				text = append(text, local+" from "+bracketed(a))
			}
		}
	}
	return parseHint(action, strings.Join(text, " "))
}

// parseHint returns the rules of a hint, nil if no rule can say that: one for port 0, say.
func parseHint(action Action, text string) []Rule {
	rules, err := ParseTargets(Allow, action, text, Origin{Source: "--allow-" + action.String()})
	if err != nil {
		return nil
	}
	return rules
}

// impossibleTCP reports whether q, which is about a stream, would fail even if it were allowed:
// streams have two ends, so they reach no group and join none (tcp(7), RFC 9293, section 3.9.2.3).
func (q *query) impossibleTCP() bool {
	c := classOf(q.remote)
	return q.op == OpJoin || q.op == OpConnect && (c == classMulticast || c == classBroadcast)
}

// Filtered says which addresses were taken out of the answer to a lookup.
type Filtered struct {
	Name    string
	Removed []netip.Addr // all of them, in order
	Reason  string

	// Allow are the rules that would leave addresses in if they were added to the guest's policy:
	// at these addresses what the rules with the name allow. It is empty where that does not help.
	Allow []Rule

	fallbackHint string // what to do where Allow is empty
}

// String returns one line, such as
//
//	left 10.0.0.5 out of what db.example.com resolves to: a name reaches public addresses only
func (f *Filtered) String() string {
	const most = 4
	var shown []string
	for _, a := range f.Removed[:min(len(f.Removed), most)] {
		shown = append(shown, a.String())
	}
	more := ""
	if n := len(f.Removed) - len(shown); n > 0 {
		more = fmt.Sprintf(" and %d more", n)
	}
	return fmt.Sprintf("left %s%s out of what %s resolves to: %s",
		strings.Join(shown, " "), more, f.Name, f.Reason)
}

// Hint returns how to leave the addresses in, as [Refusal.Hint] does.
func (f *Filtered) Hint() string {
	if len(f.Allow) == 0 {
		return f.fallbackHint
	}
	return Hint(f.Allow)
}

// ExplainAnswer says why [Policy.Answer] removed addresses from the answer to a lookup of a name.
func (p *Policy) ExplainAnswer(name string, removed []netip.Addr) *Filtered {
	f := &Filtered{Name: name, Reason: "they are of another family, or too many"}
	if canonical, err := CanonicalName(name); err == nil {
		f.Name = canonical
	}
	for _, a := range removed {
		f.Removed = append(f.Removed, a.Unmap())
	}
	slices.SortFunc(f.Removed, netip.Addr.Compare)
	f.Removed = slices.Compact(f.Removed)
	if p == nil {
		return f
	}
	for i := len(p.layers) - 1; i >= 0; i-- { // in the order in which they decide
		l := p.layers[i]
		rules, barred := l.missingForAnswer(f.Name, f.Removed)
		if !barred {
			continue
		}
		f.Reason = "a name reaches public addresses only"
		switch {
		case rules == nil:
		case i > 0:
			f.fallbackHint = ceilingHint(rules)
		default:
			f.Allow = rules
		}
		return f
	}
	return f
}

// missingForAnswer returns the rules that are missing for lookups of a name to return special addresses: for
// each of them what the rules with the name allow. barred says whether there are such addresses.
func (l *layer) missingForAnswer(name string, addrs []netip.Addr) (rules []Rule, barred bool) {
	var named []*Rule
	for i := range l.rules {
		r := &l.rules[i]
		if r.effect == Allow && r.action == Connect &&
			(r.host.kind == byName && r.host.name == name ||
				r.host.kind == underName && isSubdomain(name, r.host.name)) {
			named = append(named, r)
		}
	}
	for _, a := range addrs {
		a = normalizeAddr(a)
		if len(named) == 0 || !nonPublic(a) || l.reachesByAddr(a) {
			continue
		}
		barred = true
		if a.IsUnspecified() {
			continue // no rule can be for that
		}
		for _, part := range (&query{remote: a, embedded: embeddedIPv4Of(a)}).remotes() {
			if !l.connect[Allow].covers(part) {
				rules = appendForAddr(rules, named, part)
			}
		}
	}
	return rules, barred
}

// appendForAddr appends rules that allow at an address what rules for a name allow.
func appendForAddr(rules []Rule, named []*Rule, a netip.Addr) []Rule {
	first := len(rules)
	for _, r := range named {
		like := newRule(Connect, host{kind: byPrefix, prefix: netip.PrefixFrom(a, a.BitLen())},
			Origin{Source: "--allow-connect"})
		like.protocols, like.ports = r.protocols, r.ports
		like.setText()
		if !slices.ContainsFunc(rules[first:], func(o Rule) bool { return o.text == like.text }) {
			rules = append(rules, like)
		}
	}
	return rules
}
