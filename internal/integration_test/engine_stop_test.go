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
	"github.com/wasport/wasport/internal/monotonic"
)

// TestGarbageCollectionBesideComputingGuest collects garbage while a guest computes. Without a way
// to interrupt it, the first collection would not return before the guest does, and this guest
// never does.
func TestGarbageCollectionBesideComputingGuest(t *testing.T) {
	startGuest(t, "spin").readLine()
	checkWithin(t, func() []timing { return []timing{longestTiming(timeCollections())} },
		bound{"the longest of 50 collections", 100})
}

// BenchmarkCollections tells how long the longest of 50 garbage collections beside a guest that
// computes takes.
func BenchmarkCollections(b *testing.B) {
	startGuest(b, "spin").readLine()
	var rounds []timing
	for b.Loop() {
		rounds = append(rounds, longestTiming(timeCollections()))
	}
	reportTimings(b, "collection", rounds)
}

func timeCollections() (all []timing) {
	for range 50 {
		w := startStopwatch()
		runtime.GC()
		all = append(all, w.stop())
	}
	return all
}

// stopCase is a guest that computes, and a way to end it.
type stopCase struct {
	name string
	want error
	stop func() (timing, error) // runs the guest; returns how late it ended, and its error
}

func stopCases(t testing.TB) (list []stopCase) {
	const run = 20 * time.Millisecond
	reason := errors.New("enough")
	for _, guest := range []struct {
		name   string
		module *wasport.Module
		config wasport.Config
	}{
		{"looping", compileGuest(t, "spin"), wasport.Config{}},
		{"recursing", compileTestdata(t, "fib"), wasport.Config{}},
		{"hungry", compileTestdata(t, "hungry"),
			wasport.Config{Function: "stubborn", MaxMemory: 16 << 20}},
		{"component", compileComponent(t, "spin"), wasport.Config{}},
		{"component in a start function", compileComponent(t, "loop_start"), wasport.Config{}},
		{"component in realloc", compileComponent(t, "loop_realloc"),
			wasport.Config{Args: []string{"loop"}}},
		{"component in post-return", compileComponent(t, "loop_post_return"), wasport.Config{}},
		{"component in a destructor", compileComponent(t, "loop_destructor"), wasport.Config{}},
	} {
		m, c := guest.module, guest.config
		list = append(list, stopCase{guest.name + "/context", reason, func() (timing, error) {
			ctx, cancel := context.WithCancelCause(context.Background())
			g, err := m.Start(ctx, c)
			if err != nil {
				t.Fatal(err)
			}
			<-time.After(run)
			w := startStopwatch()
			cancel(reason)
			_, err = g.Wait()
			return w.stop(), err
		}}, stopCase{guest.name + "/timeout", context.DeadlineExceeded, func() (timing, error) {
			ctx, cancel := context.WithTimeout(context.Background(), run)
			defer cancel()
			w := startStopwatchAfter(run)
			_, err := m.Run(ctx, c)
			return w(), err
		}}, stopCase{guest.name + "/limit", wasport.ErrCPU, func() (timing, error) {
			c := c
			c.MaxCPU = run
			_, err := m.Run(context.Background(), c)
			return timing{}, err // Its processor time, not the clock, decides when it is due.
		}})
	}
	return list
}

// stopBeside ends a guest while others echo. It returns how long that took, and the others' longest
// round trip meanwhile.
func (e stopCase) stopBeside(t testing.TB, others *echoClients) (took, pause timing) {
	t.Helper()
	others.longestRoundTrip()
	w := startStopwatch()
	took, err := e.stop()
	pause = w.timingOf(others.longestRoundTrip())
	if err != e.want {
		t.Fatalf("got %v, want %v", err, e.want)
	}
	return took, pause
}

// TestStopComputingGuestWhileOthersEcho ends guests that compute, while others serve connections
// that must not notice.
func TestStopComputingGuestWhileOthersEcho(t *testing.T) {
	others := startEchoClients(t, 10)
	defer others.stop()
	for _, e := range stopCases(t) {
		t.Run(e.name, func(t *testing.T) {
			checkWithin(t, func() []timing {
				took, pause := e.stopBeside(t, others)
				return []timing{took, pause}
			}, bound{"the end", 100}, bound{"the longest round trip of others", 200})
		})
	}
}

// BenchmarkEndWhileOthersEcho tells the median and the worst of how long it takes to end guests
// that compute, and of the longest round trip of others meanwhile.
func BenchmarkEndWhileOthersEcho(b *testing.B) {
	others := startEchoClients(b, 10)
	defer others.stop()
	for _, e := range stopCases(b) {
		b.Run(e.name, func(b *testing.B) {
			var took, pauses []timing
			for b.Loop() {
				d, pause := e.stopBeside(b, others)
				took, pauses = append(took, d), append(pauses, pause)
			}
			reportTimings(b, "end", took)
			reportTimings(b, "pause", pauses)
		})
	}
}

// reportTimings reports the median and the longest of several timings.
func reportTimings(b *testing.B, what string, all []timing) {
	b.ReportMetric(0, "ns/op")
	b.ReportMetric(medianTiming(all).wall.Seconds()*1e3, what+"-ms")
	b.ReportMetric(longestTiming(all).wall.Seconds()*1e3, "worst-"+what+"-ms")
}

// TestTrapAtLimitWhileOthersEcho lets guests run into their limits of memory and of the stack,
// which end them by a trap.
func TestTrapAtLimitWhileOthersEcho(t *testing.T) {
	others := startEchoClients(t, 10)
	defer others.stop()
	for _, test := range []struct {
		name   string
		module *wasport.Module
		config wasport.Config
		reason string
	}{
		{"hungry", compileTestdata(t, "hungry"), wasport.Config{MaxMemory: 16 << 20},
			"unreachable"},
		{"recurse", compileGuest(t, "recurse"), wasport.Config{}, "stack overflow"},
	} {
		t.Run(test.name, func(t *testing.T) {
			checkWithin(t, func() []timing {
				others.longestRoundTrip()
				w := startStopwatch()
				_, err := test.module.Run(context.Background(), test.config)
				pause := w.timingOf(others.longestRoundTrip())
				var trap *wasport.Trap
				if !errors.As(err, &trap) || trap.Reason != test.reason {
					t.Fatalf("got %v, want a trap with reason %q", err, test.reason)
				}
				return []timing{pause}
			}, bound{"the longest round trip of others", 200})
		})
	}
}

// TestRoundTripBesideComputingGuests runs more computing guests than there are processors, beside
// one that serves. Go's scheduler then always has a goroutine to run, and polls the network only
// every 10 ms unless it is woken; a round trip takes two polls.
func TestRoundTripBesideComputingGuests(t *testing.T) {
	m := compileTestdata(t, "fib")
	for range 4 * runtime.GOMAXPROCS(0) {
		g, err := m.Start(context.Background(), wasport.Config{})
		if err != nil {
			t.Fatal(err)
		}
		defer g.Wait()
		defer g.Stop(nil)
	}
	g := startGuest(t, "tcp_server", "127.0.0.1", "1")
	c := dialGuest(t, g.readListenAddr())
	g.readLine()
	checkWithin(t, func() []timing {
		var all []timing
		for range 10 {
			w := startStopwatch()
			writeText(t, c, "text")
			expectText(t, c, "text")
			all = append(all, w.stop())
		}
		return []timing{medianTiming(all)}
	}, bound{"most round trips", 50})
}

// echoClients talk to guests that serve a connection each, without a break.
type echoClients struct {
	t     testing.TB
	conns []net.Conn
	wg    sync.WaitGroup

	mu      sync.Mutex
	began   []time.Duration // by connection, the round trips that are under way
	slowest time.Duration
	rounds  int
	stopped bool
}

func startEchoClients(t testing.TB, count int) *echoClients {
	e := &echoClients{t: t, began: make([]time.Duration, count)}
	for i := range count {
		g := startGuest(t, "tcp_server", "127.0.0.1", "1")
		c := dialGuest(t, g.readListenAddr())
		g.readLine()
		e.conns = append(e.conns, c)
		e.began[i] = monotonic.Now()
		e.wg.Go(func() { e.exchange(i, c) })
	}
	return e
}

func (e *echoClients) exchange(i int, c net.Conn) {
	out, in := make([]byte, 64), make([]byte, 64)
	for {
		c.SetDeadline(time.Now().Add(testTimeout))
		_, err := c.Write(out)
		if err == nil {
			_, err = io.ReadFull(c, in)
		}
		now := monotonic.Now()
		e.mu.Lock()
		over := e.stopped
		e.slowest = max(e.slowest, now-e.began[i])
		e.began[i] = now
		e.rounds++
		e.mu.Unlock()
		if over {
			return
		}
		if err != nil {
			e.t.Errorf("got %v from a guest that echoes, want its reply", err)
			return
		}
	}
}

// longestRoundTrip returns the longest round trip that ended since the last call or is under way.
func (e *echoClients) longestRoundTrip() time.Duration {
	e.mu.Lock()
	defer e.mu.Unlock()
	d := e.slowest
	e.slowest = 0
	for _, at := range e.began {
		d = max(d, monotonic.Since(at))
	}
	return d
}

func (e *echoClients) stop() {
	e.mu.Lock()
	e.stopped = true
	e.t.Logf("%d round trips", e.rounds)
	e.mu.Unlock()
	e.wg.Wait()
}
