package goguest_test

import (
	"context"
	"fmt"
	"net"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/wasport/wasport"
	"github.com/wasport/wasport/guest/go/internal/guesttest"
	"github.com/wasport/wasport/internal/dnstest"
	"github.com/wasport/wasport/internal/testutil"
	"github.com/wasport/wasport/network"
	"github.com/wasport/wasport/network/dial"
	"github.com/wasport/wasport/network/kernel"
	"github.com/wasport/wasport/network/virtual"
)

// TestLookupsAskTheHost looks names up by a DNS server, and connects to them: those that are
// allowed as the native program does, and one that no rule allows.
func TestLookupsAskTheHost(t *testing.T) {
	dns, err := dnstest.Start(netip.MustParseAddr("127.0.0.1"))
	if err != nil {
		t.Fatal(err)
	}
	defer dns.Close()
	for name, addrs := range map[string][]string{"four.test": {"127.0.0.1"}, "six.test": {"::1"},
		"both.test": {"127.0.0.1", "::1"}, "denied.test": {"127.0.0.1"},
		"ended.test": {"127.0.0.1"}} {
		dns.Set(name, dnstest.Addrs(addrs...))
	}
	l, err := net.Listen("tcp", ":0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			fmt.Fprint(c, "hello")
			c.Close()
		}
	}()
	port := l.Addr().(*net.TCPAddr).Port
	guest := func(t *testing.T, names ...string) string {
		return guesttest.Output(t, programs.Guest(t, wire), wasport.Config{
			Args: append([]string{"wire", "lookup"}, names...),
			Policy: guesttest.Policy(t, fmt.Sprintf(`allow connect tcp://127.0.0.1:%d
allow connect tcp://[::1]:%d
allow resolve *.test
deny resolve denied.test`, port, port)),
			Network: kernel.New(kernel.Config{Server: dns.Addr()}),
		})
	}
	t.Run("allowed, and no such name", func(t *testing.T) {
		var names []string
		for _, name := range []string{"four", "six", "both", "absent"} {
			names = append(names, fmt.Sprintf("%s.test.:%d", name, port))
		}
		want := guesttest.NativeOutput(t, programs.Native(t, wire), []string{"DNS=" + dns.Addr()},
			append([]string{"lookup"}, names...)...)
		if got := guest(t, names...); got != want {
			t.Errorf("got (-) an output that differs from the native one, want (+):\n%s",
				testutil.Diff(got, want))
		}
		if n := strings.Count(want, `"hello" nil`); n != 3 {
			t.Errorf("got %d greetings, want 3:\n%s", n, want)
		}
	})
	t.Run("denied", func(t *testing.T) {
		got := guest(t, fmt.Sprintf("denied.test:%d", port))
		const denied = `DNSError "denied.test" not found false` + "\n"
		want := "== denied.test\n[] " + strings.Repeat(denied, 5) + "OpError dial tcp, " + denied
		if got, _, _ := strings.Cut(got, "== ended"); got != want {
			t.Errorf("got (-) another output than (+):\n%s", testutil.Diff(got, want))
		}
	})
	if n := dns.Asked("ended.test", "udp") + dns.Asked("denied.test", "udp"); n != 0 {
		t.Errorf("got %d queries for names that nobody may ask for, want none", n)
	}
}

// TestPendingConnectIsGivenUp has a network that never answers a connect.
func TestPendingConnectIsGivenUp(t *testing.T) {
	control, ours := net.Pipe()
	defer ours.Close()
	var ended sync.WaitGroup
	ended.Add(2)
	silent := dial.New(dial.Config{
		DialContext: func(ctx context.Context, _, address string) (net.Conn, error) {
			if address == "192.0.2.1:2" {
				return control, nil
			}
			ours.SetWriteDeadline(time.Now().Add(time.Minute))
			go ours.Write([]byte("x")) // the connect waits
			<-ctx.Done()
			ended.Done()
			return nil, ctx.Err()
		}})
	got := guesttest.Output(t, programs.Guest(t, wire), wasport.Config{
		Args:    []string{"wire", "pending", "192.0.2.1:1", "192.0.2.1:2"},
		Policy:  guesttest.Policy(t, "allow connect tcp://192.0.2.1"),
		Network: silent,
	})
	ended.Wait()
	want := "OpError dial tcp true\nOpError dial tcp, timeout true\n"
	if got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

// opened is a network of the host's sockets that remembers those of its guest.
type opened struct {
	network.Network
	mu      sync.Mutex
	sockets []network.Socket
}

func (o *opened) add(s network.Socket) network.Socket {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.sockets = append(o.sockets, s)
	return acceptor{s, o}
}

func (o *opened) Open(f network.Family, typ network.Type) (network.Socket, error) {
	s, err := o.Network.Open(f, typ)
	if err != nil {
		return nil, err
	}
	return o.add(s), nil
}

type acceptor struct {
	network.Socket
	by *opened
}

func (a acceptor) Accept() (network.Socket, netip.AddrPort, error) {
	s, from, err := a.Socket.Accept()
	if err != nil {
		return nil, from, err
	}
	return a.by.add(s), from, nil
}

// TestOptionsReachTheHost reads the options of a guest's connections from the host's sockets.
func TestOptionsReachTheHost(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	host := &opened{Network: kernel.New(kernel.Config{})}
	lines := guesttest.Serve(t, programs.Guest(t, wire), wasport.Config{
		Args: []string{"wire", "options", l.Addr().String()}, Stdin: neverEnds{t.Context()},
		Policy:  guesttest.Policy(t, "allow connect loopback\nallow listen loopback"),
		Network: host,
	})
	if !slices.Equal(lines, []string{"open"}) {
		t.Fatalf("got %q, want \"open\"", lines)
	}
	host.mu.Lock()
	defer host.mu.Unlock()
	probes := keepAlive{1, 30, 7, 3}
	for _, row := range []struct {
		name    string
		socket  int // in the order in which they were opened
		noDelay int64
		keepAlive
	}{
		{"default", 0, 1, keepAlive{1, 15, 15, 9}},
		{"Dialer.KeepAlive", 1, 1, keepAlive{1, 20, 20, 9}},
		{"Dialer.KeepAlive below 0", 2, 1, keepAlive{}},
		{"Dialer.KeepAliveConfig", 3, 1, probes},
		{"SetNoDelay", 4, 0, keepAlive{1, 15, 15, 9}},
		{"SetKeepAlive", 5, 1, keepAlive{}},
		{"SetKeepAlivePeriod", 6, 1, keepAlive{1, 60, 60, 9}},
		{"SetKeepAliveConfig", 7, 1, probes},
		{"accepted", 10, 1, keepAlive{1, 15, 15, 9}},
		{"accepted, ListenConfig.KeepAliveConfig", 13, 1, probes},
	} {
		t.Run(row.name, func(t *testing.T) {
			option := func(o network.Option) int64 {
				v, err := host.sockets[row.socket].Option(o)
				if err != nil {
					t.Error(err)
				}
				return v
			}
			if got := option(network.NoDelay); got != row.noDelay {
				t.Errorf("no delay: got %d, want %d", got, row.noDelay)
			}
			got := keepAlive{on: option(network.KeepAlive)}
			if got.on != 0 { // otherwise the times do not matter
				got = keepAlive{1, option(network.KeepIdle), option(network.KeepInterval),
					option(network.KeepCount)}
			}
			if got != row.keepAlive {
				t.Errorf("got %+v, want %+v", got, row.keepAlive)
			}
		})
	}
}

type keepAlive struct{ on, idle, interval, count int64 }

// neverEnds is a stdin on which nothing comes until the context ends.
type neverEnds struct{ ctx context.Context }

func (n neverEnds) Read([]byte) (int, error) {
	<-n.ctx.Done()
	return 0, n.ctx.Err()
}

// TestMulticastReachesMembers sends from one guest to a group that another one has joined.
func TestMulticastReachesMembers(t *testing.T) {
	everything := guesttest.Policy(t, "allow connect any\nallow listen any\nallow join any")
	for _, row := range []struct{ name, group, from string }{
		{"IPv4", "239.77.1.2:7000", "0.0.0.0"}, {"IPv6", "[ff05::77:1]:7000", "::"},
	} {
		t.Run(row.name, func(t *testing.T) {
			world := virtual.New()
			guest := func(name string) wasport.Config {
				host, err := world.Host(name)
				if err != nil {
					t.Fatal(err)
				}
				return wasport.Config{Policy: everything, Network: host}
			}
			m := guest("member")
			m.Args = []string{"wire", "member", row.group}
			guesttest.Serve(t, programs.Guest(t, wire), m)
			s := guest("sender")
			s.Args = []string{"wire", "send", row.group, row.from}
			got := guesttest.Output(t, programs.Guest(t, wire), s)
			if want := "\"heard hello\" nil\n"; got != want {
				t.Errorf("got %q, want %q", got, want)
			}
		})
	}
}
