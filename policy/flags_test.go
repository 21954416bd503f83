package policy

import (
	"net/netip"
	"slices"
	"strings"
	"testing"
)

func decide(t *testing.T, p *Policy, request string) bool {
	t.Helper()
	q, err := ParseRequest(request)
	if err != nil {
		t.Fatal(err)
	}
	return p.Decide(q, nil).Allowed
}

func TestAddrPool(t *testing.T) {
	flag := Origin{Source: "--addr-pool"}
	for _, c := range []struct {
		pool, allowed, denied string
		warnings              int
	}{
		{"10.0.0.0/8", "10.0.0.0 10.255.255.255", "11.0.0.0 127.0.0.1 ::1", 0},
		{"10.1.2.3/8", "10.0.0.0 10.255.255.255", "11.0.0.0", 0},
		{"10.1.2.3/32", "10.1.2.3 ::ffff:10.1.2.3", "10.1.2.4", 0},
		{"10.1.2.3/0", "0.0.0.1 255.255.255.255 127.0.0.1 ::ffff:127.0.0.1", "::1", 0},
		{"0.0.0.0/8", "1.2.3.4 127.0.0.1 255.255.255.255", "::1 2001:db8::1", 1},
		{"0.0.0.0/32", "1.2.3.4", "::1", 1},
		{"0.0.0.0/15", "1.2.3.4", "::1", 1},
		{"0.1.2.3/8", "0.9.9.9", "1.2.3.4", 0},
		{"::/128", "::1 2001:db8::1", "127.0.0.1 ::ffff:127.0.0.1", 1},
		{"::/0", "::1 2001:db8::1", "127.0.0.1 ::ffff:127.0.0.1 ::ffff:10.1.2.3", 1},
		{"::1/0", "2001:db8::1", "127.0.0.1 ::ffff:127.0.0.1", 0},
		{"::1/128", "::1", "::2 127.0.0.1", 0},
		{"2001:db8::1/32", "2001:db8:ffff::1", "2001:db9::1", 0},
		{"::ffff:10.0.0.0/104", "10.1.2.3 ::ffff:10.1.2.3", "11.0.0.1", 0},
		{"10.0.0.1/32,::1/128,10.0.0.3/32", "10.0.0.1 ::1 10.0.0.3", "10.0.0.2", 0},
	} {
		rules, warnings, err := AddrPool(c.pool, flag)
		if err != nil || len(warnings) != c.warnings {
			t.Errorf("%s: got %v and %q, want %d warnings", c.pool, err, warnings, c.warnings)
		}
		p := New(rules, Limits{})
		for _, proto := range []string{"tcp", "udp"} {
			for _, a := range strings.Fields(c.allowed + " " + c.denied) {
				want := slices.Contains(strings.Fields(c.allowed), a)
				to := netip.AddrPortFrom(netip.MustParseAddr(a), 1234).String()
				if decide(t, p, "connect "+proto+"://"+to) != want {
					t.Errorf("%s: connect %s to %s is not %v", c.pool, proto, a, want)
				}
			}
		}
	}
	for _, c := range []struct{ pool, want string }{
		{"", `--addr-pool: "" is not a range`},
		{"10.0.0.0", `"10.0.0.0" is not a range`},
		{"10.0.0.0/33", `at character 10: "33" is not a mask; write a number from 0 to 32`},
		{"::1/128,::1/129", `at character 13: "129" is not a mask; write a number from 0 to 128`},
		{"10.0.0.0/256", `"256" is not a mask`},
		{"10.0.0.0/-1", `"-1" is not a mask`},
		{"10.0.0.0/", `"" is not a mask`},
		{"10.0.0.0/8/9", `"8/9" is not a mask`},
		{"example.com/8", `"example.com/8" is not a range`},
		{"fe80::1%eth0/64", `"fe80::1%eth0/64" is not a range`},
		{"10/8", `"10/8" is not a range`},
		{"10.0.0.0/8,", `"" is not a range`},
	} {
		_, _, err := AddrPool(c.pool, flag)
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%q: %v", c.pool, err)
		}
	}
}

func TestAddrPoolDirections(t *testing.T) {
	rules, _, err := AddrPool("127.0.0.1/32,224.0.0.0/8", Origin{})
	if err != nil {
		t.Fatal(err)
	}
	p := New(rules, Limits{})
	for request, want := range map[string]bool{
		"bind tcp://127.0.0.1:80":                    true,
		"bind udp://127.0.0.1:0":                     true,
		"accept tcp://127.0.0.1:80 from 203.0.113.9": true, // peers are not judged
		"receive udp://127.0.0.1:53 from 10.0.0.1:9": true,
		"bind tcp://0.0.0.0:80":                      false,
		"listen tcp://0.0.0.0:0":                     false, // an implicit listen on every address
		"listen tcp://[::]:0":                        false,
		"bind udp://0.0.0.0:0":                       true, // no listening
		"receive udp://0.0.0.0:0 from 127.0.0.1:9":   true,
		"receive udp://0.0.0.0:0 from 10.0.0.1:9":    false,
		"join udp://224.0.0.1":                       true,
		"join udp://225.0.0.1":                       false,
		"resolve example.com":                        false,
		"connect tcp://0.0.0.0:80":                   true, // which is loopback
	} {
		if decide(t, p, request) != want {
			t.Errorf("%s is not %v", request, want)
		}
	}
	rules, _, _ = AddrPool("0.0.0.0/0", Origin{})
	if p := New(rules, Limits{}); !decide(t, p, "listen tcp://0.0.0.0:0") ||
		decide(t, p, "listen tcp://[::]:0") {
		t.Error("an implicit listen on IPv4 alone: got refused, want allowed by a pool of IPv4")
	}
}

// Rules made by flags print and read back like those that were written.
func TestFlagRulesReadBack(t *testing.T) {
	pool, _, _ := AddrPool("10.1.2.3/8,::/5,1.2.3.4/32,224.0.0.251/32", Origin{})
	for _, r := range append(pool, AllowNet(Origin{})...) {
		if back, err := ParseRule(r.String(), Origin{}); err != nil || back.String() != r.String() {
			t.Errorf("%q: got %q, %v when read back, want the same", r.String(), back.String(), err)
		}
	}
}

func TestAllowUnix(t *testing.T) {
	var got []string
	for _, r := range AllowUnix(Origin{}) {
		got = append(got, r.String())
	}
	want := []string{"allow connect unix:*", "allow listen unix:*"}
	if !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestAllowNet(t *testing.T) {
	p := New(AllowNet(Origin{}), Limits{})
	for _, request := range []string{
		"connect tcp://10.0.0.1:80", "connect udp://255.255.255.255:9", "bind tcp://0.0.0.0:80",
		"listen tcp://[::]:0",
		"accept tcp://[::]:80 from 10.0.0.1", "receive udp://0.0.0.0:0 from 10.0.0.1:9",
		"join udp://[ff02::1]", "resolve localhost",
	} {
		if !decide(t, p, request) {
			t.Errorf("%s: got refused, want allowed", request)
		}
	}
}

func TestAllowResolve(t *testing.T) {
	rules, warnings, err := AllowResolve("*.example.com localhost 127.0.0.1 ::1",
		Origin{Source: "--allow-resolve"})
	if err != nil || len(rules) != 2 || len(warnings) != 2 || rules[1].Origin().Column != 15 {
		t.Errorf("got %v, %q, %v, want 2 rules and 2 warnings", rules, warnings, err)
	}
	if rules, warnings, err := AllowResolve("127.0.0.1", Origin{}); err != nil || len(rules) != 0 ||
		len(warnings) != 1 {
		t.Errorf("got %v, %q, %v, want no rule and 1 warning", rules, warnings, err)
	}
	_, _, err = AllowResolve("*example.com", Origin{Source: "--allow-resolve"})
	want := `--allow-resolve: "*example.com" would also match "evilexample.com"; ` +
		`write "*.example.com"`
	if err == nil || !strings.HasPrefix(err.Error(), want) {
		t.Errorf("got the error %v, want one that starts with %s", err, want)
	}
	if _, _, err := AllowResolve("", Origin{}); err == nil {
		t.Error("an empty pattern: got no error, want one")
	}
}

func TestLimitsOfCeilingsAreStrictest(t *testing.T) {
	p := All(New(nil, Limits{Sockets: 5, LookupsPerSecond: 3, SendBytesPerSecond: 7,
		SocketMemory: 5}),
		New(nil, Limits{Sockets: 9, ConnectsPerSecond: 2, SendBytesPerSecond: 6}), nil)
	if want := (Limits{5, 2, 3, 6, 0, 5}); p.Limits() != want {
		t.Errorf("%+v", p.Limits())
	}
	var nobody *Policy
	if nobody.Limits() != (Limits{}) || nobody.Rules() != nil {
		t.Error("a nil policy: got limits or rules, want none")
	}
}
