package main

import (
	"fmt"
	"net/netip"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/spf13/pflag"

	"github.com/wasport/wasport"
	"github.com/wasport/wasport/policy"
)

func TestParseDuration(t *testing.T) {
	for text, want := range map[string]time.Duration{
		"1": time.Millisecond, "1500": 1500 * time.Millisecond, "500ms": 500 * time.Millisecond,
		"1m30s": 90 * time.Second,
		"0":     0, "0s": 0, "-1": 0, "-3s": 0, "": 0, "abc": 0, "5 s": 0, "10y": 0,
		"99999999999": 0,
	} {
		got, err := parseDuration(text)
		if got != want || (err == nil) != (want > 0) {
			t.Errorf("%q: got %v, %v, want %v", text, got, err, want)
		}
	}
}

func TestParseDir(t *testing.T) {
	for text, want := range map[string]wasport.Dir{
		".":                     {Host: "."},
		"data:ro":               {Host: "data", ReadOnly: true},
		"data::/d":              {Host: "data", Guest: "/d"},
		"data:quota=1GiB":       {Host: "data", Quota: 1 << 30},
		"data::/d:quota=5kB:rw": {Host: "data", Guest: "/d", Quota: 5000},
		"data::/d:ro":           {Host: "data", Guest: "/d", ReadOnly: true},
		`C:\data::/d:ro`:        {Host: `C:\data`, Guest: "/d", ReadOnly: true},
		"data:rw":               {Host: "data"},
		"data::/d:rw":           {Host: "data", Guest: "/d"},
		"aa:b::/d:rw":           {Host: "aa:b", Guest: "/d"},
		"":                      {},
		"::/d":                  {},
		"data::":                {},
		":ro":                   {},
		"data:quota=":           {},
		"data:quota=1G":         {},
		"data::/d:quota":        {},
		"data:":                 {},
		"data:/d":               {},
		"data:/d:ro":            {},
		"data:rx":               {},
		"data:ro:rw":            {},
		"data:rw:ro":            {},
		"data::/d:rx":           {},
		"data::/d:":             {},
	} {
		got, err := parseDir(text)
		if got != want || (err == nil) != (want != wasport.Dir{}) {
			t.Errorf("%q: got %+v, %v, want %+v", text, got, err, want)
		}
	}
}

func TestParseListen(t *testing.T) {
	for text, want := range map[string]listenAddr{
		"tcp://127.0.0.1:8080": {"tcp", "127.0.0.1:8080"},
		"tcp://:0":             {},
		"tcp://[::]:0":         {"tcp", "[::]:0"},
		"udp://[::1]:53":       {"udp", "[::1]:53"},
		"tcp://localhost:80":   {"tcp", "localhost:80"},
		"127.0.0.1:8080":       {},
		"http://127.0.0.1:80":  {},
		"tcp://127.0.0.1":      {},
		"tcp://::1:80":         {},
		"tcp://127.0.0.1:http": {},
		"tcp://127.0.0.1:":     {},
		"tcp://":               {},
		"":                     {},
	} {
		got, err := parseListen(text)
		if got != want || (err == nil) != (want != listenAddr{}) {
			t.Errorf("%q: got %v, %v, want %v", text, got, err, want)
		}
	}
}

func TestParseServer(t *testing.T) {
	for text, want := range map[string]string{
		"127.0.0.1:5353": "127.0.0.1:5353", "127.0.0.1": "127.0.0.1:53", "::1": "[::1]:53",
		"[::1]:5353":  "[::1]:5353",
		"dns.test:53": "dns.test:53", "dns.test": "", "": "", ":53": "", "127.0.0.1:dns": "",
		"127.0.0.1:99999": "",
		"[::1]":           "[::1]:53",
		"1.1.1.1:0":       "", "1.1.1.1:00": "", "[2620:fe::fe]:0": "", "dns.test:0": "",
		"1.1.1.1:1": "1.1.1.1:1",
	} {
		got, err := parseServer(text)
		if got != want || (err == nil) != (want != "") {
			t.Errorf("%q: got %q, %v, want %q", text, got, err, want)
		}
	}
}

// TestAmbiguousIPv6AddressIsRefused gives each flag with an address an IPv6 address that lacks
// brackets and may end in a port. The error has both spellings, and the flag takes each of them.
func TestAmbiguousIPv6AddressIsRefused(t *testing.T) {
	type parser func(string) error
	listen := func(s string) error { _, err := parseListen("tcp://" + s); return err }
	server := func(s string) error { _, err := parseServer(s); return err }
	hosts := func(s string) error { _, _, err := parseHost("db.test=" + s); return err }
	metrics := func(s string) error { return checkHostPort(s, "") }
	for _, test := range []struct {
		flag   string
		parse  parser
		text   string
		errors []string // parts of the error
		right  []string // unambiguous spellings
	}{
		{"--listen", listen, "::1:8080", []string{"[::1]:8080", "[::1:8080]"},
			[]string{"[::1]:8080", "[::1:8080]:1"}},
		{"--listen", listen, "2001:db8::1:443", []string{"[2001:db8::1]:443", "[2001:db8::1:443]"},
			nil},
		{"--listen", listen, ":::80", []string{"[::]:80"}, []string{"[::]:80"}},
		{"--resolver", server, "::1:53", []string{"[::1]:53", "[::1:53]"},
			[]string{"[::1]:53", "[::1:53]:53", "[::1:53]", "::1"}},
		{"--resolver", server, "fe80::1%eth0:53",
			[]string{"[fe80::1%eth0]:53", "[fe80::1%eth0:53]"}, []string{"[fe80::1%eth0]:53"}},
		{"--resolver", server, "::53", []string{"[::]:53", "[::53]"},
			[]string{"[::]:53", "[::53]:53"}},
		{"--metrics", metrics, "::1:9090", []string{"[::1]:9090", "[::1:9090]"},
			[]string{"[::1]:9090", "[::1:9090]:1"}},
		{"--hosts", hosts, "::1:8080", []string{"write ::1 ", "[::1:8080]"},
			[]string{"::1", "[::1:8080]"}},
		{"--hosts", hosts, "127.0.0.1,2001:db8::1:25",
			[]string{"write 2001:db8::1 ", "[2001:db8::1:25]"},
			[]string{"127.0.0.1,[2001:db8::1:25]"}},
	} {
		t.Run(test.flag+" "+test.text, func(t *testing.T) {
			err := test.parse(test.text)
			for _, want := range test.errors {
				if err == nil || !strings.Contains(err.Error(), want) {
					t.Errorf("got error %v, want one with %q", err, want)
				}
			}
			for _, right := range test.right {
				if err := test.parse(right); err != nil {
					t.Errorf("%s: got error %v, want none", right, err)
				}
			}
		})
	}
}

// TestSuggestedFlagGrantsNoMore checks that the flag which is suggested for an unknown one grants
// only the permission in its name, and never everything.
func TestSuggestedFlagGrantsNoMore(t *testing.T) {
	var f runFlags
	all := pflag.NewFlagSet("run", pflag.ContinueOnError)
	for _, g := range f.groups() {
		all.AddFlagSet(g.FlagSet)
	}
	for got, want := range map[string]string{
		"allow-all": "--allow-connect", "allow-dns": "--allow-resolve", "allow-read": ":ro",
		"allow-write": "--dir", "allow-env": "--env",
		"allow-conect": "--allow-connect?", "alow-listen": "--allow-listen?",
		"deny-resolv": "--deny-resolve?", "allow-jion": "--allow-join?",
		"allow-nets": "", "allow-netw": "", "alow-net": "", "allow-run": "", "allow-ffi": "",
		"allow-sys": "", "allow-import": "",
		"deny-read": "", "deny-net": "", "allow": "", "A": "", "net": "",
	} {
		text := suggestFlag(got, flagNames(all))
		if strings.Contains(text, "--allow-net") || !strings.Contains(text, want) || want == "" &&
			strings.Contains(text, "allow-") {
			t.Errorf("--%s: got %q, want %q and never --allow-net", got, text, want)
		}
	}
}

// TestFilteredAnswersAreReportedOnce answers lookups of one name with changing addresses. A report
// has a hint for all addresses so far, and the total size of reports is bounded.
func TestFilteredAnswersAreReportedOnce(t *testing.T) {
	rules, err := policy.ParseTargets(policy.Allow, policy.ActionConnect, "tcp://db.test:5432",
		policy.Origin{})
	if err != nil {
		t.Fatal(err)
	}
	p := policy.New(rules, policy.Limits{})
	var out strings.Builder
	r := &reports{out: &out}
	answer := func(name string, addrs ...string) string {
		out.Reset()
		var list []netip.Addr
		for _, a := range addrs {
			list = append(list, netip.MustParseAddr(a))
		}
		r.filtered(p.ExplainAnswer(name, list))
		return out.String()
	}
	const both = `--allow-connect "tcp://10.0.0.1:5432 tcp://10.0.0.2:5432"` + "\n"
	if got := answer("db.test", "10.0.0.1", "10.0.0.2"); !strings.HasSuffix(got, both) {
		t.Errorf("got %q, want a hint for both", got)
	}
	for _, again := range [][]string{{"10.0.0.2", "10.0.0.1"}, {"10.0.0.1"},
		{"10.0.0.2", "10.0.0.2"}} {
		if got := answer("DB.test.", again...); got != "" {
			t.Errorf("%v: got %q again, want nothing new", again, got)
		}
	}
	if got := answer("db.test", "10.0.0.3"); !strings.Contains(got, "left 10.0.0.3 out") ||
		!strings.Contains(got,
			`"tcp://10.0.0.1:5432 tcp://10.0.0.2:5432 tcp://10.0.0.3:5432"`) {
		t.Errorf("got %q, want the new address and a hint for all", got)
	}
	if got := answer("db.test", "10.0.0.1", "10.0.0.2", "10.0.0.4", "10.0.0.5",
		"10.0.0.6"); !strings.Contains(got, "10.0.0.6:5432") {
		t.Errorf("got %q, want a hint for more than four", got)
	}
	if got := answer("other.test", "8.8.8.8"); strings.Contains(got, "to leave it in") {
		t.Errorf("got %q, want no hint where none helps", got)
	}
	var all strings.Builder
	for i := range 2 * maxReports {
		all.WriteString(answer("db.test", fmt.Sprintf("10.1.%d.%d", i>>8, i&255)))
	}
	out.Reset()
	for i := range 2 * maxReports {
		r.print(fmt.Sprint("text ", i), "", "")
	}
	all.WriteString(out.String())
	if all.Len() > maxReportBytes+1000 ||
		strings.Count(all.String(), "--audit FILE records all of it") != 1 {
		t.Errorf("got %d bytes with %d notes of the end, want at most %d bytes and one note",
			all.Len(),
			strings.Count(all.String(), "--audit FILE records all of it"), maxReportBytes)
	}
}

func TestDidYouMean(t *testing.T) {
	names := []string{"allow-connect", "allow-listen", "deny-connect", "dir", "env", "trace",
		"timeout"}
	for got, want := range map[string]string{
		"allow-conect": "allow-connect", "alow-listen": "allow-listen", "tiemout": "timeout",
		"Trace": "trace", "dirs": "dir",
		"frobnicate": "", "x": "", "": "",
	} {
		if want != "" {
			want = "; did you mean --" + want + "?"
		}
		if s := didYouMean("--", got, names); s != want {
			t.Errorf("%q: got %q, want %q", got, s, want)
		}
	}
}

// TestParseDirHintsAreAccepted parses the spellings that the errors of parseDir suggest.
func TestParseDirHintsAreAccepted(t *testing.T) {
	for text, want := range map[string][]wasport.Dir{
		"aa:/b":    {{Host: "aa", Guest: "/b"}, {Host: "aa:/b", Guest: "NAME"}},
		"/x/y:z":   {{Host: "/x/y", Guest: "z"}, {Host: "/x/y:z", Guest: "NAME"}},
		"aa:b:c":   {{Host: "aa", Guest: "b"}, {Host: "aa:b:c", Guest: "NAME"}},
		"aa::b:rx": nil,
	} {
		_, err := parseDir(text)
		if err == nil {
			t.Errorf("%q: got no error, want one", text)
			continue
		}
		words := regexp.MustCompile(`\S+::\S+`).FindAllString(err.Error(), -1)
		if len(words) != len(want) {
			t.Errorf("%q: got %q, want %d hints", text, err, len(want))
			continue
		}
		for i, w := range words {
			if got, _ := parseDir(w); got != want[i] {
				t.Errorf("%q: the hint %q is %+v, want %+v", text, w, got, want[i])
			}
		}
	}
}
