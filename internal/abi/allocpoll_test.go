//go:build !windows && !portable

package abi_test

import (
	"testing"

	"github.com/tetratelabs/wazero"

	"github.com/wasport/wasport/internal/wasi"
)

// TestPollDoesNotAllocate waits for a datagram, between the calls that send and receive it. A wait
// by poll(2) or WSAPoll does allocate: it lists the descriptors anew.
func TestPollDoesNotAllocate(t *testing.T) {
	c := newNetCallerOn(t, wazero.NewRuntimeConfig())
	a, b, _, addrB := c.datagrams(wasi.AddressFamilyInet4)
	to := c.putAddr(addrB)
	clear(c.memory()[path : path+wasi.SizeSubscription])
	c.memory()[path+8] = wasi.EventFdRead
	c.memory()[path+16] = byte(b)
	c.wantAllocations(t, 0, []preparedCall{{"sock_send_to", []uint64{a, iov, 1, 0, to, out}},
		{"poll_oneoff", []uint64{path, out, 1, out3}},
		{"sock_recv_from", []uint64{b, iov, 1, 0, out, out2}}})
}
