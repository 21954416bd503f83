//go:build windows || (linux && !portable)

package wasi2

import (
	"context"
	"testing"
)

// TestDatagramsDoNotAllocate counts the allocations of sending and receiving. On other systems
// golang.org/x/sys allocates an address and a list of buffers for each datagram.
func TestDatagramsDoNotAllocate(t *testing.T) {
	eachFamily(t, func(t *testing.T, f family) {
		c := newNetCaller(t, anyLoopback...)
		a, b := c.udpEnd(f, f.loopback), c.udpEnd(f, f.loopback)
		ptr, n := c.datagrams("one", b.at, "two", b.at)
		check, send := c.lower(sending+"check-send"), c.lower(sending+"send")
		receive := c.lower(receiving + "receive")
		calls := []struct {
			call interface {
				Call(context.Context, []uint64) error
			}
			args []uint64
		}{
			{check, []uint64{a.out, resultAt}},
			{send, []uint64{a.out, ptr, n, resultAt}},
			{receive, []uint64{b.in, 16, resultAt}},
		}
		stack, received := make([]uint64, 18), uint32(0)
		round := func() {
			c.free = firstFree + 4096 // behind the datagrams
			for _, call := range calls {
				copy(stack, call.args)
				if err := call.call.Call(context.Background(), stack); err != nil {
					t.Fatal(err)
				}
			}
			received += le.Uint32(c.memory[resultAt+8:])
		}
		if got := testing.AllocsPerRun(100, round); got > 0 {
			t.Errorf("got %v allocations, want none", got)
		}
		if received == 0 {
			t.Error("got no datagrams, want those that were sent")
		}
	})
}
