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

func learn(t *testing.T, steps ...string) []string {
	t.Helper()
	var l Learner
	for _, step := range steps {
		if name, ok := strings.CutPrefix(step, "? "); ok {
			words := strings.Fields(name)
			var addrs []netip.Addr
			for _, w := range words[1:] {
				addrs = append(addrs, netip.MustParseAddr(w))
			}
			l.Request(Request{Op: OpResolve, Name: words[0]})
			l.Lookup(words[0], addrs)
			continue
		}
		step, chosen := strings.CutPrefix(step, "chosen ")
		q, err := ParseRequest(step)
		if err != nil {
			t.Fatal(err)
		}
		q.Ephemeral = q.Ephemeral || chosen
		l.Request(q)
	}
	var out []string
	for _, r := range l.Rules() {
		out = append(out, r.Action().String()+" "+r.Target())
	}
	return out
}

func TestLearnerRules(t *testing.T) {
	for _, c := range []struct {
		title       string
		steps, want []string
	}{
		{"nothing", nil, nil},
		{"by address", []string{"connect tcp://10.0.0.5:80", "connect tcp://10.0.0.5:443",
			"connect udp://10.0.0.5:80", "connect tcp://[::1]:80"},
			[]string{"connect tcp://10.0.0.5:80,443", "connect tcp://[::1]:80",
				"connect udp://10.0.0.5:80"}},
		{"by name", []string{"? API.example.com 93.184.216.34 2606:2800:220:1::1",
			"connect tcp://93.184.216.34:443", "connect tcp://[2606:2800:220:1::1]:443"},
			[]string{"connect tcp://api.example.com:443"}},
		{"special addresses by themselves",
			[]string{"? db.example.com 10.0.0.5", "connect tcp://10.0.0.5:5432"},
			[]string{"connect tcp://10.0.0.5:5432", "resolve db.example.com"}},
		{"localhost", []string{"? localhost 127.0.0.1 ::1", "connect tcp://127.0.0.1:80"},
			[]string{"connect tcp://127.0.0.1:80", "resolve localhost"}},
		{"by path", []string{"connect unix:/run/app.sock", "connect unix:/run/app.sock",
			"bind unix:/run/x/me.sock", "listen unix:/run/x/me.sock"},
			[]string{"connect unix:/run/app.sock", "listen unix:/run/x/me.sock"}},
		{"a lookup alone", []string{"? example.com 93.184.216.34"},
			[]string{"resolve example.com"}},
		{"a name that no rule can have", []string{"? 0x7f.1"}, nil},
		{"the unspecified address", []string{"connect tcp://0.0.0.0:80"},
			[]string{"connect tcp://127.0.0.1:80"}},
		{"an address in an address", []string{"connect tcp://[64:ff9b::a00:5]:80"},
			[]string{"connect tcp://10.0.0.5:80", "connect tcp://[64:ff9b::a00:5]:80"}},
		{"through NAT64 by name",
			[]string{"? v4.example.com 64:ff9b::808:808", "connect tcp://[64:ff9b::808:808]:80"},
			[]string{"connect tcp://v4.example.com:80"}},
		{"a server", []string{"bind tcp://127.0.0.1:8080", "listen tcp://127.0.0.1:8080",
			"accept tcp://127.0.0.1:8080 from 127.0.0.1:999"},
			[]string{"listen tcp://127.0.0.1:8080 from loopback"}},
		{"a server for several kinds of peer",
			[]string{"bind tcp://0.0.0.0:8080", "accept tcp://0.0.0.0:8080 from 10.0.0.1",
				"accept tcp://0.0.0.0:8080 from 127.0.0.1"},
			[]string{"listen tcp://0.0.0.0:8080"}},
		{"a server for the world",
			[]string{"bind tcp://0.0.0.0:8080", "accept tcp://0.0.0.0:8080 from 93.184.216.34"},
			[]string{"listen tcp://0.0.0.0:8080"}},
		{"two ports", []string{"bind tcp://[::]:80", "bind tcp://[::]:443"},
			[]string{"listen tcp://[::]:80,443"}},
		{"a port of the host's choice", []string{"bind tcp://0.0.0.0:0", "listen tcp://0.0.0.0:0"},
			[]string{"listen tcp://0.0.0.0:0"}},
		{"a socket of its own at a port of the host's choice",
			[]string{"bind udp://127.0.0.1:0",
				"chosen receive udp://127.0.0.1:40001 from 127.0.0.1:40002",
				"connect udp://127.0.0.1:40001",
				"connect udp://127.0.0.1:53", "connect tcp://127.0.0.1:40001",
				"connect udp://127.0.0.2:40001"},
			[]string{"connect tcp://127.0.0.1:40001", "connect udp://127.0.0.1:53,1024-65535",
				"connect udp://127.0.0.2:40001",
				"listen udp://127.0.0.1:0 from loopback"}},
		{"a listener of its own everywhere",
			[]string{"chosen listen tcp://[::]:40001", "connect tcp://127.0.0.1:40001",
				"connect tcp://93.184.216.34:40001"},
			[]string{"connect tcp://127.0.0.1:1024-65535", "connect tcp://93.184.216.34:40001",
				"listen tcp://[::]:0"}},
		{"a port that the guest chose",
			[]string{"bind tcp://127.0.0.1:40001", "connect tcp://127.0.0.1:40001"},
			[]string{"connect tcp://127.0.0.1:40001", "listen tcp://127.0.0.1:40001"}},
		{"a group that looks like an address and a port", []string{"join udp://[ff02::1:3]"},
			[]string{"join udp://[ff02::1:3]"}},
		{"names like words of rules",
			[]string{"? privat 93.184.216.34", "connect tcp://93.184.216.34:80",
				"? deny 93.184.216.35"},
			[]string{"connect tcp://privat.:80", "resolve deny."}},
		{"a client", []string{"bind udp://0.0.0.0:0", "connect udp://10.0.0.1:53",
			"receive udp://0.0.0.0:0 from 10.0.0.1:53"},
			[]string{"connect udp://10.0.0.1:53"}},
		{"a client by name", []string{"? ntp.example.com 93.184.216.34",
			"connect udp://93.184.216.34:123", "receive udp://0.0.0.0:0 from 93.184.216.34:123"},
			[]string{"connect udp://ntp.example.com:123"}},
		{"a bind for nothing", []string{"bind udp://0.0.0.0:0", "connect tcp://10.0.0.1:53"},
			[]string{"connect tcp://10.0.0.1:53", "listen udp://0.0.0.0:0"}},
		{"a stranger answers",
			[]string{"bind udp://0.0.0.0:0", "receive udp://0.0.0.0:0 from 10.0.0.1:53"},
			[]string{"connect udp://10.0.0.1:53"}},
		{"a datagram server", []string{"bind udp://127.0.0.1:53",
			"receive udp://127.0.0.1:53 from 127.0.0.1:99", "connect udp://127.0.0.1:99"},
			[]string{"connect udp://127.0.0.1:99", "listen udp://127.0.0.1:53 from loopback"}},
		{"a datagram server on a port of the host's choice",
			[]string{"bind udp://127.0.0.1:0", "receive udp://127.0.0.1:0 from 127.0.0.1:99"},
			[]string{"listen udp://127.0.0.1:0 from loopback"}},
		{"a server that could have been a client", []string{"bind tcp://0.0.0.0:0",
			"listen tcp://0.0.0.0:0", "accept tcp://0.0.0.0:0 from 10.0.0.1:99"},
			[]string{"listen tcp://0.0.0.0:0 from private"}},
		{"servers of both families", []string{"bind tcp://0.0.0.0:80", "bind tcp://[::]:80",
			"accept tcp://0.0.0.0:80 from 8.8.8.8:99", "accept tcp://[::]:80 from 10.0.0.1:99",
			"accept tcp://[::]:80 from [::1]:99"},
			[]string{"listen tcp://0.0.0.0:80", "listen tcp://[::]:80 from loopback"}},
		{"servers of both families, one of them without strangers",
			[]string{"bind tcp://0.0.0.0:80", "bind tcp://[::]:80",
				"accept tcp://0.0.0.0:80 from 10.0.0.1:99",
				"accept tcp://[::]:80 from 10.0.0.2:99"},
			[]string{"listen tcp://0.0.0.0:80 from private", "listen tcp://[::]:80 from private"}},
		{"servers of both families with other peers", []string{"bind tcp://0.0.0.0:80",
			"bind tcp://[::]:80", "accept tcp://0.0.0.0:80 from 10.0.0.1:99",
			"accept tcp://[::]:80 from 8.8.8.8:99"},
			[]string{"listen tcp://0.0.0.0:80 from private", "listen tcp://[::]:80"}},
		{"servers of both families, one of them without peers", []string{"bind tcp://0.0.0.0:80",
			"bind tcp://[::]:80", "accept tcp://[::]:80 from 10.0.0.1:99",
			"accept tcp://[::]:80 from [::1]:99"},
			[]string{"listen tcp://0.0.0.0:80 from private", "listen tcp://[::]:80 from loopback"}},
		{"a server whose bind was known", []string{"bind tcp://0.0.0.0:80",
			"accept tcp://0.0.0.0:80 from 8.8.8.8:99", "accept tcp://[::]:80 from 8.8.8.8:99"},
			[]string{"listen tcp://0.0.0.0:80"}},
		{"a datagram server that asks elsewhere", []string{"bind udp://192.168.1.2:0",
			"connect udp://8.8.8.8:53", "receive udp://192.168.1.2:0 from 8.8.8.8:53",
			"receive udp://192.168.1.2:0 from 10.0.0.1:99"},
			[]string{"connect udp://8.8.8.8:53", "listen udp://192.168.1.2:0 from private"}},
		{"a datagram client at one address", []string{"bind udp://10.0.0.2:0",
			"connect udp://10.0.0.1:53", "receive udp://10.0.0.2:0 from 10.0.0.1:53"},
			[]string{"connect udp://10.0.0.1:53", "listen udp://10.0.0.2:0 from private"}},
		{"a peer in a group and a class", []string{"bind tcp://169.254.1.1:80",
			"accept tcp://169.254.1.1:80 from 169.254.169.254:99"},
			[]string{"listen tcp://169.254.1.1:80 from link-local"}},
		{"port 0 beside another",
			[]string{"connect udp://10.0.0.1:0", "connect udp://10.0.0.1:53"},
			[]string{"connect udp://10.0.0.1:53"}},
		{"multicast", []string{"join udp://224.0.0.251", "join udp://[ff02::fb%eth0]"},
			[]string{"join udp://224.0.0.251", "join udp://ff02::fb"}},
	} {
		if got := learn(t, c.steps...); !slices.Equal(got, c.want) {
			t.Errorf("%s: got %q, want the rules of the row", c.title, got)
		}
	}
}

// event is a call of a guest, with the answer of a lookup.
type event struct {
	request Request
	name    string
	answer  []netip.Addr
}

// learntTwice learns from the events up to n, and then from all of them with the rules so far:
// that is enough for all. When they are seen again, nothing is left to learn.
func learntTwice(events []event, n int, all []Rule, runs func(*Policy) error) error {
	learn := func(known *Policy, events []event) []Rule {
		l := Learner{Known: known}
		for _, e := range events {
			l.Request(e.request)
			if e.name != "" {
				l.Lookup(e.name, e.answer)
			}
		}
		return l.Rules()
	}
	first := learn(nil, events[:n])
	merged, _, err := Merge("net.toml", New(first, Limits{}).TOML(),
		learn(New(first, Limits{}), events))
	if err != nil {
		return err
	}
	p, err := Parse("net.toml", merged)
	if err != nil {
		return err
	}
	if err := runs(p); err != nil {
		return fmt.Errorf("learnt twice, after %d: %v with%s\nof %v", n, err, spelled(p.Rules()),
			events)
	}
	if more := learn(New(all, Limits{}), events); len(more) > 0 {
		return fmt.Errorf("with%s\nthere is more to learn:%s\nof %v", spelled(all), spelled(more),
			events)
	}
	return nil
}

// TestLearntRulesAreSufficientAndNeeded allows all events by the learnt rules, and not without any
// one of them, nor with fewer peers.
func TestLearntRulesAreSufficientAndNeeded(t *testing.T) {
	every(t, func(r *rand.Rand) error {
		all := New(AllowNet(Origin{}), Limits{})
		var l Learner
		var events []event
		for range r.IntN(12) {
			q := randomRequest(r)
			switch q.Op { // only streams have listeners, only datagrams are received
			case OpListen, OpAccept:
				q.Protocol = TCP
			case OpReceive:
				q.Protocol = UDP
			}
			if !all.Decide(q, nil).Allowed || q.Op == OpConnect &&
				(q.Remote.Port() == 0 || q.Name != "") ||
				q.Op == OpReceive && q.Remote.Port() == 0 || q.Op == OpJoin &&
				!normalizeAddr(q.Remote.Addr()).IsMulticast() ||
				q.Op >= OpAccept && q.Op <= OpReceive &&
					(normalizeAddr(q.Remote.Addr()).IsUnspecified() ||
						normalizeAddr(q.Remote.Addr()).IsMulticast()) {
				continue
			}
			e := event{request: q}
			if q.Op == OpResolve {
				e.name = q.Name
				for range r.IntN(3) {
					e.answer = append(e.answer, netip.MustParseAddr(pick(r, worldAddrs)))
				}
				l.Lookup(e.name, e.answer)
			}
			l.Request(q)
			events = append(events, e)
		}
		runs := func(p *Policy) error {
			pins := NewPins(time.Now)
			for _, e := range events {
				if d := p.Decide(e.request, pins); !d.Allowed {
					return p.Explain(e.request, d)
				}
				if e.name != "" {
					p.Answer(pins, e.name, AnyFamily, e.answer)
				}
			}
			return nil
		}
		rules := l.Rules()
		if err := runs(New(rules, Limits{})); err != nil {
			return fmt.Errorf("%v with%s\nof %v", err, spelled(rules), events)
		}
		if err := learntTwice(events, r.IntN(len(events)+1), rules, runs); err != nil {
			return err
		}
		for i := range rules {
			if runs(New(slices.Delete(slices.Clone(rules), i, i+1), Limits{})) == nil {
				return fmt.Errorf("%v is not needed in%s\nof %v", &rules[i], spelled(rules), events)
			}
			if less := fewerPeers(rules, i, runs); less != nil {
				return fmt.Errorf("%v is enough instead of%s\nof %v", less, spelled(rules), events)
			}
		}
		return nil
	})
}

// fewerPeers returns a rule that admits one group of peers and would be enough instead of the port
// of rules[i] that admits every peer, or nil. A port that no peer needs may admit any.
func fewerPeers(rules []Rule, i int, runs func(*Policy) error) *Rule {
	wide := &rules[i]
	if wide.action != ActionListen || wide.peer.kind != anyPeer {
		return nil
	}
	for _, port := range wide.ports {
		others := slices.Delete(slices.Clone(rules), i, i+1)
		rest := *wide
		rest.ports = slices.DeleteFunc(slices.Clone(wide.ports),
			func(p portRange) bool { return p == port })
		if len(rest.ports) > 0 {
			others = append(others, rest)
		}
		narrow := *wide
		narrow.ports = []portRange{port}
		enough := func(peer host) bool {
			narrow.peer = peer
			narrow.setText()
			return runs(New(append(slices.Clip(others), narrow), Limits{})) == nil
		}
		if enough(host{kind: byPrefix, prefix: netip.MustParsePrefix("192.0.2.1/32")}) {
			continue
		}
		for _, c := range []class{classLoopback, classPrivate, classLinkLocal} {
			if enough(host{kind: byClass, class: c}) {
				return &narrow
			}
		}
	}
	return nil
}
