package dnstest_test

import (
	"context"
	"errors"
	"net"
	"net/netip"
	"testing"
	"time"

	"github.com/wasport/wasport/internal/dnstest"
)

func TestServerWithMalformedAndPendingQueries(t *testing.T) {
	if s, err := dnstest.Start(netip.IPv4Unspecified()); err == nil {
		s.Close()
		t.Error("got a server on every address, want an error")
	}
	s, err := dnstest.Start(netip.MustParseAddr("127.0.0.1"))
	if err != nil {
		t.Fatal(err)
	}
	s.Set("slow.test", dnstest.Answer{Delay: time.Hour})
	s.Set("gone.test", dnstest.Addrs("192.0.2.1"))
	s.Set("gone.test")

	r := net.Resolver{PreferGo: true,
		Dial: func(ctx context.Context, transport, _ string) (net.Conn, error) {
			return new(net.Dialer).DialContext(ctx, transport, s.Addr())
		}}
	var failure *net.DNSError
	if _, err := r.LookupNetIP(t.Context(), "ip", "gone.test."); !errors.As(err, &failure) ||
		!failure.IsNotFound {
		t.Errorf("a removed name: got %v, want IsNotFound", err)
	}

	// A malformed query gets no answer and does no harm.
	for _, transport := range []string{"udp", "tcp"} {
		c, err := net.Dial(transport, s.Addr())
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		c.Write([]byte{0, 3, 1, 2, 3, 0xff})
	}

	ctx, cancel := context.WithCancel(t.Context())
	asked := make(chan struct{})
	go func() {
		defer close(asked)
		r.LookupNetIP(ctx, "ip4", "slow.test.")
	}()
	for s.Asked("slow.test", "udp") == 0 {
		time.Sleep(time.Millisecond)
	}
	// Close does not wait for the delay of an answer.
	if err := s.Close(); err != nil {
		t.Error(err)
	}
	if err := s.Close(); !errors.Is(err, net.ErrClosed) {
		t.Errorf("close again: got %v, want %v", err, net.ErrClosed)
	}
	cancel()
	<-asked
}
