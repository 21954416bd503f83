//go:build !portable && (amd64 || arm64)

package abi_test

import (
	"testing"

	"github.com/tetratelabs/wazero"

	"github.com/wasport/wasport/internal/wasi"
)

// TestConnectionsAllocateOncePerLayer makes both ends of a connection, and closes them. Each end is
// an object of network/kernel, network/guard and internal/system.
func TestConnectionsAllocateOncePerLayer(t *testing.T) {
	c := newNetCallerOn(t, wazero.NewRuntimeConfig())
	listener, addr := c.listener(wasi.AddressFamilyInet4)
	to := c.putAddr(addr)
	client := c.open(wasi.AddressFamilyInet4, wasi.SocketTypeStream)
	server := client + 1
	c.must("fd_close", client)
	c.wantAllocations(t, 2*3, []preparedCall{
		{"sock_open", []uint64{0, wasi.AddressFamilyInet4, wasi.SocketTypeStream, out}},
		{"sock_connect", []uint64{client, to}},
		{"sock_accept", []uint64{listener, 0, out}},
		{"fd_close", []uint64{server}},
		{"fd_close", []uint64{client}},
	})
}
