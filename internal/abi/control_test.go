package abi_test

import (
	"encoding/binary"
	"net/netip"
	"testing"

	"github.com/wasport/wasport/internal/wasi"
)

// controlData is the structure control of docs/abi.md, as far as it can be sent.
type controlData struct {
	fields, index uint32
	// kind is that of an unspecified source, if source is invalid.
	kind        uint32
	source      netip.Addr
	hops, class int32
}

// putControl writes it to out3, and returns that.
func (c *caller) putControl(d controlData) uint64 {
	b := c.memory()[out3:][:72]
	clear(b)
	binary.LittleEndian.PutUint32(b[0:], d.fields)
	binary.LittleEndian.PutUint32(b[4:], d.index)
	binary.LittleEndian.PutUint32(b[32:], d.kind)
	if d.source.IsValid() {
		wasi.PutAddr(b[32:], netip.AddrPortFrom(d.source, 0))
	}
	binary.LittleEndian.PutUint32(b[56:], uint32(d.hops))
	binary.LittleEndian.PutUint32(b[60:], uint32(d.class))
	return out3
}

// sendControl sends a datagram with control data between two new sockets of a family.
func (c *caller) sendControl(family uint64, d controlData) wasi.Errno {
	a, _, _, addrB := c.datagrams(family)
	return c.call("sock_send_control", a, iov, 1, 0, c.putAddr(addrB), out, c.putControl(d))
}

const (
	fields4                  = 1 | 2 | 4
	fields6                  = 8 | 16 | 32
	hopField4, hopField6     = 2, 16
	classField4, classField6 = 4, 32
)

// TestControlDataThatCannotBeSent sends what no host would take.
func TestControlDataThatCannotBeSent(t *testing.T) {
	v4, v6 := netip.MustParseAddr("127.0.0.1"), netip.IPv6Loopback()
	for _, row := range []struct {
		name   string
		family uint64
		sent   controlData
		want   wasi.Errno
	}{
		{"0 hops", 0, controlData{fields: hopField4}, wasi.EINVAL},
		{"256 hops", 0, controlData{fields: hopField4, hops: 256}, wasi.EINVAL},
		{"-2 hops", inet6, controlData{fields: hopField6, hops: -2}, wasi.EINVAL},
		{"class -1", 0, controlData{fields: classField4, class: -1}, wasi.EINVAL},
		{"class 256", inet6, controlData{fields: classField6, class: 256}, wasi.EINVAL},
		{"IPv6 source of IPv4", 0, controlData{fields: 1, source: v6}, wasi.EINVAL},
		{"IPv4 source of IPv6", inet6, controlData{fields: 8, source: v4}, wasi.EINVAL},
		{"interface that is not", 0, controlData{fields: 1, index: 1 << 31}, wasi.ENODEV},
		{"time", inet6, controlData{fields: 64}, wasi.EINVAL},
		{"all fields", 0, controlData{fields: 1<<32 - 1}, wasi.EINVAL},
	} {
		t.Run(row.name, func(t *testing.T) {
			if got := newNetCaller(t).sendControl(row.family, row.sent); got != row.want {
				t.Errorf("got %v, want %v", got, row.want)
			}
		})
	}
}
