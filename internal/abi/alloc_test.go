package abi_test

import (
	"testing"

	"github.com/tetratelabs/wazero"

	"github.com/wasport/wasport/internal/wasi"
)

// TestTransfersDoNotAllocate checks the calls that dominate the run time of network programs.
func TestTransfersDoNotAllocate(t *testing.T) {
	c := newNetCallerOn(t, wazero.NewRuntimeConfig())
	client, server := c.pair(wasi.AddressFamilyInet4)
	a, b, _, addrB := c.datagrams(wasi.AddressFamilyInet4)
	to := c.putAddr(addrB)
	clear(c.memory()[path : path+wasi.SizeSubscription])
	c.memory()[path+8] = wasi.EventFdRead
	c.memory()[path+16] = byte(b)

	for name, calls := range map[string][][]uint64{
		"stream": {{0, client, iov, 1, 0, out}, {1, server, iov, 1, 0, out, out2}},
		"file":   {{2, client, iov, 1, out}, {3, server, iov, 1, out}},
		"datagram": {{4, a, iov, 1, 0, to, out}, {6, path, out, 1, out3},
			{5, b, iov, 1, 0, out, out2}},
	} {
		functions := [...]string{"sock_send", "sock_recv", "fd_write", "fd_read", "sock_send_to",
			"sock_recv_from", "poll_oneoff"}
		stack := make([]uint64, 16)
		// ExportedFunction allocates, so the handles are made once.
		type prepared struct {
			call func([]uint64) error
			args []uint64
		}
		var list []prepared
		for _, call := range calls {
			f := c.mod.ExportedFunction(functions[call[0]])
			list = append(list,
				prepared{func(s []uint64) error { return f.CallWithStack(c.ctx, s) }, call[1:]})
		}
		n := testing.AllocsPerRun(200, func() {
			for _, p := range list {
				copy(stack, p.args)
				if err := p.call(stack); err != nil || stack[0] != 0 {
					t.Fatalf("got %v, %v, want success", err, wasi.Errno(stack[0]))
				}
			}
		})
		if n > 0 {
			t.Errorf("%s: got %v allocations, want 0", name, n)
		}
	}
}
