package wasi2

import (
	"errors"
	"syscall"
	"testing"

	"github.com/wasport/wasport/internal/system"
	"github.com/wasport/wasport/network"
)

// TestPoll polls streams, timers and pollables whose streams are gone.
func TestPoll(t *testing.T) {
	inBothForms(t, func(t *testing.T, form func(*caller) *caller) {
		r, w := newPipe(t)
		c := form(newCaller(t, system.Config{Stdin: r}))
		in, out := c.handle("cli/stdin.get-stdin"), c.handle("cli/stdout.get-stdout")
		read := c.handle(inStream+"subscribe", in)
		write := c.handle(outStream+"subscribe", out)
		now := c.handle("clocks/monotonic-clock.subscribe-duration", 0)
		never := c.handle("clocks/monotonic-clock.subscribe-duration", uint64(1<<64-1))
		past := c.handle("clocks/monotonic-clock.subscribe-instant", 1)
		poll := func(want string, list ...uint64) {
			t.Helper()
			at := c.alloc(4, uint32(4*len(list)))
			for i, p := range list {
				le.PutUint32(c.memory[int(at)+4*i:], uint32(p))
			}
			c.wants(want, "io/poll.poll", uint64(at), uint64(len(list)))
		}
		poll(`[1]`, read, write, never)
		poll(`[1, 2, 3]`, read, now, past, write, never)
		poll(`[0, 1]`, now, now, read)
		w.WriteString("x")
		poll(`[0]`, read, never)
		poll(`[0, 1, 3]`, read, now, never, write)
		for range 3 { // the list of the last call
			poll(`[1, 2]`, never, read, read)
		}
		if err := c.drop("io/streams.input-stream", in); err != nil {
			t.Fatal(err)
		}
		poll(`[0]`, read, never)
		c.wants(`true`, "io/poll.[method]pollable.ready", read)
		c.wants(`false`, "io/poll.[method]pollable.ready", never)
		c.wants(`true`, "io/poll.[method]pollable.ready", past)
		c.wants(``, "io/poll.[method]pollable.block", past)
		c.traps("wasi:io/poll.poll: the list is empty", "io/poll.poll", 0, 0)
	})
}

// TestPollOfMany polls as many pollables as are allowed, and one more.
func TestPollOfMany(t *testing.T) {
	inBothForms(t, func(t *testing.T, form func(*caller) *caller) {
		c := form(newCaller(t, system.Config{}))
		p := c.handle("clocks/monotonic-clock.subscribe-duration", 0)
		at := c.alloc(4, 4*(maxPolled+1))
		for i := range maxPolled + 1 {
			le.PutUint32(c.memory[int(at)+4*i:], uint32(p))
		}
		if got := c.handles("io/poll.poll", uint64(at), maxPolled); len(got) != maxPolled {
			t.Errorf("got %d, want %d", len(got), maxPolled)
		}
		c.traps("wasi:io/poll.poll: the list has 16385 pollables, more than 16384 are not "+
			"supported", "io/poll.poll", uint64(at), maxPolled+1)
	})
}

// fullAccount is a network whose limit of memory is reached.
type fullAccount struct{ network.Network }

func (fullAccount) ChargeMemory(int64) error { return syscall.ENOBUFS }
func (fullAccount) RefundMemory(int64)       {}

// TestPollsAreCharged polls a list for which the guest has too little memory.
func TestPollsAreCharged(t *testing.T) {
	inBothForms(t, func(t *testing.T, form func(*caller) *caller) {
		c := form(newCaller(t, system.Config{Network: fullAccount{}}))
		p := c.handle("clocks/monotonic-clock.subscribe-duration", 0)
		at := c.alloc(4, 4)
		le.PutUint32(c.memory[int(at):], uint32(p))
		c.traps("wasi:io/poll.poll: out of memory for a list of 1 pollables", "io/poll.poll",
			uint64(at), 1)
	})
}

// TestBlockingCallsEndWithGuest kills a guest in each call that waits.
func TestBlockingCallsEndWithGuest(t *testing.T) {
	ended := errors.New("ended")
	for name, args := range map[string]func(c *caller) []any{
		inStream + "blocking-read": func(c *caller) []any {
			return []any{c.handle("cli/stdin.get-stdin"), 1}
		},
		inStream + "blocking-skip": func(c *caller) []any {
			return []any{c.handle("cli/stdin.get-stdin"), 1}
		},
		outStream + "blocking-splice": func(c *caller) []any {
			return []any{c.handle("cli/stderr.get-stderr"), c.handle("cli/stdin.get-stdin"), 1}
		},
		outStream + "blocking-flush":                  fullStdout,
		outStream + "blocking-write-and-flush":        fullStdout,
		outStream + "blocking-write-zeroes-and-flush": fullStdout,
		"io/poll.[method]pollable.block": func(c *caller) []any {
			return []any{c.handle("clocks/monotonic-clock.subscribe-duration", uint64(1<<62))}
		},
		"io/poll.poll": func(c *caller) []any {
			p := c.handle(inStream+"subscribe", c.handle("cli/stdin.get-stdin"))
			le.PutUint32(c.memory[firstFree:], uint32(p))
			return []any{firstFree, 1}
		},
	} {
		t.Run(name, func(t *testing.T) {
			inBothForms(t, func(t *testing.T, form func(*caller) *caller) {
				r, _ := newPipe(t)
				_, w := newPipe(t)
				c := form(newCaller(t, system.Config{Stdin: r, Stdout: w}))
				list := args(c)
				go c.Kill(ended)
				if got, err := c.try(name, list...); err != ended {
					t.Errorf("got %s, %v, want %v", got, err, ended)
				}
			})
		})
	}
}

// fullStdout fills stdout, and returns the arguments of any call on it that writes 1 byte.
func fullStdout(c *caller) []any {
	out := c.handle("cli/stdout.get-stdout")
	for c.call(outStream+"check-write", out) != "ok(0)" {
		c.wants(`ok`, outStream+"write", out, 0, maxPermit)
	}
	return []any{out, 1, 1}
}

// TestTooManyResources makes resources until the guest may have no more.
func TestTooManyResources(t *testing.T) {
	c := newCaller(t, system.Config{})
	c.resources = maxResources - 1
	p := c.handle("clocks/monotonic-clock.subscribe-duration", 0)
	c.traps("wasi:clocks/monotonic-clock.subscribe-duration: the guest has more than 65536 "+
		"resources of WASI", "clocks/monotonic-clock.subscribe-duration", 0)
	if err := c.drop("io/poll.pollable", p); err != nil {
		t.Fatal(err)
	}
	c.handle("clocks/monotonic-clock.subscribe-duration", 0)
}
