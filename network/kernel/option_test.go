package kernel_test

import (
	"net/netip"
	"syscall"
	"testing"

	"github.com/wasport/wasport/network"
)

const (
	tcp4 = 1 << iota
	tcp6
	udp4
	udp6
)

var kinds = map[int]struct {
	family network.Family
	typ    network.Type
}{
	tcp4: {network.IPv4, network.Stream},
	tcp6: {network.IPv6, network.Stream},
	udp4: {network.IPv4, network.Datagram},
	udp6: {network.IPv6, network.Datagram},
}

func TestOptionReadsBackItsValue(t *testing.T) {
	const tcp, udp, v6, all = tcp4 | tcp6, udp4 | udp6, tcp6 | udp6, tcp4 | tcp6 | udp4 | udp6
	tests := []struct {
		name    string
		option  network.Option
		kinds   int // sockets that have the option
		initial int64
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
		{"keep idle", network.KeepIdle, tcp, 7200, []int64{1, 32767},
			[]int64{0, 40000, -1, 1 << 40}},
		{"keep interval", network.KeepInterval, tcp, 75, []int64{1, 32767}, []int64{0, 40000}},
		{"keep count", network.KeepCount, tcp, 9, []int64{1, 127}, []int64{0, 128}},
		{"ttl", network.TTL, all, 64, []int64{1, 255}, []int64{0, 256, -1}},
		{"multicast ttl", network.MulticastTTL, udp, 1, []int64{0, 255}, []int64{256, -1}},
		{"multicast loop 4", network.MulticastLoop4, udp, 1, []int64{0, 1}, nil},
		{"multicast loop 6", network.MulticastLoop6, v6, 1, []int64{0, 1}, nil},
		{"v6 only", network.V6Only, v6, 0, []int64{1, 0}, nil},
		{"hop limit", network.HopLimit, v6, 64, []int64{0, 255}, []int64{256, -2}},
		{"multicast hops", network.MulticastHops, udp6, 1, []int64{0, 255}, []int64{256, -2}},
		{"multicast interface 4", network.MulticastInterface4, udp, 0, []int64{0x7f000001},
			[]int64{-1, 1 << 32}},
		{"multicast interface 6", network.MulticastInterface6, udp6, 0, []int64{1}, nil},
		{"tos", network.TOS, all, 0, []int64{0x10, 0xb8}, []int64{-1, 256}},
		{"traffic class", network.TrafficClass, v6, 0, []int64{0x10, 0xb8}, []int64{-2, 256}},
		{"user timeout", network.UserTimeout, tcp, 0, []int64{30_000, 1<<31 - 1, 0},
			[]int64{-1, 1 << 31}},
		{"pending error", network.PendingError, all, 0, nil, nil},
		{"accepts", network.AcceptConn, all, 0, nil, nil},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			for bit, kind := range kinds {
				s := open(t, kind.family, kind.typ)
				if tt.kinds&bit == 0 {
					if tt.option != network.MulticastTTL && tt.option != network.MulticastLoop4 &&
						tt.option != network.MulticastHops &&
						tt.option != network.MulticastInterface6 &&
						tt.option != network.MulticastInterface4 || kind.family == network.IPv4 &&
						tt.kinds == udp6 {
						_, err := s.Option(tt.option)
						wantErr(t, "get on the wrong kind", err, syscall.EOPNOTSUPP)
						wantErr(t, "set on the wrong kind", s.SetOption(tt.option, 1),
							syscall.ENOPROTOOPT)
					}
					continue
				}
				if v, err := s.Option(tt.option); v != tt.initial || err != nil {
					t.Errorf("%v %v: initially got %d, %v; want %d", kind.family, kind.typ, v, err,
						tt.initial)
				}
				for _, v := range tt.set {
					check(t, s.SetOption(tt.option, v))
					if got, err := s.Option(tt.option); got != v || err != nil {
						t.Errorf("%v %v: got %d, %v; want %d", kind.family, kind.typ, got, err, v)
					}
				}
				for _, v := range tt.refused {
					wantErr(t, "set", s.SetOption(tt.option, v), syscall.EINVAL)
				}
			}
		})
	}
}

func TestOptionErrors(t *testing.T) {
	wantErr(t, "multicast ttl on TCP",
		open(t, network.IPv4, network.Stream).SetOption(network.MulticastTTL, 3), syscall.EINVAL)
	s := open(t, network.IPv4, network.Datagram)
	for _, o := range []network.Option{network.PendingError, network.AcceptConn, network.Options,
		255} {
		wantErr(t, "set what cannot be set", s.SetOption(o, 1), syscall.ENOPROTOOPT)
	}
	_, err := s.Option(network.Options)
	wantErr(t, "get what is not", err, syscall.ENOPROTOOPT)
}

func TestBufferSizesAtTheirLimits(t *testing.T) {
	for _, o := range []network.Option{network.RecvBuffer, network.SendBuffer} {
		s := open(t, network.IPv4, network.Stream)
		check(t, s.SetOption(o, 8192))
		if v := must[int64](t)(s.Option(o)); v < 8192 {
			t.Errorf("got %d bytes, want at least 8192", v)
		}
		for _, v := range []int64{0, 1<<32 - 1, 1 << 40} {
			check(t, s.SetOption(o, v))
		}
		wantErr(t, "less than nothing", s.SetOption(o, -1), syscall.EINVAL)
	}
}

func TestMaxSegment(t *testing.T) {
	s := open(t, network.IPv4, network.Stream)
	check(t, s.SetOption(network.MaxSegment, 1000))
	if v := must[int64](t)(s.Option(network.MaxSegment)); v <= 0 {
		t.Errorf("got segments of %d bytes, want more than 0", v)
	}
}

func TestV6OnlyListenerRefusesIPv4(t *testing.T) {
	s := open(t, network.IPv6, network.Stream)
	check(t, s.SetOption(network.V6Only, 1))
	check(t, s.Bind(netip.MustParseAddrPort("[::]:0")))
	check(t, s.Listen(1))
	port := must[netip.AddrPort](t)(s.LocalAddr()).Port()
	c := open(t, network.IPv4, network.Stream)
	err := c.Connect(netip.AddrPortFrom(netip.MustParseAddr("127.0.0.1"), port))
	if err == errInProgress {
		wait(t, c, network.Writable)
		err = c.FinishConnect()
	}
	wantErr(t, "connect by IPv4", err, syscall.ECONNREFUSED)
}
