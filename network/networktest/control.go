package networktest

import (
	"net/netip"
	"syscall"

	"github.com/wasport/wasport/internal/needs"
	"github.com/wasport/wasport/network"
)

var controlParts = []part{
	{"control data", []Feature{Datagrams}, testControl},
	{"control data with a source", []Feature{Datagrams}, testSource},
	{"control data that cannot be sent", []Feature{Datagrams}, testWrongControl},
}

// controlOptions are the options that ask for control data, and the fields that they ask for.
var controlOptions = []struct {
	option network.Option
	field  network.ControlFields
	family network.Family
}{
	{network.RecvPacketInfo4, network.PacketInfo4, network.IPv4},
	{network.RecvTTL, network.PacketTTL, network.IPv4},
	{network.RecvTOS, network.PacketTOS, network.IPv4},
	{network.RecvPacketInfo6, network.PacketInfo6, network.IPv6},
	{network.RecvHopLimit, network.PacketHopLimit, network.IPv6},
	{network.RecvTrafficClass, network.PacketTrafficClass, network.IPv6},
	{network.RecvTimestamp, network.PacketTime, network.AnyFamily},
}

// askForControl sets the options, and returns the fields that they ask for.
func (e env) askForControl(s network.Socket) (all network.ControlFields) {
	for _, o := range controlOptions {
		if o.family != network.AnyFamily && o.family != e.family {
			continue
		}
		switch err := s.SetOption(o.option, 1); err {
		case nil:
			all |= o.field
		case syscall.ENOPROTOOPT:
		default:
			e.Errorf("option %d: got %v, want it taken, or ENOPROTOOPT", o.option, err)
		}
	}
	return all
}

// testControl asks for all control data. The socket tells those that it was asked for and took.
func testControl(e env) {
	a, from := e.bound(network.Datagram)
	b, to := e.bound(network.Datagram)
	receiver, ok := b.(network.Controller)
	asked := e.askForControl(b)
	if !ok {
		if asked != 0 {
			e.Errorf("got options for the fields %#x of a socket that is no Controller, want %v",
				asked, syscall.ENOPROTOOPT)
		}
		return
	}
	for _, o := range controlOptions {
		e.wantErr("control data of a stream", e.open(network.Stream).SetOption(o.option, 1),
			syscall.ENOPROTOOPT)
	}
	sent := e.sendControl(a, to, network.Control{Fields: asked &^ network.PacketTime,
		Source: from.Addr(), HopLimit: 7, TrafficClass: 0x10})
	for _, flags := range []network.RecvFlags{network.Peek, 0} {
		e.waitFor(b, network.Readable)
		got := network.Control{Fields: network.ControlFieldsAll, HopLimit: 99}
		r, err := receiver.RecvControl(one(make([]byte, 8)), flags, &got)
		e.check(err)
		if r.N != 1 || r.From != from || got.Fields != asked {
			e.Errorf("got %+v, fields %#x; want a byte from %v, fields %#x", r, got.Fields, from,
				asked)
		}
		if asked&(network.PacketInfo4|network.PacketInfo6) != 0 &&
			(got.Destination != to.Addr() || got.Source != to.Addr()) {
			e.Errorf("got %+v, want the destination %v", got, to.Addr())
		}
		if asked&(network.PacketTTL|network.PacketHopLimit) != 0 && got.HopLimit != 7 {
			e.Errorf("got %d hops, want 7", got.HopLimit)
		}
		if sent&(network.PacketTOS|network.PacketTrafficClass) != 0 && got.TrafficClass != 0x10 {
			e.Errorf("got traffic class %d, want 16", got.TrafficClass)
		}
	}
	_, err := receiver.RecvControl(one(make([]byte, 8)), 0, new(network.Control))
	e.wantErr("receive nothing", err, syscall.EAGAIN)
}

// testSource sends from an address that is not the host's choice. IPv6 has one address of loopback,
// and so have macOS and the BSDs.
func testSource(e env) {
	receiver, to := e.bound(network.Datagram)
	sender, ok := e.open(network.Datagram).(network.Controller)
	if !ok || e.askForControl(receiver) == 0 {
		return
	}
	needs.NotWine(e)
	c := network.Control{Fields: network.PacketInfo6, Source: to.Addr()}
	if e.family == network.IPv4 {
		c.Fields, c.Source = network.PacketInfo4, netip.AddrFrom4([4]byte{127, 0, 0, 2})
	}
	_, err := sender.SendControl(one([]byte("x")), to, &c)
	if err == syscall.EADDRNOTAVAIL {
		return
	}
	e.check(err)
	e.waitFor(receiver, network.Readable)
	r, err := receiver.Recv(one(make([]byte, 8)), 0)
	e.check(err)
	if r.From.Addr() != c.Source {
		e.Errorf("got a datagram from %v, want one from %v", r.From, c.Source)
	}
}

// sendControl sends a byte with control data, and returns the fields that could be sent. The hops
// that cannot be are set as an option.
func (e env) sendControl(s network.Socket, to netip.AddrPort,
	c network.Control) network.ControlFields {
	const info = network.PacketInfo4 | network.PacketInfo6
	if c.Fields == 0 {
		_, err := s.Send(one([]byte("x")), to)
		e.check(err)
		return 0
	}
	_, err := s.(network.Controller).SendControl(one([]byte("x")), to, &c)
	if err == syscall.EOPNOTSUPP && c.Fields&^info != 0 {
		hops := network.TTL
		if e.family == network.IPv6 {
			hops = network.HopLimit
		}
		e.check(s.SetOption(hops, int64(c.HopLimit)))
		c.Fields &= info
		return e.sendControl(s, to, c)
	}
	e.check(err)
	return c.Fields
}

func testWrongControl(e env) {
	s, to := e.bound(network.Datagram)
	sender, ok := s.(network.Controller)
	if !ok {
		return
	}
	other := netip.IPv6Loopback()
	info, hops, class := network.PacketInfo4, network.PacketTTL, network.PacketTOS
	if e.family == network.IPv6 {
		other = netip.AddrFrom4([4]byte{127, 0, 0, 1})
		info, hops, class = network.PacketInfo6, network.PacketHopLimit, network.PacketTrafficClass
	}
	for _, c := range []network.Control{
		{Fields: network.PacketTime},
		{Fields: info, Source: other},
		{Fields: hops, HopLimit: -2},
		{Fields: hops, HopLimit: 256},
		{Fields: class, TrafficClass: -2},
		{Fields: class, TrafficClass: 256},
	} {
		_, err := sender.SendControl(one([]byte("x")), to, &c)
		if err != syscall.EINVAL && err != syscall.EOPNOTSUPP {
			e.Errorf("%+v: got %v, want EINVAL", c, err)
		}
	}
	_, err := s.Recv(one(make([]byte, 8)), 0)
	e.wantErr("receive what was not sent", err, syscall.EAGAIN)
}
