//go:build amd64 || arm64

// Elsewhere wazero interprets, which allocates.

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
	for _, test := range []struct {
		name  string
		calls []preparedCall
		want  float64
	}{
		{"stream", []preparedCall{{"sock_send", []uint64{client, iov, 1, 0, out}},
			{"sock_recv", []uint64{server, iov, 1, 0, out, out2}}}, 0},
		{"file", []preparedCall{{"fd_write", []uint64{client, iov, 1, out}},
			{"fd_read", []uint64{server, iov, 1, out}}}, 0},
		{"datagram", []preparedCall{{"sock_send_to", []uint64{a, iov, 1, 0, to, out}},
			{"sock_recv_from", []uint64{b, iov, 1, 0, out, out2}}}, datagramAllocations},
	} {
		t.Run(test.name, func(t *testing.T) { c.wantAllocations(t, test.want, test.calls) })
	}
}

// TestPollDoesNotAllocate waits for data, between the calls that send and receive it.
func TestPollDoesNotAllocate(t *testing.T) {
	c := newNetCallerOn(t, wazero.NewRuntimeConfig())
	client, server := c.pair(wasi.AddressFamilyInet4)
	a, b, _, addrB := c.datagrams(wasi.AddressFamilyInet4)
	to := c.putAddr(addrB)
	for _, test := range []struct {
		name       string
		fd         uint64
		send, recv preparedCall
		want       float64
	}{
		{"stream", server, preparedCall{"sock_send", []uint64{client, iov, 1, 0, out}},
			preparedCall{"sock_recv", []uint64{server, iov, 1, 0, out, out2}}, 0},
		{"datagram", b, preparedCall{"sock_send_to", []uint64{a, iov, 1, 0, to, out}},
			preparedCall{"sock_recv_from", []uint64{b, iov, 1, 0, out, out2}},
			datagramAllocations + datagramPollAllocations},
	} {
		t.Run(test.name, func(t *testing.T) {
			clear(c.memory()[path : path+wasi.SizeSubscription])
			c.memory()[path+8] = wasi.EventFdRead
			c.memory()[path+16] = byte(test.fd)
			c.wantAllocations(t, test.want, []preparedCall{test.send,
				{"poll_oneoff", []uint64{path, out, 1, out3}}, test.recv})
		})
	}
}

// TestPipesDoNotAllocate makes the calls of an event loop that is woken by a pipe.
func TestPipesDoNotAllocate(t *testing.T) {
	c := newNetCallerOn(t, wazero.NewRuntimeConfig())
	c.must("fd_pipe", 4, out, out2)
	reader, writer := c.u32(out), c.u32(out2)
	c.must("sock_pair", stream, 4, out, out2)
	a, b := c.u32(out), c.u32(out2)
	c.must("epoll_create", out)
	epoll := c.u32(out)
	for _, fd := range []uint64{reader, b} {
		c.must("epoll_control", epoll, 1, fd, 1, fd)
	}
	c.wantAllocations(t, 0, []preparedCall{
		{"fd_write", []uint64{writer, iov, 1, out}},
		{"sock_send", []uint64{a, iov, 1, 0, out}},
		{"epoll_wait", []uint64{epoll, out3, 8, minusOne, out}},
		{"fd_read", []uint64{reader, iov, 1, out}},
		{"sock_recv", []uint64{b, iov, 1, 0, out, out2}},
	})
}

// preparedCall is a call of an import with its arguments.
type preparedCall struct {
	name string
	args []uint64
}

// wantAllocations makes the calls in turn, again and again. Together they may allocate want times.
func (c *caller) wantAllocations(t *testing.T, want float64, calls []preparedCall) {
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
	if n > want {
		t.Errorf("got %v allocations, want %v", n, want)
	}
}

// TestFDPollDoesNotAllocate makes the calls of a server that polls its connection.
func TestFDPollDoesNotAllocate(t *testing.T) {
	c := newNetCallerOn(t, wazero.NewRuntimeConfig())
	client, server := c.pair(wasi.AddressFamilyInet4)
	putPollFD(c, pollArray, 0, server, 1)
	c.wantAllocations(t, 0, []preparedCall{
		{"sock_send", []uint64{client, iov, 1, 0, out}},
		{"fd_poll", []uint64{pollArray, 1, minusOne, out}},
		{"sock_recv", []uint64{server, iov, 1, 0, out, out2}},
	})
}
