package policy

import (
	"errors"
	"strings"
	"testing"
)

func TestCanonicalSpelling(t *testing.T) {
	for in, want := range map[string]string{
		"allow connect tcp://api.example.com:443":           "",
		"deny connect private":                              "",
		"allow connect udp://10.0.0.0/8:53,5353":            "",
		"allow connect tcp://[2001:db8::/32]:1-1023":        "",
		"allow listen tcp://127.0.0.1:8080 from 10.0.0.0/8": "",
		"allow listen tcp://[::1]:0":                        "",
		"allow join udp://224.0.0.251":                      "",
		"allow resolve *.example.com":                       "",
		"allow resolve *":                                   "",
		"allow connect *":                                   "",
		"allow connect any":                                 "",
		"allow connect tcp://public:443":                    "",
		"deny listen link-local from loopback":              "",
		"allow connect ::1":                                 "",
		"allow connect unix:/run/app.sock":                  "",
		"allow listen unix:/run/app/*":                      "",
		"deny connect unix:*":                               "",
		"allow connect unix:/run/a,b:c=d@e%f+g-h_i.sock":    "",
		"allow connect 2001:db8::/32":                       "",
		"  allow \t connect   tcp://10.0.0.1:80 ":           "allow connect tcp://10.0.0.1:80",
		"allow connect TCP.example:443":                     "allow connect tcp.example:443",

		"allow connect tcp://API.Example.COM.:443": "allow connect tcp://api.example.com:443",

		"allow connect tcp://bücher.example:443": "allow connect tcp://xn--bcher-kva.example:443",

		"allow connect tcp://[2001:DB8:0::1]:443": "allow connect tcp://[2001:db8::1]:443",

		"allow connect [2001:db8::1]": "allow connect 2001:db8::1",
		"allow connect 10.0.0.1/32":   "allow connect 10.0.0.1",

		"allow connect tcp://10.0.0.1:443,80,81,82-90": "allow connect tcp://10.0.0.1:80-90,443",

		"allow connect tcp://10.0.0.1:5-7,6-9":          "allow connect tcp://10.0.0.1:5-9",
		"allow connect tcp://10.0.0.1:1-65535":          "allow connect tcp://10.0.0.1",
		"allow connect tcp://10.0.0.1:080":              "allow connect tcp://10.0.0.1:80",
		"allow listen tcp://0.0.0.0:80 from any":        "allow listen tcp://0.0.0.0:80",
		"allow listen tcp://[::]:80 from 2001:db8::/32": "",
	} {
		if want == "" {
			want = in
		}
		r, err := ParseRule(in, Origin{})
		if err != nil {
			t.Errorf("%q: got %v, want no error", in, err)
			continue
		}
		if r.String() != want {
			t.Errorf("%q is spelled %q, not %q", in, &r, want)
		}
		if again, err := ParseRule(want, Origin{}); err != nil || again.String() != want {
			t.Errorf("%q reads back as %q, %v", want, again.String(), err)
		}
	}
}

// TestParseRuleMistakes checks that each mistake is reported with its offset and a hint.
func TestParseRuleMistakes(t *testing.T) {
	for _, c := range []struct {
		rule    string
		column  int
		problem string
		mend    string
	}{
		{"", 1, "empty", "allow connect"},
		{"permit connect any", 1, `"permit" is not an effect`, "allow"},
		{"allow", 6, "action is missing", "connect, listen, join or resolve"},
		{"allow send tcp://10.0.0.1:80", 7, `"send" is not an action`, "connect"},
		{"allow connect unix:", 20, "not an absolute path", "unix:/run/app.sock"},
		{"allow connect unix:app.sock", 20, "not an absolute path", "unix:/run/app.sock"},
		{"allow connect unix:///run/app.sock", 20, "read in two ways", "write unix:/run/app.sock"},
		{"allow connect unix://app/x", 20, "read in two ways", "write unix:/app/x"},
		{"allow connect unix:/run/../x", 20, "read in two ways", "write unix:/x"},
		{"allow connect unix:/run/./x", 20, "read in two ways", "write unix:/run/x"},
		{"allow connect unix:/run/", 20, "read in two ways", "write unix:/run"},
		{"allow connect unix:/", 20, "names a directory", "unix:/*"},
		{"allow connect unix:/run/*.sock", 20, `"*" in a name`, "unix:/DIR/*"},
		{"allow connect unix:/*/app.sock", 20, `"*" in a name`, "unix:/DIR/*"},
		{"allow connect unix:/run/$x", 20, "a character", "letters and digits"},
		{"allow connect unix:/run/\u00fc", 20, "a character", "letters and digits"},
		{"allow connect unix:/" + strings.Repeat("a", 107), 20, "too long", "107"},
		{"allow join unix:/run/x", 12, "nothing can join", "connect or listen"},
		{"allow resolve unix:/run/x", 15, "nothing can resolve", "connect or listen"},
		{"allow listen unix:/run/x from loopback", 26, "has no address", "permissions"},
		{"allow connect", 14, "nothing to connect", "tcp://api.example.com:443"},
		{"allow connect http://example.com", 15, `"http" is not a protocol`, "tcp://"},
		{"allow connect tcp://", 21, "host is missing", "address"},
		{"allow connect tcp://:80", 21, "host is missing", "address"},
		{"allow connect tcp://10.0.0.1:", 30, `"" is not a port`, "443"},
		{"allow connect tcp://10.0.0.1:http", 30, `"http" is not a port`, "443"},
		{"allow connect tcp://10.0.0.1:80,65536", 33, `"65536" is not a port`, "65535"},
		{"allow connect tcp://10.0.0.1:80,-1", 33, `"-1" is not a port`, "443"},
		{"allow connect tcp://10.0.0.1:9000-8000", 30, "wrong way round", "8000-9000"},
		{"allow connect tcp://10.0.0.1:0", 30, "port 0", "from 1 on"},
		{"allow connect tcp://10.0.0.1:0-80", 30, "port 0", "from 1 on"},
		{"allow connect tcp://10.1.2.3/8:80", 21, "10.1.2.3/8 has bits set",
			"10.0.0.0/8, or 10.1.2.3"},
		{"allow connect [2001:db8::1/32]:80", 16, "has bits set", "2001:db8::/32"},
		{"allow connect 10.0.0.0/33", 24, `"33" is not a prefix length`, "0 to 32"},
		{"allow connect ::/129", 18, `"129" is not a prefix length`, "0 to 128"},
		{"allow connect 10.0.0.0/08", 24, `"08" is not a prefix length`, "0 to 32"},
		{"allow connect tcp://example.com/path", 21, "is not a CIDR", "ends at the port"},
		{"allow connect tcp://[2001:db8::1:80", 21, "not closed",
			"write [2001:db8::1]:80 for the port, or [2001:db8::1:80] for the address"},
		{"allow connect tcp://[2001:db8::1", 21, "not closed", `close the bracket: "[2001:db8::1]"`},
		{"allow connect tcp://[::1:8080-8081", 21, "not closed", "write [::1]:8080-8081"},
		{"allow connect tcp:127.0.0.1:80", 15, "without", "write tcp://127.0.0.1:80"},
		{"allow connect tcp//a.com:80", 15, "without", "write tcp://a.com:80"},
		{"allow connect udp:/a.com:80", 15, "without", "write udp://a.com:80"},
		{"allow connect a.com,b.com", 15, "not a valid name", "a rule for each"},
		{"allow listen 8080", 14, "a port without a host", "127.0.0.1:8080"},
		{"allow connect " + strings.Repeat("a", 1<<16), 15, "aaa…", ""},
		{"allow connect tcp://[2001:db8::]/32:80", 33, "inside the brackets", "[2001:db8::/32]"},
		{"allow connect tcp://[::1]80", 26, `"80" follows the bracket`, "[address]:port"},
		{"allow connect tcp://2001:db8::zz:80", 21, "not an address", "[address]:port"},
		{"allow connect tcp://[fe80::1%eth0]:80", 22, "has a zone", "leave the zone out"},
		{"allow connect ::ffff:10.0.0.5", 15, "judged as the IPv4", "10.0.0.5"},
		{"allow connect ::ffff:10.0.0.0/104", 15, "judged as the IPv4", "10.0.0.0/8"},
		{"allow connect ::ffff:0:0/96", 15, "judged as the IPv4", "0.0.0.0/0"},
		{"allow connect tcp://0.0.0.0:80", 21, "a connect to 127.0.0.1", "loopback"},
		{"allow connect tcp://[::]:80", 22, "a connect to ::1", "loopback"},
		{"allow connect *example.com", 15, `"evilexample.com"`, `"*.example.com"`},
		{"allow connect **.com", 15, "wildcard", "*.name"},
		{"allow connect a.*.com", 15, "wildcard", "*.name"},
		{"allow connect example.*", 15, "wildcard", "*.name"},
		{"allow connect *.", 15, "not a valid name", ""},
		{"allow connect exa mple.com", 19, "more than one target", "one rule for each"},
		{"allow connect a..b", 15, "not a valid name", ""},
		{"allow connect a@b", 15, "not a valid name", ""},
		{"allow connect 127.1", 15, "neither an address nor a name", "127.0.0.1"},
		{"allow connect 0x7f.0.0.1", 15, "neither an address nor a name", "127.0.0.1"},
		{"allow connect 0177.0.0.1", 15, "neither an address nor a name", "127.0.0.1"},
		{"allow connect tcp://2130706433:80", 21, "neither an address nor a name", "127.0.0.1"},
		{"allow connect 0x7f000001", 15, "neither an address nor a name", "127.0.0.1"},
		{"allow connect 256.1.1.1", 15, "neither an address nor a name", "127.0.0.1"},
		{"allow connect １２７.0.0.1", 15, "an address, not a name", ""},
		{"allow connect tcp://localhost:5432", 21, "loopback, which no name reaches",
			`"connect tcp://127.0.0.1:5432", "connect tcp://[::1]:5432" and "resolve localhost"`},
		{"allow connect tcp://*.localhost", 21, "loopback, which no name reaches",
			`"resolve *.localhost"`},
		{"deny connect api.example.com", 14, "by name", `"resolve api.example.com"`},
		{"deny connect *.example.com", 14, "by name", `"resolve *.example.com"`},
		{"allow connect tcp://10.0.0.1:80 from 10.0.0.2", 33, `"from"`, "leave it out"},
		{"allow listen tcp://localhost:80", 20, "is a name", "127.0.0.1"},
		{"allow listen tcp://127.0.0.1:80 from", 37, `nobody follows "from"`, "CIDR"},
		{"allow listen tcp://127.0.0.1:80 from example.com", 38, "is a name", "CIDR"},
		{"allow listen tcp://127.0.0.1:80 from 10.0.0.1:80", 38, "a peer has no port",
			"write 10.0.0.1"},
		{"allow listen tcp://127.0.0.1:80 from 0.0.0.0", 38, "nothing ever comes from", ""},
		{"allow listen tcp://127.0.0.1:80 from multicast", 38, "nothing ever comes from", ""},
		{"allow listen tcp://127.0.0.1:80 to 10.0.0.1", 33, "is a name", "own address"},
		{"allow join tcp://224.0.0.251", 12, "no multicast over tcp", "udp://224.0.0.251"},
		{"allow join udp://224.0.0.251:5353", 30, "no port", "224.0.0.251"},
		{"allow join udp://10.0.0.0/8", 18, "no multicast address in 10.0.0.0/8", "multicast"},
		{"allow join *", 12, "no multicast address", "multicast"},
		{"allow join example.com", 12, "is a name", "address"},
		{"allow resolve tcp://example.com", 15, "name alone", "write example.com"},
		{"allow resolve example.com:443", 15, "name alone", "write example.com"},
		{"allow resolve 10.0.0.1", 15, "needs no lookup", "leave the rule out"},
		{"allow resolve any", 15, "stands for addresses", `"*"`},
		{"allow resolve private", 15, "stands for addresses", "*.name"},
		{"allow resolve *example.com", 15, `"evilexample.com"`, `"*.example.com"`},
	} {
		_, err := ParseRule(c.rule, Origin{Source: "net.toml", Line: 3, Column: 1})
		var e *Error
		if !errors.As(err, &e) {
			t.Errorf("%q: got %v, want an *Error", c.rule, err)
			continue
		}
		if !strings.Contains(e.Problem, c.problem) || !strings.Contains(e.Hint, c.mend) ||
			e.Origin.Column != c.column || e.Origin.Line != 3 {
			t.Errorf("%q: got %v, want the problem and hint of the row", c.rule, e)
		}
	}
}

func TestParseTargets(t *testing.T) {
	flag := Origin{Source: "--allow-listen"}
	rules, err := ParseTargets(Allow, ActionListen,
		" tcp://127.0.0.1:80 from 10.0.0.0/8  udp://[::1]:53", flag)
	if err != nil {
		t.Fatal(err)
	}
	if len(rules) != 2 || rules[0].Target() != "tcp://127.0.0.1:80 from 10.0.0.0/8" ||
		rules[1].Target() != "udp://[::1]:53" {
		t.Errorf("got the rules %v, want two", rules)
	}
	if at := rules[1].Origin(); at.String() != "--allow-listen" || at.Column != 38 {
		t.Errorf("the second rule: got the origin %v, %d, want column 38", at, at.Column)
	}
	_, err = ParseTargets(Allow, ActionConnect, "tcp://a:1 udp://b:x",
		Origin{Source: "--allow-connect"})
	if want := `--allow-connect: at character 19: "x" is not a port; `; err == nil ||
		!strings.HasPrefix(err.Error(), want) {
		t.Errorf("got the error %q, want one that starts with %q", err, want)
	}
	if _, err := ParseTargets(Allow, ActionConnect, "  ", flag); err == nil {
		t.Error("an empty flag: got no error, want one")
	}
}

func TestParseRequestMistakes(t *testing.T) {
	for _, text := range []string{
		"", "send tcp://10.0.0.1:80", "connect", "connect 10.0.0.1:80", "connect tcp://10.0.0.1",
		"connect tcp://10.0.0.1:80 x", "connect tcp://loopback:80", "connect tcp://*:80",
		"connect http://10.0.0.1:80", "connect tcp://a..b:80", "connect tcp://example.com:70000",
		"listen tcp://example.com:80",
		"accept tcp://10.0.0.1:80", "accept tcp://10.0.0.1:80 from",
		"accept tcp://10.0.0.1:80 from example.com", "resolve",
		"accept tcp://10.0.0.1:80 by 10.0.0.1", "join udp://example.com",
	} {
		if r, err := ParseRequest(text); err == nil {
			t.Errorf("%q: got the request %v, want an error", text, r)
		}
	}
}

func TestCanonicalName(t *testing.T) {
	long := strings.Repeat("abcdefg.", 32)[:253]
	for in, want := range map[string]string{
		"a": "a", "A.B.": "a.b", "_x._y": "_x._y", "-a-": "-a-", long: long, long + ".": long,
		"straße.example": "xn--strae-oqa.example", "0x7f.1": "0x7f.1", "1": "1",
		"": "", ".": "", "..": "", "a..": "", ".a": "", "a b": "", "a\x00b": "", "a\nb": "", long +
			"a": "", "10.0.0.1": "", "::1": "",
		strings.Repeat("a", 64): "", "\xff": "", "xn--a": "", "a/b": "", "[::1]": "",
		strings.Repeat("ä", 600): "",
	} {
		got, err := CanonicalName(in)
		if got != want || (err == nil) != (want != "") {
			t.Errorf("%q is %q, %v; want %q", in, got, err, want)
		}
	}
}
