package guard_test

import (
	"context"
	"fmt"
	"net/netip"
	"testing"

	"github.com/wasport/wasport/internal/testutil"
	"github.com/wasport/wasport/network"
	"github.com/wasport/wasport/network/guard"
	"github.com/wasport/wasport/network/kernel"
	"github.com/wasport/wasport/policy"
)

// manyRules returns n rules that no request of a benchmark matches, and the given ones.
func manyRules(b *testing.B, n int, text ...string) *policy.Policy {
	for i := range n {
		text = append(text, fmt.Sprintf("allow connect udp://10.%d.%d.0/24:%d", i>>8, i&255, 1+i))
	}
	return testutil.Policy(b, text...)
}

// BenchmarkSendTo measures sendto(2) of 64 bytes to a socket that is never read, without a guard
// and with one.
func BenchmarkSendTo(b *testing.B) {
	base := kernel.New(kernel.Config{})
	_, to := udpSocket(b, "127.0.0.1:0")
	_, other := udpSocket(b, "127.0.0.1:0")
	buf := [][]byte{make([]byte, 64)}
	run := func(name string, n network.Network, to ...netip.AddrPort) {
		s := open(b, n, network.IPv4, network.Datagram)
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			i := 0
			for b.Loop() {
				if _, err := s.Send(buf, to[i]); err != nil {
					b.Fatal(err)
				}
				if i++; i == len(to) {
					i = 0
				}
			}
		})
	}
	for _, round := range []string{"first", "second", "third"} {
		run(round+"/kernel", base, to)
		run(round+"/1 rule", guard.New(base, manyRules(b, 0, "allow connect udp://127.0.0.1"),
			guard.Options{}), to)
		run(round+"/1000 rules",
			guard.New(base, manyRules(b, 1000, "allow connect udp://127.0.0.1"),
				guard.Options{}), to)
	}
	run("two addresses in turn/kernel", base, to, other)
	run("two addresses in turn/1000 rules",
		guard.New(base, manyRules(b, 1000, "allow connect udp://127.0.0.1"),
			guard.Options{}), to, other)
}

// discardNet is a Network that drops each datagram and resolves each name to one address.
type discardNet struct{ network.Network }

type discardSocket struct{ network.Socket }

func (n discardNet) Open(f network.Family, t network.Type) (network.Socket, error) {
	s, err := n.Network.Open(f, t)
	return discardSocket{s}, err
}

func (discardNet) LookupAddrs(context.Context, network.Family, string) ([]netip.Addr, error) {
	return []netip.Addr{netip.MustParseAddr("93.184.216.34")}, nil
}

func (discardSocket) Send([][]byte, netip.AddrPort) (int, error) { return 0, nil }

// BenchmarkAuthorizeSend measures the part of a send that the guard adds.
func BenchmarkAuthorizeSend(b *testing.B) {
	base := discardNet{kernel.New(kernel.Config{})}
	n := guard.New(base, manyRules(b, 1000, "allow connect udp://name.test:53",
		"allow connect udp://127.0.0.0/8"), guard.Options{})
	if _, err := n.LookupAddrs(b.Context(), network.AnyFamily, "name.test"); err != nil {
		b.Fatal(err)
	}
	for _, bench := range []struct {
		name string
		to   []netip.AddrPort
	}{
		{"same address", []netip.AddrPort{at("127.0.0.1:53")}},
		{"two addresses in turn", []netip.AddrPort{at("127.0.0.1:53"), at("127.0.0.2:53")}},
		{"by name", []netip.AddrPort{at("93.184.216.34:53")}},
	} {
		s := open(b, n, network.IPv4, network.Datagram)
		b.Run(bench.name, func(b *testing.B) {
			b.ReportAllocs()
			i := 0
			for b.Loop() {
				if _, err := s.Send(nil, bench.to[i]); err != nil {
					b.Fatal(err)
				}
				if i++; i == len(bench.to) {
					i = 0
				}
			}
		})
	}
}
