//go:build (amd64 || arm64) && !portable

package abi_test

import (
	"net/netip"
	"testing"

	"github.com/tetratelabs/wazero"

	"github.com/wasport/wasport/internal/wasi"
)

func TestControlDataDoNotAllocate(t *testing.T) {
	c := newNetCallerOn(t, wazero.NewRuntimeConfig())
	a, b, _, addrB := c.datagrams(wasi.AddressFamilyInet4)
	for _, o := range []uint64{12, 13, 14, 18} {
		c.must("sock_set_option", b, o, 1)
	}
	sent := c.putControl(controlData{fields: fields4, hops: 9,
		source: netip.MustParseAddr("127.0.0.1")})
	c.wantAllocations(t, 0, []preparedCall{
		{"sock_send_control", []uint64{a, iov, 1, 0, c.putAddr(addrB), out, sent}},
		{"sock_recv_control", []uint64{b, iov, 1, 0, out, out2, 0, out3 + 256}},
	})
}
