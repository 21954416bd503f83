package policy

import (
	"fmt"
	"net/netip"
	"testing"
	"time"
)

// manyRules returns n rules for hosts and ranges in many sizes, with some denies and names among
// them, and at the end one for 93.184.216.34:443.
func manyRules(t testing.TB, n int) []Rule {
	var texts []string
	for i := range n - 1 {
		switch i % 5 {
		case 0:
			texts = append(texts,
				fmt.Sprintf("allow connect tcp://20.%d.%d.7:443", i>>8&255, i&255))
		case 1:
			texts = append(texts,
				fmt.Sprintf("allow connect tcp://30.%d.%d.0/24:1-1023", i>>8&255, i&255))
		case 2:
			texts = append(texts, fmt.Sprintf("allow connect udp://[2600:%x::/32]:53", i))
		case 3:
			texts = append(texts, fmt.Sprintf("deny connect 40.%d.%d.128/25", i>>8&255, i&255))
		default:
			texts = append(texts, fmt.Sprintf("allow connect tcp://host%d.example.com:443", i))
		}
	}
	return mustRules(t, append(texts, "allow connect tcp://93.184.216.34:443")...)
}

var sink Decision

func BenchmarkDecide(b *testing.B) {
	for _, n := range []int{1, 100, 1000} {
		p := New(manyRules(b, n), Limits{})
		for name, to := range map[string]string{"allowed": "93.184.216.34:443",
			"denied": "93.184.216.35:443"} {
			b.Run(fmt.Sprintf("%s/%d", name, n), func(b *testing.B) {
				r := Request{Op: OpConnect, Protocol: TCP, Remote: netip.MustParseAddrPort(to)}
				b.ReportAllocs()
				for b.Loop() {
					sink = p.Decide(r, nil)
				}
			})
		}
	}
}

func BenchmarkDecideOnePortOfMany(b *testing.B) {
	var texts []string
	for i := range 1000 {
		texts = append(texts, fmt.Sprintf("allow connect tcp://10.0.0.1:%d", 1+2*i))
	}
	p := New(mustRules(b, texts...), Limits{})
	r := Request{Op: OpConnect, Protocol: TCP, Remote: netip.MustParseAddrPort("10.0.0.1:1001")}
	b.ReportAllocs()
	for b.Loop() {
		sink = p.Decide(r, nil)
	}
}

func BenchmarkDecideOnePeerOfMany(b *testing.B) {
	var texts []string
	for i := range 1000 {
		texts = append(texts, fmt.Sprintf("allow listen udp://0.0.0.0:53 from 10.%d.%d.0/24", i>>8,
			i&255))
	}
	p := New(mustRules(b, texts...), Limits{})
	r := Request{Op: OpReceive, Protocol: UDP, Local: netip.MustParseAddrPort("0.0.0.0:53"),
		Remote: netip.MustParseAddrPort("10.1.7.9:4000")}
	b.ReportAllocs()
	for b.Loop() {
		sink = p.Decide(r, nil)
	}
}

func BenchmarkDecidePinned(b *testing.B) {
	p := New(manyRules(b, 1000), Limits{})
	pins := NewPins(time.Now)
	p.Answer(pins, "host4.example.com", AnyFamily, []netip.Addr{publicAddr(1)})
	r := connectTo(publicAddr(1), 443)
	b.ReportAllocs()
	for b.Loop() {
		sink = p.Decide(r, pins)
	}
}

func BenchmarkDecideUnderCeiling(b *testing.B) {
	p := All(New(manyRules(b, 1000), Limits{}),
		New(mustRules(b, "allow connect *", "deny connect metadata"), Limits{}))
	r := Request{Op: OpConnect, Protocol: TCP, Remote: netip.MustParseAddrPort("93.184.216.34:443")}
	b.ReportAllocs()
	for b.Loop() {
		sink = p.Decide(r, nil)
	}
}

func BenchmarkNew(b *testing.B) {
	rules := manyRules(b, 1000)
	for b.Loop() {
		New(rules, Limits{})
	}
}

func TestDecisionsAllocateNothing(t *testing.T) {
	rules := append(manyRules(t, 1000),
		mustRules(t, "allow listen udp://0.0.0.0:53 from private", "allow listen tcp://0.0.0.0:80",
			"allow connect tcp://*:80",
			"allow join multicast", "allow resolve *.example.org", "deny resolve *.internal",
			"deny listen tcp://127.0.0.1:81", "deny connect metadata")...)
	p := All(New(rules, Limits{}), New(AllowNet(Origin{}), Limits{}))
	pins := NewPins(time.Now)
	p.Answer(pins, "host4.example.com", AnyFamily, []netip.Addr{publicAddr(1)})
	for _, text := range []string{
		"connect tcp://93.184.216.34:443", "connect tcp://[::ffff:93.184.216.34]:443",
		"connect tcp://20.0.0.1:443", "connect tcp://8.8.8.8:80",
		"connect tcp://[64:ff9b::808:808]:80", "connect tcp://10.0.0.1:80",
		"connect tcp://169.254.169.254:80", "connect udp://[2600:2::1]:53",
		"connect tcp://host4.example.com:443", "bind udp://0.0.0.0:53", "bind udp://0.0.0.0:0",
		"listen tcp://0.0.0.0:80", "accept tcp://0.0.0.0:80 from 10.0.0.1",
		"receive udp://0.0.0.0:53 from 10.0.0.1:99", "receive udp://0.0.0.0:0 from 10.0.0.1:99",
		"join udp://224.0.0.251", "resolve a.example.org",
		"resolve host4.example.com", "resolve metadata.internal",
	} {
		r, err := ParseRequest(text)
		if err != nil {
			t.Fatal(err)
		}
		if n := testing.AllocsPerRun(100, func() { sink = p.Decide(r, pins) }); n != 0 {
			t.Errorf("%s: got %v allocations, want 0", text, n)
		}
	}
}
