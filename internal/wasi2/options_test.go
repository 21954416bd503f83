package wasi2

import (
	"fmt"
	"math"
	"testing"

	"github.com/wasport/wasport/network"
)

// sockOptions are the options of both kinds of sockets, with what each value reads back as.
var sockOptions = []struct {
	create, method, name string
	set, reads           uint64 // reads is 0 if set is an invalid-argument
}{
	{createTCP, tcpMethod, "keep-alive-idle-time", 0, 0},
	{createTCP, tcpMethod, "keep-alive-idle-time", 1, 1e9},
	{createTCP, tcpMethod, "keep-alive-idle-time", 5e9, 5e9},
	{createTCP, tcpMethod, "keep-alive-idle-time", 5e9 + 1, 6e9},
	{createTCP, tcpMethod, "keep-alive-idle-time", math.MaxUint64, 32767e9},
	{createTCP, tcpMethod, "keep-alive-interval", 0, 0},
	{createTCP, tcpMethod, "keep-alive-interval", 1, 1e9},
	{createTCP, tcpMethod, "keep-alive-interval", math.MaxUint64, 32767e9},
	{createTCP, tcpMethod, "keep-alive-count", 0, 0},
	{createTCP, tcpMethod, "keep-alive-count", 3, 3},
	{createTCP, tcpMethod, "keep-alive-count", math.MaxUint32, 127},
	{createTCP, tcpMethod, "hop-limit", 0, 0},
	{createTCP, tcpMethod, "hop-limit", 1, 1},
	{createTCP, tcpMethod, "hop-limit", 255, 255},
	{createTCP, tcpMethod, "receive-buffer-size", 0, 0},
	{createTCP, tcpMethod, "receive-buffer-size", 1, 1},
	{createTCP, tcpMethod, "receive-buffer-size", 65_536, 65_536},
	{createTCP, tcpMethod, "receive-buffer-size", math.MaxUint64, math.MaxInt32},
	{createTCP, tcpMethod, "send-buffer-size", 0, 0},
	{createTCP, tcpMethod, "send-buffer-size", 1024, 1024},
	{createTCP, tcpMethod, "send-buffer-size", math.MaxUint64, math.MaxInt32},
	{createUDP, udpMethod, "unicast-hop-limit", 0, 0},
	{createUDP, udpMethod, "unicast-hop-limit", 255, 255},
	{createUDP, udpMethod, "receive-buffer-size", 0, 0},
	{createUDP, udpMethod, "receive-buffer-size", 4096, 4096},
	{createUDP, udpMethod, "receive-buffer-size", math.MaxUint64, math.MaxInt32},
	{createUDP, udpMethod, "send-buffer-size", 0, 0},
	{createUDP, udpMethod, "send-buffer-size", 4097, 4097},
	{createUDP, udpMethod, "send-buffer-size", math.MaxUint64, math.MaxInt32},
}

// TestOptionsReadBack sets options and reads them again.
func TestOptionsReadBack(t *testing.T) {
	for _, test := range sockOptions {
		t.Run(fmt.Sprintf("%s %d", test.name, test.set), func(t *testing.T) {
			eachFamily(t, func(t *testing.T, f family) {
				c := newNetCaller(t, anyLoopback...)
				s := c.handle(test.create, f.number)
				before := c.call(test.method+test.name, s)
				want, reads := "ok", fmt.Sprintf("ok(%d)", test.reads)
				if test.reads == 0 {
					want, reads = "err(invalid-argument)", before
				}
				c.wants(want, test.method+"set-"+test.name, s, test.set)
				c.wants(reads, test.method+test.name, s)
			})
		})
	}
}

// TestOptionsBeforeASet reads the values of a new socket, which are no 0: a program may set a size
// to what it has read.
func TestOptionsBeforeASet(t *testing.T) {
	eachFamily(t, func(t *testing.T, f family) {
		c := newNetCaller(t, anyLoopback...)
		tcp, udp := c.handle(createTCP, f.number), c.handle(createUDP, f.number)
		c.wants(`ok(false)`, tcpMethod+"keep-alive-enabled", tcp)
		c.wants(`ok`, tcpMethod+"set-keep-alive-enabled", tcp, 1)
		c.wants(`ok(true)`, tcpMethod+"keep-alive-enabled", tcp)
		c.wants(`ok(64)`, tcpMethod+"hop-limit", tcp)
		c.wants(`ok(64)`, udpMethod+"unicast-hop-limit", udp)
		for _, name := range []string{"receive-buffer-size", "send-buffer-size"} {
			for method, s := range map[string]uint64{tcpMethod: tcp, udpMethod: udp} {
				if n := c.handles(method+name, s)[0]; n == 0 {
					t.Errorf("%s%s: got 0, want a size", method, name)
				}
			}
		}
	})
}

// TestSizeThatWasReadChangesNothing sets the size of each buffer to what it reads as. Linux doubles
// what is set (socket(7), SO_RCVBUF), so that it must read as half.
func TestSizeThatWasReadChangesNothing(t *testing.T) {
	eachFamily(t, func(t *testing.T, f family) {
		for create, method := range map[string]string{createTCP: tcpMethod, createUDP: udpMethod} {
			c := newNetCaller(t, anyLoopback...)
			s, fd := c.handle(create, f.number), int32(0)
			if create == createTCP {
				fd = c.tcp.items[0].fd
			} else {
				fd = c.udp.items[0].fd
			}
			for name, option := range map[string]network.Option{
				"receive-buffer-size": network.RecvBuffer, "send-buffer-size": network.SendBuffer,
			} {
				before, err := c.Option(fd, option)
				if err != nil {
					t.Fatal(err)
				}
				c.wants(`ok`, method+"set-"+name, s, c.handles(method+name, s)[0])
				if after, err := c.Option(fd, option); err != nil || after != before {
					t.Errorf("%s%s: got %d, %v, want %d as before", method, name, after, err,
						before)
				}
			}
		}
	})
}

// TestAcceptedSocketInheritsOptions sets the options of a listener before a connection is made, and
// again before and after it is accepted. What the listener has at accept counts.
func TestAcceptedSocketInheritsOptions(t *testing.T) {
	values := []struct {
		name string
		set  [3]uint64
		want string
	}{
		{"keep-alive-enabled", [3]uint64{0, 1, 0}, "ok(true)"},
		{"keep-alive-idle-time", [3]uint64{1e9, 2e9, 3e9}, "ok(2000000000)"},
		{"keep-alive-interval", [3]uint64{4e9, 5e9, 6e9}, "ok(5000000000)"},
		{"keep-alive-count", [3]uint64{7, 8, 9}, "ok(8)"},
		{"hop-limit", [3]uint64{10, 11, 12}, "ok(11)"},
		{"receive-buffer-size", [3]uint64{13_000, 14_001, 15_000}, "ok(14001)"},
		{"send-buffer-size", [3]uint64{16_000, 17_001, 18_000}, "ok(17001)"},
	}
	eachFamily(t, func(t *testing.T, f family) {
		c := newNetCaller(t, anyLoopback...)
		l, at := c.listen(f)
		set := func(time int) {
			for _, v := range values {
				c.wants(`ok`, tcpMethod+"set-"+v.name, l, v.set[time])
			}
		}
		set(0)
		dial(t, at)
		c.block(tcpMethod+"subscribe", l)
		set(1)
		s, _, _ := c.accept(l)
		set(2)
		for _, v := range values {
			c.wants(v.want, tcpMethod+v.name, s)
		}
		dial(t, at)
		other, _, _ := c.accept(l)
		c.wants(`ok(12)`, tcpMethod+"hop-limit", other)
	})
}
