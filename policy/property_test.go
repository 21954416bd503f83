package policy

import (
	"fmt"
	"math/rand/v2"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"
)

// The worlds that random rules and requests are drawn from are small, so that they meet often.
var (
	worldAddrs = []string{
		"0.0.0.0", "10.0.0.5", "10.0.0.6", "10.1.0.0", "127.0.0.1", "127.0.0.2", "169.254.169.254",
		"192.168.1.255", "224.0.0.251", "239.1.2.3",
		"255.255.255.255", "8.8.8.8", "8.8.4.4", "93.184.216.34", "::", "::1", "::ffff:10.0.0.5",
		"::ffff:8.8.8.8", "::ffff:0.0.0.0", "::10.0.0.5",
		"64:ff9b::808:808", "64:ff9b::a00:5", "2002:808:808::1", "2002:a00:5::1", "2001:db8::1",
		"2606:2800:220:1::1", "fe80::1%eth0",
		"fd00:ec2::254", "ff02::fb", "::ffff:0:808:808", "64:ff9b:1::808:808",
		"64:ff9b:1:808:8:800::", "2001:0:808:808::f7f7:f7fb",
		"2001:db8::5efe:10.0.0.5", "2606:2800::200:5efe:8.8.8.8",
	}
	worldHosts = []string{
		"*", "any", "public", "loopback", "private", "link-local", "metadata", "multicast",
		"broadcast", "10.0.0.5", "10.0.0.0/8", "10.0.0.0/15",
		"8.8.8.8", "8.0.0.0/6", "127.0.0.1", "127.0.0.0/8", "0.0.0.0", "0.0.0.0/0", "0.0.0.0/1",
		"::", "::/0", "::1", "::/64", "2002::/16", "64:ff9b::/96",
		"2001:db8::/32", "2606:2800::/32", "224.0.0.0/4", "ff02::/16", "fe80::/10",
		"api.example.com", "*.example.com", "www.example.org",
	}
	worldNames = []string{"api.example.com", "API.Example.com.", "example.com", "a.b.example.com",
		"evilexample.com", "www.example.org", "127.0.0.1", "a..b"}
	worldPaths = []string{"/run/app.sock", "/run/app/a.sock", "/run/app/b.sock", "/run", "/x y",
		"/\x1b"}
	worldPorts = []string{"", "80", "443", "80,443", "1-100", "81-65535", "0", "53,5353"}
	portNumber = []uint16{0, 1, 53, 80, 81, 443, 5353, 65535}
)

func pick[T any](r *rand.Rand, from []T) T { return from[r.IntN(len(from))] }

// randomRule draws until the parser takes the rule.
func randomRule(r *rand.Rand) Rule {
	for {
		action := Action(r.IntN(len(actionNames)))
		text := pick(r, []string{"allow ", "allow ", "deny "}) + action.String() + " "
		if r.IntN(8) == 0 {
			path := pick(r, append([]string{"*", "/*", "/run/*", "/run/app/*"}, worldPaths...))
			if rule, err := ParseRule(text+"unix:"+path, Origin{}); err == nil {
				return rule
			}
			continue
		}
		if action != ActionResolve {
			text += pick(r, []string{"", "tcp://", "udp://"})
		}
		host, ports := pick(r, worldHosts), pick(r, worldPorts)
		if action == ActionJoin || action == ActionResolve {
			ports = ""
		}
		if ports != "" {
			if strings.Contains(host, ":") {
				host = "[" + host + "]"
			}
			host += ":" + ports
		}
		text += host
		if action == ActionListen && r.IntN(2) == 0 {
			text += " from " + pick(r, worldHosts)
		}
		if rule, err := ParseRule(text, Origin{}); err == nil {
			return rule
		}
	}
}

func randomRules(r *rand.Rand, most int) []Rule {
	var rules []Rule
	for range r.IntN(most + 1) {
		rules = append(rules, randomRule(r))
	}
	return rules
}

func randomRequest(r *rand.Rand) Request {
	if r.IntN(8) == 0 {
		return Request{Op: pick(r, []Op{OpConnect, OpBind, OpListen}), Protocol: Unix,
			Path: pick(r, worldPaths)}
	}
	addr := func() netip.AddrPort {
		return netip.AddrPortFrom(netip.MustParseAddr(pick(r, worldAddrs)), pick(r, portNumber))
	}
	q := Request{
		Op: Op(r.IntN(int(OpOpen))), Protocol: pick(r, []Protocol{TCP, UDP}),
		Local: addr(), Remote: addr(), Ephemeral: r.IntN(3) == 0, Own: r.IntN(4) == 0,
	}
	if q.Op == OpResolve || q.Op == OpConnect && r.IntN(8) == 0 {
		q.Name = pick(r, worldNames)
	}
	if q.Op == OpConnect && q.Name != "" {
		q.Remote = netip.AddrPortFrom(netip.Addr{}, q.Remote.Port())
	}
	return q
}

// randomPins lets a guest of the policy look up some names.
func randomPins(r *rand.Rand, p *Policy) *Pins { return randomAnswers(r).pins(p) }

// answers has the addresses of each name.
type answers map[string][]netip.Addr

func randomAnswers(r *rand.Rand) answers {
	all := make(answers)
	for _, name := range worldNames {
		for range r.IntN(4) {
			all[name] = append(all[name], netip.MustParseAddr(pick(r, worldAddrs)))
		}
	}
	return all
}

// pins returns the pins of a guest that has looked up every name that its policy allows.
func (a answers) pins(p *Policy) *Pins {
	pins := NewPins(time.Now)
	for _, name := range worldNames {
		if p.Decide(Request{Op: OpResolve, Name: name}, nil).Allowed {
			p.Answer(pins, name, AnyFamily, a[name])
		}
	}
	return pins
}

// every checks a property of many random policies, which are the same in each run. They come from
// several streams of random numbers, since one stream can miss a mistake.
func every(t *testing.T, property func(r *rand.Rand) error) {
	t.Helper()
	for stream := range uint64(8) {
		for seed := range uint64(300) {
			if err := property(rand.New(rand.NewPCG(seed, stream))); err != nil {
				t.Fatalf("seed %d of stream %d: %v", seed, stream, err)
			}
		}
	}
}

func spelled(rules []Rule) string {
	var out []string
	for i := range rules {
		out = append(out, rules[i].String())
	}
	return "\n\t" + strings.Join(out, "\n\t")
}

func TestAllowNeverRemovesAndDenyNeverAdds(t *testing.T) {
	every(t, func(r *rand.Rand) error {
		rules := randomRules(r, 8)
		more := randomRule(r)
		before, after := New(rules, Limits{}), New(append(rules, more), Limits{})
		pins := randomPins(r, before)
		for range 50 {
			q := randomRequest(r)
			was, is := before.Decide(q, pins).Allowed, after.Decide(q, pins).Allowed
			if more.Effect() == Allow && was && !is || more.Effect() == Deny && !was && is {
				return fmt.Errorf("%v: adding %v to%s\ngot %[5]v, want %[4]v as before", q, &more,
					spelled(rules), was, is)
			}
		}
		return nil
	})
}

func TestCeilingNeverWidens(t *testing.T) {
	every(t, func(r *rand.Rand) error {
		guest, ceiling := New(randomRules(r, 8), Limits{}), New(randomRules(r, 8), Limits{})
		all := All(guest, ceiling)
		pins := randomPins(r, all)
		for i := range 52 {
			q := randomRequest(r)
			if i >= 50 {
				q = Request{Op: OpOpen, Protocol: Protocol(i - 49)}
			}
			if got, want := all.Decide(q, pins).Allowed, guest.Decide(q, pins).Allowed &&
				ceiling.Decide(q, pins).Allowed; got != want {
				return fmt.Errorf("%v: %v, apart %v: guest%s\nceiling%s", q, got, want,
					spelled(guest.Rules()), spelled(ceiling.Rules()))
			}
		}
		return nil
	})
}

func TestTOMLOfRandomPolicyReadsBack(t *testing.T) {
	every(t, func(r *rand.Rand) error {
		rules := randomRules(r, 8)
		shadows := indexShadows(rules)
		// a file with such a rule is refused
		rules = slices.DeleteFunc(slices.Clone(rules), func(allow Rule) bool {
			return allow.effect == Allow && shadows.find(&allow) != nil
		})
		slices.SortStableFunc(rules, func(a, b Rule) int { return int(a.effect) - int(b.effect) })
		limits := Limits{r.IntN(3), r.IntN(3), r.IntN(3), r.Int64N(1 << 40), r.Int64N(3) << 20,
			r.Int64N(3) << 20}
		p := New(rules, limits)
		back, err := Parse("back.toml", p.TOML())
		if err != nil {
			return fmt.Errorf("%v\n%s", err, p.TOML())
		}
		if spelled(back.Rules()) != spelled(rules) || back.Limits() != limits {
			return fmt.Errorf("%s\n%v\nreads back as%s\n%v", spelled(rules), limits,
				spelled(back.Rules()), back.Limits())
		}
		return nil
	})
}

// TestIndexAgreesWithScan decides random requests by the index and by scanRules.
func TestIndexAgreesWithScan(t *testing.T) {
	every(t, func(r *rand.Rand) error {
		rules := randomRules(r, 12)
		p := New(rules, Limits{})
		for i := range 52 {
			q := randomRequest(r)
			if i >= 50 {
				q = Request{Op: OpOpen, Protocol: Protocol(i - 49)}
			}
			if got, want := p.Decide(q, nil).Allowed, scanRules(rules, q); got != want {
				return fmt.Errorf("%v: got %v by the index, want %v as by scanning%s", q, got, want,
					spelled(rules))
			}
		}
		return nil
	})
}

// scanRules decides a request without lookups by scanning the rules one by one, as docs/policy.md
// describes it.
func scanRules(rules []Rule, r Request) bool {
	s := scan{rules, r.normalized()}
	if !s.q.complete() {
		return false
	}
	if s.q.protocol == Unix {
		a := s.q.op.action()
		return s.some(Allow, a, s.hasPath) && !s.some(Deny, a, s.hasPath)
	}
	switch s.q.op {
	case OpResolve:
		return s.resolve()
	case OpJoin:
		match := func(r *Rule) bool { return r.host.contains(s.q.remote) }
		return s.some(Allow, ActionJoin, match) && !s.some(Deny, ActionJoin, match)
	case OpBind:
		ofProtocol := func(r *Rule) bool { return r.protocols&s.q.protocol != 0 }
		client := s.q.ephemeral && s.q.local.IsUnspecified() &&
			s.some(Allow, ActionConnect, ofProtocol)
		return client || s.listen()
	case OpReceive:
		return s.listen() || s.q.ephemeral && s.connect()
	case OpListen, OpAccept:
		return s.listen()
	case OpOpen:
		ofProtocol := func(r *Rule) bool { return r.protocols&s.q.protocol != 0 }
		return s.some(Allow, ActionConnect, ofProtocol) || s.some(Allow, ActionListen, ofProtocol)
	}
	if s.q.remote.IsValid() {
		return s.connect()
	}
	return s.connectByName()
}

// scan decides one request.
type scan struct {
	rules []Rule
	q     query
}

// some reports whether a rule of an effect and action matches.
func (s *scan) some(e Effect, a Action, match func(*Rule) bool) bool {
	for i := range s.rules {
		if s.rules[i].effect == e && s.rules[i].action == a && match(&s.rules[i]) {
			return true
		}
	}
	return false
}

func (s *scan) onPort(r *Rule, port uint16) bool {
	return r.protocols&s.q.protocol != 0 && r.hasPort(port)
}

func (s *scan) hasPath(r *Rule) bool {
	in, all := strings.CutSuffix(r.Target(), "*")
	rest, ok := strings.CutPrefix("unix:"+s.q.name, in)
	return ok && r.protocols == Unix &&
		(rest == "" || all && (in == "unix:" || !strings.Contains(rest, "/")))
}

func (s *scan) hasName(r *Rule) bool {
	switch r.host.kind {
	case byName:
		return r.host.name == s.q.name
	case underName:
		return strings.HasSuffix(s.q.name, "."+r.host.name)
	default:
		return r.action == ActionResolve
	}
}

func (s *scan) resolve() bool {
	grants := func(r *Rule) bool {
		return (r.host.kind == byName || r.host.kind == underName) && s.hasName(r)
	}
	return !s.some(Deny, ActionResolve, s.hasName) &&
		(s.some(Allow, ActionResolve, s.hasName) || s.some(Allow, ActionConnect, grants))
}

func (s *scan) connect() bool {
	for _, a := range s.q.remotes() {
		match := func(r *Rule) bool { return s.onPort(r, s.q.rport) && r.host.contains(a) }
		allow := func(r *Rule) bool {
			return match(r) && !(s.q.own && a == s.q.remote && r.host.isPublic())
		}
		if !s.some(Allow, ActionConnect, allow) || s.some(Deny, ActionConnect, match) {
			return false
		}
	}
	return true
}

func (s *scan) connectByName() bool {
	public := func(r *Rule) bool {
		return s.onPort(r, s.q.rport) && (r.host.isPublic() || r.host == anyHost)
	}
	named := func(r *Rule) bool {
		return s.onPort(r, s.q.rport) && (r.host.kind == byName || r.host.kind == underName) &&
			s.hasName(r)
	}
	return s.resolve() &&
		(s.some(Allow, ActionConnect, public) || s.some(Allow, ActionConnect, named)) &&
		!s.some(Deny, ActionConnect, public)
}

func (s *scan) listen() bool {
	peers := s.q.remotes()
	if s.q.op == OpBind || s.q.op == OpListen {
		peers = []netip.Addr{{}}
	}
	for _, peer := range peers {
		allow := func(r *Rule) bool {
			here := r.host.contains(s.q.local) || s.q.local == netip.IPv6Unspecified() &&
				peer.Is4() && r.host.contains(netip.IPv4Unspecified())
			return s.onPort(r, s.q.allowPort()) && here &&
				(!peer.IsValid() || r.peer.contains(peer))
		}
		deny := func(r *Rule) bool {
			from := r.peer.kind == anyPeer || peer.IsValid() && r.peer.contains(peer)
			return s.deniesLocal(r) && from &&
				(s.onPort(r, s.q.allowPort()) || s.onPort(r, s.q.lport))
		}
		if !s.some(Allow, ActionListen, allow) || s.some(Deny, ActionListen, deny) {
			return false
		}
	}
	return true
}

// deniesLocal reports whether a deny rule is about the local address, or about one that the
// unspecified address includes.
func (s *scan) deniesLocal(r *Rule) bool {
	switch s.q.local {
	case netip.IPv6Unspecified():
		return true
	case netip.IPv4Unspecified():
		return slices.ContainsFunc(worldAddrs, func(text string) bool {
			a := netip.MustParseAddr(text)
			return a.Is4() && r.host.contains(a)
		})
	}
	return r.host.contains(s.q.local)
}

// TestHintAllowsExactlyTheRequest adds the rules of each hint. They allow the request in the next
// run and nothing else: no part of them is enough, each is for one host, port and protocol, and a
// host from a lookup is named.
func TestHintAllowsExactlyTheRequest(t *testing.T) {
	hinted, named, silent := 0, 0, 0
	every(t, func(r *rand.Rand) error {
		rules := randomRules(r, 8)
		guest, ceiling := New(rules, Limits{}), New(randomRules(r, 8), Limits{})
		if r.IntN(2) == 0 {
			ceiling = New(AllowNet(Origin{}), Limits{})
		}
		p := All(guest, ceiling)
		world := randomAnswers(r)
		pins := world.pins(p)
		for range 20 {
			q := randomRequest(r)
			if addrs := world[pick(r, worldNames)]; len(addrs) > 0 && r.IntN(4) == 0 &&
				q.Protocol != Unix {
				to := netip.AddrPortFrom(pick(r, addrs), pick(r, portNumber))
				q.Op, q.Name, q.Remote = OpConnect, "", to
			}
			refusal := p.Explain(q, p.Decide(q, pins))
			if refusal == nil {
				continue
			}
			flag, value, _ := strings.Cut(refusal.Hint(), " ")
			action, ok := strings.CutPrefix(flag, "--allow-")
			if !ok {
				silent++
				continue
			}
			hinted++
			added, err := ParseTargets(Allow, Action(slices.Index(actionNames[:], action)),
				strings.Trim(value, `"`), Origin{})
			if err != nil || spelled(added) != spelled(refusal.Allow) {
				return fmt.Errorf("%v: the flag %s: %v", q, refusal.Hint(), err)
			}
			more := with(p, ceiling, added)
			again := world.pins(more)
			if !more.Decide(q, again).Allowed {
				return fmt.Errorf("%v is still refused with %s and%s\nceiling%s", q, refusal.Hint(),
					spelled(rules), spelled(ceiling.Rules()))
			}
			byName := added[0].host.kind == byName && q.Op != OpResolve && q.Name == ""
			if byName {
				named++
			}
			remote := normalizeAddr(q.Remote.Addr())
			if want := pins.source(remote); q.Op == OpConnect && want != "" && !q.Own &&
				!nonPublic(remote) && !byName {
				return fmt.Errorf("%v: got the hint %s, want one with %s", q, refusal.Hint(), want)
			}
			allowedBy := func(added []Rule) bool {
				less := with(p, ceiling, added)
				return less.Decide(q, world.pins(less)).Allowed
			}
			if err := checkLeast(added, allowedBy); err != nil {
				return fmt.Errorf("%v: the hint %s: %w", q, refusal.Hint(), err)
			}
			changes := func(o Request) bool {
				return p.Decide(o, pins).Allowed != more.Decide(o, again).Allowed
			}
			if err := checkNoOther(r, q, byName, changes); err != nil {
				return fmt.Errorf("%v: the hint %s: %w", q, refusal.Hint(), err)
			}
		}
		return nil
	})
	if hinted < 1000 || silent < 1000 || named < 50 {
		t.Errorf("got %d refusals with a flag, of them %d with a name, %d without, "+
			"want 1000, 50 and 1000", hinted, named, silent)
	}
}

// with returns a policy with more rules under its ceiling.
func with(p, ceiling *Policy, added []Rule) *Policy {
	return All(New(append(p.Rules(), added...), Limits{}), ceiling)
}

// checkNoOther returns an error if a hint for q changes the decision on a request for another port,
// protocol or address. byName tells that the hint is for a name, which has other addresses.
func checkNoOther(r *rand.Rand, q Request, byName bool, changes func(Request) bool) error {
	for range 30 {
		o := randomRequest(r)
		byPin := (byName || q.Name != "") && o.Protocol == q.Protocol &&
			o.Remote.Port() == q.Remote.Port()
		if o.Op == q.Op && o.Op != OpBind && !sameTarget(q, o) && !byPin && changes(o) {
			return fmt.Errorf("got another decision on %v, want it as before", o)
		}
	}
	return nil
}

// checkLeast returns an error if some of the rules are enough, or if one is wider than a request.
// No rule at all is not enough, since the request was refused.
func checkLeast(added []Rule, allowedBy func([]Rule) bool) error {
	for i := range added {
		if len(added) > 1 && allowedBy(slices.Delete(slices.Clone(added), i, i+1)) {
			return fmt.Errorf("got enough without %v, want it needed", &added[i])
		}
		if !narrow(&added[i]) {
			return fmt.Errorf("got %v, want a rule no wider than the request", &added[i])
		}
	}
	return nil
}

// narrow reports whether a rule has one host, port, protocol and peer, as far as its action has
// them.
func narrow(r *Rule) bool {
	if r.protocols == Unix {
		return r.host.kind == byPath
	}
	one := func(h host) bool {
		return h.kind == byName || h.kind == byPrefix &&
			h.prefix.IsSingleIP()
	}
	if !one(r.host) || r.peer.kind != anyPeer && !one(r.peer) {
		return false
	}
	if r.action == ActionConnect || r.action == ActionListen {
		return r.protocols != bothProtocols && len(r.ports) == 1 &&
			r.ports[0].first == r.ports[0].last
	}
	return true
}

// TestFilteredHintKeepsAddresses adds the rules for a filtered answer. They keep all addresses in
// it, and allow there the same as the rules for the name; no part of them is enough.
func TestFilteredHintKeepsAddresses(t *testing.T) {
	hinted := 0
	every(t, func(r *rand.Rand) error {
		p := New(append(randomRules(r, 6), mustRules(t, pick(r, []string{
			"allow connect tcp://api.example.com:443", "allow connect udp://*.example.com:53,80-90",
			"allow connect www.example.org",
		}))...), Limits{})
		world := randomAnswers(r)
		for _, name := range worldNames {
			if !p.Decide(Request{Op: OpResolve, Name: name}, nil).Allowed {
				continue
			}
			_, removed := p.Answer(nil, name, AnyFamily, world[name])
			f := p.ExplainAnswer(name, removed)
			if len(removed) == 0 || f.Hint() == "" {
				continue
			}
			hinted++
			leavesIn := func(added []Rule) bool {
				more := New(append(p.Rules(), added...), Limits{})
				_, removed := more.Answer(nil, name, AnyFamily, world[name])
				return !slices.ContainsFunc(removed,
					func(a netip.Addr) bool { return !normalizeAddr(a).IsUnspecified() })
			}
			flag, value, _ := strings.Cut(f.Hint(), " ")
			added, err := ParseTargets(Allow, ActionConnect, strings.Trim(value, `"`), Origin{})
			if flag != "--allow-connect" || err != nil || spelled(added) != spelled(f.Allow) ||
				!leavesIn(added) {
				return fmt.Errorf("%v: %s does not leave it in: %v", f, f.Hint(), err)
			}
			for i := range added {
				if !added[i].host.prefix.IsSingleIP() {
					return fmt.Errorf("%v: %s is for more than one address", f, f.Hint())
				}
				same := func(o Rule) bool { return o.host == added[i].host }
				if less := slices.DeleteFunc(slices.Clone(added), same); leavesIn(less) {
					return fmt.Errorf("%v: %s is enough without %v", f, f.Hint(), added[i])
				}
			}
		}
		return nil
	})
	if hinted < 500 {
		t.Errorf("got %d hints, want at least 500", hinted)
	}
}

// sameTarget reports whether rules that are just enough for a may allow b.
func sameTarget(a, b Request) bool {
	p, q := a.normalized(), b.normalized()
	if p.protocol == Unix || q.protocol == Unix {
		return p.protocol == q.protocol && p.name == q.name
	}
	// An address that carries another is granted with both, so each of the two may be.
	shared := slices.DeleteFunc(p.remotes(),
		func(a netip.Addr) bool { return !slices.Contains(q.remotes(), a) })
	switch p.op {
	case OpResolve:
		return p.name == q.name
	case OpJoin:
		return p.remote == q.remote
	case OpConnect:
		return p.protocol == q.protocol && p.rport == q.rport && p.name == q.name &&
			len(shared) > 0 || p.name != "" && p.name == q.name
	case OpReceive:
		if p.ephemeral && q.ephemeral && p.protocol == q.protocol && p.rport == q.rport {
			return len(shared) > 0
		}
		fallthrough
	default:
		if p.protocol != q.protocol || p.allowPort() != q.allowPort() {
			return false
		}
		// A rule for 0.0.0.0 admits IPv4 peers to :: as well, since those have connected to both.
		both := p.local == netip.IPv4Unspecified() && q.local == netip.IPv6Unspecified() &&
			slices.ContainsFunc(shared, netip.Addr.Is4)
		return both || p.local == q.local && (p.op == OpListen || len(shared) > 0)
	}
}
