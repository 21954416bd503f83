package engine

import (
	"runtime"
	"sync"
	"sync/atomic"
	"time"
)

// Go's scheduler looks for what has arrived on the network when it has nothing to run, and else every 10 ms. Threads that compute always
// have something to run. So when there are as many of them as processors, they all step back for a moment now and then.

const (
	// interval is how many loops and calls a guest may run through between two ticks: 2 to 5 µs of work, or 5 ms if every step
	// touches memory for the first time.
	interval = 2500

	// slice is how long a thread computes before it lets others run, where as many threads compute as there are processors. Where fewer do,
	// others have a processor anyway, and loneSlice is enough: to let others run, the scheduler wakes one, which takes 10 µs of time
	// from both.
	slice     = 50 * time.Microsecond
	loneSlice = time.Millisecond

	// lookEvery is how often threads that compute step back, lookFor for how long at most.
	lookEvery = time.Millisecond
	lookFor   = 200 * time.Microsecond

	// countEvery is how often they are counted: long enough for all of them to have had a turn, also those whose processor the host
	// has given to others.
	countEvery = 20 * time.Millisecond

	// crowd is how many threads are too many for it: each has to be woken twice.
	crowd = 64
)

// turns is how the threads that compute take turns with each other, and with those that wait for the network.
type turns struct {
	started    time.Time
	processors int32

	looked  atomic.Int64 // the period of lookEvery in which a thread has last looked
	counted atomic.Int64 // the period of countEvery in which threads are being counted
	count   atomic.Int32 // of threads in it
	full    atomic.Bool  // whether the processors had nothing but them to run in the one before

	looking atomic.Bool
	gate    sync.RWMutex // held while looking
	look    looker
}

func newTurns() *turns {
	return &turns{started: time.Now(), processors: int32(runtime.GOMAXPROCS(0))}
}

// turn is a thread's place among others.
type turn struct {
	since   time.Time // when it began to compute
	counted int64     // the period of countEvery in which it was counted
}

// next is called by a thread at each tick, and lets others run if it is their turn.
func (t *turns) next(mine *turn) {
	t.wait()
	now := time.Now()
	if d := now.Sub(mine.since); d < slice || d < loneSlice && !t.full.Load() {
		return
	}
	t.enter(mine, now.Sub(t.started))
	runtime.Gosched()
	t.wait()
	mine.since = time.Now()
}

// enter counts a thread, and makes it look if that is due.
func (t *turns) enter(mine *turn, now time.Duration) {
	if period := int64(now / countEvery); period != mine.counted {
		mine.counted = period
		if last := t.counted.Load(); last != period && t.counted.CompareAndSwap(last, period) {
			before := t.count.Swap(0)
			t.full.Store(before >= t.processors && before < crowd)
		}
		t.count.Add(1)
	}
	if !t.full.Load() {
		return
	}
	if period := int64(now / lookEvery); t.looked.Swap(period) != period {
		t.lookUp()
	}
}

// lookUp makes the scheduler look at the network: it comes to that when all others wait, and this thread for the network.
func (t *turns) lookUp() {
	if !t.gate.TryLock() {
		return
	}
	defer t.gate.Unlock()
	t.looking.Store(true)
	defer t.looking.Store(false)
	t.look.up()
}

// wait waits while another thread looks.
func (t *turns) wait() {
	if t.looking.Load() {
		t.gate.RLock()
		//lint:ignore SA2001 waiting is all that it is for
		t.gate.RUnlock()
	}
}

func (t *turns) close() { t.look.close() }
