package policy

import (
	"fmt"
	"net/netip"
	"sync"
	"testing"
	"time"
)

var none netip.AddrPort

func mustAddrPort(s string) netip.AddrPort { return netip.MustParseAddrPort(s) }

func mustRules(t testing.TB, texts ...string) []Rule {
	t.Helper()
	var rules []Rule
	for _, text := range texts {
		r, err := ParseRule(text, Origin{})
		if err != nil {
			t.Fatal(err)
		}
		rules = append(rules, r)
	}
	return rules
}

// publicAddr returns the n-th of many public addresses.
func publicAddr(n int) netip.Addr {
	return netip.AddrFrom4([4]byte{20, byte(n >> 16), byte(n >> 8), byte(n)})
}

func connectTo(a netip.Addr, port uint16) Request {
	return Request{Op: OpConnect, Protocol: TCP, Remote: netip.AddrPortFrom(a, port)}
}

func TestDecisionNamesTheLookup(t *testing.T) {
	p := All(New(mustRules(t, "allow connect tcp://api.example.com:443"), Limits{}),
		New(AllowNet(Origin{}), Limits{}))
	pins := NewPins(time.Now)
	p.Answer(pins, "API.example.com", AnyFamily, []netip.Addr{publicAddr(1)})
	if d := p.Decide(connectTo(publicAddr(1), 443), pins); d.Name != "api.example.com" ||
		d.Rule.String() != "allow connect tcp://api.example.com:443" {
		t.Errorf("%+v", d)
	}
	above := All(New(AllowNet(Origin{}), Limits{}),
		New(mustRules(t, "allow connect tcp://api.example.com:443"), Limits{}))
	if d := above.Decide(connectTo(publicAddr(1), 443), pins); d.Name != "api.example.com" ||
		d.Rule.String() != "allow connect any" {
		t.Errorf("with the name in the ceiling: got %+v, want its name", d)
	}
	if d := New(AllowNet(Origin{}), Limits{}).Decide(connectTo(publicAddr(1), 443),
		pins); d.Name != "" {
		t.Errorf("an address that a rule grants: got %+v, want no name", d)
	}
}

func TestAnswerWithManyAddresses(t *testing.T) {
	p := New(mustRules(t, "allow connect tcp://api.example.com:443"), Limits{})
	pins := NewPins(time.Now)
	var addrs []netip.Addr
	for n := range 1000 {
		addrs = append(addrs, publicAddr(n))
	}
	kept, removed := p.Answer(pins, "api.example.com", AnyFamily, addrs)
	if len(kept) != maxAnswer || len(removed) != 1000-maxAnswer {
		t.Errorf("got %d kept and %d removed, want 256 kept", len(kept), len(removed))
	}
	for n, a := range addrs {
		if got := p.Decide(connectTo(a, 443), pins).Allowed; got != (n < maxAnswer) {
			t.Fatalf("address %d: got %v, want %v", n, got, n < maxAnswer)
		}
	}
}

func TestAnswerForInvalidName(t *testing.T) {
	p := New(mustRules(t, "allow connect tcp://api.example.com:443"), Limits{})
	if kept, removed := p.Answer(NewPins(time.Now), "a..b", AnyFamily,
		[]netip.Addr{publicAddr(1)}); kept != nil || len(removed) != 1 {
		t.Errorf("got %v kept and %v removed, want 1 removed", kept, removed)
	}
}

// TestPinsAreBounded looks up more names and addresses than pins may hold. The names with the
// oldest last lookup are forgotten.
func TestPinsAreBounded(t *testing.T) {
	now := time.Unix(1e9, 0)
	pins := NewPins(func() time.Time { return now })
	p := New(mustRules(t, "allow connect tcp://*.example.com:443"), Limits{})
	check := func() {
		t.Helper()
		total := 0
		for a, list := range pins.addrs {
			total += len(list)
			for _, pin := range list {
				if pins.names[pin.name] == nil {
					t.Fatalf("%v: got a pin for the forgotten %s, want none", a, pin.name)
				}
			}
		}
		byName := 0
		for _, n := range pins.names {
			byName += len(n.addrs)
		}
		if total != pins.pinCount || byName != total || total > maxPinned ||
			len(pins.names) > maxPinned {
			t.Fatalf("%d pins, %d by name, counted as %d, %d names", total, byName, pins.pinCount,
				len(pins.names))
		}
	}
	for n := range 3 * maxPinned { // many names with an address each
		p.Answer(pins, fmt.Sprintf("n%d.example.com", n), AnyFamily, []netip.Addr{publicAddr(n)})
	}
	check()
	if !p.Decide(connectTo(publicAddr(3*maxPinned-1), 443), pins).Allowed {
		t.Error("the last lookup: got refused, want allowed")
	}
	if p.Decide(connectTo(publicAddr(0), 443), pins).Allowed {
		t.Error("the first lookup: got allowed, want forgotten")
	}
	for n := range 3 * maxPinned { // many names with no address that counts
		p.Answer(pins, fmt.Sprintf("m%d.example.com", n), AnyFamily, nil)
	}
	check()
	for n := range 40 { // one name with ever other addresses
		var addrs []netip.Addr
		for i := range maxAnswer {
			addrs = append(addrs, publicAddr(n*maxAnswer+i))
		}
		p.Answer(pins, "one.example.com", AnyFamily, addrs)
		check()
	}
	if got := len(pins.names["one.example.com"].addrs); got != maxPerName {
		t.Errorf("got %d addresses for one name, want at most its limit", got)
	}
	for n := range 100 { // many names with many addresses, the same ones
		var addrs []netip.Addr
		for i := range maxAnswer {
			addrs = append(addrs, publicAddr(i))
		}
		p.Answer(pins, fmt.Sprintf("k%d.example.com", n), AnyFamily, addrs)
		check()
	}
	now = now.Add(time.Hour)
	p.Answer(pins, "one.example.com", AnyFamily,
		[]netip.Addr{publicAddr(1), publicAddr(1), publicAddr(1)})
	check()
}

func TestPinsConcurrentUse(t *testing.T) {
	p := New(mustRules(t, "allow connect tcp://*.example.com:443"), Limits{})
	pins := NewPins(time.Now)
	var wg sync.WaitGroup
	for g := range 8 {
		wg.Go(func() {
			name := fmt.Sprintf("n%d.example.com", g%4)
			for n := range 500 {
				a := publicAddr(g<<16 + n)
				p.Answer(pins, name, AnyFamily, []netip.Addr{a})
				if !p.Decide(connectTo(a, 443), pins).Allowed {
					t.Errorf("%v: got no pin, want one", a)
				}
			}
		})
	}
	wg.Wait()
}
