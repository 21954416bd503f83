package abi_test

import (
	"sync/atomic"
	"syscall"
	"testing"

	"github.com/wasport/wasport/internal/system"
	"github.com/wasport/wasport/internal/wasi"
	"github.com/wasport/wasport/network/kernel"
)

// smallAccount is a network with a limit of memory.
type smallAccount struct {
	*kernel.Network
	used  atomic.Int64
	limit int64
}

func (a *smallAccount) ChargeMemory(bytes int64) error {
	if a.used.Add(bytes) > a.limit {
		a.used.Add(-bytes)
		return syscall.ENOBUFS
	}
	return nil
}

func (a *smallAccount) RefundMemory(bytes int64) { a.used.Add(-bytes) }

// TestPollsAreCharged polls lists for which the guest has too little memory, by each way to poll.
func TestPollsAreCharged(t *testing.T) {
	const entries = 100
	for _, test := range []struct {
		name string
		poll func(c *caller, count uint64) wasi.Errno
	}{
		{"poll_oneoff", func(c *caller, count uint64) wasi.Errno {
			return c.call("poll_oneoff", 0, pollArray, count, out3)
		}},
		{"fd_poll", func(c *caller, count uint64) wasi.Errno {
			return c.call("fd_poll", pollArray, count/2, 0, out3)
		}},
	} {
		account := &smallAccount{Network: kernel.New(kernel.Config{}), limit: 512 * entries}
		t.Run(test.name, func(t *testing.T) {
			c := newCaller(t, system.Config{Network: account})
			clear(c.memory())
			for _, step := range []struct {
				count uint64
				want  wasi.Errno
				used  int64
			}{
				{10, wasi.Success, 10},
				{entries + 2, wasi.ENOMEM, 10},
				{entries, wasi.Success, entries},
				{10, wasi.Success, entries},
			} {
				if got := test.poll(c, step.count); got != step.want {
					t.Errorf("%d subscriptions: got %v, want %v", step.count, got, step.want)
				}
				if got := account.used.Load() / 512; got != step.used {
					t.Errorf("%d subscriptions: %d charged, want %d", step.count, got, step.used)
				}
			}
		})
		if got := account.used.Load(); got != 0 {
			t.Errorf("%s: %d bytes are charged after the thread's end, want 0", test.name, got)
		}
	}
}
