package networktest

import (
	"syscall"

	"github.com/wasport/wasport/network"
)

var optionParts = []part{
	{"options that must be", nil, testRequiredOptions},
	{"option values", []Feature{OptionValues}, testOptionValues},
	{"buffer sizes", []Feature{OptionValues}, testBufferSizes},
	{"buffered", nil, testBuffered},
}

// The kinds of sockets that have an option.
const (
	tcp4 = 1 << iota
	tcp6
	udp4
	udp6

	tcp = tcp4 | tcp6
	udp = udp4 | udp6
	v6  = tcp6 | udp6
	all = tcp | udp
)

func kindOf(family network.Family, typ network.Type) int {
	kind := tcp4
	if family == network.IPv6 {
		kind = tcp6
	}
	if typ == network.Datagram {
		kind <<= 2
	}
	return kind
}

func (e env) types() []network.Type {
	if e.lacks(Datagrams) {
		return []network.Type{network.Stream}
	}
	return []network.Type{network.Stream, network.Datagram}
}

// testRequiredOptions tries the options that programs set without expecting a failure, and those
// that wasport reads itself.
func testRequiredOptions(e env) {
	for _, typ := range e.types() {
		s := e.open(typ)
		for _, o := range []network.Option{network.PendingError, network.AcceptConn} {
			if v, err := s.Option(o); v != 0 || err != nil {
				e.Errorf("%v option %d: got %d, %v; want 0", typ, o, v, err)
			}
			e.wantErr("set what can only be read", s.SetOption(o, 1), syscall.ENOPROTOOPT)
		}
		for _, o := range []network.Option{network.ReuseAddr, network.KeepAlive,
			network.RecvBuffer, network.SendBuffer, network.Linger, network.Broadcast} {
			e.acceptsOption(s, o)
		}
		if typ == network.Stream {
			e.acceptsOption(s, network.NoDelay)
		}
		if e.family == network.IPv6 {
			e.acceptsOption(s, network.V6Only)
		}
		for _, o := range []network.Option{network.Options, 255} {
			e.wantErrno("set an option that is not", s.SetOption(o, 1))
			_, err := s.Option(o)
			e.wantErrno("read an option that is not", err)
		}
	}
}

// acceptsOption reads an option, and sets it to the value that it has.
func (e env) acceptsOption(s network.Socket, o network.Option) {
	e.Helper()
	v, err := s.Option(o)
	if err == nil {
		err = s.SetOption(o, v)
	}
	if err != nil {
		e.Errorf("%v option %d: got %v, want it taken", s.Type(), o, err)
	}
}

var optionValues = []struct {
	name    string
	option  network.Option
	kinds   int     // sockets that have the option
	initial int64   // on Linux
	set     []int64 // values that are read back
	refused []int64 // values that are EINVAL
}{
	{"reuse addr", network.ReuseAddr, all, 0, []int64{1, 0}, nil},
	{"reuse port", network.ReusePort, all, 0, []int64{1, 0}, nil},
	{"keep alive", network.KeepAlive, all, 0, []int64{1, 0}, nil},
	{"broadcast", network.Broadcast, all, 0, []int64{1, 0}, nil},
	{"linger", network.Linger, all, -1, []int64{0, 5, -1}, []int64{-2, 1 << 31}},
	{"no delay", network.NoDelay, tcp, 0, []int64{1, 0}, nil},
	{"quick ack", network.QuickAck, tcp, 1, []int64{0, 1}, nil},
	{"fast open", network.FastOpenConnect, tcp, 0, []int64{1, 0}, nil},
	{"keep idle", network.KeepIdle, tcp, 7200, []int64{1, 32767}, []int64{0, 40000, -1, 1 << 40}},
	{"keep interval", network.KeepInterval, tcp, 75, []int64{1, 32767}, []int64{0, 40000}},
	{"keep count", network.KeepCount, tcp, 9, []int64{1, 127}, []int64{0, 128}},
	{"ttl", network.TTL, all, 64, []int64{1, 255}, []int64{0, 256, -1}},
	{"multicast ttl", network.MulticastTTL, udp, 1, []int64{0, 255}, []int64{256, -1}},
	{"multicast loop 4", network.MulticastLoop4, udp, 1, []int64{0, 1}, nil},
	{"multicast loop 6", network.MulticastLoop6, v6, 1, []int64{0, 1}, nil},
	{"v6 only", network.V6Only, v6, 0, []int64{1, 0}, nil},
	{"hop limit", network.HopLimit, v6, 64, []int64{0, 255}, []int64{256, -2}},
	{"multicast hops", network.MulticastHops, udp6, 1, []int64{0, 255}, []int64{256, -2}},
	{"multicast interface 4", network.MulticastInterface4, udp, 0, nil, []int64{-1, 1 << 32}},
	{"multicast interface 6", network.MulticastInterface6, udp6, 0, nil, nil},
	{"tos", network.TOS, all, 0, []int64{0x10, 0xb8}, []int64{-1, 256}},
	{"traffic class", network.TrafficClass, v6, 0, []int64{0x10, 0xb8}, []int64{-2, 256}},
	{"user timeout", network.UserTimeout, tcp, 0, []int64{30_000, 1<<31 - 1, 0},
		[]int64{-1, 1 << 31}},
	{"pending error", network.PendingError, all, 0, nil, nil},
	{"accepts", network.AcceptConn, all, 0, nil, nil},
}

// onAny are the options of groups, which Linux keeps for other sockets as well.
func onAny(o network.Option) bool {
	switch o {
	case network.MulticastTTL, network.MulticastLoop4, network.MulticastInterface4,
		network.MulticastHops, network.MulticastInterface6:
		return true
	}
	return false
}

func testOptionValues(e env) {
	for _, o := range optionValues {
		for _, typ := range e.types() {
			s := e.open(typ)
			if o.kinds&kindOf(e.family, typ) == 0 {
				if !onAny(o.option) || e.family == network.IPv4 && o.kinds == udp6 {
					_, err := s.Option(o.option)
					e.wantErr(o.name+": read on the wrong kind", err, syscall.EOPNOTSUPP)
					e.wantErr(o.name+": set on the wrong kind", s.SetOption(o.option, 1),
						syscall.ENOPROTOOPT)
				}
				continue
			}
			want := e.initial(o.option, o.initial)
			if v, err := s.Option(o.option); v != want || err != nil {
				e.Errorf("%v %s: initially got %d, %v; want %d", typ, o.name, v, err, want)
			}
			for _, v := range o.set {
				e.check(s.SetOption(o.option, v))
				if got, err := s.Option(o.option); got != v || err != nil {
					e.Errorf("%v %s: got %d, %v; want %d", typ, o.name, got, err, v)
				}
			}
			for _, v := range o.refused {
				e.wantErr(o.name, s.SetOption(o.option, v), syscall.EINVAL)
			}
		}
	}
	e.wantErr("multicast ttl on TCP",
		e.open(network.Stream).SetOption(network.MulticastTTL, 3), syscall.EINVAL)
}

func testBufferSizes(e env) {
	for _, typ := range e.types() {
		for _, o := range []network.Option{network.RecvBuffer, network.SendBuffer} {
			s := e.open(typ)
			e.check(s.SetOption(o, 8192))
			if v := must[int64](e)(s.Option(o)); v < 8192 {
				e.Errorf("got %d bytes, want at least 8192", v)
			}
			for _, v := range []int64{0, 1<<32 - 1, 1 << 40} {
				e.check(s.SetOption(o, v))
			}
			e.wantErr("less than nothing", s.SetOption(o, -1), syscall.EINVAL)
		}
	}
	s := e.open(network.Stream)
	e.check(s.SetOption(network.MaxSegment, 1000))
	if v := must[int64](e)(s.Option(network.MaxSegment)); v <= 0 {
		e.Errorf("got segments of %d bytes, want more than 0", v)
	}
}

// testBuffered compares the bytes that a connection takes with the limits that it reports.
func testBuffered(e env) {
	c, s := e.pair()
	sender, ok := c.(network.Buffered)
	if !ok {
		e.Skip("the sockets are not Buffered")
	}
	_, send, err := sender.BufferLimits()
	e.check(err)
	recv, _, err := s.(network.Buffered).BufferLimits()
	e.check(err)
	if sent := int64(e.fill(c)); sent > 2*(send+recv) {
		e.Errorf("got %d bytes taken, want at most twice the limits %d and %d", sent, send, recv)
	}
}
