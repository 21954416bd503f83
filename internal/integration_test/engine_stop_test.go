package integration_test

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

// TestCollectionsBesideASpinningGuest collects garbage while a guest computes. Without a way to
// interrupt it, the first collection would not return before the guest does, and this one does not.
func TestCollectionsBesideASpinningGuest(t *testing.T) {
	start(t, "spin").line()
	var attempts []span
	for range 5 {
		attempts = append(attempts, longest(collections()))
	}
	within(t, "the longest of 50 collections", 100, attempts)
}

// BenchmarkCollections tells how long the longest of 50 garbage collections beside a guest that
// computes takes.
func BenchmarkCollections(b *testing.B) {
	start(b, "spin").line()
	var rounds []span
	for b.Loop() {
		rounds = append(rounds, longest(collections()))
	}
	report(b, "collection", rounds)
}

func collections() (all []span) {
	for range 50 {
		w := startWatch()
		runtime.GC()
		all = append(all, w.stop())
	}
	return all
}

// An ending is a guest that computes, and a way to end it.
type ending struct {
	name string
	want error
	end  func() (span, error) // runs the guest; how long after it should have it ended, and how?
}

func endings(t testing.TB) (list []ending) {
	const run = 20 * time.Millisecond
	reason := errors.New("enough")
	for _, guest := range []struct {
		name   string
		module *wasport.Module
		config wasport.Config
	}{
		{"looping", module(t, "spin"), wasport.Config{}},
		{"recursing", assembled(t, "fib"), wasport.Config{}},
		{"hungry", assembled(t, "hungry"),
			wasport.Config{Function: "stubborn", MaxMemory: 16 << 20}},
	} {
		m, c := guest.module, guest.config
		list = append(list, ending{guest.name + "/context", reason, func() (span, error) {
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
		}}, ending{guest.name + "/timeout", context.DeadlineExceeded, func() (span, error) {
			ctx, cancel := context.WithTimeout(context.Background(), run)
			defer cancel()
			w := watchAfter(run)
			_, err := m.Run(ctx, c)
			return w(), err
		}}, ending{guest.name + "/limit", wasport.ErrCPU, func() (span, error) {
			c := c
			c.MaxCPU = run
			_, err := m.Run(context.Background(), c)
			return span{}, err // When it is due depends on what it had of the processors.
		}})
	}
	return list
}

// beside ends a guest while others echo: how long did it take, and their longest round trip?
func (e ending) beside(t testing.TB, others *echoing) (took, pause span) {
	t.Helper()
	others.longest()
	w := startWatch()
	took, err := e.end()
	pause = w.judge(others.longest())
	if err != e.want {
		t.Fatalf("it ended with %v", err)
	}
	return took, pause
}

// TestEndWhileOthersEcho ends guests that compute, while others serve connections that must not
// notice.
func TestEndWhileOthersEcho(t *testing.T) {
	others := startEchoing(t, 10)
	defer others.stop()
	for _, e := range endings(t) {
		t.Run(e.name, func(t *testing.T) {
			var took, pauses []span
			for range 7 {
				d, pause := e.beside(t, others)
				took, pauses = append(took, d), append(pauses, pause)
			}
			within(t, "the end", 100, took)
			within(t, "the longest round trip of others", 200, pauses)
		})
	}
}

// BenchmarkEndWhileOthersEcho tells the median and the worst of how long it takes to end guests
// that compute, and of the longest round trip of others meanwhile.
func BenchmarkEndWhileOthersEcho(b *testing.B) {
	others := startEchoing(b, 10)
	defer others.stop()
	for _, e := range endings(b) {
		b.Run(e.name, func(b *testing.B) {
			var took, pauses []span
			for b.Loop() {
				d, pause := e.beside(b, others)
				took, pauses = append(took, d), append(pauses, pause)
			}
			report(b, "end", took)
			report(b, "pause", pauses)
		})
	}
}

// report tells the median and the longest of several spans.
func report(b *testing.B, what string, all []span) {
	b.ReportMetric(0, "ns/op")
	b.ReportMetric(median(all).whole.Seconds()*1e3, what+"-ms")
	b.ReportMetric(longest(all).whole.Seconds()*1e3, "worst-"+what+"-ms")
}

// TestGreedyGuests lets guests run into their limits of memory and of the stack, which end them by
// a trap.
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
			within(t, "the longest round trip of others", 200, pauses)
		})
	}
}

// TestServingBesideComputing lets more guests compute than there are processors, beside one that
// serves. Go's scheduler, which has always something to run then, looks at the network every 10 ms
// if nobody makes it, and a round trip takes two looks.
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
	within(t, "most round trips", 50, attempts)
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
