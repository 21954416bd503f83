package abi_test

import (
	"testing"

	"github.com/tetratelabs/wazero"
	"github.com/tetratelabs/wazero/api"

	"github.com/wasport/wasport/internal/wasi"
)

// TestTransfersDoNotAllocate checks the calls that dominate the run time of network programs.
func TestTransfersDoNotAllocate(t *testing.T) {
	c := newNetCallerOn(t, wazero.NewRuntimeConfig())
	client, server := c.pair(wasi.AddressFamilyInet4)
	a, b, _, addrB := c.datagrams(wasi.AddressFamilyInet4)
	to := c.putAddr(addrB)
	for name, calls := range map[string][]preparedCall{
		"stream": {{"sock_send", []uint64{client, iov, 1, 0, out}},
			{"sock_recv", []uint64{server, iov, 1, 0, out, out2}}},
		"file": {{"fd_write", []uint64{client, iov, 1, out}},
			{"fd_read", []uint64{server, iov, 1, out}}},
		"datagram": {{"sock_send_to", []uint64{a, iov, 1, 0, to, out}},
			{"sock_recv_from", []uint64{b, iov, 1, 0, out, out2}}},
	} {
		t.Run(name, func(t *testing.T) { c.wantNoAllocations(t, calls) })
	}
}

// preparedCall is a call of an import with its arguments.
type preparedCall struct {
	name string
	args []uint64
}

// wantNoAllocations makes the calls in turn, again and again.
func (c *caller) wantNoAllocations(t *testing.T, calls []preparedCall) {
	t.Helper()
	stack := make([]uint64, 16)
	// ExportedFunction allocates, so the handles are made once.
	var functions []api.Function
	for _, call := range calls {
		functions = append(functions, c.mod.ExportedFunction(call.name))
	}
	n := testing.AllocsPerRun(200, func() {
		for i, f := range functions {
			copy(stack, calls[i].args)
			if err := f.CallWithStack(c.ctx, stack); err != nil || stack[0] != 0 {
				t.Fatalf("got %v, %v, want success", err, wasi.Errno(stack[0]))
			}
		}
	})
	if n > 0 {
		t.Errorf("got %v allocations, want 0", n)
	}
}
