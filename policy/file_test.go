package policy

import (
	"reflect"
	"strings"
	"testing"
)

func TestParseFile(t *testing.T) {
	p, err := Parse("net.toml", []byte(`# What the plug-in may do.
allow = [
  "connect tcp://api.example.com:443", 'resolve *.example.com',
  "listen  tcp://127.0.0.1:8080 from private", # the proxy
]
deny = ["connect private"]

[limits]
sockets = 64
socket_memory = "64MiB"
connects_per_second = 2_0
lookups_per_second = 10
send_bytes_per_second = "10MiB"
recv_bytes_per_second = 1500
`))
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, r := range p.Rules() {
		got = append(got, r.String()+" @ "+r.Origin().String())
	}
	want := []string{
		"allow connect tcp://api.example.com:443 @ net.toml:3:4",
		"allow resolve *.example.com @ net.toml:3:41",
		"allow listen tcp://127.0.0.1:8080 from private @ net.toml:4:4",
		"deny connect private @ net.toml:6:10",
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got the rules %q, want those of the file", got)
	}
	if l := (Limits{64, 20, 10, 10 << 20, 1500, 64 << 20}); p.Limits() != l {
		t.Errorf("got the limits %v, want those of the file", p.Limits())
	}
}

func TestParseLimitsInOtherForms(t *testing.T) {
	for _, text := range []string{
		"limits = { sockets = 3, send_bytes_per_second = '1kB' }",
		"limits.sockets = 3\nlimits.send_bytes_per_second = 0x3e8",
		"[limits]\n\"sockets\" = +3\nsend_bytes_per_second = \"1000B\"",
	} {
		p, err := Parse("net.toml", []byte(text))
		if err != nil {
			t.Errorf("%s: %v", text, err)
		} else if l := (Limits{Sockets: 3, SendBytesPerSecond: 1000}); p.Limits() != l {
			t.Errorf("%s: got %v, want the limits of the text", text, p.Limits())
		}
	}
}

func TestParseFileMistakes(t *testing.T) {
	for _, c := range []struct{ file, want string }{
		{"allow = [", "net.toml:1:9: "},
		{"allow = []\nallow = []", "net.toml:2:1: "},
		{"limits.sockets = 64\n[limits]", "net.toml:2:2: "},
		{"\xef\xbb\xbf", "net.toml:1:1: the file begins with a byte order mark of UTF-8; " +
			"save it as UTF-8 without one"},
		{"\xff\xfea\x00=", "net.toml:1:1: the file begins with a byte order mark of UTF-16; save"},
		{"\xfe\xff\x00a", "net.toml:1:1: the file begins with a byte order mark of UTF-16; save"},
		{"alow = []", "net.toml:1:1: there is no key alow; the keys are allow, deny"},
		{"allow = []\n\n [policy]\nallow = []", "net.toml:3:3: there is no key policy; "},
		{"[[limits]]\nsockets = 1", "net.toml:1:3: there is no key limits; "},
		{"[limits.more]\nsockets = 1", "net.toml:1:2: there is no key limits.more; "},
		{"[limits]\nsocket = 1", "net.toml:2:1: there is no key limits.socket; "},
		{"limits = { socket = 1 }", "net.toml:1:12: there is no key limits.socket; "},
		{"'limits.sockets' = 1", `net.toml:1:1: there is no key "limits.sockets"; `},
		{"limits = 3", "net.toml:1:1: limits is not a table; write a table"},
		{"[allow]\nconnect = ['any']", "net.toml:1:2: allow is not a list; write a list"},
		{"[[deny]]\nconnect = ['any']", "net.toml:1:3: deny is not a list; write a list: deny = ["},
		{"allow = 'connect any'", "net.toml:1:1: allow is not a list; write a list"},
		{"allow.connect = 'any'", "net.toml:1:1: there is no key allow.connect; "},
		{"allow = ['connect any', 3]",
			"net.toml:1:25: allow holds something that is not a string; "},
		{`{"allow": []}`, "net.toml:1:1: invalid character at start of key: U+007B '{'; " +
			`the file is TOML, with rules in quotes: allow = ["`},
		{"allow = [connect any]", "net.toml:1:10: unexpected character U+0063 'c' at " +
			`start of value; the file is TOML, with rules in quotes: allow = ["`},
		{"[limits]\nsend_bytes_per_second = '10MB/s'",
			"net.toml:2:1: limits.send_bytes_per_second is not a size; write a size above 0"},
		{"allow = [['connect any']]", "net.toml:1:1: allow holds something that is not a string; "},
		{"[limits]\nsockets = 0",
			"net.toml:2:1: limits.sockets is not a whole number from 1 to 2147483647; write for " +
				"instance 100"},
		{"[limits]\nsockets = 'many'", "net.toml:2:1: limits.sockets is not a whole number"},
		{"[limits]\nsockets = -1", "net.toml:2:1: limits.sockets is not a whole number"},
		{"[limits]\nsockets = 1.5", "net.toml:2:1: limits.sockets is not a whole number"},
		{"[limits]\nsockets = 3000000000", "net.toml:2:1: limits.sockets is not a whole number"},
		{"[limits]\nsend_bytes_per_second = '10 Mib'",
			"net.toml:2:1: limits.send_bytes_per_second is not a size; "},
		{"[limits]\nsend_bytes_per_second = '-1MiB'",
			"net.toml:2:1: limits.send_bytes_per_second is not a size; "},
		{"[limits]\nsend_bytes_per_second = '0'",
			"net.toml:2:1: limits.send_bytes_per_second is not a size; "},
		{"[limits]\nsend_bytes_per_second = '9999999TiB'",
			"net.toml:2:1: limits.send_bytes_per_second is not a size; "},
		{"[limits]\nrecv_bytes_per_second = true",
			"net.toml:2:1: limits.recv_bytes_per_second is not a size; "},
		{"allow = [\n  \"connect tcp://10.0.0.1:http\"\n]",
			`net.toml:2:27: "http" is not a port; `},
		{"allow = ['''connect tcp://10.0.0.1:http''']", `net.toml:1:36: "http" is not a port; `},
		{"allow = ['']", `net.toml:1:11: the action is missing; `},
		{"allow = ['allow connect any']", `net.toml:1:11: "allow" is not an action; leave it out`},
		{"allow = ['connect tcp://10.0.0.1:80 udp://10.0.0.1:80']",
			`net.toml:1:37: the rule has more than one target; write one rule for each`},
		{"deny = ['connect example.com']", `net.toml:1:18: a connect cannot be denied by name`},
		{"allow = ['connect tcp://10.0.0.5:80']\ndeny = ['connect private']",
			`net.toml:1:11: "allow connect tcp://10.0.0.5:80" never matches: "deny connect private" (net.toml:2:10) refuses all of it; `},
	} {
		_, err := Parse("net.toml", []byte(c.file))
		if err == nil || !strings.HasPrefix(err.Error(), c.want) {
			t.Errorf("%s\n\tgives %v\n\tnot   %s", c.file, err, c.want)
		}
	}
}

func TestParseReportsEveryMistake(t *testing.T) {
	_, err := Parse("net.toml",
		[]byte("allow = ['connect tcp://a:b', 'send x']\nfoo = 1\n[limits]\nsockets = 0"))
	if err == nil || strings.Count(err.Error(), "\n") != 3 {
		t.Errorf("got the errors\n%v\nwant one for each mistake", err)
	}
}

func TestParseRefusesShadowedAllow(t *testing.T) {
	for _, c := range []struct {
		allow, deny string
		shadowed    bool
	}{
		{"connect any", "connect any", true},
		{"connect any", "connect *", false},
		{"connect *", "connect any", true},
		{"connect public", "connect *", true},
		{"connect *:80", "connect *:1-100", true},
		{"connect *:80,443", "connect *:1-100", false},
		{"connect *:80", "connect tcp://*:80", false},
		{"connect tcp://*:80", "connect *:80", true},
		{"connect 10.1.0.0/16", "connect 10.0.0.0/8", true},
		{"connect 10.0.0.0/8", "connect 10.1.0.0/16", false},
		{"connect 10.0.0.0/8", "connect private", true},
		{"connect private", "connect 10.0.0.0/8", false},
		{"connect metadata", "connect link-local", false},
		{"connect 169.254.169.254", "connect link-local", true},
		{"connect private", "connect private", true},
		{"connect tcp://example.com:443", "connect *", true},
		{"connect tcp://example.com:443", "connect any", true},
		{"connect tcp://example.com:443", "connect private", false},
		{"connect 93.184.216.34", "connect *", false},
		{"connect any", "listen any", false},
		{"listen 127.0.0.1:80", "listen loopback", true},
		{"listen 127.0.0.1:80", "listen loopback from private", false},
		{"listen 127.0.0.1:80 from private", "listen loopback from private", true},
		{"listen 127.0.0.1:80 from private", "listen loopback", true},
		{"join 224.0.0.251", "join multicast", true},
		{"resolve example.com", "resolve *", true},
		{"resolve *", "resolve example.com", false},
		{"resolve a.example.com", "resolve *.example.com", true},
		{"resolve *.a.example.com", "resolve *.example.com", true},
		{"resolve *.example.com", "resolve *.example.com", true},
		{"resolve example.com", "resolve *.example.com", false},
		{"resolve *.example.com", "resolve *.a.example.com", false},
	} {
		_, err := Parse("net.toml", []byte("allow = ['"+c.allow+"']\ndeny = ['"+c.deny+"']"))
		if (err != nil) != c.shadowed {
			t.Errorf("allow %s, deny %s: got %v, want an error: %v", c.allow, c.deny, err,
				c.shadowed)
		}
	}
}

func TestTOMLReadsBack(t *testing.T) {
	const text = `allow = [
  "connect tcp://api.example.com:443",
  "listen tcp://127.0.0.1:8080",
]
deny = [
  "connect private",
]

[limits]
sockets = 64
connects_per_second = 20
lookups_per_second = 10
send_bytes_per_second = "10MiB"
recv_bytes_per_second = "1500B"
`
	p, err := Parse("net.toml", []byte(text))
	if err != nil {
		t.Fatal(err)
	}
	if got := string(p.TOML()); got != text {
		t.Errorf("got\n%s\nwant the text that was parsed", got)
	}
	if got := New(nil, Limits{}).TOML(); len(got) != 0 {
		t.Errorf("the empty policy: got %q, want nothing", got)
	}
}

func TestFormatKeepsAllButSpelling(t *testing.T) {
	const in = `# Keep me.
allow = ["connect   TCP.example:443,80",   # and me
  'resolve EXAMPLE.com.', """listen tcp://[::0001]:80"""]

deny=[ "connect private" ]
[limits]
sockets=3
`
	const want = `# Keep me.
allow = ["connect tcp.example:80,443",   # and me
  "resolve example.com", "listen tcp://[::1]:80"]

deny=[ "connect private" ]
[limits]
sockets=3
`
	got, err := Format("net.toml", []byte(in))
	if err != nil || string(got) != want {
		t.Errorf("%v\n%s", err, got)
	}
	if again, err := Format("net.toml", got); err != nil || string(again) != want {
		t.Errorf("formatted twice: got %v\n%s\nwant the same text", err, again)
	}
	if _, err := Format("net.toml", []byte("allow = 3")); err == nil {
		t.Error("a file with a mistake: got no error, want one")
	}
}

// TestMistakesOfAFileAreBounded counts the messages about a file of mistakes alone.
func TestMistakesOfAFileAreBounded(t *testing.T) {
	_, err := Parse("net.toml", []byte("allow = ["+strings.Repeat("'connect',", 5000)+"]"))
	if err == nil {
		t.Fatal("got no error, want one for each mistake")
	}
	lines := strings.Split(err.Error(), "\n")
	if len(lines) != maxErrors+1 {
		t.Errorf("got %d lines, want %d", len(lines), maxErrors+1)
	}
	if got, want := lines[len(lines)-1], "net.toml: 4900 more mistakes"; got != want {
		t.Errorf("got the last line %q, want %q", got, want)
	}
}
