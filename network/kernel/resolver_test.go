package kernel_test

import (
	"context"
	"errors"
	"net"
	"net/netip"
	"slices"
	"strconv"
	"syscall"
	"testing"
	"time"

	"golang.org/x/net/dns/dnsmessage"

	"github.com/wasport/wasport/internal/dnstest"
	"github.com/wasport/wasport/internal/needs"
	"github.com/wasport/wasport/internal/testutil"
	"github.com/wasport/wasport/network"
	"github.com/wasport/wasport/network/kernel"
)

func dns(t *testing.T, on netip.Addr) *dnstest.Server {
	t.Helper()
	s, err := dnstest.Start(on)
	check(t, err)
	t.Cleanup(func() { s.Close() })
	return s
}

func addrs(texts ...string) []netip.Addr {
	var as []netip.Addr
	for _, text := range texts {
		as = append(as, netip.MustParseAddr(text))
	}
	return as
}

func wantLookup(t *testing.T, r network.Resolver, family network.Family, name string,
	want ...string) {
	t.Helper()
	got, err := r.LookupAddrs(t.Context(), family, name)
	if err != nil || !slices.Equal(got, addrs(want...)) {
		t.Errorf("%s %v: got %v, %v; want %v", name, family, got, err, want)
	}
}

func wantFailure(t *testing.T, r network.Resolver, family network.Family, name string,
	want network.LookupFailure) {
	t.Helper()
	got, err := r.LookupAddrs(t.Context(), family, name)
	var failure *network.LookupError
	if !errors.As(err, &failure) || failure.Failure != want || failure.Name != name {
		t.Errorf("%s %v: got %v, %v; want %v", name, family, got, err,
			&network.LookupError{Name: name, Failure: want})
	}
}

func TestLookupByServer(t *testing.T) {
	testutil.NoGoroutineLeak(t)
	for _, l := range loopbacks {
		t.Run(l.family.String(), func(t *testing.T) {
			s := dns(t, l.addr)
			r := kernel.New(kernel.Config{Server: s.Addr()})
			s.Set("both.test", dnstest.Addrs("192.0.2.1", "2001:db8::1"))
			s.Set("four.test", dnstest.Addrs("192.0.2.4"))
			s.Set("six.test", dnstest.Addrs("2001:db8::6"))
			s.Set("empty.test", dnstest.Answer{})
			s.Set("alias.test", dnstest.Answer{CNAME: "other.test"})
			s.Set("other.test", dnstest.Answer{CNAME: "four.test"})
			s.Set("dangling.test", dnstest.Answer{CNAME: "nothing.test"})
			s.Set("broken.test", dnstest.Answer{Code: dnsmessage.RCodeServerFailure})
			s.Set("refused.test", dnstest.Answer{Code: dnsmessage.RCodeRefused})
			s.Set("long.test", dnstest.Answer{Addrs: addrs("192.0.2.9"), Truncate: true})
			s.Set("mapped.test", dnstest.Addrs("::ffff:192.0.2.66"))

			wantLookup(t, r, network.IPv4, "both.test", "192.0.2.1")
			wantLookup(t, r, network.IPv6, "both.test", "2001:db8::1")
			wantLookup(t, r, network.IPv4, "BOTH.test.", "192.0.2.1")
			wantLookup(t, r, network.IPv4, "alias.test", "192.0.2.4")
			wantLookup(t, r, network.AnyFamily, "six.test", "2001:db8::6")
			wantLookup(t, r, network.IPv4, "long.test", "192.0.2.9")
			if n := s.Asked("long.test", "tcp"); n == 0 {
				t.Error("got no query over TCP, want one after a truncated answer")
			}
			got, err := r.LookupAddrs(t.Context(), network.AnyFamily, "both.test")
			slices.SortFunc(got, netip.Addr.Compare)
			if err != nil || !slices.Equal(got, addrs("192.0.2.1", "2001:db8::1")) {
				t.Errorf("any family: got %v, %v; want an address of each", got, err)
			}

			wantFailure(t, r, network.AnyFamily, "nothing.test", network.NoSuchHost)
			wantFailure(t, r, network.AnyFamily, "empty.test", network.NoSuchHost)
			wantFailure(t, r, network.IPv6, "four.test", network.NoSuchHost)
			wantFailure(t, r, network.IPv4, "six.test", network.NoSuchHost)
			wantFailure(t, r, network.IPv4, "dangling.test", network.NoSuchHost)
			wantFailure(t, r, network.IPv6, "mapped.test", network.NoSuchHost)
			wantFailure(t, r, network.IPv4, "broken.test", network.ServerFailure)
			wantFailure(t, r, network.IPv4, "refused.test", network.ServerFailure)
			for _, nonsense := range []string{"", ".", "a..b", "-", "no space.test", "\x00",
				string(make([]byte, 300))} {
				if got, err := r.LookupAddrs(t.Context(), network.AnyFamily, nonsense); err == nil {
					t.Errorf("%q: got %v, want an error", nonsense, got)
				}
			}
		})
	}
}

// Every lookup asks the server, and no answer is cached.
func TestLookupIsNotCached(t *testing.T) {
	s := dns(t, loopbacks[0].addr)
	r := kernel.New(kernel.Config{Server: s.Addr()})
	s.Set("moving.test", dnstest.Addrs("192.0.2.1"), dnstest.Addrs("192.0.2.2"),
		dnstest.Addrs("127.0.0.1"))
	for i, want := range []string{"192.0.2.1", "192.0.2.2", "127.0.0.1", "127.0.0.1"} {
		wantLookup(t, r, network.IPv4, "moving.test", want)
		if n := s.Asked("moving.test", "udp"); n != i+1 {
			t.Errorf("got %d queries, want %d", n, i+1)
		}
	}
}

func TestLookupOfConfiguredHosts(t *testing.T) {
	s := dns(t, loopbacks[0].addr)
	s.Set("db.test", dnstest.Addrs("192.0.2.1"))
	r := kernel.New(kernel.Config{Server: s.Addr(), Hosts: map[string][]netip.Addr{
		"DB.test":      addrs("2001:db8::5", "::ffff:192.0.2.5"),
		"dotted.test.": addrs("192.0.2.6"),
		"localhost":    addrs("192.0.2.7"),
	}})
	wantLookup(t, r, network.AnyFamily, "db.test", "2001:db8::5", "192.0.2.5")
	wantLookup(t, r, network.IPv4, "db.TEST.", "192.0.2.5")
	wantLookup(t, r, network.IPv4, "dotted.test", "192.0.2.6")
	wantLookup(t, r, network.AnyFamily, "localhost", "192.0.2.7")
	wantFailure(t, r, network.IPv6, "localhost", network.NoSuchHost)
	if n := s.Asked("db.test", "udp"); n != 0 {
		t.Errorf("got %d queries for a name of the Config, want none", n)
	}
	// The host's own file comes before the server, too.
	wantLookup(t, kernel.New(kernel.Config{Server: s.Addr()}), network.IPv4, "localhost",
		"127.0.0.1")
	wantLookup(t, kernel.New(kernel.Config{}), network.IPv4, "localhost", "127.0.0.1")
}

func TestLookupWithoutAnswer(t *testing.T) {
	needs.NotWine(t)
	testutil.NoGoroutineLeak(t)
	s := dns(t, loopbacks[0].addr)
	s.Set("silent.test", dnstest.Answer{Silent: true})
	r := kernel.New(kernel.Config{Server: s.Addr()})

	closed := testutil.ClosedPort(t, "127.0.0.1").String()
	for _, server := range []string{closed, "not an address"} {
		wantQuick(t, "a lookup without a server", func() {
			wantFailure(t, kernel.New(kernel.Config{Server: server}), network.AnyFamily, "any.test",
				network.NoAnswer)
		})
	}

	for _, end := range []struct {
		want error
		ctx  func() (context.Context, context.CancelFunc)
	}{
		{context.Canceled, func() (context.Context, context.CancelFunc) {
			ctx, cancel := context.WithCancel(t.Context())
			time.AfterFunc(20*time.Millisecond, cancel)
			return ctx, cancel
		}},
		{context.DeadlineExceeded, func() (context.Context, context.CancelFunc) {
			return context.WithTimeout(t.Context(), 20*time.Millisecond)
		}},
	} {
		wantQuick(t, "a lookup whose context ends", func() {
			ctx, cancel := end.ctx()
			defer cancel()
			_, err := r.LookupAddrs(ctx, network.IPv4, "silent.test")
			wantErr(t, "lookup", err, end.want)
		})
	}

	if testing.Short() {
		t.Skip("the server has some seconds to answer")
	}
	start := time.Now()
	wantFailure(t, r, network.IPv4, "silent.test", network.NoAnswer)
	if took := time.Since(start); took > 10*time.Second {
		t.Errorf("got no answer after %v, want at most 10s", took)
	}
}

// wantQuick makes a lookup that must end before a server's time to answer is over, which is 2 s. A
// busy machine may hold up one attempt.
func wantQuick(t *testing.T, what string, lookup func()) {
	t.Helper()
	var took time.Duration
	for range 5 {
		start := time.Now()
		lookup()
		if took = time.Since(start); took < 1500*time.Millisecond {
			return
		}
	}
	t.Errorf("%s: got its end after %v, want it before a server would have had to answer", what,
		took)
}

func TestLookupPort(t *testing.T) {
	r := kernel.New(kernel.Config{})
	for _, tt := range []struct {
		typ     network.Type
		service string
		want    uint16
	}{
		{network.Stream, "http", 80},
		{network.AnyType, "https", 443},
		{network.Datagram, "domain", 53},
		{network.AnyType, "domain", 53},
	} {
		t.Run(tt.service+" "+tt.typ.String(), func(t *testing.T) {
			port, err := r.LookupPort(t.Context(), tt.typ, tt.service)
			if port != tt.want || err != nil {
				t.Errorf("got %d, %v; want %d", port, err, tt.want)
			}
		})
	}
	var failure *network.LookupError
	if _, err := r.LookupPort(t.Context(), network.Stream, "nosuchservice"); !errors.As(err,
		&failure) || failure.Failure != network.NoSuchHost {
		t.Errorf("unknown service: got %v, want NoSuchHost", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := r.LookupPort(ctx, network.Stream, "nosuchservice"); !errors.Is(err,
		context.Canceled) && !errors.As(err, &failure) {
		t.Errorf("with an ended context: got %v, want %v", err, context.Canceled)
	}
}

func TestAdoptedSocketOutlivesOriginal(t *testing.T) {
	eachFamily(t, func(t *testing.T, family network.Family, at netip.AddrPort) {
		l, err := net.Listen("tcp", at.String())
		check(t, err)
		s, err := kernel.Adopt(l.(*net.TCPListener))
		check(t, err)
		defer s.Close()
		check(t, l.Close()) // which leaves ours open
		addr := must[netip.AddrPort](t)(s.LocalAddr())
		if s.Family() != family || s.Type() != network.Stream ||
			strconv.Itoa(int(addr.Port())) == "0" || addr.String() != l.Addr().String() {
			t.Errorf("got a socket of %v %v at %v, want %v", s.Family(), s.Type(), addr, l.Addr())
		}
		c, err := net.Dial("tcp", addr.String())
		check(t, err)
		defer c.Close()
		accepted, from := accept(t, s)
		if from.String() != c.LocalAddr().String() {
			t.Errorf("got peer %v, want %v", from, c.LocalAddr())
		}
		conn, err := kernel.Adopt(c.(*net.TCPConn))
		check(t, err)
		defer conn.Close()
		if n, err := conn.Send(one([]byte("hello")), none); n != 5 || err != nil {
			t.Fatalf("send: got %d, %v; want 5", n, err)
		}
		b := make([]byte, 8)
		if r := recv(t, accepted, b); string(b[:r.N]) != "hello" {
			t.Errorf("got %q, want \"hello\"", b[:r.N])
		}
		wantErr(t, "connect", conn.Connect(addr), syscall.EISCONN)

		p, err := net.ListenPacket("udp", at.String())
		check(t, err)
		defer p.Close()
		d, err := kernel.Adopt(p.(*net.UDPConn))
		check(t, err)
		defer d.Close()
		if d.Family() != family || d.Type() != network.Datagram {
			t.Errorf("got a socket of %v %v, want %v udp", d.Family(), d.Type(), family)
		}
	})
	l, err := net.Listen("tcp", "127.0.0.1:0")
	check(t, err)
	check(t, l.Close())
	_, err = kernel.Adopt(l.(*net.TCPListener))
	wantErr(t, "adopt a closed one", err, errClosed)
}
