package policy

import (
	"fmt"
	"net/netip"
	"slices"
	"strconv"
	"strings"
)

// Hint returns the flag of the command that adds rules of one effect and action, quoted for a shell
// (POSIX, Shell Command Language, section 2.2), such as "--allow-connect tcp://10.0.0.5:5432". It
// returns "" for no rules. All hints come from here.
func Hint(rules []Rule) string {
	if len(rules) == 0 {
		return ""
	}
	value := joinTargets(rules)
	if strings.ContainsAny(value, " []*") {
		value = `"` + value + `"` // a shell would split or expand it
	}
	return "--" + rules[0].effect.String() + "-" + rules[0].action.String() + " " + value
}

// FileHint is [Hint] for a policy in a file: it says which strings to add to which list, such as
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

// ceilingHint says which rules a ceiling lacks.
func ceilingHint(rules []Rule) string {
	return "let the ceiling allow " + rules[0].action.String() + " " + joinTargets(rules)
}

// clientHint says which rule lets a client bind: any connect rule of the protocol. The destination
// is not known yet, since a client binds first. A listen rule would grant more than it needs.
func clientHint(p Protocol, listen []Rule) string {
	return "if it is a client, a connect rule for where it goes by " + p.String() +
		"; if it is a server: " + Hint(listen)
}

// openHint says which rule lets a guest have a socket: any to connect or to listen. Neither the
// destination nor the local address is known yet.
func openHint(p Protocol, ceiling bool) string {
	if ceiling {
		return "let the ceiling allow connect or listen by " + p.String()
	}
	target := " " + p.String() + "://ADDRESS:PORT"
	return "if it is a client, --allow-connect" + target + " for where it goes; " +
		"if it is a server, --allow-listen" + target + " for where it listens"
}

func joinTargets(rules []Rule) string {
	var out []string
	for i := range rules {
		out = append(out, rules[i].Target())
	}
	return strings.Join(out, " ")
}

// missingRules returns the least rules that q lacks, or nil if no rule helps. source is the name
// that resolved to q's remote address, or "". A rule for the name is better than one for the
// address, since the next lookup may return another address.
func (l *layer) missingRules(q *query, source string) []Rule {
	if q.protocol == Unix {
		return parseHint(q.op.action(), unixScheme+q.name)
	}
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
		action = ActionConnect
		if source != "" && !q.own && !nonPublic(q.remote) {
			if rules := parseHint(ActionConnect, proto+source+"."+port); rules != nil {
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

// parseHint returns the rules of a hint, or nil if no rule can say that, such as a connect to port
// 0.
func parseHint(action Action, text string) []Rule {
	rules, err := ParseTargets(Allow, action, text, Origin{Source: "--allow-" + action.String()})
	if err != nil {
		return nil
	}
	return rules
}

// impossibleTCP reports whether q is about a stream and would fail even if it were allowed. A
// stream has two ends, so it reaches no group and joins none (tcp(7), RFC 9293, section 3.9.2.3).
func (q *query) impossibleTCP() bool {
	c := classOf(q.remote)
	return q.op == OpJoin || q.op == OpConnect && (c == classMulticast || c == classBroadcast)
}

// Filtered describes the addresses that were removed from the answer to a lookup.
type Filtered struct {
	Name string
	// Removed has the addresses in order, each once.
	Removed []netip.Addr
	Reason  string

	// Allow are the rules that would keep addresses in the answer if they were added to the guest's
	// policy. At these addresses they allow the same as the rules for the name. Allow is empty if
	// no rule of the guest's helps.
	Allow []Rule

	// fallbackHint is the hint if Allow is empty.
	fallbackHint string
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

// Hint returns the change that would keep the addresses in the answer, as [Refusal.Hint] does.
func (f *Filtered) Hint() string {
	if len(f.Allow) == 0 {
		return f.fallbackHint
	}
	return Hint(f.Allow)
}

// ExplainAnswer tells why [Policy.Answer] removed addresses from the answer to a lookup of a name.
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
	for i := len(p.layers) - 1; i >= 0; i-- { // as Decide does
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

// missingForAnswer returns the rules that a layer lacks to keep addresses that are not public in
// the answer for a name. At each address they allow the same as the rules for the name. barred
// tells that such addresses exist.
func (l *layer) missingForAnswer(name string, addrs []netip.Addr) (rules []Rule, barred bool) {
	var named []*Rule
	for i := range l.rules {
		r := &l.rules[i]
		if r.effect == Allow && r.action == ActionConnect &&
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
			continue // no rule can have an unspecified destination
		}
		for _, part := range (&query{remote: a, embedded: embeddedIPv4Of(a)}).remotes() {
			if !l.connect[Allow].covers(part) {
				rules = appendForAddr(rules, named, part)
			}
		}
	}
	return rules, barred
}

// appendForAddr appends rules that allow at an address the same as rules for a name.
func appendForAddr(rules []Rule, named []*Rule, a netip.Addr) []Rule {
	first := len(rules)
	for _, r := range named {
		like := newRule(ActionConnect,
			host{kind: byPrefix, prefix: netip.PrefixFrom(a, a.BitLen())},
			Origin{Source: "--allow-connect"})
		like.protocols, like.ports = r.protocols, r.ports
		like.setText()
		if !slices.ContainsFunc(rules[first:], func(o Rule) bool { return o.text == like.text }) {
			rules = append(rules, like)
		}
	}
	return rules
}
