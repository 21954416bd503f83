package guard_test

import (
	"io"
	"net"
	"net/netip"
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

// adopted hands a socket of the host over to a guest under a policy.
func adopted(t testing.TB, c syscall.Conn, p *policy.Policy) (*guard.Network, network.Socket) {
	t.Helper()
	n := guard.New(kernel.New(kernel.Config{}), p, guard.Options{})
	s, err := kernel.Adopt(c)
	if err != nil {
		t.Fatal(err)
	}
	g := n.Adopt(s)
	t.Cleanup(func() { g.Close() })
	return n, g
}

func TestAcceptOnAdoptedListener(t *testing.T) {
	for _, test := range []struct {
		name    string
		policy  *policy.Policy
		admits  string // peers that are admitted
		refuses string // peers that are not
	}{
		{"no rule", nil, "127.0.0.1 127.0.0.2", ""},
		{"other rules", testutil.Policy(t, "allow connect *", "allow listen udp://127.0.0.1",
			"allow listen tcp://127.0.0.1:1"), "127.0.0.2", ""},
		{"a rule with from",
			testutil.Policy(t, "allow listen tcp://127.0.0.1 from 127.0.0.2"), "127.0.0.2",
			"127.0.0.1"},
		{"a deny of the address",
			testutil.Policy(t, "deny listen tcp://127.0.0.1"), "", "127.0.0.1"},
		{"a deny of a peer", testutil.Policy(t, "deny listen loopback from 127.0.0.2"), "127.0.0.1",
			"127.0.0.2"},
		{"an empty ceiling", policy.All(nil, testutil.Policy(t)), "", "127.0.0.1"},
		{"a ceiling that allows it", policy.All(nil, testutil.Policy(t, "allow listen loopback")),
			"127.0.0.1", ""},
		{"a ceiling with from",
			policy.All(nil, testutil.Policy(t, "allow listen loopback from 127.0.0.2")),
			"127.0.0.2", "127.0.0.1"},
		{"a ceiling that denies",
			policy.All(testutil.Policy(t, "allow listen any"),
				testutil.Policy(t, "allow listen any", "deny listen loopback")), "", "127.0.0.1"},
	} {
		t.Run(test.name, func(t *testing.T) {
			l, err := net.ListenTCP("tcp", &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1)})
			must(t, err)
			t.Cleanup(func() { l.Close() })
			_, s := adopted(t, l, test.policy)
			let := func(from string) bool {
				d := net.Dialer{LocalAddr: &net.TCPAddr{IP: net.ParseIP(from)},
					Timeout: testTimeout}
				c, err := d.Dial("tcp", l.Addr().String())
				if err != nil {
					t.Skip("not on this host: ", err)
				}
				t.Cleanup(func() { c.Close() })
				return accept(t, s, time.Now().Add(20*time.Millisecond)) != nil
			}
			for _, from := range fields(test.admits) {
				if !let(from) {
					t.Errorf("%s: got refused, want admitted", from)
				}
			}
			for _, from := range fields(test.refuses) {
				if let(from) {
					t.Errorf("%s: got admitted, want refused", from)
				}
			}
		})
	}
}

// TestListenAfterClosingAdoptedListener closes the adopted socket and listens at the same address
// with a new one, which needs a rule.
func TestListenAfterClosingAdoptedListener(t *testing.T) {
	l, err := net.ListenTCP("tcp", &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1)})
	must(t, err)
	there := l.Addr().(*net.TCPAddr).AddrPort()
	n, s := adopted(t, l, nil)
	wantErr(t, "bind it anew", s.Bind(here), syscall.EINVAL)
	wantErr(t, "listen again", s.Listen(5), nil)
	wantErr(t, "connect it", s.Connect(there), syscall.EISCONN)
	l.Close()
	s.Close()
	wantErr(t, "bind another", open(t, n, network.IPv4, network.Stream).Bind(there), syscall.EACCES)
}

func TestAdoptedDatagramSocketAnswersSenders(t *testing.T) {
	host, hostAt := udpSocket(t, "127.0.0.1:0")
	client, clientAt := udpSocket(t, "127.0.0.1:0")
	other, otherAt := udpSocket(t, "127.0.0.1:0")
	n, s := adopted(t, host, nil)
	_, err := s.Send([][]byte{[]byte("x")}, clientAt)
	wantErr(t, "send to whom nothing came from", err, syscall.EACCES)
	client.WriteToUDPAddrPort([]byte("question"), hostAt)
	if text, from := receive(t, s); text != "question" || from != clientAt {
		t.Errorf("got %q from %v, want the friend's datagram", text, from)
	}
	send(t, s, "answer", clientAt)
	expectDatagram(t, client, "answer")
	_, err = s.Send([][]byte{[]byte("x")}, otherAt)
	wantErr(t, "send to another", err, syscall.EACCES)
	expectNothing(t, other)

	n.SetPolicy(testutil.Policy(t, "allow listen udp://127.0.0.1 from 127.0.0.7"))
	client.WriteToUDPAddrPort([]byte("question"), hostAt)
	_, err = s.Recv([][]byte{make([]byte, 64)}, 0)
	wantErr(t, "receive from whom a rule does not admit", err, syscall.EAGAIN)
	_, err = s.Send([][]byte{[]byte("x")}, clientAt)
	wantErr(t, "answer whom a rule does not admit", err, syscall.EACCES)
	expectNothing(t, client)
}

// TestAdoptedConnectedDatagramSocket adopts a connected datagram socket.
func TestAdoptedConnectedDatagramSocket(t *testing.T) {
	peer, peerAt := udpSocket(t, "127.0.0.1:0")
	other, otherAt := udpSocket(t, "127.0.0.1:0")
	for _, test := range []struct {
		name   string
		policy *policy.Policy
		want   error
	}{
		{"no rule", nil, nil},
		{"a deny", testutil.Policy(t, "deny connect loopback"), syscall.EACCES},
		{"an empty ceiling", policy.All(nil, testutil.Policy(t)), syscall.EACCES},
		{"a ceiling that allows it",
			policy.All(nil, testutil.Policy(t, "allow connect udp://"+peerAt.String())), nil},
	} {
		t.Run(test.name, func(t *testing.T) {
			c, err := net.DialUDP("udp", nil, net.UDPAddrFromAddrPort(peerAt))
			must(t, err)
			defer c.Close()
			n, s := adopted(t, c, test.policy)
			for _, to := range []netip.AddrPort{nobody, peerAt} {
				_, err = s.Send([][]byte{[]byte("hello")}, to)
				wantErr(t, "send", err, test.want)
			}
			_, err = s.Send([][]byte{[]byte("x")}, otherAt)
			wantErr(t, "send to another", err, syscall.EACCES)
			wantErr(t, "connect to another", s.Connect(otherAt), syscall.EACCES)
			if test.want == nil {
				expectDatagram(t, peer, "hello")
				peer.WriteToUDPAddrPort([]byte("answer"), expectDatagram(t, peer, "hello"))
				if text, _ := receive(t, s); text != "answer" {
					t.Errorf("got %q, want %q", text, "answer")
				}
			}
			expectNothing(t, peer)
			_, err = open(t, n, network.IPv4, network.Datagram).Send([][]byte{[]byte("x")}, peerAt)
			want := syscall.EACCES
			wantErr(t, "send by a socket of its own", err, want)
		})
	}
	expectNothing(t, other)
}

// TestAdoptedDualStackSocket adopts sockets on every address of both families. A rule for one half
// of such a socket selects the peers of that half, and no peer reaches the other half for lack of a
// rule.
func TestAdoptedDualStackSocket(t *testing.T) {
	for _, test := range []struct {
		name    string
		network string   // of the socket; "" after tcp and udp is both families
		rules   []string // with PROTOCOL and PORT
		admits  string
		refuses string
	}{
		{"no rule", "", nil, "127.0.0.1 127.0.0.2 ::1", ""},
		{"a rule for IPv4", "", []string{"allow listen PROTOCOL://0.0.0.0:PORT from 127.0.0.2"},
			"127.0.0.2", "127.0.0.1 ::1"},
		{"a rule for IPv6", "", []string{"allow listen PROTOCOL://[::]:PORT from ::1"}, "::1",
			"127.0.0.1 127.0.0.2"},
		{"a rule for each", "",
			[]string{"allow listen PROTOCOL://0.0.0.0:PORT from 127.0.0.2",
				"allow listen PROTOCOL://[::]:PORT from ::1"},
			"127.0.0.2 ::1", "127.0.0.1"},
		{"a rule for another port", "",
			[]string{"allow listen PROTOCOL://0.0.0.0:1 from 127.0.0.2"}, "127.0.0.1 ::1", ""},
		{"a deny for IPv4", "", []string{"deny listen PROTOCOL://0.0.0.0:PORT"}, "",
			"127.0.0.1 ::1"},
		{"a deny for a peer by IPv4", "",
			[]string{"deny listen PROTOCOL://0.0.0.0:PORT from 127.0.0.2"}, "127.0.0.1 ::1",
			"127.0.0.2"},
		{"IPv6 alone", "6", []string{"allow listen PROTOCOL://0.0.0.0:PORT from 127.0.0.2"}, "::1",
			""},
		{"IPv4 alone", "4", []string{"allow listen PROTOCOL://[::]:PORT from ::1"}, "127.0.0.1",
			""},
	} {
		t.Run(test.name, func(t *testing.T) {
			for _, protocol := range []string{"tcp", "udp"} {
				c, port := wildcardSocket(t, protocol, test.network)
				var text []string
				for _, r := range test.rules {
					text = append(text,
						strings.NewReplacer("PROTOCOL", protocol, "PORT", port).Replace(r))
				}
				_, s := adopted(t, c, testutil.Policy(t, text...))
				for _, from := range fields(test.admits) {
					if !peerIsAdmitted(t, s, protocol, from, port, testTimeout) {
						t.Errorf("%s: %s: got refused, want admitted", protocol, from)
					}
				}
				for _, from := range fields(test.refuses) {
					if peerIsAdmitted(t, s, protocol, from, port, 20*time.Millisecond) {
						t.Errorf("%s: %s: got admitted, want refused", protocol, from)
					}
				}
			}
		})
	}
}

// wildcardSocket returns a socket of the host on every address, and its port.
func wildcardSocket(t *testing.T, protocol, family string) (syscall.Conn, string) {
	t.Helper()
	if family != "4" {
		if l, err := net.Listen("tcp6", "[::1]:0"); err != nil {
			t.Skip("this host has no IPv6")
		} else {
			l.Close()
		}
	}
	var c interface {
		syscall.Conn
		io.Closer
	}
	var at net.Addr
	if protocol == "tcp" {
		l, err := net.Listen(protocol+family, ":0")
		must(t, err)
		c, at = l.(*net.TCPListener), l.Addr()
	} else {
		p, err := net.ListenPacket(protocol+family, ":0")
		must(t, err)
		c, at = p.(*net.UDPConn), p.LocalAddr()
	}
	t.Cleanup(func() { c.Close() })
	_, port, err := net.SplitHostPort(at.String())
	must(t, err)
	return c, port
}

// peerIsAdmitted reports whether a peer is admitted that connects or sends from an address of
// loopback to the same address.
func peerIsAdmitted(t *testing.T, s network.Socket, protocol, from, port string,
	wait time.Duration) bool {
	t.Helper()
	var d net.Dialer
	if protocol == "tcp" {
		d.LocalAddr = &net.TCPAddr{IP: net.ParseIP(from)}
	} else {
		d.LocalAddr = &net.UDPAddr{IP: net.ParseIP(from)}
	}
	c, err := d.Dial(protocol, net.JoinHostPort(from, port))
	must(t, err)
	t.Cleanup(func() { c.Close() })
	if protocol == "tcp" {
		return accept(t, s, time.Now().Add(wait)) != nil
	}
	_, err = c.Write([]byte("hello")) // over loopback, it is there once that returns
	must(t, err)
	_, err = s.Recv([][]byte{make([]byte, 64)}, 0)
	return err == nil
}
