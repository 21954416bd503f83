package abi_test

import (
	"encoding/binary"
	"fmt"
	"net/netip"
	"testing"
)

// controlText is the structure control at ptr, without its time.
func (c *caller) controlText(ptr uint64) string {
	b := c.memory()[ptr:][:72]
	u32 := func(at int) uint32 { return binary.LittleEndian.Uint32(b[at:]) }
	return fmt.Sprintf("fields %#x to %v from %v hops %d class %d", u32(0),
		c.getAddr(ptr+8).Addr(), c.getAddr(ptr+32).Addr(), int32(u32(56)), int32(u32(60)))
}

func TestControlDataArrive(t *testing.T) {
	for _, row := range []struct {
		name    string
		family  uint64
		options []uint64
		sent    controlData
		want    string
	}{
		{"nothing asked", 0, nil, controlData{fields: fields4, hops: 9, class: 0x10},
			"fields 0x0 to 0.0.0.0 from 0.0.0.0 hops 0 class 0"},
		{"IPv4", 0, []uint64{12, 13, 14}, controlData{fields: fields4, hops: 9, class: 0x10,
			source: netip.MustParseAddr("127.0.0.1")},
			"fields 0x7 to 127.0.0.1 from 127.0.0.1 hops 9 class 16"},
		{"IPv4, hops alone", 0, []uint64{13}, controlData{fields: hopField4, hops: 1},
			"fields 0x2 to 0.0.0.0 from 0.0.0.0 hops 1 class 0"},
		{"IPv6", inet6, []uint64{15, 16, 17}, controlData{fields: fields6, hops: 9, class: 0x10,
			source: netip.IPv6Loopback()},
			"fields 0x38 to ::1 from ::1 hops 9 class 16"},
		{"IPv6, hops of the host's choice", inet6, []uint64{16},
			controlData{fields: hopField6, hops: -1},
			"fields 0x10 to 0.0.0.0 from 0.0.0.0 hops 64 class 0"},
	} {
		t.Run(row.name, func(t *testing.T) {
			c := newNetCaller(t)
			a, b, _, addrB := c.datagrams(row.family)
			for _, o := range row.options {
				c.must("sock_set_option", b, o, 1)
			}
			c.must("sock_send_control", a, iov, 1, 0, c.putAddr(addrB), out,
				c.putControl(row.sent))
			c.must("sock_recv_control", b, iov, 1, 0, out, out2, 0, out3)
			if got := c.controlText(out3); got != row.want {
				t.Errorf("got %s, want %s", got, row.want)
			}
			if c.u32(out2) != dataLen {
				t.Errorf("got %d bytes, want %d", c.u32(out2), dataLen)
			}
		})
	}
}
