package policy

import (
	"errors"
	"strings"
	"testing"
)

// TestAmbiguousIPv6IsRefused refuses an IPv6 address without brackets and with an end that can be a
// port, in rules and requests. Both spellings of the error are accepted and differ in meaning.
func TestAmbiguousIPv6IsRefused(t *testing.T) {
	for _, c := range []struct{ rule, withPort, alone string }{
		{"allow connect ::1:8080", "[::1]:8080", "[::1:8080]"},
		{"allow connect tcp://::1:8080", "[::1]:8080", "[::1:8080]"},
		{"deny connect tcp://2001:db8::1:25", "[2001:db8::1]:25", "[2001:db8::1:25]"},
		{"deny connect 2001:db8::1:0443", "[2001:db8::1]:0443", "[2001:db8::1:0443]"},
		{"allow listen udp://fd00::5:5353", "[fd00::5]:5353", "[fd00::5:5353]"},
		{"allow listen ::8080", "[::]:8080", "[::8080]"},
		{"allow listen tcp://[::]:80 from 2001:db8::1:443", "[2001:db8::1]:443",
			"[2001:db8::1:443]"},
		{"allow join ff02::fb:5353", "[ff02::fb]:5353", "[ff02::fb:5353]"},
		{"allow connect 2001:db8::1:80,443", "[2001:db8::1]:80,443", ""},
		{"allow connect 2001:db8::1:1-1023", "[2001:db8::1]:1-1023", ""},
		{"allow connect 2001:db8::/32:443", "[2001:db8::/32]:443", ""},
		{"allow connect ::ffff:10.0.0.5:80", "[::ffff:10.0.0.5]:80", ""},
		{"allow connect 1:2:3:4:5:6:7:8:80", "[1:2:3:4:5:6:7:8]:80", ""},
		{"allow listen :::80", "[::]:80", ""},
	} {
		t.Run(c.rule, func(t *testing.T) {
			_, err := ParseRule(c.rule, Origin{})
			var e *Error
			if !errors.As(err, &e) || !strings.Contains(e.Hint, c.withPort) ||
				!strings.Contains(e.Hint, c.alone) {
				t.Fatalf("got error %v, want one with %q and %q", err, c.withPort, c.alone)
			}
			before := c.rule[:strings.LastIndexAny(c.rule, " /")+1]
			if i := strings.Index(c.rule, "://"); i > 0 && !strings.Contains(c.rule, "from") {
				before = c.rule[:i+3]
			}
			if c.alone == "" {
				return
			}
			alone, err := ParseRule(before+c.alone, Origin{})
			if err != nil {
				t.Fatalf("%s: got error %v, want none", c.alone, err)
			}
			if back, err := ParseRule(alone.String(), Origin{}); err != nil ||
				back.String() != alone.String() {
				t.Errorf("%v: got %v, %v when read back, want the same", alone, back, err)
			}
			port, err := ParseRule(before+c.withPort, Origin{})
			// which have no ports
			if strings.Contains(c.rule, "join") || strings.Contains(c.rule, "from") {
				return
			}
			if err != nil || port.String() == alone.String() {
				t.Errorf("%s: got %v, %v, want another rule than %v", c.withPort, port, err, alone)
			}
		})
	}
	for _, request := range []string{
		"connect tcp://::1:8080", "join ff02::fb:5353", "accept tcp://[::]:80 from 2001:db8::1:443",
		"listen tcp://::1:80",
	} {
		if r, err := ParseRequest(request); err == nil || !strings.Contains(err.Error(), "]:") {
			t.Errorf("%s: got %v, %v, want an error with brackets", request, r, err)
		}
	}
}

// Addresses that have one reading need no brackets.
func TestUnambiguousIPv6NeedsNoBrackets(t *testing.T) {
	for _, host := range []string{
		"::1", "::", "::/0", "2001:db8::1", "2001:db8::/32", "fe80::a:b", "1:2:3:4:5:6:7:8",
		"::ffff", "ff02::fb", "2001:db8::1:0/112", "2001:db8::80",
	} {
		if withPort, alone := Readings(host); withPort != "" || alone != "" {
			t.Errorf("%s: got readings %q and %q, want none", host, withPort, alone)
		}
	}
}

// TestUnlikelyNamesAreRefused refuses words of the language and near misses of groups as names.
// With a final dot they are names that read back.
func TestUnlikelyNamesAreRefused(t *testing.T) {
	for _, c := range []struct {
		action       Action
		text, answer string
	}{
		{ActionConnect, "deny connect loopback", "deny."},
		{ActionConnect, "connect", "connect."},
		{ActionConnect, "tcp://allow:443", "allow."},
		{ActionConnect, "Deny", "deny."},
		{ActionConnect, "10.0.0.5:80 listen", "listen."},
		{ActionConnect, "tcp 10.0.0.5:80", "tcp."},
		{ActionConnect, "from 10.0.0.5", "from."},
		{ActionResolve, "deny resolve example.com", "deny."},
		{ActionConnect, "lopback", "loopback"},
		{ActionConnect, "privat", "private"},
		{ActionConnect, "tcp://priavte:80", "private"},
		{ActionConnect, "linklocal", "link-local"},
		{ActionConnect, "link_local:80", "link-local"},
		{ActionConnect, "metdata", "metadata"},
		{ActionConnect, "Loopback", "loopback"},
		{ActionConnect, "loopback", ""},
		{ActionConnect, "pubic:443", "public"},
		{ActionConnect, "anyy", "any"},
		{ActionListen, "lopback", "loopback"},
		{ActionListen, "loopback from privat", "private"},
		{ActionJoin, "multcast", "multicast"},
		{ActionConnect, "x any", "x."},
		{ActionConnect, "every host", "every."},
		{ActionConnect, "10.0.0.5 any", "stands beside"},
		{ActionConnect, "unix:/a b:80", "part of the path unix:/a"},
		{ActionConnect, "unix:/a loopback", "part of the path unix:/a"},
		{ActionConnect, "b:80 unix:/a unix:/b tcp://c:80", ""},
		{ActionConnect, "unix:* loopback", ""},
		{ActionConnect, "loopback private", ""},
		{ActionConnect, "db:5432 cache:6379", ""},
		{ActionConnect, "db", ""},
		{ActionConnect, "db. any.", ""},
		{ActionConnect, "loopback.", ""},
		{ActionConnect, "privat.:80", ""},
		{ActionConnect, "deny.", ""},
		{ActionResolve, "privat", ""},
		{ActionResolve, "connect.", ""},
		{ActionListen, "any from loopback tcp://127.0.0.1:80", ""},
	} {
		t.Run(c.action.String()+" "+c.text, func(t *testing.T) {
			rules, err := ParseTargets(Allow, c.action, c.text, Origin{})
			if c.answer == "" {
				if err != nil {
					t.Fatalf("got error %v, want none", err)
				}
				for _, r := range rules {
					back, err := ParseRule(r.String(), Origin{})
					if err != nil || back.String() != r.String() || back.host != r.host {
						t.Errorf("%v: got %v, %v when read back, want the same", r, back, err)
					}
				}
			} else if err == nil || !strings.Contains(err.Error(), c.answer) {
				t.Errorf("got %v, %v, want an error with %q", rules, err, c.answer)
			}
		})
	}
	for _, effect := range []string{"allow", "deny"} { // a policy file asks as well
		for _, rule := range []string{"connect lopback", "connect deny", "listen privat"} {
			if _, err := ParseRule(effect+" "+rule, Origin{}); err == nil {
				t.Errorf("%s %s: got no error, want one", effect, rule)
			}
		}
	}
}

// TestAmbiguousFromIsRefused has several targets in one value, and "from" behind some of them.
func TestAmbiguousFromIsRefused(t *testing.T) {
	for text, mend := range map[string]string{
		"tcp://0.0.0.0:80 from 10.0.0.1 10.0.0.2": `write "TARGET from 10.0.0.2" for another peer`,
		"tcp://0.0.0.0:80 from loopback private":  `write "TARGET from private" for another peer`,
		"[::]:80 from 10.0.0.0/8 ff00::/9 127.0.0.1": "or ff00::/9 in a value of its own for " +
			"another target",
		"[::]:80 from 10.0.0.1 tcp://[::]:81":        "",
		"0.0.0.0:80 [::]:80 from 10.0.0.0/8":         `write "from" behind each`,
		"0.0.0.0:80 from loopback 1.1.1.1:80 from *": "",
		"0.0.0.0:80 [::]:80":                         "",
		"0.0.0.0:80 from 10.0.0.1":                   "",
	} {
		for _, effect := range []Effect{Allow, Deny} {
			_, err := ParseTargets(effect, ActionListen, text, Origin{})
			var e *Error
			switch refused := errors.As(err, &e); {
			case mend == "" && err != nil:
				t.Errorf("%s: got %v, want it taken", text, err)
			case mend != "" && (!refused || !strings.Contains(e.Hint, mend)):
				t.Errorf("%s: got %v, want an error that says %s", text, err, mend)
			}
		}
	}
}
