package wasi2

import (
	"context"
	"net"
	"net/netip"
	"strings"
	"sync"
	"testing"

	"github.com/wasport/wasport/internal/component/canon"
	"github.com/wasport/wasport/internal/system"
	"github.com/wasport/wasport/internal/testutil"
	"github.com/wasport/wasport/network"
	"github.com/wasport/wasport/network/guard"
	"github.com/wasport/wasport/network/kernel"
	"github.com/wasport/wasport/policy"
)

const (
	tcpMethod  = "sockets/tcp.[method]tcp-socket."
	udpMethod  = "sockets/udp.[method]udp-socket."
	receiving  = "sockets/udp.[method]incoming-datagram-stream."
	sending    = "sockets/udp.[method]outgoing-datagram-stream."
	createTCP  = "sockets/tcp-create-socket.create-tcp-socket"
	createUDP  = "sockets/udp-create-socket.create-udp-socket"
	resolveAll = "sockets/ip-name-lookup.resolve-addresses"
	resolving  = "sockets/ip-name-lookup.[method]resolve-address-stream."
)

// anyLoopback allows everything on loopback addresses.
var anyLoopback = []string{"allow connect loopback", "allow listen loopback",
	"allow listen 0.0.0.0:0 from loopback", "allow listen [::]:0 from loopback"}

// netCaller is a caller with a network under a policy, and with the handle of a network.
type netCaller struct {
	*caller
	network uint64

	mu       sync.Mutex
	refusals []*policy.Refusal
}

func newNetCaller(t testing.TB, rules ...string) *netCaller {
	t.Helper()
	return newNetCallerOn(t, kernel.New(kernel.Config{}), rules...)
}

func newNetCallerOn(t testing.TB, base network.Network, rules ...string) *netCaller {
	t.Helper()
	return newNetCallerWith(t, base, nil, rules...)
}

// newNetCallerWith does without some optimisations, or in place of nil without none in any build.
func newNetCallerWith(t testing.TB, base network.Network, without []string,
	rules ...string) *netCaller {
	t.Helper()
	c := &netCaller{}
	note := func(r *policy.Refusal) {
		c.mu.Lock()
		defer c.mu.Unlock()
		c.refusals = append(c.refusals, r)
	}
	n := guard.New(base, testutil.Policy(t, rules...),
		guard.Options{OnRefusal: note, OnDeniedPeer: note})
	c.caller = newCaller(t, system.Config{Network: n, Without: without})
	c.network = c.handle("sockets/instance-network.instance-network")
	return c
}

// refused compares the refusals since the last call.
func (c *netCaller) refused(want ...string) {
	c.Helper()
	c.mu.Lock()
	defer c.mu.Unlock()
	var got []string
	for _, r := range c.refusals {
		got = append(got, r.Error())
	}
	c.refusals = nil
	if strings.Join(got, "\n") != strings.Join(want, "\n") {
		c.Errorf("got refusals\n\t%s\nwant\n\t%s", strings.Join(got, "\n\t"),
			strings.Join(want, "\n\t"))
	}
}

// text puts a string into memory, and returns its place and length as arguments.
func (c *caller) text(s string) (ptr, n uint64) {
	list := c.flat([]any{s})
	return list[0], list[1]
}

// flat returns an address as the flat arguments of an ip-socket-address.
func flat(a netip.AddrPort) []uint64 {
	out := make([]uint64, 12)
	out[1] = uint64(a.Port())
	if a.Addr().Is4() {
		for i, b := range a.Addr().As4() {
			out[2+i] = uint64(b)
		}
		return out
	}
	out[0] = 1
	b := a.Addr().As16()
	for i := range 8 {
		out[3+i] = uint64(b[2*i])<<8 | uint64(b[2*i+1])
	}
	out[11] = uint64(scopeOf(a.Addr()))
	return out
}

// flatText is flat of an address in text.
func flatText(text string) []uint64 { return flat(netip.MustParseAddrPort(text)) }

// addressOf parses the result of a function that returns an address.
func (c *netCaller) addressOf(name string, handle uint64) netip.AddrPort {
	c.Helper()
	n := c.handles(name, handle)
	if strings.HasPrefix(c.call(name, handle), "ok(ipv4") {
		n = n[1:] // the 4 of ipv4
		addr := [4]byte{byte(n[1]), byte(n[2]), byte(n[3]), byte(n[4])}
		return netip.AddrPortFrom(netip.AddrFrom4(addr), uint16(n[0]))
	}
	n = n[1:]
	var addr [16]byte
	for i := range 8 {
		addr[2*i], addr[2*i+1] = byte(n[2+i]>>8), byte(n[2+i])
	}
	return netip.AddrPortFrom(netip.AddrFrom16(addr), uint16(n[0]))
}

// family is a family with the addresses of its tests.
type family struct {
	name      string
	number    uint64 // ip-address-family
	loopback  string // with port 0
	wildcard  string // with port 0
	multicast string
	other     string // of the other family
	network   network.Family
}

var families = []family{
	{"ipv4", 0, "127.0.0.1:0", "0.0.0.0:0", "224.0.0.251:5353", "[::1]:80", network.IPv4},
	{"ipv6", 1, "[::1]:0", "[::]:0", "[ff02::fb]:5353", "127.0.0.1:80", network.IPv6},
}

func eachFamily(t *testing.T, test func(t *testing.T, f family)) {
	for _, f := range families {
		t.Run(f.name, func(t *testing.T) { test(t, f) })
	}
}

// listener is a listener of the host on a loopback address.
func listener(t testing.TB, f family) (*net.TCPListener, netip.AddrPort) {
	t.Helper()
	l, err := net.Listen("tcp", f.loopback)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	return l.(*net.TCPListener), netip.MustParseAddrPort(l.Addr().String())
}

// closedPort returns an address at which nobody listens.
func closedPort(t testing.TB, f family) netip.AddrPort {
	t.Helper()
	return testutil.ClosedPort(t, netip.MustParseAddrPort(f.loopback).Addr().String())
}

// block waits for the pollable that a function returns, and drops it.
func (c *netCaller) block(subscribe string, handle uint64) {
	c.Helper()
	p := c.handle(subscribe, handle)
	c.wants(``, "io/poll.[method]pollable.block", p)
	if err := c.drop("io/poll.pollable", p); err != nil {
		c.Fatal(err)
	}
}

// isReady tells whether the pollable that a function returns is ready.
func (c *netCaller) isReady(subscribe string, handle uint64) string {
	c.Helper()
	p := c.handle(subscribe, handle)
	defer c.drop("io/poll.pollable", p)
	return c.call("io/poll.[method]pollable.ready", p)
}

// connect connects a new socket, and returns it with its streams.
func (c *netCaller) connect(f family, to netip.AddrPort) (s, in, out uint64) {
	c.Helper()
	s = c.handle(createTCP, f.number)
	c.wants(`ok`, tcpMethod+"start-connect", s, c.network, flat(to))
	c.block(tcpMethod+"subscribe", s)
	streams := c.handles(tcpMethod+"finish-connect", s)
	return s, streams[0], streams[1]
}

// bind binds a new socket.
func (c *netCaller) bind(create, method string, f family, local string) uint64 {
	c.Helper()
	s := c.handle(create, f.number)
	c.wants(`ok`, method+"start-bind", s, c.network, flatText(local))
	c.wants(`ok`, method+"finish-bind", s)
	return s
}

// listen makes a listener.
func (c *netCaller) listen(f family) (s uint64, at netip.AddrPort) {
	c.Helper()
	s = c.bind(createTCP, tcpMethod, f, f.loopback)
	c.wants(`ok`, tcpMethod+"start-listen", s)
	c.wants(`ok`, tcpMethod+"finish-listen", s)
	return s, c.addressOf(tcpMethod+"local-address", s)
}

// accept waits for a connection.
func (c *netCaller) accept(listener uint64) (s, in, out uint64) {
	c.Helper()
	c.block(tcpMethod+"subscribe", listener)
	list := c.handles(tcpMethod+"accept", listener)
	return list[0], list[1], list[2]
}

func dial(t testing.TB, a netip.AddrPort) *net.TCPConn {
	t.Helper()
	conn, err := (&net.Dialer{}).DialContext(context.Background(), "tcp", a.String())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	return conn.(*net.TCPConn)
}

// send writes text to a stream with the protocol of permits, and waits until it is written.
func (c *netCaller) send(out uint64, text string) {
	c.Helper()
	ptr, n := c.text(text)
	c.wants(`ok(65536)`, outStream+"check-write", out)
	c.wants(`ok`, outStream+"write", out, ptr, n)
	c.wants(`ok`, outStream+"blocking-flush", out)
}

// dropAll drops handles of "interface.resource".
func (c *netCaller) dropAll(resource string, handles ...uint64) {
	c.Helper()
	for _, h := range handles {
		if err := c.drop(resource, h); err != nil {
			c.Fatal(err)
		}
	}
}

// streamCode returns the error-code of the last-operation-failed that a function of a stream
// returns.
func (c *netCaller) streamCode(name string, args ...any) string {
	c.Helper()
	failed := c.handle0(name, args...)
	return c.call("sockets/network.network-error-code", failed)
}

// TestIPv6SocketsAreIPv6Only binds sockets of both families to one port of all addresses, and
// reaches the one of IPv6 by IPv6 alone.
func TestIPv6SocketsAreIPv6Only(t *testing.T) {
	c := newNetCaller(t, "allow connect any", "allow listen any")
	at := closedPort(t, families[0])
	four := netip.AddrPortFrom(netip.IPv4Unspecified(), at.Port()).String()
	six := netip.AddrPortFrom(netip.IPv6Unspecified(), at.Port()).String()
	l := c.bind(createTCP, tcpMethod, families[1], six)
	c.wants(`ok`, tcpMethod+"start-listen", l)
	c.wants(`ok`, tcpMethod+"finish-listen", l)
	dial(t, netip.AddrPortFrom(netip.IPv6Loopback(), at.Port()))
	s := c.handle(createTCP, 0)
	c.wants(`ok`, tcpMethod+"start-connect", s, c.network, flat(at))
	c.block(tcpMethod+"subscribe", s)
	c.wants(`err(connection-refused)`, tcpMethod+"finish-connect", s)
	c.bind(createTCP, tcpMethod, families[0], four)

	c.bind(createUDP, udpMethod, families[1], six)
	c.bind(createUDP, udpMethod, families[0], four)
}

// TestFormsOfAddresses converts addresses to each form and back. The scope-id is the zone, and
// flow-info is ignored and 0.
func TestFormsOfAddresses(t *testing.T) {
	for _, text := range []string{
		"127.0.0.1:80", "[2001:db8::1:2]:65535", "[fe80::1%3]:443", "[fe80::1%4294967295]:1",
	} {
		t.Run(text, func(t *testing.T) {
			a := netip.MustParseAddrPort(text)
			if got := addrPortOf(addrPortValue(a)); got != a {
				t.Errorf("got %v as a value, want %v", got, a)
			}
			b := make([]byte, addrPortSize)
			putAddrPort(b, a)
			if got, err := getAddrPort(b); err != nil || got != a {
				t.Errorf("got %v, %v from memory, want %v", got, err, a)
			}
			if a.Addr().Is4() {
				return
			}
			if flow := addrPortValue(a).Payload().Items()[1].Uint(); flow != 0 {
				t.Errorf("got flow-info %d, want 0", flow)
			}
			if flow := le.Uint32(b[8:]); flow != 0 {
				t.Errorf("got flow-info %d in memory, want 0", flow)
			}
			le.PutUint32(b[8:], 7)
			if got, err := getAddrPort(b); err != nil || got != a {
				t.Errorf("got %v, %v with flow-info, want %v", got, err, a)
			}
			items := addrPortValue(a).Payload().Items()
			items[1] = canon.Uint(7)
			if got := addrPortOf(canon.CaseOf(1, canon.Tuple(items...))); got != a {
				t.Errorf("got %v as a value with flow-info, want %v", got, a)
			}
		})
	}
}
