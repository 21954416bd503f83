//go:build linux && !portable

package guard_test

import (
	"net/netip"
	"testing"

	"github.com/wasport/wasport/internal/sendbehind"
	"github.com/wasport/wasport/internal/testutil"
	"github.com/wasport/wasport/network"
	"github.com/wasport/wasport/policy"
)

// TestHeldDatagramsAreJudged holds datagrams to destinations that a rule allows, or allows no more.
// Only one on which Send has had a verdict is held.
func TestHeldDatagramsAreJudged(t *testing.T) {
	n := guarded(t, "allow connect udp://127.0.0.1")
	s := open(t, n, network.IPv4, network.Datagram)
	hold := func(to netip.AddrPort, want bool) {
		t.Helper()
		got := s.(sendbehind.Socket).Hold([][]byte{[]byte("data")}, to)
		if (got != sendbehind.Refused) != want {
			t.Errorf("%v: got %v, want it held: %v", to, got, want)
		}
		must(t, s.(sendbehind.Socket).Flush())
	}
	peer, to := udpSocket(t, "127.0.0.1:0")
	hold(to, false)
	_, err := s.Send([][]byte{[]byte("data")}, to)
	must(t, err)
	expectDatagram(t, peer, "data")
	hold(to, true)
	expectDatagram(t, peer, "data")
	hold(netip.AddrPortFrom(netip.MustParseAddr("127.0.0.2"), to.Port()), false)
	hold(netip.AddrPort{}, false)

	before := n.Counters()
	n.SetPolicy(testutil.Policy(t, "allow connect udp://127.0.0.2"))
	hold(to, false)
	if got := n.Counters(); got.Denied != before.Denied || got.SentBytes != before.SentBytes {
		t.Errorf("got %v denied and %d bytes sent after a refused Hold, want %v and %d", got.Denied,
			got.SentBytes, before.Denied, before.SentBytes)
	}
	expectNothing(t, peer)
}

// TestHeldSendsAreCounted holds sends of both types, without and within a limit of bytes.
func TestHeldSendsAreCounted(t *testing.T) {
	for _, typ := range []network.Type{network.Stream, network.Datagram} {
		t.Run(typ.String(), func(t *testing.T) {
			n := guarded(t, "allow connect loopback", "allow listen loopback")
			s := open(t, n, network.IPv4, typ)
			if typ == network.Stream {
				s, _ = streams(t, n)
			} else {
				_, to := udpSocket(t, "127.0.0.1:0")
				must(t, s.Connect(to))
				_, err := s.Send([][]byte{[]byte("first")}, nobody)
				must(t, err)
			}
			before := n.Counters().SentBytes
			bufs := [][]byte{[]byte("he"), []byte("ld")}
			for range 10 {
				if got := s.(sendbehind.Socket).Hold(bufs, nobody); got == sendbehind.Refused {
					t.Fatal("got Refused, want the send held")
				}
			}
			if got := n.Counters().SentBytes - before; got != 40 {
				t.Errorf("got %d bytes counted while they are held, want 40", got)
			}
			n.SetPolicy(policy.New(testutil.Policy(t, "allow connect loopback").Rules(),
				policy.Limits{SendBytesPerSecond: 1000}))
			must(t, s.(sendbehind.Socket).Flush())
			if got := s.(sendbehind.Socket).Hold(bufs, nobody); got != sendbehind.Refused {
				t.Errorf("got %v under a limit of bytes, want Refused", got)
			}
			if got := n.Counters().SentBytes - before; got != 40 {
				t.Errorf("got %d bytes counted after the flush, want 40", got)
			}
		})
	}
}
