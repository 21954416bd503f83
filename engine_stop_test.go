package wasport_test

import (
	"context"
	"errors"
	"io"
	"net"
	"runtime"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/wasport/wasport"
)

// TestCollectionsBesideASpinningGuest collects garbage while a guest computes. Without a way to interrupt it, the first collection
// would not return before the guest does, and this one does not.
func TestCollectionsBesideASpinningGuest(t *testing.T) {
	const limit = 10 * time.Millisecond
	start(t, "spin").line()
	var longest []time.Duration
	for range 5 { // what else runs on the machine spoils one attempt, not all
		var all []time.Duration
		for range 50 {
			at := time.Now()
			runtime.GC()
			all = append(all, time.Since(at))
		}
		longest = append(longest, slices.Max(all))
	}
	within(t, "the longest of 50 collections", limit, longest)
}

// TestEndWhileOthersEcho ends guests that compute, while others serve connections that must not notice.
func TestEndWhileOthersEcho(t *testing.T) {
	const rounds, run = 7, 20 * time.Millisecond
	others := startEchoing(t, 10)
	spin, fib, hungry := module(t, "spin"), assembled(t, "fib"), assembled(t, "hungry")
	reason := errors.New("enough")

	for _, test := range []struct {
		name    string
		module  *wasport.Module
		config  wasport.Config
		limited error // how it ends at the limit of its configuration, which is when run has passed; nil: there is no such limit
	}{
		{"looping", spin, wasport.Config{MaxCPU: run}, wasport.ErrCPU},
		{"recursing", fib, wasport.Config{MaxCPU: run}, wasport.ErrCPU},
		{"hungry", hungry, wasport.Config{Function: "stubborn", MaxMemory: 64 << 20, MaxCPU: run}, wasport.ErrCPU},
	} {
		unlimited := test.config
		unlimited.MaxCPU = 0
		for _, way := range []struct {
			name string
			end  func() (time.Time, error) // runs the guest, and says since when it should have ended and how it did
			want error
		}{
			{"context", func() (time.Time, error) {
				ctx, cancel := context.WithCancelCause(context.Background())
				g, err := test.module.Start(ctx, unlimited)
				if err != nil {
					t.Fatal(err)
				}
				<-time.After(run)
				at := time.Now()
				cancel(reason)
				_, err = g.Wait()
				return at, err
			}, reason},
			{"timeout", func() (time.Time, error) {
				ctx, cancel := context.WithTimeout(context.Background(), run)
				defer cancel()
				at, _ := ctx.Deadline()
				_, err := test.module.Run(ctx, unlimited)
				return at, err
			}, context.DeadlineExceeded},
			{"limit", func() (time.Time, error) {
				at := time.Now().Add(run)
				_, err := test.module.Run(context.Background(), test.config)
				return at, err
			}, test.limited},
		} {
			t.Run(test.name+"/"+way.name, func(t *testing.T) {
				var took, pauses []time.Duration
				for range rounds {
					others.longest()
					at, err := way.end()
					took = append(took, time.Since(at))
					pauses = append(pauses, others.longest())
					if err != way.want {
						t.Fatalf("it ended with %v", err)
					}
				}
				within(t, "the end", 10*time.Millisecond, took)
				within(t, "the longest round trip of others", 20*time.Millisecond, pauses)
			})
		}
	}
	others.stop()
}

// TestGreedyGuests lets guests run into their limits of memory and of the stack, which end them by a trap.
func TestGreedyGuests(t *testing.T) {
	others := startEchoing(t, 10)
	for _, test := range []struct {
		name   string
		module *wasport.Module
		config wasport.Config
		reason string
	}{
		{"hungry", assembled(t, "hungry"), wasport.Config{MaxMemory: 16 << 20}, "unreachable"},
		{"recurse", module(t, "recurse"), wasport.Config{Stdout: io.Discard}, "stack overflow"},
	} {
		t.Run(test.name, func(t *testing.T) {
			var pauses []time.Duration
			for range 7 {
				others.longest()
				_, err := test.module.Run(context.Background(), test.config)
				pauses = append(pauses, others.longest())
				var trap *wasport.Trap
				if !errors.As(err, &trap) || trap.Reason != test.reason {
					t.Fatalf("it ended with %v", err)
				}
			}
			within(t, "the longest round trip of others", 20*time.Millisecond, pauses)
		})
	}
	others.stop()
}

// echoing are guests that serve a connection each, without a break.
type echoing struct {
	t     testing.TB
	conns []net.Conn
	wg    sync.WaitGroup

	mu      sync.Mutex
	slowest time.Duration
	rounds  int
	over    bool
}

func startEchoing(t testing.TB, count int) *echoing {
	e := &echoing{t: t}
	for range count {
		g := start(t, "tcp_server", "127.0.0.1", "1")
		c := dial(t, g.listening())
		g.line()
		e.conns = append(e.conns, c)
		e.wg.Go(func() { e.exchange(c) })
	}
	return e
}

func (e *echoing) exchange(c net.Conn) {
	out, in := make([]byte, 64), make([]byte, 64)
	for {
		at := time.Now()
		c.SetDeadline(at.Add(patience))
		_, err := c.Write(out)
		if err == nil {
			_, err = io.ReadFull(c, in)
		}
		took := time.Since(at)
		e.mu.Lock()
		over := e.over
		e.slowest = max(e.slowest, took)
		e.rounds++
		e.mu.Unlock()
		if over {
			return
		}
		if err != nil {
			e.t.Errorf("a guest that echoes: %v", err)
			return
		}
	}
}

// longest is the longest round trip that ended since the last call, or since the start.
func (e *echoing) longest() time.Duration {
	e.mu.Lock()
	defer e.mu.Unlock()
	d := e.slowest
	e.slowest = 0
	return d
}

func (e *echoing) stop() {
	e.mu.Lock()
	e.over = true
	e.t.Logf("%d round trips", e.rounds)
	e.mu.Unlock()
	e.wg.Wait()
}
