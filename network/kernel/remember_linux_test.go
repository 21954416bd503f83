package kernel

import (
	"syscall"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/wasport/wasport/network"
)

// newRefusing returns a socket of IPv6 whose kernel knows no option of TCP, IPv4 or IPv6: the
// kernel's socket is a Unix-domain one, which answers EOPNOTSUPP.
func newRefusing(t *testing.T, typ network.Type) *socket {
	t.Helper()
	fd, err := unix.Socket(unix.AF_UNIX, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	s := newSocket(fd, network.IPv6, typ)
	t.Cleanup(func() { s.Close() })
	return s
}

func TestOptionsThatTheKernelLacks(t *testing.T) {
	for _, row := range []struct {
		name    string
		option  network.Option
		typ     network.Type
		initial int64
		set     []int64
		refused []int64
	}{
		{"no delay", network.NoDelay, network.Stream, 0, []int64{1, 0}, nil},
		{"quick ack", network.QuickAck, network.Stream, 1, []int64{0, 1}, nil},
		{"fast open", network.FastOpenConnect, network.Stream, 0, []int64{1}, nil},
		{"keep idle", network.KeepIdle, network.Stream, 7200, []int64{1, 32767},
			[]int64{0, 32768}},
		{"keep interval", network.KeepInterval, network.Stream, 75, []int64{1}, []int64{0}},
		{"keep count", network.KeepCount, network.Stream, 9, []int64{127}, []int64{128}},
		{"maximum segment", network.MaxSegment, network.Stream, 536, []int64{1000},
			[]int64{87, 32768}},
		{"user timeout", network.UserTimeout, network.Stream, 0, []int64{30_000}, []int64{-1}},
		{"ttl", network.TTL, network.Stream, 64, []int64{1}, []int64{0, 256}},
		{"tos", network.TOS, network.Datagram, 0, []int64{0xb8}, []int64{256}},
		{"traffic class", network.TrafficClass, network.Datagram, 0, []int64{7}, []int64{-2}},
		{"hop limit", network.HopLimit, network.Stream, 64, []int64{0, 255}, []int64{256}},
		{"multicast ttl", network.MulticastTTL, network.Datagram, 1, []int64{0}, []int64{256}},
		{"multicast hops", network.MulticastHops, network.Datagram, 1, []int64{9}, []int64{-2}},
		{"multicast loop", network.MulticastLoop6, network.Stream, 1, []int64{0}, nil},
	} {
		t.Run(row.name, func(t *testing.T) {
			s := newRefusing(t, row.typ)
			want := func(v int64) {
				t.Helper()
				if got, err := s.Option(row.option); got != v || err != nil {
					t.Errorf("got %d, %v; want %d", got, err, v)
				}
			}
			want(row.initial)
			last := row.initial
			for _, v := range row.set {
				if err := s.SetOption(row.option, v); err != nil {
					t.Errorf("set to %d: %v", v, err)
				}
				want(v)
				last = v
			}
			for _, v := range row.refused {
				if err := s.SetOption(row.option, v); err != syscall.EINVAL {
					t.Errorf("set to %d: got %v, want %v", v, err, syscall.EINVAL)
				}
				want(last)
			}
		})
	}
}

// TestMinusOneIsRemembered sets options to -1, which stands for the initial value.
func TestMinusOneIsRemembered(t *testing.T) {
	s := newRefusing(t, network.Datagram)
	for o, want := range map[network.Option]int64{network.HopLimit: 64, network.MulticastHops: 1,
		network.TrafficClass: 0} {
		if err := s.SetOption(o, 3); err != nil {
			t.Fatal(err)
		}
		if err := s.SetOption(o, -1); err != nil {
			t.Fatal(err)
		}
		if got, err := s.Option(o); got != want || err != nil {
			t.Errorf("option %d: got %d, %v; want %d", o, got, err, want)
		}
	}
}

// TestSafetyIsNotRemembered sets an option whose effect a guest relies on.
func TestSafetyIsNotRemembered(t *testing.T) {
	s := newRefusing(t, network.Stream)
	if err := s.SetOption(network.V6Only, 1); err != syscall.EOPNOTSUPP {
		t.Errorf("got %v, want %v", err, syscall.EOPNOTSUPP)
	}
}

// TestRefusedValueIsNotRemembered sets an option too late, which is EINVAL, but not a lack.
func TestRefusedValueIsNotRemembered(t *testing.T) {
	l := newStateTest(t, network.Stream)
	l.want("bind", l.s.Bind(anyPort), nil, stateBound)
	l.want("listen", l.s.Listen(1), nil, stateListening)
	err := l.s.SetOption(network.FastOpenConnect, 1)
	if err != syscall.EINVAL {
		t.Errorf("got %v, want %v", err, syscall.EINVAL)
	}
	if v, err := l.s.Option(network.FastOpenConnect); v != 0 || err != nil {
		t.Errorf("got %d, %v; want 0", v, err)
	}
}

// TestLingerTime compares the linger time that a guest reads with the kernel's, with which close(2)
// must not block.
func TestLingerTime(t *testing.T) {
	l := newStateTest(t, network.Stream)
	l.want("bind", l.s.Bind(anyPort), nil, stateBound)
	for _, row := range []struct{ set, kernel int64 }{{5, -1}, {0, 0}, {1 << 30, -1}, {-1, -1}} {
		if err := l.s.SetOption(network.Linger, row.set); err != nil {
			t.Fatal(err)
		}
		if got, err := l.s.Option(network.Linger); got != row.set || err != nil {
			t.Errorf("got %d, %v; want %d", got, err, row.set)
		}
		got, err := getLinger(l.s.fd, unix.SOL_SOCKET, unix.SO_LINGER)
		if got != row.kernel || err != nil {
			t.Errorf("set to %d: the kernel has %d, %v; want %d", row.set, got, err, row.kernel)
		}
	}
}

// TestRememberedIsInherited accepts a connection of a listener with remembered options.
func TestRememberedIsInherited(t *testing.T) {
	l := newStateTest(t, network.Stream)
	l.want("bind", l.s.Bind(anyPort), nil, stateBound)
	l.want("listen", l.s.Listen(1), nil, stateListening)
	l.s.SetOption(network.Linger, 7)
	to, err := l.s.LocalAddr()
	l.want("address", err, nil, stateListening)
	c := newStateTest(t, network.Stream)
	c.want("connect", c.s.Connect(to), syscall.EINPROGRESS, stateConnecting)
	c.waitWritable()
	s, _, err := l.s.Accept()
	l.want("accept", err, nil, stateListening)
	defer s.Close()
	if got, err := s.Option(network.Linger); got != 7 || err != nil {
		t.Errorf("got %d, %v; want 7", got, err)
	}
}
