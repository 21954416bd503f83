package wasport_test

import (
	"context"
	"errors"
	"io"
	"net"
	"runtime"
	"sync"
	"testing"
	"time"

	"github.com/wasport/wasport"
)

// TestCollectionsBesideASpinningGuest collects garbage while a guest computes. Without a way to interrupt it, the first collection
// would not return before the guest does, and this one does not.
func TestCollectionsBesideASpinningGuest(t *testing.T) {
	start(t, "spin").line()
	var attempts []span
	for range 5 {
		var all []span
		for range 50 {
			w := startWatch()
			runtime.GC()
			all = append(all, w.stop())
		}
		attempts = append(attempts, longest(all))
	}
	within(t, "the longest of 50 collections", 10*time.Millisecond, attempts)
}

// TestEndWhileOthersEcho ends guests that compute, while others serve connections that must not notice.
func TestEndWhileOthersEcho(t *testing.T) {
	const run = 20 * time.Millisecond
	others := startEchoing(t, 10)
	defer others.stop()
	spin, fib, hungry := module(t, "spin"), assembled(t, "fib"), assembled(t, "hungry")
	reason := errors.New("enough")

	ways := []struct {
		name string
		want error
		end  func(*wasport.Module, wasport.Config) (span, error) // runs a guest; how long after it should have it ended, and how?
	}{
		{"context", reason, func(m *wasport.Module, c wasport.Config) (span, error) {
			ctx, cancel := context.WithCancelCause(context.Background())
			g, err := m.Start(ctx, c)
			if err != nil {
				t.Fatal(err)
			}
			<-time.After(run)
			w := startWatch()
			cancel(reason)
			_, err = g.Wait()
			return w.stop(), err
		}},
		{"timeout", context.DeadlineExceeded, func(m *wasport.Module, c wasport.Config) (span, error) {
			ctx, cancel := context.WithTimeout(context.Background(), run)
			defer cancel()
			w := watchAfter(run)
			_, err := m.Run(ctx, c)
			return w(), err
		}},
		{"limit", wasport.ErrCPU, func(m *wasport.Module, c wasport.Config) (span, error) {
			c.MaxCPU = run
			w := watchAfter(run)
			_, err := m.Run(context.Background(), c)
			return w(), err
		}},
	}
	for _, test := range []struct {
		name   string
		module *wasport.Module
		config wasport.Config
	}{
		{"looping", spin, wasport.Config{}},
		{"recursing", fib, wasport.Config{}},
		{"hungry", hungry, wasport.Config{Function: "stubborn", MaxMemory: 16 << 20}},
	} {
		for _, way := range ways {
			t.Run(test.name+"/"+way.name, func(t *testing.T) {
				var took, pauses []span
				for range 7 {
					others.longest()
					w := startWatch()
					late, err := way.end(test.module, test.config)
					took = append(took, late)
					pauses = append(pauses, w.judge(others.longest()))
					if err != way.want {
						t.Fatalf("it ended with %v", err)
					}
				}
				within(t, "the end", 10*time.Millisecond, took)
				within(t, "the longest round trip of others", 20*time.Millisecond, pauses)
			})
		}
	}
}

// TestGreedyGuests lets guests run into their limits of memory and of the stack, which end them by a trap.
func TestGreedyGuests(t *testing.T) {
	others := startEchoing(t, 10)
	defer others.stop()
	for _, test := range []struct {
		name   string
		module *wasport.Module
		config wasport.Config
		reason string
	}{
		{"hungry", assembled(t, "hungry"), wasport.Config{MaxMemory: 16 << 20}, "unreachable"},
		{"recurse", module(t, "recurse"), wasport.Config{}, "stack overflow"},
	} {
		t.Run(test.name, func(t *testing.T) {
			var pauses []span
			for range 7 {
				others.longest()
				w := startWatch()
				_, err := test.module.Run(context.Background(), test.config)
				pauses = append(pauses, w.judge(others.longest()))
				var trap *wasport.Trap
				if !errors.As(err, &trap) || trap.Reason != test.reason {
					t.Fatalf("it ended with %v", err)
				}
			}
			within(t, "the longest round trip of others", 20*time.Millisecond, pauses)
		})
	}
}

// TestServingBesideComputing lets more guests compute than there are processors, beside one that serves. Go's scheduler, which has always
// something to run then, looks at the network every 10 ms if nobody makes it, and a round trip takes two looks.
func TestServingBesideComputing(t *testing.T) {
	m := assembled(t, "fib")
	for range 4 * runtime.GOMAXPROCS(0) {
		g, err := m.Start(context.Background(), wasport.Config{})
		if err != nil {
			t.Fatal(err)
		}
		defer g.Wait()
		defer g.Stop(nil)
	}
	g := start(t, "tcp_server", "127.0.0.1", "1")
	c := dial(t, g.listening())
	g.line()
	var attempts []span
	for range 5 {
		var all []span
		for range 10 {
			w := startWatch()
			say(t, c, "text")
			hear(t, c, "text")
			all = append(all, w.stop())
		}
		attempts = append(attempts, median(all))
	}
	within(t, "most round trips", 5*time.Millisecond, attempts)
}

// echoing are guests that serve a connection each, without a break.
type echoing struct {
	t     testing.TB
	conns []net.Conn
	wg    sync.WaitGroup

	mu      sync.Mutex
	began   []time.Time // by connection, the round trips that are under way
	slowest time.Duration
	rounds  int
	over    bool
}

func startEchoing(t testing.TB, count int) *echoing {
	e := &echoing{t: t, began: make([]time.Time, count)}
	for i := range count {
		g := start(t, "tcp_server", "127.0.0.1", "1")
		c := dial(t, g.listening())
		g.line()
		e.conns = append(e.conns, c)
		e.began[i] = time.Now()
		e.wg.Go(func() { e.exchange(i, c) })
	}
	return e
}

func (e *echoing) exchange(i int, c net.Conn) {
	out, in := make([]byte, 64), make([]byte, 64)
	for {
		c.SetDeadline(time.Now().Add(patience))
		_, err := c.Write(out)
		if err == nil {
			_, err = io.ReadFull(c, in)
		}
		now := time.Now()
		e.mu.Lock()
		over := e.over
		e.slowest = max(e.slowest, now.Sub(e.began[i]))
		e.began[i] = now
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

// longest is the longest round trip that has ended since the last call, or is under way.
func (e *echoing) longest() time.Duration {
	e.mu.Lock()
	defer e.mu.Unlock()
	d := e.slowest
	e.slowest = 0
	for _, at := range e.began {
		d = max(d, time.Since(at))
	}
	return d
}

func (e *echoing) stop() {
	e.mu.Lock()
	e.over = true
	e.t.Logf("%d round trips", e.rounds)
	e.mu.Unlock()
	e.wg.Wait()
}
