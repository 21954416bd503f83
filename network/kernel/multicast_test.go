package kernel_test

import (
	"net"
	"net/netip"
	"syscall"
	"testing"

	"github.com/wasport/wasport/network"
)

// loopback is the index of the interface that the tests stay on.
func loopback(t *testing.T) uint32 {
	t.Helper()
	list, err := net.Interfaces()
	check(t, err)
	for _, i := range list {
		if i.Flags&net.FlagLoopback != 0 && i.Flags&net.FlagUp != 0 {
			return uint32(i.Index)
		}
	}
	t.Fatal("got no loopback interface, want one that is up")
	return 0
}

func TestMulticastMembership(t *testing.T) {
	index := loopback(t)
	tests := []struct {
		name   string
		family network.Family
		group  netip.Addr
		on     network.Interface
		from   network.Option // the option that chooses the interface to send from
		value  int64
	}{
		{"ipv4 by address", network.IPv4, netip.MustParseAddr("239.255.77.1"),
			network.Interface{Addr: netip.MustParseAddr("127.0.0.1")}, network.MulticastInterface4,
			0x7f000001},
		{"ipv4 by index", network.IPv4, netip.MustParseAddr("239.255.77.2"),
			network.Interface{Index: index}, network.MulticastInterface4, 0x7f000001},
		{"ipv6", network.IPv6, netip.MustParseAddr("ff01::4d:1"), network.Interface{Index: index},
			network.MulticastInterface6, int64(index)},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			unspecified := netip.IPv4Unspecified()
			if tt.family == network.IPv6 {
				unspecified = netip.IPv6Unspecified()
			}
			member, addr := bound(t, tt.family, netip.AddrPortFrom(unspecified, 0))
			group := netip.AddrPortFrom(tt.group, addr.Port())
			wantErr(t, "leave before join", member.Leave(tt.group, tt.on), syscall.EADDRNOTAVAIL)
			check(t, member.Join(tt.group, tt.on))
			wantErr(t, "join again", member.Join(tt.group, tt.on), syscall.EADDRINUSE)

			sender := open(t, tt.family, network.Datagram)
			check(t, sender.SetOption(tt.from, tt.value))
			n, err := sender.Send(one([]byte("to all")), group)
			switch {
			case err == syscall.ENETUNREACH && tt.family == network.IPv6:
				t.Log("nothing was sent: this host has no route for IPv6 multicast on its " +
					"loopback interface")
			case n != 6 || err != nil:
				t.Fatalf("send: got %d, %v; want 6", n, err)
			default:
				b := make([]byte, 16)
				r := recv(t, member, b)
				if string(b[:r.N]) != "to all" ||
					r.From.Port() != must[netip.AddrPort](t)(sender.LocalAddr()).Port() {
					t.Errorf("got %q, %+v; want \"to all\" from the sender", b[:r.N], r)
				}
			}
			check(t, member.Leave(tt.group, tt.on))
			wantErr(t, "leave again", member.Leave(tt.group, tt.on), syscall.EADDRNOTAVAIL)

			wantErr(t, "join a stream", open(t, tt.family, network.Stream).Join(tt.group, tt.on),
				syscall.EPROTO)
			wantErr(t, "join a single host", member.Join(at(tt.family), tt.on), syscall.EINVAL)
			wantErr(t, "join nothing", member.Join(netip.Addr{}, tt.on), syscall.EINVAL)
			wantErr(t, "join on no interface",
				member.Join(tt.group, network.Interface{Index: 1 << 20}), syscall.ENODEV)
		})
	}
	s := open(t, network.IPv4, network.Datagram)
	wantErr(t, "an IPv6 group on an IPv4 socket",
		s.Join(netip.MustParseAddr("ff02::1"),
			network.Interface{Index: index}), syscall.ENOPROTOOPT)
}

func at(family network.Family) netip.Addr {
	for _, l := range loopbacks {
		if l.family == family {
			return l.addr
		}
	}
	return netip.Addr{}
}
