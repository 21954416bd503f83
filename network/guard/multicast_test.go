package guard_test

import (
	"fmt"
	"net"
	"net/netip"
	"syscall"
	"testing"

	"github.com/wasport/wasport/internal/needs"
	"github.com/wasport/wasport/internal/testutil"
	"github.com/wasport/wasport/network"
	"github.com/wasport/wasport/network/guard"
	"github.com/wasport/wasport/network/kernel"
)

// fakeHost is a host with a loopback interface and one more. It records each call that names an
// interface.
type fakeHost struct {
	network.Network
	asked []string
}

type fakeHostSocket struct {
	network.Socket
	*fakeHost
}

const (
	inner, outer = 1, 2    // interfaces of the harbour
	noIndex      = 1 << 20 // and one that it lacks
	innerAddr    = "127.0.0.1"
	outerAddr    = "10.77.0.1"
	noAddr       = "10.77.0.9"
)

func (h *fakeHost) HostAddrs() ([]network.HostAddr, error) {
	return []network.HostAddr{
		{Name: "in", Index: inner, Prefix: netip.MustParsePrefix(innerAddr + "/8")},
		{Name: "out", Index: outer, Prefix: netip.MustParsePrefix(outerAddr + "/24")},
		{Name: "out", Index: outer, Prefix: netip.MustParsePrefix("fe80::1/64")},
	}, nil
}

func (h *fakeHost) Open(f network.Family, typ network.Type) (network.Socket, error) {
	s, err := h.Network.Open(f, typ)
	return &fakeHostSocket{s, h}, err
}

func (s *fakeHostSocket) ask(format string, args ...any) error {
	s.asked = append(s.asked, fmt.Sprintf(format, args...))
	return nil
}

func (s *fakeHostSocket) SetOption(o network.Option, v int64) error {
	return s.ask("set %d to %d", o, v)
}
func (s *fakeHostSocket) Join(g netip.Addr, on network.Interface) error {
	return s.ask("join %v %v", g, on)
}
func (s *fakeHostSocket) Leave(g netip.Addr, on network.Interface) error {
	return s.ask("leave %v %v", g, on)
}
func (s *fakeHostSocket) Connect(to netip.AddrPort) error { return s.ask("connect %v", to) }
func (s *fakeHostSocket) Bind(to netip.AddrPort) error    { return s.ask("bind %v", to) }
func (s *fakeHostSocket) Send(_ [][]byte, to netip.AddrPort) (int, error) {
	return 0, s.ask("send %v", to)
}

// TestUnknownInterfaceLooksAbsent names interfaces in every call that can. An interface that the
// guest may not know gives the error of one that does not exist, and the host is not asked.
func TestUnknownInterfaceLooksAbsent(t *testing.T) {
	number := func(a string) int64 {
		b := netip.MustParseAddr(a).As4()
		return int64(b[0])<<24 | int64(b[1])<<16 | int64(b[2])<<8 | int64(b[3])
	}
	zoned := func(a string, index int) netip.Addr {
		return netip.MustParseAddr(a).WithZone(fmt.Sprint(index))
	}
	four, six := netip.MustParseAddr("239.1.2.3"), netip.MustParseAddr("ff02::fb")
	ways := map[string]func(s network.Socket, address string, index int) error{
		"the option of IPv4": func(s network.Socket, address string, _ int) error {
			return s.SetOption(network.MulticastInterface4, number(address))
		},
		"the option of IPv6": func(s network.Socket, _ string, index int) error {
			return s.SetOption(network.MulticastInterface6, int64(index))
		},
		"join by an address": func(s network.Socket, address string, _ int) error {
			return s.Join(four, network.Interface{Addr: netip.MustParseAddr(address)})
		},
		"join by an index": func(s network.Socket, _ string, index int) error {
			return s.Join(four, network.Interface{Index: uint32(index)})
		},
		"join by both": func(s network.Socket, address string, index int) error {
			on := network.Interface{Addr: netip.MustParseAddr(address), Index: uint32(index)}
			return s.Join(four, on)
		},
		"join by IPv6": func(s network.Socket, _ string, index int) error {
			return s.Join(six, network.Interface{Index: uint32(index)})
		},
		"leave by an address": func(s network.Socket, address string, _ int) error {
			return s.Leave(four, network.Interface{Addr: netip.MustParseAddr(address)})
		},
		"leave by an index": func(s network.Socket, _ string, index int) error {
			return s.Leave(four, network.Interface{Index: uint32(index)})
		},
		"leave by IPv6": func(s network.Socket, _ string, index int) error {
			return s.Leave(six, network.Interface{Index: uint32(index)})
		},
		"send to a group in a zone": func(s network.Socket, _ string, index int) error {
			_, err := s.Send(nil, netip.AddrPortFrom(zoned(six.String(), index), 9))
			return err
		},
		"connect in a zone": func(s network.Socket, _ string, index int) error {
			return s.Connect(netip.AddrPortFrom(zoned("fe80::9", index), 9))
		},
		"bind in a zone": func(s network.Socket, _ string, index int) error {
			return s.Bind(netip.AddrPortFrom(zoned("fe80::9", index), 9))
		},
	}
	groups := []string{"allow join 239.1.2.3", "allow join ff02::fb",
		"allow connect udp://[ff02::fb]:9",
		"allow connect udp://[fe80::9]:9", "allow listen udp://[fe80::9]:9"}
	for _, test := range []struct {
		name         string
		rules        []string
		inner, outer bool // whether they may be known
	}{
		{"nothing allowed", nil, false, false},
		{"groups", groups, false, false},
		{"groups, and a socket on every address",
			append(groups, "allow listen udp://0.0.0.0", "allow listen udp://[::]"), false, false},
		{"groups, and one port of an address", append(groups, "allow connect udp://10.77.0.1:53"),
			false, false},
		{"groups, and loopback", append(groups, "allow connect loopback"), true, false},
		{"groups, and a port of the host's choice",
			append(groups, "allow listen udp://10.77.0.1:0"), false, true},
	} {
		for name, way := range ways {
			t.Run(test.name+"/"+name, func(t *testing.T) {
				base := &fakeHost{Network: kernel.New(kernel.Config{})}
				n := guard.New(base, testutil.Policy(t, test.rules...), guard.Options{})
				s := open(t, n, network.IPv6, network.Datagram)
				absent := guestError(way(s, noAddr, noIndex))
				if absent == nil {
					t.Error("got no error for an interface that does not exist, want one")
				}
				for _, on := range []struct {
					address string
					index   int
					known   bool
				}{{innerAddr, inner, test.inner}, {outerAddr, outer, test.outer}} {
					base.asked = nil
					err := guestError(way(s, on.address, on.index))
					if on.known && err != nil || !on.known && err != absent {
						t.Errorf("interface %d: got %v, want %v as for an absent one",
							on.index, err, absent)
					}
					if !on.known && len(base.asked) > 0 {
						t.Errorf("interface %d: got the call %q, want none", on.index, base.asked)
					}
				}
			})
		}
	}
}

// guestError returns the errno that a guest gets.
func guestError(err error) error {
	if r, ok := err.(interface{ Unwrap() error }); ok {
		return r.Unwrap()
	}
	return err
}

// TestMulticastInterfaceReadsAsUnsetAfterSetPolicy takes away the permission to know the interface
// that was chosen.
func TestMulticastInterfaceReadsAsUnsetAfterSetPolicy(t *testing.T) {
	n := guarded(t, "allow connect loopback")
	s := open(t, n, network.IPv4, network.Datagram)
	must(t, s.SetOption(network.MulticastInterface4, 0x7f000001))
	for _, want := range []int64{0x7f000001, 0} {
		if got, err := s.Option(network.MulticastInterface4); got != want || err != nil {
			t.Errorf("it reads as %#x, %v; want %#x", got, err, want)
		}
		n.SetPolicy(nil)
	}
	must(t, s.SetOption(network.MulticastInterface4, 0))
	err := s.SetOption(network.MulticastInterface4, 0x7f000001)
	wantErr(t, "choose it again", err, syscall.EADDRNOTAVAIL)
}

// TestAdoptedSocketReceivesOnlyJoinedGroups adopts a socket to which the kernel would deliver
// datagrams to groups that other programs joined.
func TestAdoptedSocketReceivesOnlyJoinedGroups(t *testing.T) {
	group := netip.MustParseAddr("239.1.2.3")
	on := network.Interface{Addr: netip.MustParseAddr("127.0.0.1")}
	for _, families := range []string{"udp4", "udp"} {
		t.Run(families, func(t *testing.T) {
			if families == "udp4" {
				needs.NotWine(t)
			}
			c, err := net.ListenPacket(families, ":0")
			must(t, err)
			t.Cleanup(func() { c.Close() })
			n, s := adopted(t, c.(*net.UDPConn),
				testutil.Policy(t, "allow join any", "allow connect any"))
			to := netip.AddrPortFrom(group, local(t, s).Port())
			other := open(t, n, network.IPv4, network.Datagram)
			must(t, other.Join(group, on))
			out := open(t, n, network.IPv4, network.Datagram)
			must(t, out.SetOption(network.MulticastInterface4, 0x7f000001))

			send(t, out, "to others", to)
			_, err = s.Recv([][]byte{make([]byte, 64)}, 0)
			wantErr(t, "receive what is sent to others", err, syscall.EAGAIN)
			must(t, s.Join(group, on))
			send(t, out, "to all", to)
			if text, _ := receive(t, s); text != "to all" {
				t.Errorf("got %q, want %q", text, "to all")
			}
			// The membership ends with the guest, where the socket does not.
			must(t, s.Close())
			send(t, out, "to others", to)
			expectNothing(t, c.(*net.UDPConn))
		})
	}
}
