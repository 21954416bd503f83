package policy

import (
	"net/netip"
	"strings"
	"testing"
)

func TestRulesOfValues(t *testing.T) {
	ten, db := netip.MustParsePrefix("10.0.0.0/8"), netip.MustParseAddr("::ffff:10.0.0.5")
	for want, spec := range map[string]Spec{
		"allow connect tcp://api.example.com:443":    Connect(TCP, "api.example.com", 443),
		"allow connect udp://10.0.0.0/8:53,5353":     Connect(UDP, ten, 5353, 53),
		"allow connect tcp://10.0.0.5:80-82":         Connect(TCP, db, 81, 82, 80),
		"allow connect tcp://10.0.0.5:1,8000-8999":   Connect(TCP, db, 1).PortRange(8000, 8999),
		"allow connect xn--bcher-kva.example":        Connect(TCP|UDP, "Bücher.example."),
		"allow connect tcp://*.example.com:443":      Connect(TCP, Under("example.com"), 443),
		"allow connect tcp://[::1]:443":              Connect(TCP, "::1", 443),
		"allow connect from.:443":                    Connect(TCP|UDP, "from.", 443),
		"allow connect public":                       Connect(TCP|UDP, Public),
		"deny connect metadata":                      Connect(TCP|UDP, Metadata).Deny(),
		"allow listen tcp://127.0.0.1:8080":          Listen(TCP, "127.0.0.1", 8080),
		"allow listen udp://any:0":                   Listen(UDP, Any, 0),
		"allow listen tcp://0.0.0.0:80 from private": ListenFrom(TCP, "0.0.0.0", Private, 80),
		"allow listen tcp://loopback":                ListenFrom(TCP, Loopback, Any),
		"deny listen any from 10.0.0.0/8":            ListenFrom(TCP|UDP, Any, ten).Deny(),
		"allow join 224.0.0.251":                     Join("224.0.0.251"),
		"allow join multicast":                       Join(Multicast),
		"allow resolve *.example.com":                Resolve(Under("Example.com")),
		"allow resolve *":                            Resolve(Any),
		"deny resolve db.internal":                   Resolve("db.internal").Deny(),
		"allow connect broadcast":                    Connect(TCP|UDP, Broadcast),
		"allow connect unix:/run/app.sock":           Connect(Unix, "/run/app.sock"),
		"allow listen unix:/run/app/*":               Listen(Unix, Under("/run/app")),
		"allow listen unix:/*":                       Listen(Unix, Under("/")),
		"deny connect unix:*":                        Connect(Unix, Any).Deny(),
	} {
		t.Run(want, func(t *testing.T) {
			rules, err := Rules(spec)
			if err != nil || len(rules) != 1 || rules[0].String() != want {
				t.Fatalf("got %q, %v, want %q", rules, err, want)
			}
			if back, err := ParseRule(want, Origin{}); err != nil || back.String() != want {
				t.Errorf("read back: got %q, %v, want %q", &back, err, want)
			}
		})
	}
}

// TestStringIsOneHost passes strings that would grant more than one host, or another one than a
// reader sees.
func TestStringIsOneHost(t *testing.T) {
	for _, s := range []string{
		"", " ", "a b", "a\tb", "a\nb", " a.example", "a.example ", "a.example\n",
		`api.example.com", "connect any`, "api.example.com any", "any", "public", "private",
		"loopback", "link-local", "metadata", "multicast", "broadcast", "*", "*.com", "a*", "**",
		"allow", "deny", "from", "tcp", "udp", "connect", "listen", "join", "resolve",
		"0.0.0.0/0", "::/0", "10.0.0.0/8", "tcp://a.example", "a.example:443", "[::1]",
		"[::1]:80", "127.1", "0x7f.1", "2130706433", "fe80::1%eth0", "a.example#", "a.example\x00",
		"a.example,b.example", "a.example from any", strings.Repeat("a", 2000),
	} {
		t.Run(s[:min(len(s), 40)], func(t *testing.T) {
			for name, spec := range map[string]Spec{"connect": Connect(TCP, s, 443),
				"listen": Listen(TCP, s, 443), "join": Join(s), "resolve": Resolve(s),
				"peer": ListenFrom(TCP, "0.0.0.0", s, 443)} {
				if rules, err := Rules(spec); err == nil {
					t.Errorf("%s: got %q, want an error", name, rules)
				}
			}
		})
	}
}

func TestMistakesInValues(t *testing.T) {
	for name, c := range map[string]struct {
		spec Spec
		want string
	}{
		"no protocol": {Connect(0, "a.example", 443),
			"policy.Connect: 0 is not a protocol; pass policy.TCP, policy.UDP or both, or " +
				"policy.Unix"},
		"other protocol": {Connect(TCP|Unix, "a.example", 443),
			"policy.Connect: 5 is not a protocol; pass policy.TCP, policy.UDP or both, or " +
				"policy.Unix"},
		"relative path": {Connect(Unix, "run/app.sock"), `policy.Connect: "run/app.sock" is not ` +
			"an absolute path; write for instance unix:/run/app.sock"},
		"wildcard in a path": {Connect(Unix, "/run/*"), `policy.Connect: "/run/*" has a "*" in a ` +
			"name; write unix:/DIR/* for every name in a directory, or unix:*"},
		"port of a path": {Connect(Unix, "/run/app.sock", 80),
			"policy.Connect: a Unix-domain socket has no ports and peers; leave them out"},
		"peer of a path": {ListenFrom(Unix, "/run/app.sock", Any),
			"policy.ListenFrom: a Unix-domain socket has no ports and peers; leave them out"},
		"group as a path": {Connect(Unix, Private),
			`policy.Connect: "private" stands for addresses; pass a path, or policy.Any`},
		"range as a path": {Connect(Unix, netip.MustParsePrefix("::/0")),
			"policy.Connect: ::/0 is not a path; pass a path"},
		"port of 17 bits": {Connect(TCP, "a.example", 65536+22), "policy.Connect: 65558 to 65558 " +
			"is not a range of ports; ports are from 0 to 65535, the lower one first"},
		"negative port": {Connect(TCP, "a.example", -1), "policy.Connect: -1 to -1 is not a " +
			"range of ports; ports are from 0 to 65535, the lower one first"},
		"port 0": {Connect(TCP, "a.example", 0),
			"policy.Connect: nothing connects to port 0; write ports from 1 on"},
		"wrong way round": {Connect(TCP, "a.example").PortRange(9, 8), "policy.Connect: " +
			"9 to 8 is not a range of ports; ports are from 0 to 65535, the lower one first"},
		"two hosts": {Connect(TCP, "a.example b.example", 443), `policy.Connect: "a.example ` +
			`b.example" is not one host; pass a value for each rule`},
		"group in a string": {Connect(TCP, "private", 443), `policy.Connect: "private" is a ` +
			`group, not one host; pass policy.Group("private") if the group is meant, or "private." for a ` +
			`host of that name`},
		"rule word": {ListenFrom(TCP, "::1", "deny"),
			`policy.ListenFrom: "deny" is a word of the ` +
				`rules; leave it out, or deny. for a host of that name`},
		"port in the string": {Connect(TCP, "a.example:443"),
			`policy.Connect: "a.example:443" is ` +
				`not one host; pass the address without brackets, and the port by itself`},
		"unknown group": {Connect(TCP, Group("intern")),
			`policy.Connect: "intern" is not a group; ` +
				`pass a constant such as policy.Private`},
		"wildcard in Under": {Resolve(Under("*.example.com")), `policy.Resolve: "*.example.com" ` +
			`has a wildcard; pass the name alone`},
		"zero address": {Connect(TCP, netip.Addr{}), "policy.Connect: a zero netip.Addr is no " +
			"address; pass a valid one"},
		"zero range": {Connect(TCP, netip.Prefix{}), "policy.Connect: an invalid netip.Prefix is " +
			"no range; pass a valid one"},
		"empty string": {Connect(TCP, ""), "policy.Connect: the host is an empty string; pass a " +
			"name or an address"},
		"bits beyond the mask": {Connect(TCP, netip.MustParsePrefix("10.0.0.1/8")),
			"policy.Connect: 10.0.0.1/8 has bits set beyond the mask; write 10.0.0.0/8, or " +
				"10.0.0.1 for the one address"},
		"ports of a lookup": {Resolve("a").PortRange(1, 2),
			"policy.Resolve: resolve takes no ports; leave them out"},
		"ports of a group": {Join(Multicast).PortRange(1, 2),
			"policy.Join: join takes no ports; leave them out"},
		"name as a listener": {Listen(TCP, "a.example", 80), `policy.Listen: listen takes an ` +
			`address to listen on; "a.example" is a name; write the host's own address, such as ` +
			`127.0.0.1, 0.0.0.0 or loopback`},
		"connect denied by name": {Connect(TCP, "a.example").Deny(), `policy.Connect: a connect ` +
			`cannot be denied by name: the same host has other names, and the name may get other ` +
			`addresses; write its addresses, a CIDR or a group; or deny the lookup with "resolve ` +
			`a.example"`},
		"lookup of a group": {Resolve(Private), `policy.Resolve: "private" stands for addresses, ` +
			`and resolve takes names; write a name, *.name or *`},
		"empty directory": {Connect(Unix, Under("")), `policy.Connect: "" is not an absolute path; ` +
			`write for instance unix:/run/app.sock`},
		"zero Spec": {Spec{}, "policy.Connect: 0 is not a protocol; pass policy.TCP, policy.UDP " +
			"or both, or policy.Unix"},
	} {
		t.Run(name, func(t *testing.T) {
			if rules, err := Rules(c.spec); err == nil || err.Error() != c.want {
				t.Errorf("got %q, %v\nwant %s", rules, err, c.want)
			}
		})
	}
	// no rule is left if one of them has a mistake
	rules, err := Rules(Connect(TCP, "a.example", 443), Connect(TCP, "any"), Join("a"))
	if lines := strings.Count(err.Error(), "\n"); rules != nil || lines != 1 {
		t.Errorf("got %q, %v, want no rules and two mistakes", rules, err)
	}
}

func TestSpecIsAValue(t *testing.T) {
	base := Connect(TCP, "a.example").PortRange(1, 2)
	one, two := base.PortRange(10, 20), base.PortRange(30, 40)
	for want, spec := range map[string]Spec{"allow connect tcp://a.example:1-2": base,
		"allow connect tcp://a.example:1-2,10-20": one,
		"allow connect tcp://a.example:1-2,30-40": two} {
		if rules, err := Rules(spec); err != nil || rules[0].String() != want {
			t.Errorf("got %q, %v, want %q", rules, err, want)
		}
	}
}

func TestMustParse(t *testing.T) {
	if p := MustParse("p", []byte(`allow = ["connect 10.0.0.5"]`)); len(p.Rules()) != 1 {
		t.Errorf("got %q, want one rule", p.Rules())
	}
	defer func() {
		want := `policy: p:1:11: "konnect" is not an action; write connect, listen, join or resolve`
		if got := recover(); got != want {
			t.Errorf("got panic %v, want %s", got, want)
		}
	}()
	MustParse("p", []byte(`allow = ["konnect 10.0.0.5"]`))
}

// FuzzValue passes any string where one host is wanted. A rule that it makes names one host, and
// has no other meaning when it is printed and read back.
func FuzzValue(f *testing.F) {
	for _, s := range []string{"api.example.com", "::1", "any", "a b", `a", "connect any`, "from.",
		"10.0.0.0/8", "*.a", "1.2.3.4:5"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		for _, spec := range []Spec{Connect(TCP, s, 443), Listen(UDP, s, 1), Join(s), Resolve(s),
			ListenFrom(TCP, "0.0.0.0", s)} {
			rules, err := Rules(spec)
			if err != nil {
				continue
			}
			r := rules[0]
			one := func(h host) bool {
				return h.kind == byName || h.kind == byPrefix && h.prefix.IsSingleIP()
			}
			if !one(r.host) || spec.peer != nil && !one(r.peer) {
				t.Errorf("%q: got %q, want a rule for one host", s, &r)
			}
			back, err := ParseRule(r.String(), Origin{})
			if err != nil || back.String() != r.String() || back.host != r.host {
				t.Errorf("%q is %q: got %q, %v when read back, want the same", s, &r, &back, err)
			}
		}
	})
}
