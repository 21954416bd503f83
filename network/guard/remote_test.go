package guard_test

import (
	"bytes"
	"fmt"
	"log/slog"
	"net"
	"net/netip"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/wasport/wasport/internal/testutil"
	"github.com/wasport/wasport/network"
	"github.com/wasport/wasport/network/dial"
	"github.com/wasport/wasport/network/guard"
	"github.com/wasport/wasport/policy"
)

// proxied returns a network behind a proxy that resolves names.
func proxied(t *testing.T, p *policy.Policy, o guard.Options, names map[string]string) (
	*guard.Network, *testutil.SOCKS) {
	t.Helper()
	socks := testutil.NewSOCKS(t, names)
	connect, err := dial.Proxy("socks5://"+socks.Addr, nil)
	must(t, err)
	return guard.New(dial.New(dial.Config{DialContext: connect}), p, o), socks
}

// connectTo opens a stream and connects it.
func connectTo(t *testing.T, n *guard.Network, to netip.AddrPort) (network.Socket, error) {
	t.Helper()
	family := network.IPv4
	if to.Addr().Is6() {
		family = network.IPv6
	}
	s := open(t, n, family, network.Stream)
	err := s.Connect(to)
	if err == syscall.EINPROGRESS {
		if _, err := s.Wait(network.Writable, time.Now().Add(testTimeout)); err != nil {
			t.Fatal(err)
		}
		err = s.FinishConnect()
	}
	return s, err
}

// TestNamesThatAProxyResolves looks names up and connects to them, under rules that name them and
// rules that do not.
func TestNamesThatAProxyResolves(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	must(t, err)
	defer l.Close()
	port := l.Addr().(*net.TCPAddr).AddrPort().Port()
	names := map[string]string{"a.test": "127.0.0.1", "sub.b.test": "127.0.0.1"}
	for _, c := range []struct {
		name   string
		rules  []string // PORT is replaced
		host   string
		lookup error
		want   error
		reason string
	}{
		{"its name", []string{"allow connect tcp://a.test:PORT"}, "a.test", nil, nil, ""},
		{"its name, without a port", []string{"allow connect a.test"}, "A.test.", nil, nil, ""},
		{"a wildcard", []string{"allow connect *.b.test"}, "sub.b.test", nil, nil, ""},
		{"any", []string{"allow connect any", "allow resolve *"}, "a.test", nil, nil, ""},
		{"another name", []string{"allow connect b.test"}, "a.test", syscall.EACCES, nil,
			"no rule allows its lookup"},
		{"another port", []string{"allow connect a.test:1"}, "a.test", nil, syscall.EACCES,
			"does not cover port"},
		{"another protocol", []string{"allow connect udp://a.test"}, "a.test", nil, syscall.EACCES,
			"does not cover port"},
		{"public addresses", []string{"allow connect *", "allow resolve *"}, "a.test", nil,
			syscall.EACCES, "covers public addresses only, and the proxy resolves the name"},
		{"the address that the proxy finds", []string{"allow connect 127.0.0.1",
			"allow resolve *"}, "a.test", nil, syscall.EACCES, "no connect rule covers it"},
		{"the range of the addresses that stand for names", []string{"allow connect 240.0.0.0/4",
			"allow connect 100::/64", "allow resolve *"}, "a.test", nil, syscall.EACCES,
			"no connect rule covers it"},
		{"a deny for addresses", []string{"allow connect a.test", "deny connect metadata"},
			"a.test", nil, syscall.EACCES, `"deny connect metadata" (test) may refuse it`},
		{"a deny for another port", []string{"allow connect a.test", "deny connect private:1"},
			"a.test", nil, nil, ""},
		{"a deny for datagrams", []string{"allow connect a.test", "deny connect udp://any"},
			"a.test", nil, nil, ""},
		{"a deny of any beside any", []string{"allow connect any", "allow resolve *",
			"deny connect 10.0.0.0/8"}, "a.test", nil, syscall.EACCES, "may refuse it"},
		{"a deny of its lookup", []string{"allow connect any", "allow resolve *",
			"deny resolve a.test"}, "a.test", syscall.EACCES, nil, "refuses it"},
	} {
		for _, family := range []network.Family{network.AnyFamily, network.IPv4, network.IPv6} {
			t.Run(c.name+" "+family.String(), func(t *testing.T) {
				var rules []string
				for _, r := range c.rules {
					rules = append(rules, strings.Replace(r, "PORT", fmt.Sprint(port), 1))
				}
				var refusals []string
				n, socks := proxied(t, testutil.Policy(t, rules...), guard.Options{
					OnRefusal: func(r *policy.Refusal) { refusals = append(refusals, r.Reason) },
				}, names)
				addrs, err := n.LookupAddrs(t.Context(), family, c.host)
				wantErr(t, "lookup", err, c.lookup)
				if err == nil {
					if len(addrs) != 1 || family == network.IPv6 != addrs[0].Is6() {
						t.Fatalf("got addresses %v, want one", addrs)
					}
					to := netip.AddrPortFrom(addrs[0], port)
					s, err := connectTo(t, n, to)
					wantErr(t, "connect", err, c.want)
					if peer, _ := s.RemoteAddr(); err == nil && peer != to {
						t.Errorf("got peer %v, want %v", peer, to)
					}
				}
				if err == nil && c.want == nil {
					host := strings.ToLower(strings.TrimSuffix(c.host, "."))
					want := []string{fmt.Sprintf("%s:%d", host, port)}
					if got := socks.Targets(); !slices.Equal(got, want) {
						t.Errorf("got the targets %q, want %q", got, want)
					}
					return
				}
				if len(refusals) != 1 || !strings.Contains(refusals[0], c.reason) {
					t.Errorf("got the refusals %q, want one with %q", refusals, c.reason)
				}
				if got := socks.Targets(); len(got) != 0 {
					t.Errorf("got the targets %q, want none", got)
				}
			})
		}
	}
}

// TestAddressesBehindAProxy connects by number, which is judged as without a proxy.
func TestAddressesBehindAProxy(t *testing.T) {
	n, socks := proxied(t, testutil.Policy(t, "allow connect *", "allow connect a.test",
		"allow resolve *", "deny connect 93.184.216.0/24:81"), guard.Options{},
		map[string]string{"a.test": "127.0.0.1"})
	if _, err := n.LookupAddrs(t.Context(), network.IPv4, "a.test"); err != nil {
		t.Fatal(err)
	}
	for _, to := range []string{"127.0.0.1:80", "10.0.0.1:80", "169.254.169.254:80", "0.0.0.0:80",
		"93.184.216.34:81", "[::1]:80", "[::ffff:127.0.0.1]:80", "[::]:80", "[64:ff9b::a00:1]:80",
		"240.0.0.2:80", "255.255.255.255:80", "[100::2]:80", "[100::1:0:0:1]:80"} {
		_, err := connectTo(t, n, netip.MustParseAddrPort(to))
		wantErr(t, to, err, syscall.EACCES)
	}
	// The addresses that stand for a name do so with any spelling, and only for this guest.
	for _, to := range []string{"240.0.0.1:80", "[::ffff:240.0.0.1]:80", "[100::1]:80"} {
		_, err := connectTo(t, n, netip.MustParseAddrPort(to))
		wantErr(t, to, err, syscall.ECONNREFUSED)
	}
	if got := socks.Targets(); !slices.Equal(got, slices.Repeat([]string{"a.test:80"}, 3)) {
		t.Errorf("got the targets %q, want a.test alone", got)
	}
	other, _ := proxied(t, testutil.Policy(t, "allow connect a.test"), guard.Options{}, nil)
	_, err := connectTo(t, other, netip.MustParseAddrPort("240.0.0.1:80"))
	wantErr(t, "another guest", err, syscall.EACCES)
	_, err = n.Open(network.IPv4, network.Datagram)
	wantErr(t, "datagrams", err, syscall.EPROTONOSUPPORT)
}

// TestManyNamesBehindAProxy looks up more names than are remembered. A forgotten address stands for
// no other name, and the latest lookups are kept.
func TestManyNamesBehindAProxy(t *testing.T) {
	n, socks := proxied(t, testutil.Policy(t, "allow connect *.test"), guard.Options{}, nil)
	lookup := func(name string) netip.Addr {
		addrs, err := n.LookupAddrs(t.Context(), network.IPv4, name)
		must(t, err)
		return addrs[0]
	}
	first, kept := lookup("first.test"), lookup("kept.test")
	seen := map[netip.Addr]bool{first: true, kept: true}
	for i := range 5000 {
		a := lookup(fmt.Sprintf("n%d.test", i))
		if seen[a] {
			t.Fatalf("got %v twice", a)
		}
		seen[a] = true
		if a := lookup("kept.test"); a != kept {
			t.Fatalf("got %v for a name that is looked up again and again, want %v", a, kept)
		}
	}
	for a, want := range map[netip.Addr]error{kept: syscall.EHOSTUNREACH, first: syscall.EACCES} {
		_, err := connectTo(t, n, netip.AddrPortFrom(a, 80))
		wantErr(t, "connect", err, want)
	}
	if got := socks.Targets(); !slices.Equal(got, []string{"kept.test:80"}) {
		t.Errorf("got the targets %q, want the name that was kept", got)
	}
}

// TestRecordsOfNames looks at the audit, and at the rules that are learnt.
func TestRecordsOfNames(t *testing.T) {
	var log bytes.Buffer
	var learner policy.Learner
	n, _ := proxied(t, testutil.Policy(t, "allow connect tcp://a.test:80"), guard.Options{
		Audit: slog.New(slog.NewTextHandler(&log, nil)), Learner: &learner, DryRun: true},
		map[string]string{"a.test": "127.0.0.1", "b.test": "127.0.0.1"})
	for _, name := range []string{"a.test", "b.test"} {
		addrs, err := n.LookupAddrs(t.Context(), network.AnyFamily, name)
		must(t, err)
		connectTo(t, n, netip.AddrPortFrom(addrs[0], 80))
	}
	for _, want := range []string{
		"action=connect protocol=tcp name=a.test address=a.test:80 decision=allowed",
		"action=connect protocol=tcp name=b.test address=b.test:80 decision=denied",
		`hint="--allow-connect tcp://b.test:80"`,
	} {
		if !strings.Contains(log.String(), want) {
			t.Errorf("got the records\n%s\nwant one with %s", log.String(), want)
		}
	}
	if got := fmt.Sprint(learner.Rules()); !strings.Contains(got, "allow connect tcp://a.test:80") {
		t.Errorf("learnt %s, want a rule for the name", got)
	}
}
