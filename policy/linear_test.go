package policy

import (
	"fmt"
	"math/rand/v2"
	"runtime"
	"runtime/debug"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/wasport/wasport/internal/testutil/threadtime"
)

// TestParseIsLinear reads files of n and of 2n rules, in each shape for which an index or a check
// could take quadratic time. Twice the input takes at most 2.5 times the time.
func TestParseIsLinear(t *testing.T) {
	const n = 8_000
	defer debug.SetGCPercent(debug.SetGCPercent(-1)) // parse collects in between
	list := func(effect string, rule func(i int) string) func(n int) string {
		return func(n int) string {
			var b strings.Builder
			b.WriteString(effect + " = [\n")
			for i := range n {
				b.WriteString("  \"" + rule(i) + "\",\n")
			}
			b.WriteString("]\n")
			return b.String()
		}
	}
	address := func(i int) string { return fmt.Sprintf("10.%d.%d.%d", i>>16&255, i>>8&255, i&255) }
	both := func(a, b func(int) string) func(int) string {
		return func(n int) string { return a(n/2) + b(n/2) }
	}
	for _, test := range []struct {
		name string
		text func(n int) string
	}{
		{"hosts", list("allow",
			func(i int) string { return "connect tcp://" + address(i) + ":443" })},
		{"names", list("allow",
			func(i int) string { return fmt.Sprintf("connect tcp://h%d.example.com:443", i) })},
		{"lookups", list("deny",
			func(i int) string { return fmt.Sprintf("resolve *.h%d.example.com", i) })},
		{"one line", func(n int) string {
			return strings.ReplaceAll(list("allow",
				func(i int) string { return "join multicast" })(n), "\n", " ")
		}},
		{"ports of a host", list("allow",
			func(i int) string { return fmt.Sprintf("connect tcp://10.0.0.1:%d", 1+i*7%65535) })},
		{"ports of a name", list("allow",
			func(i int) string {
				return fmt.Sprintf("connect tcp://example.com:%d",
					1+i*7%65535)
			})},
		{"ranges around each other",
			list("allow", func(i int) string {
				return fmt.Sprintf("connect 10.0.0.1:%d-%d", 1+i,
					65535-i)
			})},
		{"the same", list("allow", func(i int) string { return "connect tcp://10.0.0.1:443" })},
		{"listeners", list("allow",
			func(i int) string { return "listen tcp://" + address(i) + ":443" })},
		{"denied listeners", list("deny",
			func(i int) string { return fmt.Sprintf("listen tcp://%s:%d", address(i), 1+i) })},
		{"peers", list("allow",
			func(i int) string { return "listen tcp://0.0.0.0:443 from " + address(i) })},
		{"peers by port", list("allow",
			func(i int) string {
				return fmt.Sprintf("listen tcp://0.0.0.0:%d-%d from %s", 1+i,
					65535-i, address(i))
			})},
		{"allow and deny", both(
			list("allow", func(i int) string { return "connect tcp://" + address(2*i) + ":443" }),
			list("deny", func(i int) string {
				return "connect tcp://" + address(2*i+1) +
					":443"
			}))},
		{"allow and deny of a host", both(
			list("allow", func(i int) string {
				return fmt.Sprintf("connect tcp://10.0.0.1:%d",
					1+i*2)
			}),
			list("deny", func(i int) string {
				return fmt.Sprintf("connect tcp://10.0.0.1:%d",
					2+i*2)
			}))},
		{"mistakes", list("allow",
			func(i int) string { return fmt.Sprintf("connect tcp://10.0.0.1:x%d", i) })},
		{"keys that do not exist", func(n int) string {
			var b strings.Builder
			for i := range n {
				fmt.Fprintf(&b, "key%d = 1\n", i)
			}
			return b.String()
		}},
		{"ports of a rule", func(n int) string {
			var ports []string
			for i := range n * 2 {
				ports = append(ports, fmt.Sprint(1+i*2%65535))
			}
			return `allow = ["connect tcp://10.0.0.1:` + strings.Join(ports, ",") + `"]`
		}},
	} {
		t.Run(test.name, func(t *testing.T) {
			once, twice := []byte(test.text(n)), []byte(test.text(2*n))
			parse := func(text []byte) time.Duration {
				return threadtime.Mean(func() { Parse("net.toml", text) })
			}
			runtime.LockOSThread()
			defer runtime.UnlockOSThread()
			// Other processes can only make a round longer, so the shortest ones are compared.
			least, leastTwice := time.Duration(1<<62), time.Duration(1<<62)
			for range 60 {
				least, leastTwice = min(least, parse(once)), min(leastTwice, parse(twice))
				if float64(leastTwice) <= 2.5*float64(least) {
					return
				}
			}
			t.Errorf("got %v for %d rules and %v for twice as many, want at most 2.5 times",
				least, n, leastTwice)
		})
	}
}

// TestShadowIndexAgreesWithComparing finds the same shadowed rules as a comparison of each allow
// rule with each deny rule.
func TestShadowIndexAgreesWithComparing(t *testing.T) {
	every(t, func(r *rand.Rand) error {
		rules := randomRules(r, 12)
		index := indexShadows(rules)
		for i := range rules {
			allow := &rules[i]
			if allow.effect != Allow {
				continue
			}
			// Each protocol and range of the allow must be within one deny.
			all := true
			for _, proto := range []Protocol{TCP, UDP} {
				for _, p := range allow.portRanges() {
					covers := func(d Rule) bool {
						return d.effect == Deny && d.action == allow.action &&
							d.protocols&proto != 0 &&
							(d.peer.kind == anyPeer || d.peer == allow.peer) &&
							d.host.covers(allow.host, d.action) &&
							slices.ContainsFunc(d.portRanges(),
								func(q portRange) bool {
									return q.first <= p.first &&
										p.last <= q.last
								})
					}
					all = all && (allow.protocols&proto == 0 || slices.ContainsFunc(rules, covers))
				}
			}
			if allow.protocols == Unix {
				all = slices.ContainsFunc(rules, func(d Rule) bool {
					in, every := strings.CutSuffix(d.Target(), "*")
					rest, ok := strings.CutPrefix(allow.Target(), in)
					within := rest == "" ||
						every && (in == "unix:" || !strings.Contains(rest, "/"))
					return d.effect == Deny && d.action == allow.action &&
						d.protocols == Unix && ok && within
				})
			}
			got := index.find(allow)
			if got != nil && !all || got == nil && all && len(allow.portRanges()) == 1 &&
				allow.protocols != bothProtocols {
				return fmt.Errorf("%v: got %v by the index, want %v as by reading%s", allow, got,
					all, spelled(rules))
			}
		}
		return nil
	})
}

// TestExplainTimeIsIndependentOfRules explains refusals under few rules and under a thousand times
// as many. It takes at most ten times the time, since a guest can cause refusals in a loop.
func TestExplainTimeIsIndependentOfRules(t *testing.T) {
	few, many := New(manyRules(t, 16), Limits{}), New(manyRules(t, 16_000), Limits{})
	for _, text := range []string{
		"connect tcp://93.184.216.35:443", "connect udp://93.184.216.34:53",
		"connect tcp://10.0.0.1:443",
		"connect tcp://nowhere.test:443", "bind udp://127.0.0.1:0", "listen tcp://0.0.0.0:80",
		"accept tcp://0.0.0.0:80 from 10.0.0.1", "join udp://239.1.2.3", "resolve nowhere.test",
	} {
		t.Run(text, func(t *testing.T) {
			r, err := ParseRequest(text)
			if err != nil {
				t.Fatal(err)
			}
			explain := func(p *Policy) time.Duration {
				d := p.Decide(r, nil)
				if d.Allowed {
					t.Fatal("got allowed, want refused")
				}
				return threadtime.Mean(func() {
					for range 300 {
						p.Explain(r, d)
					}
				})
			}
			runtime.LockOSThread()
			defer runtime.UnlockOSThread()
			explain(few)
			if once, most := explain(few), explain(many); most > 10*max(once, time.Millisecond) {
				t.Errorf("got %v for a thousand times the rules of %v, want at most ten times that",
					most, once)
			}
		})
	}
}
