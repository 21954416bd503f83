package virtual_test

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"net/netip"
	"os"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/net/nettest"

	"github.com/wasport/wasport/internal/testutil"
	"github.com/wasport/wasport/network/virtual"
)

// hosts adds hosts to a new world.
func hosts(t testing.TB, names ...string) []*virtual.Host {
	t.Helper()
	w := virtual.New()
	var list []*virtual.Host
	for _, name := range names {
		h, err := w.Host(name)
		check(t, err)
		list = append(list, h)
	}
	return list
}

func check(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// TestConn runs the suite of golang.org/x/net for connections.
func TestConn(t *testing.T) {
	for _, name := range []string{"tcp4", "tcp6"} {
		t.Run(name, func(t *testing.T) {
			testutil.NoGoroutineLeak(t)
			nettest.TestConn(t, func() (c1, c2 net.Conn, stop func(), err error) {
				h := hosts(t, "server", "client")
				l, err := h[0].Listen(name, ":0")
				if err != nil {
					return nil, nil, nil, err
				}
				defer l.Close()
				_, port, _ := net.SplitHostPort(l.Addr().String())
				if c1, err = h[1].Dial(name, net.JoinHostPort("server", port)); err != nil {
					return nil, nil, nil, err
				}
				if c2, err = l.Accept(); err != nil {
					return nil, nil, nil, err
				}
				return c1, c2, func() { c1.Close(); c2.Close() }, nil
			})
		})
	}
}

func TestHTTPBetweenHosts(t *testing.T) {
	testutil.NoGoroutineLeak(t)
	h := hosts(t, "web", "browser")
	l, err := h[0].Listen("tcp", ":80")
	check(t, err)
	server := &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		from, _, _ := net.SplitHostPort(r.RemoteAddr)
		io.WriteString(w, "hello from "+r.Host+" to "+from)
	})}
	go server.Serve(l)
	defer server.Close()
	client := &http.Client{Transport: &http.Transport{DialContext: h[1].DialContext}}
	defer client.CloseIdleConnections()
	resp, err := client.Get("http://web/")
	check(t, err)
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	check(t, err)
	if got, want := string(body), "hello from web to "+h[1].Addrs()[0].String(); got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestPacketConn(t *testing.T) {
	h := hosts(t, "server", "client")
	for _, name := range []string{"udp", "udp4", "udp6"} {
		t.Run(name, func(t *testing.T) {
			p, err := h[0].ListenPacket(name, ":53")
			check(t, err)
			defer p.Close()
			c, err := h[1].Dial(name, "server:53")
			check(t, err)
			defer c.Close()
			_, err = c.Write([]byte("ping"))
			check(t, err)
			b := make([]byte, 8)
			n, from, err := p.ReadFrom(b)
			check(t, err)
			if string(b[:n]) != "ping" || from.String() != c.LocalAddr().String() {
				t.Errorf("got %q from %v, want ping from %v", b[:n], from, c.LocalAddr())
			}
			_, err = p.WriteTo([]byte("pong"), from)
			check(t, err)
			if n, err = c.Read(b); string(b[:n]) != "pong" || err != nil {
				t.Errorf("got %q, %v; want pong", b[:n], err)
			}
			check(t, p.SetReadDeadline(time.Now().Add(-time.Second)))
			if _, _, err := p.ReadFrom(b); !errors.Is(err, os.ErrDeadlineExceeded) {
				t.Errorf("got %v, want a deadline exceeded", err)
			}
		})
	}
}

func TestDialErrors(t *testing.T) {
	h := hosts(t, "server", "client")
	full, err := h[0].Listen("tcp", ":81")
	check(t, err)
	defer full.Close()
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	for _, row := range []struct {
		name, network, address string
		ctx                    context.Context
		want                   string
	}{
		{"nobody listens", "tcp", "server:80", t.Context(), syscall.ECONNREFUSED.Error()},
		{"no such host", "tcp", "other:80", t.Context(), "no such host"},
		{"outside", "tcp", "192.0.2.1:80", t.Context(), syscall.ENETUNREACH.Error()},
		{"no port", "tcp", "server", t.Context(), "missing port"},
		{"port too large", "tcp", "server:99999", t.Context(), "invalid port"},
		{"no such network", "unix", "server:80", t.Context(), "unknown network unix"},
		{"no address of the family", "tcp4", "[::1]:80", t.Context(), "no address of the family"},
		{"cancelled", "tcp", "server:81", ended, context.Canceled.Error()},
	} {
		t.Run(row.name, func(t *testing.T) {
			c, err := h[1].DialContext(row.ctx, row.network, row.address)
			if err == nil {
				c.Close()
				t.Fatal("got a connection, want an error")
			}
			if op := (*net.OpError)(nil); !errors.As(err, &op) ||
				!strings.Contains(err.Error(), row.want) {
				t.Errorf("got %v, want a *net.OpError with %q", err, row.want)
			}
		})
	}
}

func TestHostErrors(t *testing.T) {
	w := virtual.New()
	addr := netip.MustParseAddr("192.0.2.1")
	_, err := w.Host("first", addr)
	check(t, err)
	for _, row := range []struct {
		name  string
		addrs []netip.Addr
		want  string
	}{
		{"", nil, "needs a name"},
		{"localhost", nil, "needs a name"},
		{"FIRST.", nil, "one of this name"},
		{"second", []netip.Addr{addr}, "belongs to first"},
		{"second", []netip.Addr{netip.MustParseAddr("127.0.0.1")}, "no unicast address"},
		{"second", []netip.Addr{netip.MustParseAddr("224.0.0.1")}, "no unicast address"},
		{"second", []netip.Addr{{}}, "no unicast address"},
		{"second", []netip.Addr{netip.MustParseAddr("fd00::1"), netip.MustParseAddr("fd00::1")},
			"twice"},
	} {
		if _, err := w.Host(row.name, row.addrs...); err == nil ||
			!strings.Contains(err.Error(), row.want) {
			t.Errorf("%q with %v: got %v, want %q", row.name, row.addrs, err, row.want)
		}
	}
	if _, err := (virtual.Config{MTU: 100}).New(); err == nil {
		t.Error("got a world with an MTU of 100, want an error")
	}
}
