package wasi2

import (
	"fmt"
	"net/netip"
	"strings"
	"syscall"
	"testing"

	"github.com/wasport/wasport/internal/needs"
)

// TestUDPFunctionsInEachState calls every function in every state: unbound, bind-started, bound.
func TestUDPFunctionsInEachState(t *testing.T) {
	states := []func(c *netCaller, f family) uint64{
		func(c *netCaller, f family) uint64 { return c.handle(createUDP, f.number) },
		func(c *netCaller, f family) uint64 {
			s := c.handle(createUDP, f.number)
			c.wants(`ok`, udpMethod+"start-bind", s, c.network, flatText(f.loopback))
			return s
		},
		func(c *netCaller, f family) uint64 {
			return c.bind(createUDP, udpMethod, f, f.loopback)
		},
	}
	some := func(f family) []uint64 {
		return append([]uint64{1}, flatText(strings.TrimSuffix(f.loopback, "0")+"9")...)
	}
	number := func(n uint64) func(*netCaller, family) []uint64 {
		return func(*netCaller, family) []uint64 { return []uint64{n} }
	}
	for _, test := range []struct {
		function string
		args     func(c *netCaller, f family) []uint64
		want     string
	}{
		{"start-bind", func(c *netCaller, f family) []uint64 {
			return append([]uint64{c.network}, flatText(f.loopback)...)
		}, "ok conflict state"},
		{"start-bind", func(c *netCaller, f family) []uint64 {
			return append([]uint64{c.network}, flatText(f.other)...)
		}, "argument conflict state"},
		{"finish-bind", nil, "progress ok progress"},
		{"stream", func(c *netCaller, f family) []uint64 { return some(f) }, "state conflict ok"},
		{"stream", func(*netCaller, family) []uint64 { return make([]uint64, 13) },
			"state conflict ok"},
		{"stream", func(c *netCaller, f family) []uint64 {
			return append([]uint64{1}, flatText(f.other)...)
		}, "state conflict argument"},
		{"local-address", nil, "state state ok"},
		{"remote-address", nil, "state state state"},
		{"address-family", nil, "family family family"},
		{"unicast-hop-limit", nil, "ok ok ok"},
		{"set-unicast-hop-limit", number(9), "ok ok ok"},
		{"set-unicast-hop-limit", number(0), "argument argument argument"},
		{"receive-buffer-size", nil, "ok ok ok"},
		{"set-receive-buffer-size", number(9), "ok ok ok"},
		{"set-receive-buffer-size", number(0), "argument argument argument"},
		{"send-buffer-size", nil, "ok ok ok"},
		{"set-send-buffer-size", number(9), "ok ok ok"},
		{"set-send-buffer-size", number(0), "argument argument argument"},
	} {
		t.Run(test.function, func(t *testing.T) {
			eachFamily(t, func(t *testing.T, f family) {
				c := newNetCaller(t, anyLoopback...)
				for i, want := range strings.Fields(test.want) {
					s := states[i](c, f)
					var more []uint64
					if test.args != nil {
						more = test.args(c, f)
					}
					got := outcome(c.call(udpMethod+test.function, s, more))
					if want = resultOf(want, f); got != want {
						t.Errorf("state %d: got %s, want %s", i, got, want)
					}
					if ready := c.isReady(udpMethod+"subscribe", s); ready != "true" {
						t.Errorf("state %d: got ready %s, want true", i, ready)
					}
				}
			})
		})
	}
}

// udpPair returns two bound sockets with their streams and addresses, the second without a peer.
type udpEnd struct {
	socket, in, out uint64
	at              netip.AddrPort
}

func (c *netCaller) udpEnd(f family, local string) udpEnd {
	c.Helper()
	s := c.bind(createUDP, udpMethod, f, local)
	streams := c.handles(udpMethod+"stream", s, make([]uint64, 13))
	return udpEnd{s, streams[0], streams[1], c.addressOf(udpMethod+"local-address", s)}
}

// associate calls stream with a peer, and returns the new streams.
func (c *netCaller) associate(e udpEnd, peer netip.AddrPort) udpEnd {
	c.Helper()
	streams := c.handles(udpMethod+"stream", e.socket, 1, flat(peer))
	return udpEnd{e.socket, streams[0], streams[1], e.at}
}

// datagrams puts a list of outgoing-datagrams into memory: text, and an address or the invalid one.
func (c *netCaller) datagrams(list ...any) (ptr, n uint64) {
	at := c.alloc(outgoingAlign, uint32(outgoingSize*len(list)/2))
	for i := 0; i < len(list); i += 2 {
		record := c.memory[int(at)+i/2*outgoingSize:][:outgoingSize]
		clear(record)
		text, size := c.text(list[i].(string))
		le.PutUint32(record, uint32(text))
		le.PutUint32(record[4:], uint32(size))
		if to := list[i+1].(netip.AddrPort); to.IsValid() {
			record[outgoingOption] = 1
			putAddrPort(record[outgoingAddress:], to)
		}
	}
	return uint64(at), uint64(len(list) / 2)
}

// sends sends datagrams after check-send, and compares the result.
func (c *netCaller) sends(want string, e udpEnd, list ...any) {
	c.Helper()
	c.wants(`ok(16)`, sending+"check-send", e.out)
	ptr, n := c.datagrams(list...)
	c.wants(want, sending+"send", e.out, ptr, n)
}

// received formats datagrams as receive returns them.
func received(list ...any) string {
	var parts []string
	for i := 0; i < len(list); i += 2 {
		parts = append(parts, fmt.Sprintf("(%q, %s)", list[i], shown(list[i+1].(netip.AddrPort))))
	}
	return "ok([" + strings.Join(parts, ", ") + "])"
}

// shown formats an address as an ip-socket-address is shown.
func shown(a netip.AddrPort) string {
	if a.Addr().Is4() {
		b := a.Addr().As4()
		return fmt.Sprintf("ipv4((%d, (%d, %d, %d, %d)))", a.Port(), b[0], b[1], b[2], b[3])
	}
	var groups []string
	for _, n := range flat(a)[3:11] {
		groups = append(groups, fmt.Sprint(n))
	}
	return fmt.Sprintf("ipv6((%d, 0, (%s), 0))", a.Port(), strings.Join(groups, ", "))
}

var noPeer netip.AddrPort

// TestUDPDatagrams sends datagrams with addresses, and receives them with those of their senders.
func TestUDPDatagrams(t *testing.T) {
	eachFamily(t, func(t *testing.T, f family) {
		c := newNetCaller(t, anyLoopback...)
		a, b := c.udpEnd(f, f.loopback), c.udpEnd(f, f.loopback)
		c.wants(`ok([])`, receiving+"receive", b.in, 16)
		c.wants(`false`, "io/poll.[method]pollable.ready", c.handle(receiving+"subscribe", b.in))
		c.sends(`ok(3)`, a, "one", b.at, "", b.at, "three", b.at)
		c.block(receiving+"subscribe", b.in)
		c.wants(`ok([])`, receiving+"receive", b.in, 0)
		c.wants(received("one", a.at, "", a.at), receiving+"receive", b.in, 2)
		c.wants(received("three", a.at), receiving+"receive", b.in, uint64(1<<40))
		c.wants(`ok([])`, receiving+"receive", b.in, 1)

		// 16 at most, and no more after 64 KiB.
		for range 2 {
			c.sends(`ok(16)`, a, repeated("x", b.at, 16)...)
		}
		c.block(receiving+"subscribe", b.in)
		for range 2 {
			c.wants(received(repeated("x", a.at, 16)...), receiving+"receive", b.in, 100)
		}
		c.wants(`ok`, udpMethod+"set-receive-buffer-size", b.socket, 1<<20)
		c.sends(`ok(4)`, a, repeated(strings.Repeat("y", 30_000), b.at, 4)...)
		c.wants(received(repeated(strings.Repeat("y", 30_000), a.at, 3)...),
			receiving+"receive", b.in, 16)
	})
}

// repeated returns a datagram and an address n times.
func repeated(text string, a netip.AddrPort, n int) (list []any) {
	for range n {
		list = append(list, text, a)
	}
	return list
}

// TestUDPSendProtocol sends more than is permitted, nothing, and datagrams of which one fails.
func TestUDPSendProtocol(t *testing.T) {
	eachFamily(t, func(t *testing.T, f family) {
		c := newNetCaller(t, anyLoopback...)
		a, b := c.udpEnd(f, f.loopback), c.udpEnd(f, f.loopback)
		const permits = "wasi:sockets/udp.[method]outgoing-datagram-stream.send: " +
			"the stream permits %d datagrams, and %d are sent"

		ptr, n := c.datagrams(repeated("x", b.at, 17)...)
		c.wants(`ok(0)`, sending+"send", a.out, ptr, 0)
		c.traps(fmt.Sprintf(permits, 0, 1), sending+"send", a.out, ptr, 1)
		c.wants(`ok(16)`, sending+"check-send", a.out)
		c.traps(fmt.Sprintf(permits, 16, 17), sending+"send", a.out, ptr, n)
		c.wants(`ok(0)`, sending+"send", a.out, ptr, 0) // it uses no permit up
		c.wants(`ok(1)`, sending+"send", a.out, ptr, 1)
		c.traps(fmt.Sprintf(permits, 0, 1), sending+"send", a.out, ptr, 1)

		c.sends(`ok(1)`, a, "first", b.at, "second", noPeer, "third", b.at)
		c.sends(`err(invalid-argument)`, a, "second", noPeer, "third", b.at)
		c.sends(`err(datagram-too-large)`, a, strings.Repeat("z", 65_508+20), b.at)
	})
}

// TestUDPArguments sends to and associates with addresses that nobody can have.
func TestUDPArguments(t *testing.T) {
	for _, test := range []struct {
		family  int
		address string
	}{
		{0, "[::1]:9"}, {0, "0.0.0.0:9"}, {0, "127.0.0.1:0"},
		{1, "127.0.0.1:9"}, {1, "[::ffff:127.0.0.1]:9"}, {1, "[::]:9"}, {1, "[::1]:0"},
	} {
		t.Run(test.address, func(t *testing.T) {
			c := newNetCaller(t, "allow connect any", "allow listen any")
			f := families[test.family]
			e := c.udpEnd(f, f.loopback)
			to := netip.MustParseAddrPort(test.address)
			c.sends(`err(invalid-argument)`, e, "x", to)
			c.wants(`err(invalid-argument)`, udpMethod+"stream", e.socket, 1, flat(to))
			if !to.Addr().IsUnspecified() && to.Port() != 0 {
				s := c.handle(createUDP, f.number)
				c.wants(`err(invalid-argument)`, udpMethod+"start-bind",
					s, c.network, flat(to))
			}
			c.refused()
			c.sends(`ok(1)`, e, "x", e.at) // the streams live on
		})
	}
}

// TestUDPAssociation has datagrams queued before an association, and sends to its peer and to
// another.
func TestUDPAssociation(t *testing.T) {
	eachFamily(t, func(t *testing.T, f family) {
		c := newNetCaller(t, anyLoopback...)
		e, peer, other := c.udpEnd(f, f.loopback), c.udpEnd(f, f.loopback),
			c.udpEnd(f, f.loopback)
		c.sends(`ok(1)`, other, "before", e.at)
		c.sends(`ok(1)`, peer, "also before", e.at)
		old := e
		c.incoming.items[0].err = syscall.ECONNREFUSED // as if it had come after datagrams
		e = c.associate(e, peer.at)
		c.wants(`ok(`+shown(peer.at)+`)`, udpMethod+"remote-address", e.socket)
		c.sends(`ok(1)`, other, "after", e.at)
		c.sends(`ok(1)`, peer, "also after", e.at)
		c.wants(received("also before", peer.at, "also after", peer.at),
			receiving+"receive", e.in, 16)

		c.sends(`ok(2)`, e, "none", noPeer, "exactly", peer.at)
		c.block(receiving+"subscribe", peer.in)
		c.wants(received("none", e.at, "exactly", e.at), receiving+"receive", peer.in, 16)
		c.sends(`err(invalid-argument)`, e, "to another", other.at)

		// The streams of the earlier call are dead.
		c.wants(`ok([])`, receiving+"receive", old.in, 16)
		c.wants(`err(invalid-state)`, sending+"check-send", old.out)
		ptr, n := c.datagrams("x", peer.at)
		c.wants(`err(invalid-state)`, sending+"send", old.out, ptr, n)
		c.wants(`ok(0)`, sending+"send", old.out, ptr, 0)
		c.wants(`true`, "io/poll.[method]pollable.ready", c.handle(receiving+"subscribe", old.in))
		c.wants(`true`, "io/poll.[method]pollable.ready", c.handle(sending+"subscribe", old.out))
	})
}

// TestUDPAssociatesAgain associates a socket seven times, with peers and with none, by an address
// of each kind. It keeps its local address.
func TestUDPAssociatesAgain(t *testing.T) {
	eachFamily(t, func(t *testing.T, f family) {
		for name, local := range map[string]string{
			"loopback": f.loopback, "wildcard": f.wildcard, "port": closedPort(t, f).String(),
		} {
			t.Run(name, func(t *testing.T) {
				c := newNetCaller(t, append(anyLoopback, "allow listen udp://"+local)...)
				e := c.udpEnd(f, local)
				peers := []udpEnd{c.udpEnd(f, f.loopback), c.udpEnd(f, f.loopback)}
				for i := range 7 {
					peer := peers[i%2]
					e = c.associate(e, peer.at)
					c.sends(`ok(1)`, e, "to", noPeer)
					c.block(receiving+"subscribe", peer.in)
					reached := netip.AddrPortFrom(peer.at.Addr(), e.at.Port())
					c.wants(received("to", reached), receiving+"receive", peer.in, 16)
					c.sends(`ok(1)`, peer, "from", reached)
					c.block(receiving+"subscribe", e.in)
					c.wants(received("from", peer.at), receiving+"receive", e.in, 16)
					if i%3 != 0 {
						continue
					}
					streams := c.handles(udpMethod+"stream", e.socket, make([]uint64, 13))
					e.in, e.out = streams[0], streams[1]
					c.wants(`err(invalid-state)`, udpMethod+"remote-address", e.socket)
					if got := c.addressOf(udpMethod+"local-address", e.socket); got != e.at {
						t.Errorf("got the local address %v, want %v as before", got, e.at)
					}
					c.sends(`ok(1)`, peers[1-i%2], "from any", reached)
					c.block(receiving+"subscribe", e.in)
					c.wants(received("from any", peers[1-i%2].at), receiving+"receive", e.in, 1)
				}
			})
		}
	})
}

// TestUDPClosedPort sends to a port at which nobody receives. The error comes from receive.
func TestUDPClosedPort(t *testing.T) {
	needs.NotWine(t)
	eachFamily(t, func(t *testing.T, f family) {
		c := newNetCaller(t, anyLoopback...)
		e, gone := c.udpEnd(f, f.loopback), c.udpEnd(f, f.loopback)
		c.dropAll("sockets/udp.incoming-datagram-stream", gone.in)
		c.dropAll("sockets/udp.outgoing-datagram-stream", gone.out)
		c.dropAll("sockets/udp.udp-socket", gone.socket)
		e = c.associate(e, gone.at)
		c.sends(`ok(1)`, e, "x", noPeer)
		c.block(receiving+"subscribe", e.in)
		c.wants(`err(connection-refused)`, receiving+"receive", e.in, 16)
		c.wants(`ok([])`, receiving+"receive", e.in, 16)
	})
}

// TestUDPTraps passes what the canonical ABI forbids to the functions that read memory themselves.
// Nothing is sent.
func TestUDPTraps(t *testing.T) {
	c := newNetCaller(t, anyLoopback...)
	f := families[0]
	a, b := c.udpEnd(f, f.loopback), c.udpEnd(f, f.loopback)
	for _, test := range []struct {
		name  string
		spoil func(record []byte, ptr, n *uint64)
	}{
		{"list beyond memory", func(_ []byte, ptr, _ *uint64) { *ptr = memorySize - 4 }},
		{"list not aligned", func(_ []byte, ptr, _ *uint64) { *ptr++ }},
		{"list too long", func(_ []byte, _, n *uint64) { *n = 1 << 30 }},
		{"data beyond memory", func(r []byte, _, _ *uint64) { le.PutUint32(r, memorySize) }},
		{"data too long", func(r []byte, _, _ *uint64) { le.PutUint32(r[4:], 1<<31) }},
		{"option", func(r []byte, _, _ *uint64) { r[outgoingOption] = 2 }},
		{"address", func(r []byte, _, _ *uint64) { r[outgoingAddress] = 2 }},
	} {
		t.Run(test.name, func(t *testing.T) {
			c.wants(`ok(16)`, sending+"check-send", a.out)
			ptr, n := c.datagrams("first", b.at, "second", b.at)
			test.spoil(c.memory[ptr+outgoingSize:][:outgoingSize], &ptr, &n)
			if got, err := c.try(sending+"send", a.out, ptr, n); err == nil {
				t.Errorf("got %s, want a trap", got)
			}
			c.wants(`ok([])`, receiving+"receive", b.in, 16)
		})
	}
}
