package policy

import (
	"net/netip"
	"testing"
	"time"
)

// TestOwnAddressIsNotImplied decides on a public address that is the host's own.
func TestOwnAddressIsNotImplied(t *testing.T) {
	const public = "93.184.216.34:443"
	for _, test := range []struct {
		rules   string
		address string
		own     bool
		want    bool
	}{
		{"connect *", public, false, true},
		{"connect *", public, true, false},
		{"connect public", public, true, false},
		{"connect name.test", public, false, true},
		{"connect name.test", public, true, false},
		{"connect any", public, true, true},
		{"connect 93.184.216.34", public, true, true},
		{"connect 93.0.0.0/8", public, true, true},
		{"connect 93.184.216.34:80", public, true, false},
		{"connect loopback", "127.0.0.1:443", true, true},
		{"connect private", "10.0.0.1:443", true, true},
	} {
		rule, err := ParseRule("allow "+test.rules, Origin{})
		if err != nil {
			t.Fatal(err)
		}
		p := New([]Rule{rule}, Limits{})
		pins := NewPins(time.Now)
		p.Answer(pins, "name.test", AnyFamily, []netip.Addr{netip.MustParseAddr("93.184.216.34")})
		at := netip.MustParseAddrPort(test.address)
		client := netip.MustParseAddrPort("0.0.0.0:40000")
		for _, r := range []Request{
			{Op: OpConnect, Protocol: TCP, Remote: at, Own: test.own},
			{Op: OpReceive, Protocol: UDP, Local: client, Ephemeral: true, Remote: at,
				Own: test.own},
		} {
			d := p.Decide(r, pins)
			if d.Allowed != test.want {
				t.Errorf("%s, %v, own %v: got %v, want %v", test.rules, r, test.own, d.Allowed,
					test.want)
			}
			if d.Allowed {
				continue
			}
			refusal := p.Explain(r, d)
			more := New(append(p.Rules(), refusal.Allow...), Limits{})
			if !more.Decide(r, pins).Allowed {
				t.Errorf("%s, %v: still refused with %s", test.rules, r, refusal.Hint())
			}
			t.Log(refusal)
		}
	}
	deny, err := ParseRule("deny connect *", Origin{})
	if err != nil {
		t.Fatal(err)
	}
	p := New(append(AllowNet(Origin{}), deny), Limits{})
	at := netip.MustParseAddrPort(public)
	if p.Decide(Request{Op: OpConnect, Protocol: TCP, Remote: at, Own: true}, nil).Allowed {
		t.Error("the host's own address: got allowed, want denied as a public address")
	}
}
