package guard_test

import (
	"net/netip"
	"slices"
	"strings"
	"syscall"
	"testing"

	"github.com/wasport/wasport/internal/dnstest"
	"github.com/wasport/wasport/internal/testutil"
	"github.com/wasport/wasport/network"
	"github.com/wasport/wasport/network/guard"
	"github.com/wasport/wasport/policy"
)

// runUnderRules runs a guest under rules. It returns the first hint, and whether a request was
// refused or an answer filtered.
func runUnderRules(t *testing.T, base network.Network, rules []policy.Rule,
	run func(*guard.Network)) (hint string, refused bool) {
	note := func(h string) {
		refused = true
		if hint == "" {
			hint = h
		}
	}
	n := guard.New(base, policy.New(rules, policy.Limits{}), guard.Options{
		OnRefusal:  func(r *policy.Refusal) { note(r.Hint()) },
		OnFiltered: func(f *policy.Filtered) { note(f.Hint()) },
	})
	run(n)
	return hint, refused
}

// ruleOf parses a hint as the command does.
func ruleOf(t *testing.T, hint string) []policy.Rule {
	t.Helper()
	flag, value, _ := strings.Cut(hint, " ")
	action := slices.Index([]string{"--allow-connect", "--allow-listen", "--allow-join",
		"--allow-resolve"}, flag)
	if action < 0 {
		t.Fatalf("got the hint %q, want a flag", hint)
	}
	rules, err := policy.ParseTargets(policy.Allow, policy.Action(action), strings.Trim(value, `"`),
		policy.Origin{})
	must(t, err)
	return rules
}

// TestHintsAreSufficientAndNeeded adds the rules of every hint. Nothing is refused with all of
// them, each of them is needed, and no rule helps where there is no hint.
func TestHintsAreSufficientAndNeeded(t *testing.T) {
	server, base := names(t)
	public := dnstest.Addrs("198.41.0.4")
	server.Set("pub.test", public)
	server.Set("privat", public)
	server.Set("inside.test", dnstest.Addrs("127.0.0.2", "127.0.0.3", "127.0.0.4", "127.0.0.5",
		"127.0.0.6", "127.0.0.7"))
	server.Set("mixed.test", dnstest.Addrs("198.41.0.4", "127.0.0.2"))
	group := netip.MustParseAddr("239.1.2.3")

	visit := func(typ network.Type, name string, port uint16) func(*guard.Network) {
		return func(n *guard.Network) {
			addrs, err := n.LookupAddrs(t.Context(), network.IPv4, name)
			if err != nil {
				return
			}
			s := open(t, n, network.IPv4, typ)
			for _, a := range addrs {
				if to := netip.AddrPortFrom(a, port); typ == network.Stream {
					s.Connect(to)
				} else {
					s.Send([][]byte{[]byte("x")}, to)
				}
			}
		}
	}
	for _, test := range []struct {
		name  string
		rules []string
		run   func(*guard.Network)
		// in the order in which they come; no flag = refused, and no rule is the least that helps
		hints []string
		less  []string // rules that are less than a hint, or beside it
	}{
		{"a stream to what a lookup returned", nil, visit(network.Stream, "pub.test", 443),
			[]string{"--allow-resolve pub.test", "--allow-connect tcp://pub.test:443"},
			[]string{"allow connect udp://pub.test:443", "allow connect tcp://pub.test:442",
				"allow connect tcp://other.test:443"}},
		{"a datagram to what a lookup returned", []string{"allow resolve *"},
			visit(network.Datagram, "pub.test", 53),
			[]string{"--allow-connect udp://pub.test:53"},
			[]string{"allow connect tcp://pub.test:53"}},
		{"another port of a name", []string{"allow connect tcp://pub.test:443"},
			visit(network.Stream, "pub.test", 80),
			[]string{"--allow-connect tcp://pub.test:80"}, nil},
		{"a name like a group's", []string{"allow resolve *"}, visit(network.Stream, "privat", 80),
			[]string{"--allow-connect tcp://privat.:80"}, nil},
		{"addresses inside", []string{"allow connect tcp://inside.test:5432"},
			visit(network.Stream, "inside.test", 5432),
			[]string{`--allow-connect "tcp://127.0.0.2:5432 tcp://127.0.0.3:5432 tcp://127.0.0.4:5432 tcp://127.0.0.5:5432 ` +
				`tcp://127.0.0.6:5432 tcp://127.0.0.7:5432"`},
			[]string{"allow connect tcp://127.0.0.2:5432"}},
		{"an address inside, beside a public one",
			[]string{"allow connect udp://*.test:53,100-200"},
			visit(network.Datagram, "mixed.test", 53),
			[]string{"--allow-connect udp://127.0.0.2:53,100-200"},
			[]string{"allow connect udp://127.0.0.3"}},
		{"an address inside after a mere lookup",
			[]string{"allow resolve mixed.test", "allow connect udp://198.41.0.4"},
			visit(network.Datagram, "mixed.test", 53),
			[]string{"--allow-connect udp://127.0.0.2:53"},
			[]string{"allow connect tcp://127.0.0.2:53"}},
		{"a listener", nil, func(n *guard.Network) {
			if s := open(t, n, network.IPv4, network.Stream); s.Bind(here) == nil {
				s.Listen(1)
			}
		}, []string{"--allow-listen tcp://127.0.0.1:0"},
			[]string{"allow listen udp://127.0.0.1:0", "allow listen tcp://127.0.0.1:80"}},
		{"a group", nil, func(n *guard.Network) {
			open(t, n, network.IPv4,
				network.Datagram).Join(group, network.Interface{})
		},
			[]string{"--allow-join udp://239.1.2.3"}, []string{"allow join udp://239.1.2.4"}},
		{"a group by a stream", nil,
			func(n *guard.Network) {
				open(t, n, network.IPv4, network.Stream).Join(group,
					network.Interface{})
			},
			[]string{""}, nil},
		{"a stream to a group", nil, func(n *guard.Network) {
			open(t, n, network.IPv4, network.Stream).Connect(netip.AddrPortFrom(group, 80))
		}, []string{""}, nil},
		{"port 0", nil, func(n *guard.Network) {
			open(t, n, network.IPv4, network.Stream).Connect(at("127.0.0.1:0"))
		}, []string{""}, nil},
		{"a name that is none", nil,
			func(n *guard.Network) { n.LookupAddrs(t.Context(), network.IPv4, "a..b") },
			[]string{""}, nil},
		{"to listen for datagrams", nil, func(n *guard.Network) {
			wantErr(t, "listen", open(t, n, network.IPv4, network.Datagram).Listen(1),
				syscall.EOPNOTSUPP)
		}, nil, nil},
		{"to listen where it is connected", []string{"allow connect loopback"},
			func(n *guard.Network) {
				l, _ := listener(t, "127.0.0.1:0")
				s := open(t, n, network.IPv4, network.Stream)
				must(t, connect(t, s, l))
				wantErr(t, "listen", s.Listen(1), syscall.EINVAL)
				wantErr(t, "connect elsewhere", s.Connect(at("192.0.2.1:80")), syscall.EISCONN)
			}, nil, nil},
		{"to listen while it is being connected", []string{"allow connect loopback"},
			func(n *guard.Network) {
				l, _ := listener(t, "127.0.0.1:0")
				s := open(t, n, network.IPv4, network.Stream)
				if err := s.Connect(l); err != nil && err != syscall.EINPROGRESS {
					t.Fatal(err)
				}
				wantErr(t, "listen", s.Listen(1), syscall.EINVAL)
			}, nil, nil},
		{"to bind what is bound", []string{"allow listen 127.0.0.1:0"}, func(n *guard.Network) {
			for _, typ := range []network.Type{network.Stream, network.Datagram} {
				s := open(t, n, network.IPv4, typ)
				must(t, s.Bind(here))
				wantErr(t, "bind", s.Bind(at("127.0.0.2:80")), syscall.EINVAL)
			}
		}, nil, nil},
		{"to connect a listener", []string{"allow listen 127.0.0.1:0"}, func(n *guard.Network) {
			s := open(t, n, network.IPv4, network.Stream)
			must(t, s.Bind(here))
			must(t, s.Listen(1))
			wantErr(t, "connect", s.Connect(at("127.0.0.1:80")), syscall.EISCONN)
		}, nil, nil},
		{"to bind as a client does", nil, func(n *guard.Network) {
			s := open(t, n, network.IPv4, network.Datagram)
			wantErr(t, "bind", s.Bind(at("0.0.0.0:0")), syscall.EACCES)
		}, []string{"if it is a client, a connect rule for where it goes by udp; " +
			"if it is a server: --allow-listen udp://0.0.0.0:0"}, nil},
	} {
		t.Run(test.name, func(t *testing.T) {
			var own, added []policy.Rule
			for _, text := range test.rules {
				own = append(own, testutil.Policy(t, text).Rules()...)
			}
			for _, want := range test.hints {
				hint, refused := runUnderRules(t, base, slices.Concat(own, added), test.run)
				if hint != want || !refused {
					t.Fatalf("after %v got the hint %q (refused %v), want %q", added, hint, refused,
						want)
				}
				if !strings.HasPrefix(want, "--") {
					return
				}
				for _, text := range test.less {
					less := slices.Concat(own, added, testutil.Policy(t, text).Rules())
					if _, refused := runUnderRules(t, base, less, test.run); !refused {
						t.Errorf("got %s enough, want no less than %s", text, hint)
					}
				}
				more := ruleOf(t, hint)
				for i := range more {
					less := slices.Concat(own, added, more[:i], more[i+1:])
					if _, refused := runUnderRules(t, base, less, test.run); !refused {
						t.Errorf("got %s enough without %v, want it needed", hint, &more[i])
					}
				}
				added = append(added, more...)
			}
			hint, refused := runUnderRules(t, base, slices.Concat(own, added), test.run)
			if refused {
				t.Errorf("with %v got refused, and the hint %q", added, hint)
			}
		})
	}
}
