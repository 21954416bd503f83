package wasi2

import (
	"net"
	"net/netip"
	"slices"
	"strings"
	"syscall"
	"testing"

	"github.com/wasport/wasport/internal/dnstest"
	"github.com/wasport/wasport/network/kernel"
)

// door is a call that asks the policy. Its function makes the call and returns the result, and the
// refusal is what an operator reads.
type door struct {
	name            string
	rules           []string // they allow what comes before the call
	call            func(c *netCaller) string
	denied, refusal string
	hint            string
	allowed         string
	follow          []string // the rules that a hint in words asks for
}

func doors(t *testing.T, f family, at, peer netip.AddrPort) []door {
	local := flat(at)
	// An address of nobody, as a rule and in front of a port, and the own one as a peer.
	stranger, beforePort, own := "127.0.0.9", "127.0.0.9", "127.0.0.1"
	if f.number == 1 {
		stranger, beforePort, own = "2001:db8::9", "[2001:db8::9]", "::1"
	}
	elsewhere := beforePort + ":9"
	// A shell takes brackets for a pattern.
	inShell := func(rule string) string {
		if strings.Contains(rule, "[") {
			return `"` + rule + `"`
		}
		return rule
	}
	start := func(c *netCaller, create, method string, local []uint64) (uint64, string) {
		s := c.handle(create, f.number)
		return s, c.call(method+"start-bind", s, c.network, local)
	}
	return []door{
		{
			name:    "create",
			call:    func(c *netCaller) string { return outcome(c.call(createTCP, f.number)) },
			denied:  "err(access-denied)",
			refusal: "denied open tcp: no rule lets it connect or listen by tcp",
			hint: "if it is a client, --allow-connect tcp://ADDRESS:PORT for where it goes; " +
				"if it is a server, --allow-listen tcp://ADDRESS:PORT for where it listens",
			allowed: "ok",
			follow:  []string{"allow connect tcp://" + elsewhere},
		},
		{
			name: "bind", rules: []string{"allow connect tcp://" + elsewhere},
			call: func(c *netCaller) string {
				_, result := start(c, createTCP, tcpMethod, local)
				return result
			},
			denied:  "err(access-denied)",
			refusal: "denied bind tcp " + at.String() + ": no rule allows listen",
			hint:    "--allow-listen " + inShell("tcp://"+at.String()), allowed: "ok",
		},
		{
			name: "listen", rules: []string{"allow connect tcp://" + elsewhere},
			call: func(c *netCaller) string {
				s := c.bind(createTCP, tcpMethod, f, f.wildcard) // as a client may
				return c.call(tcpMethod+"start-listen", s)
			},
			denied:  "err(access-denied)",
			refusal: "denied listen tcp " + f.wildcard + ": no rule allows listen",
			hint:    "--allow-listen " + inShell("tcp://"+f.wildcard), allowed: "ok",
		},
		{
			name:  "accept",
			rules: []string{"allow listen tcp://" + f.loopback + " from " + stranger},
			call: func(c *netCaller) string {
				l, at := c.listen(f)
				dial(t, at)
				c.block(tcpMethod+"subscribe", l)
				return outcome(c.call(tcpMethod+"accept", l))
			},
			denied: "err(would-block)",
			refusal: "denied accept tcp " + f.loopback + ` from PEER: "allow listen tcp://` +
				f.loopback + " from " + stranger + `" (test) does not admit ` + own,
			hint:    `--allow-listen "tcp://` + f.loopback + " from " + own + `"`,
			allowed: "ok",
		},
		{
			name: "connect", rules: []string{"allow connect tcp://" + elsewhere},
			call: func(c *netCaller) string {
				s := c.handle(createTCP, f.number)
				return c.call(tcpMethod+"start-connect", s, c.network, flat(at))
			},
			denied:  "err(access-denied)",
			refusal: "denied connect tcp " + at.String() + ": no connect rule covers it",
			hint:    "--allow-connect " + inShell("tcp://"+at.String()), allowed: "ok",
		},
		{
			name: "send", rules: []string{"allow connect udp://" + elsewhere},
			call: func(c *netCaller) string {
				e := c.udpEnd(f, f.wildcard)
				c.wants(`ok(16)`, sending+"check-send", e.out)
				ptr, n := c.datagrams("x", peer)
				return c.call(sending+"send", e.out, ptr, n)
			},
			denied:  "err(access-denied)",
			refusal: "denied connect udp " + peer.String() + ": no connect rule covers it",
			hint:    "--allow-connect " + inShell("udp://"+peer.String()), allowed: "ok(1)",
		},
		{
			name: "receive", rules: []string{"allow listen udp://" + at.String() +
				" from " + stranger},
			call: func(c *netCaller) string {
				e := c.udpEnd(f, at.String())
				sendFrom(t, e.at)
				c.block(receiving+"subscribe", e.in)
				return strings.Split(c.call(receiving+"receive", e.in, 1), ",")[0]
			},
			denied: "ok([])",
			refusal: "denied receive udp " + at.String() + ` from PEER: "allow listen udp://` +
				at.String() + " from " + stranger + `" (test) does not admit ` + own,
			hint:    `--allow-listen "udp://` + at.String() + " from " + own + `"`,
			allowed: `ok([("hello"`,
		},
		{
			name: "associate", rules: []string{"allow connect udp://" + elsewhere},
			call: func(c *netCaller) string {
				s := c.bind(createUDP, udpMethod, f, f.wildcard)
				return outcome(c.call(udpMethod+"stream", s, 1, flat(peer)))
			},
			denied:  "err(access-denied)",
			refusal: "denied connect udp " + peer.String() + ": no connect rule covers it",
			hint:    "--allow-connect " + inShell("udp://"+peer.String()), allowed: "ok",
		},
		{
			name:    "resolve",
			call:    func(c *netCaller) string { return outcome(c.resolve("name.test")) },
			denied:  "err(permanent-resolver-failure)",
			refusal: "denied resolve name.test: no rule allows its lookup",
			hint:    "--allow-resolve name.test", allowed: "ok",
		},
	}
}

// sendFrom sends a datagram from a socket of the host.
func sendFrom(t *testing.T, to netip.AddrPort) {
	t.Helper()
	conn, err := net.Dial("udp", to.String())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	if _, err := conn.Write([]byte("hello")); err != nil {
		t.Fatal(err)
	}
}

// TestPolicyAtEachDoor makes each call that the policy judges, without a rule for it and then with
// the rule of the refusal's hint.
func TestPolicyAtEachDoor(t *testing.T) {
	eachFamily(t, func(t *testing.T, f family) {
		for _, d := range doors(t, f, closedPort(t, f), closedPort(t, f)) {
			t.Run(d.name, func(t *testing.T) { d.check(t) })
		}
	})
}

func (d *door) check(t *testing.T) {
	t.Helper()
	c := newNetCaller(t, d.rules...)
	if got := d.call(c); got != d.denied {
		t.Errorf("got %s, want %s", got, d.denied)
	}
	if len(c.refusals) != 1 {
		t.Fatalf("got %d refusals, want one", len(c.refusals))
	}
	r := c.refusals[0]
	got := r.Error()
	if strings.Contains(d.refusal, "PEER") {
		got = strings.ReplaceAll(got, r.Request.Remote.String(), "PEER")
	}
	if got != d.refusal || r.Hint() != d.hint {
		t.Errorf("got\n\t%s\n\t%s\nwant\n\t%s\n\t%s", got, r.Hint(), d.refusal, d.hint)
	}
	rules := slices.Concat(d.rules, d.follow)
	for _, rule := range r.Allow {
		rules = append(rules, rule.String())
	}
	c.Thread.Guest.Close() // it may have the port
	c = newNetCaller(t, rules...)
	if got := d.call(c); got != d.allowed {
		t.Errorf("with %q: got %s, want %s", rules, got, d.allowed)
	}
	c.refused()
}

// TestRefusalsLeaveTheState binds and connects after a refusal, as a program does that tries one
// address after another. A listen that is refused closes the socket.
func TestRefusalsLeaveTheState(t *testing.T) {
	eachFamily(t, func(t *testing.T, f family) {
		_, at := listener(t, f)
		c := newNetCaller(t, "allow connect tcp://"+at.String(), "allow listen tcp://"+f.loopback)
		s := c.handle(createTCP, f.number)
		denied := flatText(strings.TrimSuffix(f.loopback, "0") + "9")
		c.wants(`err(access-denied)`, tcpMethod+"start-bind", s, c.network, denied)
		c.wants(`err(access-denied)`, tcpMethod+"start-connect", s, c.network, denied)
		c.wants(`ok`, tcpMethod+"start-bind", s, c.network, flatText(f.loopback))
		c.wants(`ok`, tcpMethod+"finish-bind", s)
		c.wants(`err(access-denied)`, tcpMethod+"start-connect", s, c.network, denied)
		c.wants(`ok`, tcpMethod+"start-connect", s, c.network, flat(at))

		s = c.bind(createTCP, tcpMethod, f, f.wildcard)
		c.wants(`err(access-denied)`, tcpMethod+"start-listen", s)
		c.wants(`err(invalid-state)`, tcpMethod+"start-listen", s)
	})
}

// TestNamesArePinned connects to an address before and after the lookup of the name that a rule
// has.
func TestNamesArePinned(t *testing.T) {
	server, err := dnstest.Start(netip.MustParseAddr("127.0.0.1"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { server.Close() })
	server.Set("name.test", dnstest.Addrs("93.184.216.34", "10.0.0.5"))
	base := &faultyNetwork{Network: kernel.New(kernel.Config{Server: server.Addr()}),
		connect: syscall.ECONNREFUSED} // nobody is asked
	c := newNetCallerOn(t, base, "allow connect tcp://name.test:80")
	connect := func(want, text string) uint64 {
		s := c.handle(createTCP, 0)
		c.wants(want, tcpMethod+"start-connect", s, c.network, flatText(text))
		return s
	}
	connect(`err(access-denied)`, "93.184.216.34:80")
	if got := c.answers("name.test"); got != "ok(some(ipv4((93, 184, 216, 34)))) ok(none)" {
		t.Errorf("got %s, want the public address alone", got)
	}
	s := connect(`ok`, "93.184.216.34:80")
	c.wants(`err(connection-refused)`, tcpMethod+"finish-connect", s)
	connect(`err(access-denied)`, "93.184.216.34:81")
	connect(`err(access-denied)`, "10.0.0.5:80")
	if got := c.resolve("other.test"); got != "err(permanent-resolver-failure)" {
		t.Errorf("got %s for another name, want it denied", got)
	}
}
