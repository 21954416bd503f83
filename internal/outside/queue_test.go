package outside

import (
	"errors"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

func waitIdle(t *testing.T, q *Queue) {
	t.Helper()
	select {
	case <-q.Idle():
	case <-time.After(time.Minute):
		t.Fatal("got calls in the queue, want it empty")
	}
}

func TestQueueKeepsOrder(t *testing.T) {
	var q Queue
	var got, want []int
	for i := range 10 * maxQueued {
		want = append(want, i)
		q.Do(nil, "test", func() { got = append(got, i) })
		if len(got) != i+1 {
			t.Fatalf("got %d calls made, want %d: Do does not wait", len(got), i+1)
		}
	}
	if !slices.Equal(got, want) || q.Dropped() != 0 {
		t.Errorf("got %d calls and %d dropped, want %d in order", len(got), q.Dropped(), len(want))
	}
}

// TestQueueMakesOneCallAtATime makes calls from several goroutines, as the threads of a guest do.
// Callbacks of an embedder need not be safe for concurrent use.
func TestQueueMakesOneCallAtATime(t *testing.T) {
	var q Queue
	var running atomic.Int32
	var callers sync.WaitGroup
	const goroutines, calls = 8, 100
	made := 0
	for range goroutines {
		callers.Go(func() {
			for range calls {
				q.Do(nil, "test", func() {
					if n := running.Add(1); n != 1 {
						t.Errorf("got %d calls at a time, want 1", n)
					}
					runtime.Gosched()
					made++
					running.Add(-1)
				})
			}
		})
	}
	callers.Wait()
	waitIdle(t, &q)
	if made != goroutines*calls {
		t.Errorf("got %d calls made, want %d", made, goroutines*calls)
	}
}

func TestQueueDropsWhileStalled(t *testing.T) {
	hold := make(chan struct{})
	var lost []uint64
	made := 0
	q := Queue{OnDropped: func(n uint64) { lost = append(lost, n) }}
	q.Do(nil, "test", func() { <-hold }) // until callTimeout
	for range maxQueued - 1 {
		q.Do(nil, "test", func() { made++ })
	}
	const more = 7
	for range more {
		q.Do(nil, "test", func() { t.Error("got a dropped call made, want it not made") })
	}
	if got := q.Busy(); got != "test" {
		t.Errorf("got %q busy, want the call that was not let go", got)
	}
	close(hold)
	waitIdle(t, &q)
	if made != maxQueued-1 || q.Dropped() != more || !slices.Equal(lost, []uint64{more}) {
		t.Errorf("got %d made, %d dropped, told of %v; want %d, %d, once",
			made, q.Dropped(), lost, maxQueued-1, more)
	}
	q.Do(nil, "test", func() { made++ })
	if made != maxQueued {
		t.Errorf("got %d calls made, want %d: Do no longer waits", made, maxQueued)
	}
}

func TestQueueStopsWaitingWhenDone(t *testing.T) {
	hold, done := make(chan struct{}), make(chan struct{})
	var q Queue
	time.AfterFunc(time.Millisecond, func() { close(done) })
	q.Do(done, "test", func() { <-hold })
	if q.Busy() == "" {
		t.Error("got a call that has returned, want one that was not waited for")
	}
	close(hold)
	waitIdle(t, &q)
}

func TestQueueSurvivesPanics(t *testing.T) {
	boom := errors.New("boom")
	for name, f := range map[string]func(){
		"error":       func() { panic(boom) },
		"nil pointer": func() { var p *int; *p = 1 },
		"Goexit":      runtime.Goexit,
	} {
		t.Run(name, func(t *testing.T) {
			var failed []*Panic
			q := Queue{OnPanic: func(p *Panic) { failed = append(failed, p) }}
			made := false
			q.Do(nil, "test", f)
			q.Do(nil, "test", func() { made = true })
			waitIdle(t, &q)
			if len(failed) != 1 || failed[0].In != "test" || failed[0].Stack == "" || !made {
				t.Errorf("got %v and the next call made: %v, want one panic and the call", failed,
					made)
			}
			if name == "error" && !errors.Is(failed[0], boom) {
				t.Errorf("got %v, want an error that wraps the value", failed[0])
			}
		})
	}
}
