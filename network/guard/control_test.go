package guard_test

import (
	"net/netip"
	"syscall"
	"testing"
	"time"

	"github.com/wasport/wasport/internal/testutil"
	"github.com/wasport/wasport/network"
	"github.com/wasport/wasport/network/guard"
	"github.com/wasport/wasport/network/kernel"
)

// controlNet is a Network of the kernel's sockets with a list of addresses of its own. Its sockets
// tell this control data, and note the data that they are to send.
type controlNet struct {
	network.Network
	told network.Control
	sent []network.Control
	// lists counts calls of HostAddrs.
	lists int
}

func (n *controlNet) HostAddrs() ([]network.HostAddr, error) {
	n.lists++
	return []network.HostAddr{
		{Name: "lo", Index: 1, Prefix: netip.MustParsePrefix("127.0.0.1/8")},
		{Name: "eth0", Index: 2, Prefix: netip.MustParsePrefix("192.0.2.1/24")},
	}, nil
}

func (n *controlNet) Open(f network.Family, typ network.Type) (network.Socket, error) {
	s, err := n.Network.Open(f, typ)
	return &controlSocket{s, n}, err
}

type controlSocket struct {
	network.Socket
	net *controlNet
}

func (s *controlSocket) SendControl(bufs [][]byte, to netip.AddrPort, c *network.Control) (int,
	error) {
	s.net.sent = append(s.net.sent, *c)
	return s.Send(bufs, to)
}

func (s *controlSocket) RecvControl(bufs [][]byte, flags network.RecvFlags,
	c *network.Control) (network.Received, error) {
	*c = s.net.told
	return s.Recv(bufs, flags)
}

// TestControlSourceIsJudgedAsBind names sources, which need the rule of a bind, and interfaces.
func TestControlSourceIsJudgedAsBind(t *testing.T) {
	peer, peerAt := udpSocket(t, "127.0.0.1:0")
	ip := netip.MustParseAddr
	for _, test := range []struct {
		name, bind string
		rules      []string
		sent       network.Control
		want       error
	}{
		{"no rule", "", nil, network.Control{Source: ip("127.0.0.2")}, syscall.EACCES},
		{"a rule for another address", "", []string{"allow listen udp://127.0.0.3:0"},
			network.Control{Source: ip("127.0.0.2")}, syscall.EACCES},
		{"a rule for another protocol", "", []string{"allow listen tcp://127.0.0.2"},
			network.Control{Source: ip("127.0.0.2")}, syscall.EACCES},
		{"a rule for the address", "", []string{"allow listen udp://127.0.0.2:0"},
			network.Control{Source: ip("127.0.0.2")}, nil},
		{"a deny rule", "", []string{"allow listen udp://*:0", "deny listen udp://127.0.0.2"},
			network.Control{Source: ip("127.0.0.2")}, syscall.EACCES},
		{"bound there", "127.0.0.1:0", []string{"allow listen udp://127.0.0.1:0"},
			network.Control{Source: ip("127.0.0.1")}, nil},
		{"bound elsewhere", "127.0.0.1:0", []string{"allow listen udp://127.0.0.1:0"},
			network.Control{Source: ip("127.0.0.2")}, syscall.EACCES},
		{"no source", "", nil, network.Control{}, nil},
		{"the host's choice", "", nil, network.Control{Source: ip("0.0.0.0")}, nil},
		{"an interface that it knows", "", nil, network.Control{Interface: 1}, nil},
		{"one that it does not know", "", nil, network.Control{Interface: 2}, syscall.ENODEV},
		{"one that is not", "", nil, network.Control{Interface: 3}, syscall.ENODEV},
	} {
		t.Run(test.name, func(t *testing.T) {
			base := &controlNet{Network: kernel.New(kernel.Config{})}
			n := guard.New(base, testutil.Policy(t, append(test.rules,
				"allow connect udp://127.0.0.1")...), guard.Options{})
			s := open(t, n, network.IPv4, network.Datagram)
			if test.bind != "" {
				must(t, s.Bind(at(test.bind)))
			}
			test.sent.Fields = network.PacketInfo4 | network.PacketTTL
			// The second time the verdict is remembered.
			for range 2 {
				c := test.sent
				_, err := s.(network.Controller).SendControl([][]byte{[]byte("x")}, peerAt, &c)
				wantErr(t, "sending", err, test.want)
			}
			if test.want != nil {
				if len(base.sent) > 0 {
					t.Errorf("got %v sent, want nothing", base.sent)
				}
				expectNothing(t, peer)
				return
			}
			for range 2 {
				expectDatagram(t, peer, "x")
			}
			if len(base.sent) != 2 || base.sent[0] != test.sent {
				t.Errorf("got %v sent, want %v twice", base.sent, test.sent)
			}
			// A policy that no longer allows the source counts at once.
			if test.sent.Source == ip("127.0.0.2") {
				n.SetPolicy(testutil.Policy(t, "allow connect udp://127.0.0.1"))
				_, err := s.(network.Controller).SendControl([][]byte{[]byte("x")}, peerAt,
					&test.sent)
				wantErr(t, "after the rule is gone", err, syscall.EACCES)
			}
		})
	}
}

// TestManyInterfacesMakeFewLists names another interface in each call. A list of the host's
// addresses takes more than the call.
func TestManyInterfacesMakeFewLists(t *testing.T) {
	peerAt := netip.MustParseAddrPort("127.0.0.1:9")
	for name, call := range map[string]func(s network.Socket, index uint32) error{
		"a datagram": func(s network.Socket, index uint32) error {
			c := network.Control{Fields: network.PacketInfo4, Interface: index}
			_, err := s.(network.Controller).SendControl([][]byte{[]byte("x")}, peerAt, &c)
			return err
		},
		"an option": func(s network.Socket, index uint32) error {
			return s.SetOption(network.MulticastInterface4, int64(index))
		},
	} {
		t.Run(name, func(t *testing.T) {
			base := &controlNet{Network: kernel.New(kernel.Config{})}
			n := guard.New(base, testutil.Policy(t, "allow connect udp://127.0.0.1"),
				guard.Options{})
			s := open(t, n, network.IPv4, network.Datagram)
			const calls, life = 500, 20 * time.Millisecond // that of a list
			start := time.Now()
			for index := range uint32(calls) {
				if err := call(s, 3+index); err == nil {
					t.Fatalf("interface %d: got no error, want one", 3+index)
				}
			}
			if most := 1 + int(time.Since(start)/life); base.lists > most {
				t.Errorf("got %d lists for %d calls, want at most %d", base.lists, calls, most)
			}
			before := base.lists
			if _, err := n.HostAddrs(); err != nil || base.lists != before+1 {
				t.Errorf("got %d lists more, %v, want a new one for the guest", base.lists-before,
					err)
			}
		})
	}
}

// TestControlHidesUnknownInterfaces receives control data that name an interface which the guest
// may know, or may not.
func TestControlHidesUnknownInterfaces(t *testing.T) {
	peer, _ := udpSocket(t, "127.0.0.1:0")
	lo, eth := netip.MustParseAddr("127.0.0.1"), netip.MustParseAddr("192.0.2.1")
	group := netip.MustParseAddr("239.1.2.3")
	told := func(index uint32, destination, source netip.Addr) network.Control {
		return network.Control{Fields: network.PacketInfo4 | network.PacketTTL, Interface: index,
			Destination: destination, Source: source, HopLimit: 9}
	}
	for _, test := range []struct {
		name       string
		told, want network.Control
	}{
		{"known", told(1, lo, lo), told(1, lo, lo)},
		{"a group on a known one", told(1, group, lo), told(1, group, lo)},
		{"unknown", told(2, eth, eth), told(0, eth, eth)},
		{"a group on an unknown one", told(2, group, eth), told(0, group, netip.Addr{})},
	} {
		for _, shared := range []bool{false, true} {
			base := &controlNet{Network: kernel.New(kernel.Config{}), told: test.told}
			n := guard.New(base, testutil.Policy(t, "allow listen udp://127.0.0.1:0"),
				guard.Options{Shared: shared})
			s := open(t, n, network.IPv4, network.Datagram)
			must(t, s.Bind(here))
			for range 3 {
				sendTo(t, peer, "x", local(t, s))
				var got network.Control
				_, err := s.(network.Controller).RecvControl([][]byte{make([]byte, 8)}, 0, &got)
				must(t, err)
				if got != test.want {
					t.Errorf("%s: got %+v, want %+v", test.name, got, test.want)
				}
			}
			if base.lists != 1 {
				t.Errorf("%s: got %d lists of addresses for 3 datagrams, want 1", test.name,
					base.lists)
			}
		}
	}
}

// TestNoControlDataWithoutController sends and receives on a Network that has none.
func TestNoControlDataWithoutController(t *testing.T) {
	peer, peerAt := udpSocket(t, "127.0.0.1:0")
	base := &spoofedNet{kernel.New(kernel.Config{}), peerAt}
	n := guard.New(base, testutil.Policy(t, "allow listen udp://127.0.0.1:0",
		"allow connect udp://127.0.0.1"), guard.Options{})
	s := open(t, n, network.IPv4, network.Datagram)
	must(t, s.Bind(here))
	c := network.Control{Fields: network.PacketTTL, HopLimit: 1}
	_, err := s.(network.Controller).SendControl([][]byte{[]byte("x")}, peerAt, &c)
	wantErr(t, "sending", err, syscall.EOPNOTSUPP)
	sendTo(t, peer, "x", local(t, s))
	_, err = s.(network.Controller).RecvControl([][]byte{make([]byte, 8)}, 0, &c)
	must(t, err)
	if c != (network.Control{}) {
		t.Errorf("got control data %+v, want none", c)
	}
}
