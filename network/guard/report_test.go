package guard_test

import (
	"fmt"
	"net"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/wasport/wasport/internal/testutil"
	"github.com/wasport/wasport/network"
	"github.com/wasport/wasport/network/guard"
	"github.com/wasport/wasport/network/kernel"
	"github.com/wasport/wasport/policy"
)

// TestOnDeniedPeerOncePerSocket turns several peers away at several sockets.
func TestOnDeniedPeerOncePerSocket(t *testing.T) {
	for _, row := range []struct {
		protocol string
		typ      network.Type
	}{{"tcp", network.Stream}, {"udp", network.Datagram}} {
		t.Run(row.protocol, func(t *testing.T) {
			var told []string
			p := testutil.Policy(t, "allow listen "+row.protocol+"://127.0.0.1 from 127.0.0.1")
			n := guard.New(
				kernel.New(kernel.Config{}),
				p,
				guard.Options{OnDeniedPeer: func(r *policy.Refusal) {
					told = append(
						told,
						fmt.Sprintf("%v from %v", r.Request.Local, r.Request.Remote.Addr()),
					)
				}},
			)
			var want []string
			for range 2 {
				s := open(t, n, network.IPv4, row.typ)
				must(t, s.Bind(here))
				at := local(t, s)
				if row.typ == network.Stream {
					must(t, s.Listen(8))
				}
				for range 3 {
					if row.typ == network.Datagram {
						send(t, sender(t, "127.0.0.2"), "secret", at)
						s.Recv([][]byte{make([]byte, 8)}, 0)
						continue
					}
					d := net.Dialer{
						LocalAddr: &net.TCPAddr{IP: net.IPv4(127, 0, 0, 2)},
						Timeout:   testTimeout,
					}
					c, err := d.Dial("tcp", at.String())
					if err != nil {
						t.Skip("not on this host: ", err)
					}
					defer c.Close()
					accept(t, s, time.Now().Add(10*time.Millisecond))
				}
				want = append(want, fmt.Sprintf("%v from 127.0.0.2", at))
			}
			if !slices.Equal(told, want) {
				t.Errorf("got\n%s\nwant\n%s", strings.Join(told, "\n"), strings.Join(want, "\n"))
			}
		})
	}
}

func TestOnLimitEachTime(t *testing.T) {
	var told []string
	p := policy.New(
		testutil.Policy(t, "allow connect loopback").Rules(),
		policy.Limits{Sockets: 2, ConnectsPerSecond: 1},
	)
	n := guard.New(
		kernel.New(kernel.Config{}),
		p,
		guard.Options{OnLimit: func(name string, limit int) {
			told = append(told, fmt.Sprintf("%s %d", name, limit))
		}},
	)
	one, two := open(t, n, network.IPv4, network.Stream), open(t, n, network.IPv4, network.Stream)
	for range 2 {
		n.Open(network.IPv4, network.Stream)
	}
	one.Connect(at("127.0.0.1:9"))
	two.Connect(at("127.0.0.1:9"))
	want := []string{"sockets 2", "sockets 2", "connects_per_second 1"}
	if !slices.Equal(told, want) {
		t.Errorf("got %q, want %q", told, want)
	}
}

// TestOnRefusalOfAlteringAdoptedSocket makes each call that would change an adopted socket.
func TestOnRefusalOfAlteringAdoptedSocket(t *testing.T) {
	l, err := net.ListenTCP("tcp4", &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1)})
	must(t, err)
	t.Cleanup(func() { l.Close() })
	host, hostAt := udpSocket(t, "127.0.0.1:0")
	for _, dry := range []bool{false, true} {
		var told []string
		n := guard.New(kernel.New(kernel.Config{}),
			testutil.Policy(t, "allow connect any", "allow listen any"), guard.Options{
				DryRun: dry,
				OnRefusal: func(r *policy.Refusal) {
					if r.Hint() != "" {
						t.Errorf("got the hint %q, want none", r.Hint())
					}
					told = append(told, r.Error())
				},
			})
		adopt := func(c syscall.Conn) network.Socket {
			s, err := kernel.Adopt(c)
			must(t, err)
			g := n.Adopt(s)
			t.Cleanup(func() { g.Close() })
			return g
		}
		stream, datagrams := adopt(l), adopt(host)
		wantErr(t, "shutdown", stream.Shutdown(network.ShutBoth), syscall.EACCES)
		wantErr(t, "option", stream.SetOption(network.Linger, 5), syscall.EACCES)
		wantErr(t, "connect", datagrams.Connect(at("127.0.0.1:9")), syscall.EACCES)
		wantErr(t, "disconnect", datagrams.(network.Disconnecter).Disconnect(), syscall.EACCES)
		for _, typ := range []network.Type{network.Stream, network.Datagram} {
			s, err := kernel.New(kernel.Config{}).Open(network.IPv4, typ)
			must(t, err)
			unbound := n.Adopt(s)
			t.Cleanup(func() { unbound.Close() })
			wantErr(t, "bind", unbound.Bind(here), syscall.EACCES)
			if typ == network.Stream {
				wantErr(t, "listen", unbound.Listen(1), syscall.EACCES)
			}
			if at := local(t, unbound); at.Port() != 0 {
				t.Errorf("got it bound to %v, want it as it was", at)
			}
		}
		const stays = ": a socket that was handed over stays as its owner has it"
		want := []string{
			"denied alter tcp " + l.Addr().String() + " by shutdown" + stays,
			"denied alter tcp " + l.Addr().String() + " by setsockopt" + stays,
			"denied alter udp " + hostAt.String() + " by connect" + stays,
			"denied alter udp " + hostAt.String() + " by connect" + stays,
			"denied alter tcp 0.0.0.0:0 by bind" + stays,
			"denied alter tcp 0.0.0.0:0 by listen" + stays,
			"denied alter udp 0.0.0.0:0 by bind" + stays,
		}
		if !slices.Equal(told, want) {
			t.Errorf("got told %q, want %q", told, want)
		}
		if got := n.Counters().Denied[policy.OpAlter]; got != 7 {
			t.Errorf("got %d counted, want 7", got)
		}
	}
}
