package wasi2

import (
	"context"
	"net/netip"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/net/dns/dnsmessage"

	"github.com/wasport/wasport/internal/dnstest"
	"github.com/wasport/wasport/internal/system"
	"github.com/wasport/wasport/network"
	"github.com/wasport/wasport/network/kernel"
)

// newResolver returns a caller whose names come from a server.
func newResolver(t *testing.T, rules ...string) (*netCaller, *dnstest.Server) {
	t.Helper()
	server, err := dnstest.Start(netip.MustParseAddr("127.0.0.1"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { server.Close() })
	return newNetCallerOn(t, kernel.New(kernel.Config{Server: server.Addr()}), rules...), server
}

// resolve starts a lookup and returns the result of resolve-addresses.
func (c *netCaller) resolve(name string) string {
	c.Helper()
	return c.call(resolveAll, c.network, name)
}

// answers returns all results of a lookup.
func (c *netCaller) answers(name string) string {
	c.Helper()
	l := c.handle(resolveAll, c.network, name)
	defer c.dropAll("sockets/ip-name-lookup.resolve-address-stream", l)
	c.block(resolving+"subscribe", l)
	var list []string
	for {
		text := c.call(resolving+"resolve-next-address", l)
		list = append(list, text)
		if text == "ok(none)" || strings.HasPrefix(text, "err") {
			c.wants(text, resolving+"resolve-next-address", l)
			return strings.Join(list, " ")
		}
	}
}

// TestLookupAnswers looks names up that have every kind of answer.
func TestLookupAnswers(t *testing.T) {
	c, server := newResolver(t, "allow resolve *", "allow connect any")
	server.Set("two.test", dnstest.Addrs("192.0.2.1", "192.0.2.2"))
	server.Set("six.test", dnstest.Addrs("2001:db8::1"))
	server.Set("empty.test", dnstest.Answer{})
	server.Set("failing.test", dnstest.Answer{Code: dnsmessage.RCodeServerFailure})
	server.Set("xn--bcher-kva.test", dnstest.Addrs("192.0.2.3"))
	for _, test := range []struct{ name, want string }{
		{"two.test", "ok(some(ipv4((192, 0, 2, 1)))) ok(some(ipv4((192, 0, 2, 2)))) ok(none)"},
		{"two.test.", "ok(some(ipv4((192, 0, 2, 1)))) ok(some(ipv4((192, 0, 2, 2)))) ok(none)"},
		{"TWO.test", "ok(some(ipv4((192, 0, 2, 1)))) ok(some(ipv4((192, 0, 2, 2)))) ok(none)"},
		{"six.test", "ok(some(ipv6((8193, 3512, 0, 0, 0, 0, 0, 1)))) ok(none)"},
		{"bücher.test", "ok(some(ipv4((192, 0, 2, 3)))) ok(none)"},
		{"unknown.test", "err(name-unresolvable)"},
		{"empty.test", "err(name-unresolvable)"},
		{"failing.test", "err(permanent-resolver-failure)"},
	} {
		t.Run(test.name, func(t *testing.T) {
			if got := c.answers(test.name); got != test.want {
				t.Errorf("got %s, want %s", got, test.want)
			}
		})
	}
}

// TestLookupFails has the resolver fail in each way, and give addresses that are IPv4-mapped.
func TestLookupFails(t *testing.T) {
	failure := func(f network.LookupFailure) error { return &network.LookupError{Failure: f} }
	for _, test := range []struct {
		err  error
		want string
	}{
		{failure(network.NoSuchHost), "err(name-unresolvable)"},
		{failure(network.NoAnswer), "err(temporary-resolver-failure)"},
		{failure(network.ServerFailure), "err(permanent-resolver-failure)"},
		{syscall.EMFILE, "err(new-socket-limit)"},
		{nil, "ok(some(ipv4((192, 0, 2, 1)))) ok(none)"},
	} {
		t.Run(test.want, func(t *testing.T) {
			base := newFaultyNetwork()
			base.lookup = func(context.Context) ([]netip.Addr, error) {
				return []netip.Addr{netip.MustParseAddr("::ffff:192.0.2.1")}, test.err
			}
			c := newNetCallerOn(t, base, "allow resolve *")
			if got := c.answers("name.test"); got != test.want {
				t.Errorf("got %s, want %s", got, test.want)
			}
		})
	}
}

// TestLookupsAreBounded starts lookups without an answer until no more may be under way.
func TestLookupsAreBounded(t *testing.T) {
	base := newFaultyNetwork()
	base.lookup = func(ctx context.Context) ([]netip.Addr, error) {
		<-ctx.Done()
		return nil, ctx.Err()
	}
	c := newNetCallerOn(t, base, "allow resolve *")
	for n := range 1000 {
		switch got := outcome(c.resolve("name.test")); {
		case got == "err(temporary-resolver-failure)" && n > 0:
			return
		case got != "ok":
			t.Fatalf("lookup %d: got %s, want it to begin", n, got)
		}
	}
	t.Error("got 1000 lookups under way, want a limit")
}

// TestLookupOfLiterals gives addresses as their own answers, without a rule.
func TestLookupOfLiterals(t *testing.T) {
	c := newNetCaller(t)
	for _, test := range []struct{ name, want string }{
		{"192.0.2.1", "ok(some(ipv4((192, 0, 2, 1)))) ok(none)"},
		{"::1", "ok(some(ipv6((0, 0, 0, 0, 0, 0, 0, 1)))) ok(none)"},
		{"[2001:db8::1]", "ok(some(ipv6((8193, 3512, 0, 0, 0, 0, 0, 1)))) ok(none)"},
		{"::ffff:192.0.2.1", "ok(some(ipv4((192, 0, 2, 1)))) ok(none)"},
	} {
		t.Run(test.name, func(t *testing.T) {
			if got := c.answers(test.name); got != test.want {
				t.Errorf("got %s, want %s", got, test.want)
			}
		})
	}
	c.refused()
}

// TestLookupSyntax passes texts that are no names.
func TestLookupSyntax(t *testing.T) {
	c := newNetCaller(t, "allow resolve *")
	names := []string{"", " ", "a b", ".", "a..b", ".a", "example.com:80", "127.0.0.1:80",
		"[::1]:80", "[127.0.0.1]", "[::1", "::1]", "fe80::1%lo", "a\x00b", "a\nb", "\x7f",
		"http://example.com", strings.Repeat("a", 64) + ".test", strings.Repeat("a.", 200) + "a",
		"xn--0.test", "\u2488com"}
	for _, r := range "<>&/:%?#@\\" {
		names = append(names, "a"+string(r)+"b")
	}
	for _, name := range names {
		t.Run(name, func(t *testing.T) {
			if got := c.resolve(name); got != "err(invalid-argument)" {
				t.Errorf("got %s, want err(invalid-argument)", got)
			}
		})
	}
	c.refused()
}

// TestLookupIsPending polls a lookup that has no answer yet, and drops it, which ends it.
func TestLookupIsPending(t *testing.T) {
	c, server := newResolver(t, "allow resolve *")
	server.Set("silent.test", dnstest.Answer{Silent: true})
	server.Set("late.test", dnstest.Answer{Delay: 20 * time.Millisecond,
		Addrs: []netip.Addr{netip.MustParseAddr("192.0.2.1")}})
	silent := c.handle(resolveAll, c.network, "silent.test")
	c.wants(`err(would-block)`, resolving+"resolve-next-address", silent)
	p := c.handle(resolving+"subscribe", silent)
	c.wants(`false`, "io/poll.[method]pollable.ready", p)
	late := c.handle(resolveAll, c.network, "late.test")
	list := c.pollables(p, c.handle(resolving+"subscribe", late))
	c.wants(`[1]`, "io/poll.poll", list, 2)
	c.wants(`ok(some(ipv4((192, 0, 2, 1))))`, resolving+"resolve-next-address", late)
	c.dropAll("sockets/ip-name-lookup.resolve-address-stream", silent, late)
	c.wants(`true`, "io/poll.[method]pollable.ready", p)
}

// pollables puts a list of handles into memory.
func (c *netCaller) pollables(handles ...uint64) uint64 {
	at := c.alloc(4, uint32(4*len(handles)))
	for i, h := range handles {
		le.PutUint32(c.memory[int(at)+4*i:], uint32(h))
	}
	return uint64(at)
}

// TestLookupWithoutDescriptors starts a lookup that finds no descriptor for itself.
func TestLookupWithoutDescriptors(t *testing.T) {
	c := newCaller(t, system.Config{Network: failing(nil), MaxDescriptors: 3})
	c.wants(`err(new-socket-limit)`, resolveAll,
		c.handle("sockets/instance-network.instance-network"), "name.test")
}
