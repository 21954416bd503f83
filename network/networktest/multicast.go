package networktest

import (
	"encoding/binary"
	"net/netip"
	"syscall"

	"github.com/wasport/wasport/network"
)

var multicastParts = []part{
	{"multicast", []Feature{Datagrams, Multicast}, testMulticast},
	{"multicast refused", []Feature{Datagrams, Multicast}, testMulticastRefused},
}

// groupOn returns a group, and the interface to join it on.
func (e env) groupOn() (netip.Addr, network.Interface) {
	index := e.options.Interface
	if lister, ok := e.network.(network.Lister); ok && index == 0 {
		list, err := lister.HostAddrs()
		e.check(err)
		for _, a := range list {
			if a.Prefix.Addr() == e.at.Addr() {
				index = a.Index
			}
		}
	}
	if index == 0 {
		e.Fatal("got no index of an interface, want one from HostAddrs or Options.Interface")
	}
	group := netip.MustParseAddr("239.255.77.2")
	if e.family == network.IPv6 {
		group = netip.MustParseAddr("ff01::4d:1")
	}
	return group, network.Interface{Index: index}
}

func testMulticast(e env) {
	group, on := e.groupOn()
	ways := []network.Interface{on}
	option, value := network.MulticastInterface6, int64(on.Index)
	if e.family == network.IPv4 {
		ways = append(ways, network.Interface{Addr: e.at.Addr()})
		a := e.at.Addr().As4()
		option, value = network.MulticastInterface4, int64(binary.BigEndian.Uint32(a[:]))
	}
	for _, on := range ways {
		member := e.open(network.Datagram)
		e.check(member.Bind(netip.AddrPortFrom(e.unspecified(), 0)))
		to := netip.AddrPortFrom(group, must[netip.AddrPort](e)(member.LocalAddr()).Port())
		e.wantErr("leave before join", member.Leave(group, on), syscall.EADDRNOTAVAIL)
		e.check(member.Join(group, on))
		e.wantErr("join again", member.Join(group, on), syscall.EADDRINUSE)

		sender := e.open(network.Datagram)
		e.check(sender.SetOption(option, value))
		if v := must[int64](e)(sender.Option(option)); v != value {
			e.Errorf("interface to send from: got %d, want %d", v, value)
		}
		_, err := sender.Send(one([]byte("to all")), to)
		if err == syscall.ENETUNREACH && e.family == network.IPv6 {
			e.Log("nothing was sent: this host has no route for IPv6 multicast on its " +
				"loopback interface")
		} else {
			e.check(err)
			b := make([]byte, 16)
			r := e.recv(member, b)
			port := must[netip.AddrPort](e)(sender.LocalAddr()).Port()
			if string(b[:r.N]) != "to all" || r.From.Port() != port {
				e.Errorf("got %q, %+v; want \"to all\" from the sender", b[:r.N], r)
			}
		}
		e.check(member.Leave(group, on))
		e.wantErr("leave again", member.Leave(group, on), syscall.EADDRNOTAVAIL)
		if err == nil {
			e.send(sender, "to nobody", to)
			_, err := member.Recv(one(make([]byte, 16)), 0)
			e.wantErr("receive after leave", err, syscall.EAGAIN)
		}
	}
}

func testMulticastRefused(e env) {
	group, on := e.groupOn()
	s := e.open(network.Datagram)
	e.wantErr("join a stream", e.open(network.Stream).Join(group, on), syscall.EPROTO)
	e.wantErr("join a single host", s.Join(e.at.Addr(), on), syscall.EINVAL)
	e.wantErrno("join nothing", s.Join(netip.Addr{}, on))
	e.wantErr("join on no interface", s.Join(group, network.Interface{Index: 1 << 20}),
		syscall.ENODEV)
	if e.family == network.IPv4 {
		e.wantErr("an IPv6 group on an IPv4 socket", s.Join(netip.MustParseAddr("ff02::1"), on),
			syscall.ENOPROTOOPT)
	}
}
