package policy

import (
	"encoding/binary"
	"math/rand/v2"
	"net/netip"
	"strings"
	"testing"
	"time"
)

// FuzzParseRule prints each accepted rule and parses it back.
func FuzzParseRule(f *testing.F) {
	for _, s := range []string{
		"allow connect tcp://api.example.com:443", "deny connect private",
		"allow listen udp://[::1]:1-9,80 from 10.0.0.0/8",
		"allow join ff02::fb", "allow resolve *.Bücher.example.",
		"allow connect [2001:db8::/32]:80", "allow connect ::ffff:1.2.3.4", "allow connect *a",
		"allow connect unix:/run/app.sock", "deny listen unix:/run/app/*", "deny connect unix:*",
		"allow listen unix:/a/../b", "allow connect unix:///run",
	} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		r, err := ParseRule(text, Origin{})
		if err != nil {
			return
		}
		back, err := ParseRule(r.String(), Origin{})
		if err != nil || back.String() != r.String() {
			t.Fatalf("%q is %q: got %q, %v when read back, want the same", text, &r, &back, err)
		}
		targets, err := ParseTargets(r.Effect(), r.Action(), r.Target(), Origin{})
		if err != nil || len(targets) != 1 || targets[0].String() != r.String() {
			t.Fatalf("the target of %q: got %q, %v, want the same rule", &r, targets, err)
		}
		if q, err := Parse("", New([]Rule{r}, Limits{}).TOML()); err != nil || len(q.Rules()) != 1 {
			t.Fatalf("%q in a file: got %v, want one rule", &r, err)
		}
	})
}

// FuzzParse prints each accepted file and parses it back. Formatting a file changes only spelling.
func FuzzParse(f *testing.F) {
	f.Add("# c\nallow = ['connect tcp://a:1', \"resolve *\"]\ndeny = [\"connect " +
		"private\"]\n[limits]\nsockets = 3\nsend_bytes_per_second = '1MiB'\n")
	f.Add("limits = { sockets = 0x3 }\nallow = ['''listen any from loopback''']")
	f.Add("limits.recv_bytes_per_second = 9\n[[a]]\n[b.c]\n")
	f.Fuzz(func(t *testing.T, text string) {
		p, err := Parse("f.toml", []byte(text))
		if err != nil {
			return
		}
		again, err := Parse("f.toml", p.TOML())
		if err != nil || string(again.TOML()) != string(p.TOML()) || again.Limits() != p.Limits() {
			t.Fatalf("%q prints as %q: got %v, want the same policy", text, p.TOML(), err)
		}
		out, err := Format("f.toml", []byte(text))
		if err != nil {
			t.Fatal(err)
		}
		formatted, err := Parse("f.toml", out)
		if err != nil || string(formatted.TOML()) != string(p.TOML()) {
			t.Fatalf("%q is formatted as %q: got %v, want the same policy", text, out, err)
		}
	})
}

// FuzzDecide decides requests of any bytes under any policy as scanRules does.
func FuzzDecide(f *testing.F) {
	f.Add(uint64(1), uint8(OpConnect), uint8(TCP), []byte("\x0a\x00\x00\x05"),
		[]byte("\x7f\x00\x00\x01"), uint16(80), uint16(0), false, "")
	f.Add(uint64(2), uint8(OpResolve), uint8(0), []byte(nil), []byte(nil), uint16(0), uint16(0),
		false, "API.example.com.")
	f.Add(uint64(4), uint8(OpConnect), uint8(Unix), []byte(nil), []byte(nil), uint16(0), uint16(0),
		false, "/run/app.sock")
	f.Add(uint64(3), uint8(OpReceive), uint8(UDP), make([]byte, 16), make([]byte, 16), uint16(53),
		uint16(53), true, "")
	f.Fuzz(func(t *testing.T, seed uint64, op, proto uint8, local, remote []byte, lport,
		rport uint16, ephemeral bool, name string) {
		random := rand.New(rand.NewPCG(seed, 1))
		rules := randomRules(random, 12)
		p := New(rules, Limits{})
		a, _ := netip.AddrFromSlice(local)
		b, _ := netip.AddrFromSlice(remote)
		q := Request{
			Op: Op(int(op) % len(opNames)), Protocol: Protocol(proto), Name: name,
			Ephemeral: ephemeral, Path: name,
			Local: netip.AddrPortFrom(a, lport), Remote: netip.AddrPortFrom(b, rport),
		}
		d := p.Decide(q, nil)
		if want := scanRules(rules, q); d.Allowed != want {
			t.Fatalf("%v is %v by the index and %v by reading%s", q, d.Allowed, want,
				spelled(rules))
		}
		if refusal := p.Explain(q, d); !d.Allowed {
			if text := refusal.Error() + refusal.Hint(); strings.ContainsFunc(text,
				func(c rune) bool { return c < ' ' || c > '~' }) {
				t.Fatalf("%v: got refused with %q, want allowed", q, text)
			}
		}
		// A special address never comes through a name.
		pins := NewPins(time.Now)
		kept, _ := p.Answer(pins, name, AnyFamily, []netip.Addr{a, b})
		for _, k := range kept {
			through := p.Decide(Request{Op: OpConnect, Protocol: TCP,
				Remote: netip.AddrPortFrom(k, rport)}, pins)
			if through.Allowed && through.Name != "" && nonPublic(connectDestination(k)) {
				t.Fatalf("%v: got reached through %s, want refused", k, through.Name)
			}
		}
	})
}

// FuzzCanonicalName checks that a canonical name stays as it is.
func FuzzCanonicalName(f *testing.F) {
	for _, s := range []string{"Example.COM.", "xn--bcher-kva.example", "ｅｘ。com", "0x7f.1",
		"١٢٧.٠.٠.١", "a\u200db", "..", strings.Repeat("a.", 127)} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		name, err := CanonicalName(s)
		if err != nil {
			return
		}
		if again, err := CanonicalName(name); err != nil || again != name {
			t.Fatalf("%q is %q: got %q, %v, want the canonical name unchanged", s, name, again, err)
		}
		if _, err := netip.ParseAddr(name); err == nil || !wellFormed(name) {
			t.Fatalf("%q is %q", s, name)
		}
	})
}

// FuzzClass compares classes with the properties of addresses in package net/netip.
func FuzzClass(f *testing.F) {
	f.Add(uint64(0), uint64(0x7f000001))
	f.Fuzz(func(t *testing.T, hi, lo uint64) {
		var b [16]byte
		binary.BigEndian.PutUint64(b[:8], hi)
		binary.BigEndian.PutUint64(b[8:], lo)
		for _, a := range []netip.Addr{netip.AddrFrom16(b), netip.AddrFrom4([4]byte(b[12:]))} {
			a = normalizeAddr(a)
			is := a.IsLoopback() || a.IsPrivate() || a.IsLinkLocalUnicast() || a.IsMulticast() ||
				a.IsUnspecified()
			if is && !nonPublic(a) {
				t.Fatalf("%v: got public, want another class", a)
			}
		}
	})
}
