package policy

import (
	"errors"
	"io/fs"
	"strings"
	"syscall"
	"testing"
	"time"
)

// policyOf parses rules, the ceiling's after a "^".
func policyOf(t *testing.T, rules []string) *Policy {
	t.Helper()
	var guest, ceiling []Rule
	for i, text := range rules {
		text, above := strings.CutPrefix(text, "^")
		r, err := ParseRule(text, Origin{"net.toml", i + 1, 1})
		if err != nil {
			t.Fatal(err)
		}
		if above {
			ceiling = append(ceiling, r)
		} else {
			guest = append(guest, r)
		}
	}
	p := New(guest, Limits{})
	if ceiling != nil {
		p = All(p, New(ceiling, Limits{}))
	}
	return p
}

// explain returns the refusal of a request by the rules of policyOf.
func explain(t *testing.T, rules []string, request string) *Refusal {
	t.Helper()
	p := policyOf(t, rules)
	q, err := ParseRequest(request)
	if err != nil {
		t.Fatal(err)
	}
	return p.Explain(q, p.Decide(q, NewPins(time.Now)))
}

func TestRefusalReasonAndHint(t *testing.T) {
	for _, c := range []struct {
		rules         []string
		request       string
		message, hint string
	}{
		{nil, "connect tcp://10.0.0.5:5432",
			`denied connect tcp 10.0.0.5:5432: no rule allows connect`,
			`--allow-connect tcp://10.0.0.5:5432`},
		{[]string{"allow connect *"}, "connect tcp://10.0.0.5:5432",
			`denied connect tcp 10.0.0.5:5432: "*" covers public addresses only, 10.0.0.5 is private`,
			`--allow-connect tcp://10.0.0.5:5432`},
		{[]string{"allow connect public"}, "connect udp://[::1]:53",
			`denied connect udp [::1]:53: "public" covers public addresses only, ::1 is loopback`,
			`--allow-connect "udp://[::1]:53"`},
		{[]string{"allow connect *"}, "connect tcp://169.254.169.254:80",
			`denied connect tcp 169.254.169.254:80: "*" covers public addresses only, 169.254.169.254 is a cloud metadata address`,
			`--allow-connect tcp://169.254.169.254:80`},
		{[]string{"allow connect tcp://*"}, "connect tcp://0.0.0.0:80",
			`denied connect tcp 127.0.0.1:80: "*" covers public addresses only, 127.0.0.1 is loopback`,
			`--allow-connect tcp://127.0.0.1:80`},
		{[]string{"allow connect *"}, "connect tcp://[::ffff:127.0.0.1]:80",
			`denied connect tcp 127.0.0.1:80: "*" covers public addresses only, 127.0.0.1 is loopback`,
			`--allow-connect tcp://127.0.0.1:80`},
		{[]string{"allow connect *"}, "connect tcp://[64:ff9b::7f00:1]:80",
			`denied connect tcp [64:ff9b::7f00:1]:80: 64:ff9b::7f00:1 carries 127.0.0.1: "*" covers public addresses only, 127.0.0.1 is loopback`,
			`--allow-connect tcp://127.0.0.1:80`},
		{nil, "connect tcp://[64:ff9b::7f00:1]:80",
			`denied connect tcp [64:ff9b::7f00:1]:80: no rule allows connect`,
			`--allow-connect "tcp://[64:ff9b::7f00:1]:80 tcp://127.0.0.1:80"`},
		{[]string{"allow connect *", "allow connect tcp://10.0.0.5:80",
			"allow connect udp://10.0.0.5:1-99"}, "connect tcp://10.0.0.5:5432",
			`denied connect tcp 10.0.0.5:5432: "allow connect tcp://10.0.0.5:80" (net.toml:2:1) does not cover port 5432`,
			`--allow-connect tcp://10.0.0.5:5432`},
		{nil, "connect unix:/run/app.sock",
			`denied connect unix /run/app.sock: no rule allows connect by unix`,
			`--allow-connect unix:/run/app.sock`},
		{[]string{"allow connect any", "allow connect unix:/run/*"}, "connect unix:/run/app/a",
			`denied connect unix /run/app/a: no connect rule covers it`,
			`--allow-connect unix:/run/app/a`},
		{nil, "bind unix:/run/app.sock",
			`denied bind unix /run/app.sock: no rule allows listen by unix`,
			`--allow-listen unix:/run/app.sock`},
		{[]string{"allow connect unix:*", "deny connect unix:/run/*"}, "connect unix:/run/app.sock",
			`denied connect unix /run/app.sock: "deny connect unix:/run/*" (net.toml:2:1) refuses it`,
			`take out "deny connect unix:/run/*" (net.toml:2:1), or make it narrower`},
		{[]string{"allow connect unix:/a", "^allow connect any"}, "connect unix:/a",
			`denied connect unix /a: the ceiling: no rule allows connect by unix`,
			`let the ceiling allow connect unix:/a`},
		{[]string{"allow connect tcp://10.0.0.0/8:80"}, "connect udp://10.0.0.5:80",
			`denied connect udp 10.0.0.5:80: "allow connect tcp://10.0.0.0/8:80" (net.toml:1:1) covers tcp only`,
			`--allow-connect udp://10.0.0.5:80`},
		{[]string{"allow connect tcp://10.0.0.0/8:80"}, "connect tcp://11.0.0.5:80",
			`denied connect tcp 11.0.0.5:80: no connect rule covers it`,
			`--allow-connect tcp://11.0.0.5:80`},
		{[]string{"allow connect tcp://api.example.com:443"}, "connect tcp://93.184.216.34:443",
			`denied connect tcp 93.184.216.34:443: no lookup of "api.example.com" returned it`,
			`--allow-connect tcp://93.184.216.34:443`},
		{[]string{"allow connect tcp://*.example.com:443"}, "connect tcp://10.0.0.1:443",
			`denied connect tcp 10.0.0.1:443: "*.example.com" reaches public addresses only, 10.0.0.1 is private`,
			`--allow-connect tcp://10.0.0.1:443`},
		{[]string{"allow connect any", "deny connect private"}, "connect tcp://10.0.0.5:5432",
			`denied connect tcp 10.0.0.5:5432: "deny connect private" (net.toml:2:1) refuses it`,
			`take out "deny connect private" (net.toml:2:1), or make it narrower`},
		{[]string{"allow connect any", "^allow connect tcp://*:443"}, "connect tcp://10.0.0.5:443",
			`denied connect tcp 10.0.0.5:443: the ceiling: "*" covers public addresses only, 10.0.0.5 is private`,
			`let the ceiling allow connect tcp://10.0.0.5:443`},
		{[]string{"allow connect any", "^allow connect any", "^deny connect loopback"},
			"connect tcp://0.0.0.0:443",
			`denied connect tcp 127.0.0.1:443: the ceiling: "deny connect loopback" (net.toml:3:1) refuses it`,
			`take out "deny connect loopback" (net.toml:3:1), or make it narrower`},
		{nil, "connect tcp://10.0.0.5:0",
			`denied connect tcp 10.0.0.5:0: no rule allows connect`, ``},
		{[]string{"allow connect tcp://api.example.com:443"}, "connect tcp://api.example.com:80",
			`denied connect tcp api.example.com:80: "allow connect tcp://api.example.com:443" (net.toml:1:1) does not cover port 80`,
			`--allow-connect tcp://api.example.com:80`},
		{nil, "bind tcp://0.0.0.0:8080",
			`denied bind tcp 0.0.0.0:8080: no rule allows listen`,
			`--allow-listen tcp://0.0.0.0:8080`},
		{nil, "bind udp://[::]:0",
			`denied bind udp [::]:0: no rule allows listen, and none lets it connect by udp`,
			`if it is a client, a connect rule for where it goes by udp; if it is a server: --allow-listen "udp://[::]:0"`},
		{[]string{"allow listen *"}, "listen tcp://0.0.0.0:0",
			`denied listen tcp 0.0.0.0:0: "*" covers public addresses only, 0.0.0.0 is every address of this host`,
			`--allow-listen tcp://0.0.0.0:0`},
		{[]string{"allow listen tcp://127.0.0.1:8080"}, "bind tcp://127.0.0.1:0",
			`denied bind tcp 127.0.0.1:0: "allow listen tcp://127.0.0.1:8080" (net.toml:1:1) does not cover a port of the host's choice`,
			`--allow-listen tcp://127.0.0.1:0`},
		{[]string{"allow listen tcp://[::]:80 from 10.0.0.0/8"},
			"accept tcp://[::]:80 from ::ffff:192.0.2.1",
			`denied accept tcp [::]:80 from 192.0.2.1:0: "allow listen tcp://[::]:80 from 10.0.0.0/8" (net.toml:1:1) does not admit 192.0.2.1`,
			`--allow-listen "tcp://[::]:80 from 192.0.2.1"`},
		{[]string{"allow listen udp://127.0.0.1:53"}, "receive udp://127.0.0.2:53 from 10.0.0.1:99",
			`denied receive udp 127.0.0.2:53 from 10.0.0.1:99: no listen rule covers it`,
			`--allow-listen "udp://127.0.0.2:53 from 10.0.0.1"`},
		{[]string{"allow connect udp://8.8.8.8:53"}, "receive udp://0.0.0.0:0 from 8.8.4.4:53",
			`denied receive udp 0.0.0.0:0 from 8.8.4.4:53: the guest may not connect there: no connect rule covers it`,
			`--allow-connect udp://8.8.4.4:53`},
		{[]string{"allow join udp://224.0.0.1"}, "join udp://[ff02::fb%eth0]",
			`denied join udp ff02::fb: no join rule covers it`,
			`--allow-join udp://ff02::fb`},
		{[]string{"allow join any"}, "join udp://10.0.0.1",
			``, ``},
		{nil, "resolve API.Example.com.",
			`denied resolve api.example.com: no rule allows its lookup`,
			`--allow-resolve api.example.com`},
		{[]string{"allow resolve *.example.com"}, "resolve example.com",
			`denied resolve example.com: "*.example.com" covers the names under example.com, not itself`,
			`--allow-resolve example.com`},
		{[]string{"allow resolve *", "deny resolve *.internal"}, "resolve metadata.internal",
			`denied resolve metadata.internal: "deny resolve *.internal" (net.toml:2:1) refuses it`,
			`take out "deny resolve *.internal" (net.toml:2:1), or make it narrower`},
		{[]string{"allow resolve *"}, "resolve a..b",
			`denied resolve "a..b": it is not a valid name`, ``},
		{[]string{"allow resolve *"}, "resolve 10.0.0.1",
			`denied resolve "10.0.0.1": it is an address, not a name`, ``},
		{nil, "resolve 0x7f.1",
			`denied resolve 0x7f.1: no rule allows its lookup`, ``},
	} {
		r := explain(t, c.rules, c.request)
		if r == nil {
			if c.message != "" {
				t.Errorf("%s: got allowed by %q, want refused", c.request, c.rules)
			}
			continue
		}
		if r.Error() != c.message || r.Hint() != c.hint {
			t.Errorf("%s with %q: got\n\t%s\n\t%s\nwant\n\t%s\n\t%s", c.request, c.rules,
				r, r.Hint(), c.message, c.hint)
		}
		if !errors.Is(r, syscall.EACCES) || !errors.Is(r, fs.ErrPermission) {
			t.Errorf("got %v, want EACCES", r)
		}
	}
}

// TestOpenIsRefusedWithoutARuleToUseIt opens sockets of a protocol with which no rule lets the
// guest do anything. The hints of the refusals help.
func TestOpenIsRefusedWithoutARuleToUseIt(t *testing.T) {
	const hint = "if it is a client, --allow-connect tcp://ADDRESS:PORT for where it goes; " +
		"if it is a server, --allow-listen tcp://ADDRESS:PORT for where it listens"
	for _, c := range []struct {
		name          string
		rules         []string // with ^ of the ceiling
		message, hint string   // empty if it is allowed
	}{
		{"no rule", nil, "denied open tcp: no rule lets it connect or listen by tcp", hint},
		{"another protocol", []string{"allow connect udp://any"},
			"denied open tcp: no rule lets it connect or listen by tcp", hint},
		{"no allow rule", []string{"deny connect any"},
			"denied open tcp: no rule lets it connect or listen by tcp", hint},
		{"a rule to resolve", []string{"allow resolve *"},
			"denied open tcp: no rule lets it connect or listen by tcp", hint},
		{"ceiling", []string{"allow connect any", "^allow connect udp://any"},
			"denied open tcp: the ceiling: no rule lets it connect or listen by tcp",
			"let the ceiling allow connect or listen by tcp"},
		{"connect", []string{"allow connect tcp://10.0.0.5:80"}, "", ""},
		{"connect by name", []string{"allow connect api.example.com"}, "", ""},
		{"listen", []string{"allow listen tcp://127.0.0.1:80"}, "", ""},
		{"both protocols", []string{"allow listen 127.0.0.1:80"}, "", ""},
		{"as the hint says", []string{"allow connect tcp://127.0.0.1:80"}, "", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			p := policyOf(t, c.rules)
			q := Request{Op: OpOpen, Protocol: TCP}
			r := p.Explain(q, p.Decide(q, nil))
			switch {
			case r == nil && c.message != "":
				t.Errorf("got allowed, want refused")
			case r != nil && (r.Error() != c.message || r.Hint() != c.hint):
				t.Errorf("got\n\t%s\n\t%s\nwant\n\t%s\n\t%s", r, r.Hint(), c.message, c.hint)
			}
		})
	}
}

// TestRefusalQuotesNames checks that no control character of a guest's name reaches a terminal.
func TestRefusalQuotesNames(t *testing.T) {
	p := New(nil, Limits{})
	for _, name := range []string{"\x1b[2J", "a\nb", "a\x00b", "\u202egnp.exe",
		strings.Repeat("x", 1<<16), "\xff\xfe", ""} {
		q := Request{Op: OpResolve, Name: name}
		r := p.Explain(q, p.Decide(q, nil))
		text := r.Error() + r.Hint()
		if strings.ContainsFunc(text, func(c rune) bool { return c < ' ' || c > '~' }) ||
			len(text) > 1500 {
			t.Errorf("%.20q: got %.2000q, want it quoted and cut", name, text)
		}
	}
}

func TestIncompleteRequestsAreRefused(t *testing.T) {
	p := New(AllowNet(Origin{}), Limits{})
	ok := Request{Op: OpConnect, Protocol: TCP, Remote: mustAddrPort("10.0.0.1:80"),
		Local: mustAddrPort("10.0.0.1:80")}
	for _, change := range []func(*Request){
		func(r *Request) { r.Protocol = 0 },
		func(r *Request) { r.Protocol = bothProtocols },
		func(r *Request) { r.Protocol = 7 },
		func(r *Request) { r.Remote = none },
		func(r *Request) { r.Op = OpBind; r.Local = none },
		func(r *Request) { r.Op = OpListen; r.Local = none },
		func(r *Request) { r.Op = OpAccept; r.Local = none },
		func(r *Request) { r.Op = OpAccept; r.Remote = none },
		func(r *Request) { r.Op = OpReceive; r.Remote = none },
		func(r *Request) { r.Op = OpJoin; r.Remote = none },
		func(r *Request) { r.Op = OpResolve },
	} {
		r := ok
		change(&r)
		d := p.Decide(r, nil)
		if d.Allowed || p.Explain(r, d).Error() == "" {
			t.Errorf("%+v: got allowed, want refused", r)
		}
	}
	var nobody *Policy
	for _, p := range []*Policy{nobody, {}, All(nil), All(nil, p), All(nobody, nil)} {
		d := p.Decide(ok, nil)
		if d.Allowed || p.Explain(ok, d).Hint() != "--allow-connect tcp://10.0.0.1:80" {
			t.Errorf("%v: got allowed by a policy without rules, want refused", ok)
		}
	}
	if d := All(p, nil).Decide(ok, nil); !d.Allowed {
		t.Error("a nil ceiling: got refused, want ignored")
	}
}
