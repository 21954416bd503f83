package sched

import (
	"sync/atomic"
	"time"
)

// A thread is charged the time that it computed. Asking the kernel for the processor time of an OS
// thread takes 0.7 µs, too long for each of the readings, which come every 2 to 5 µs while a guest
// computes. So the gap between two readings is charged as it is while it is shorter than
// shortGap, in which the processor has not been lost. A longer gap is charged no more than what
// the OS thread has computed since it was last asked, by whichever goroutine ran on it; and every
// thread asks once it has been charged askEvery.
const (
	shortGap = 50 * time.Microsecond
	askEvery = 200 * time.Microsecond

	// flushEvery is how much a thread computes before it is added to what its guest computed.
	flushEvery = 20 * time.Microsecond

	// A wait has a cost of its own: the Go runtime and the kernel stop a thread, set a timer, look
	// for something else to run and make the thread run again. That takes 2 µs where there is much
	// to run, and 10 to 60 µs where there is nothing, since OS threads wake each other then. One
	// wait in sampleEvery is judged, and each is charged the mean. If the thread goes on on the
	// same OS thread, its clock tells; twice that is charged, for the other that was woken.
	sampleEvery = 8
	busyWait    = 2 * time.Microsecond
	idleWait    = 10 * time.Microsecond // At least.
	movedWait   = 50 * time.Microsecond
	maxWaitCost = 100 * time.Microsecond

	// garbageRate is how many bytes the Go runtime collects in a ns, with a heap of a few MiB.
	garbageRate = 4
)

// meter counts what a thread computes. Atomic fields are read by other goroutines.
type meter struct {
	at       atomic.Int64 // Until when the time is charged; 0 while the thread waits.
	computed atomic.Int64 // What was charged in all,
	owed     int64        // of that, what is not yet added to the guest,
	active   int64        // the time that passed for that while the thread did not wait,
	unasked  int64        // and what was charged since an OS thread's clock was read:
	reading  reading      // this one.

	waits    uint32
	waitCost int64 // The mean of those measured.
}

// charge charges the time until now.
func (t *Thread) charge(now int64) {
	m := &t.meter
	gap := now - m.at.Load()
	m.at.Store(now)
	m.active += gap
	if m.unasked+gap < int64(askEvery) && gap < int64(shortGap) {
		m.unasked += gap
	} else {
		gap = t.ask(gap)
		m.unasked = 0
	}
	t.add(gap, now)
}

// ask reads the clock of the OS thread, and returns how much of a gap is charged.
func (t *Thread) ask(gap int64) int64 {
	m := &t.meter
	computed, last, now := t.s.clocks.lap()
	mine := last == m.reading
	m.reading = now
	switch {
	case !last.of(now):
		return gap // Nothing is known of this OS thread.
	case mine:
		// Nobody else has read it since, so what was charged since was computed on it, too.
		return min(gap, max(computed-m.unasked, 0))
	case gap >= int64(shortGap):
		return min(gap, computed)
	}
	return gap
}

func (t *Thread) add(ns, now int64) {
	m := &t.meter
	m.computed.Store(m.computed.Load() + ns)
	if m.owed += ns; m.owed >= int64(flushEvery) {
		t.flush(now)
	}
}

func (t *Thread) flush(now int64) {
	t.guest.add(t.meter.owed, t.meter.active, now)
	t.meter.owed, t.meter.active = 0, 0
}

// Garbage charges what it will take to collect so many bytes of the host's memory that a call has
// used: the Go runtime does so in other threads, and a guest that makes it happen all the time
// would have a third of a processor more than its limit.
func (t *Thread) Garbage(bytes int) { t.Charge(time.Duration(bytes / garbageRate)) }

// beginWait prepares for measuring a wait, if it is one of those.
func (t *Thread) beginWait() {
	if t.meter.waits%sampleEvery == 0 {
		_, _, t.meter.reading = t.s.clocks.lap()
		t.meter.unasked = 0
	}
}

// endWait charges a wait.
func (t *Thread) endWait(now int64) {
	m := &t.meter
	if m.waits%sampleEvery == 0 {
		cost := int64(busyWait) // Others that compute had the processor meanwhile.
		took, last, now := t.s.clocks.lap()
		switch {
		case t.s.saturated.Load():
		case now == 0:
			cost = int64(idleWait)
		case last == m.reading && last.of(now):
			cost = min(max(2*took, int64(idleWait)), int64(maxWaitCost))
		default:
			cost = int64(movedWait)
		}
		if m.waits == 0 {
			m.waitCost = cost
		}
		m.waitCost += (cost - m.waitCost) / 4
	}
	m.waits++
	t.add(m.waitCost, now)
}

// Settle charges the time until now.
func (t *Thread) Settle() { t.charge(t.s.now()) }

// Computed is for how long the thread has computed. It may be called by any goroutine; what the
// thread has done since its last reading of the clock may later turn out to have been less.
func (t *Thread) Computed() time.Duration {
	ns := t.meter.computed.Load()
	if at := t.meter.at.Load(); at != 0 {
		ns += max(t.s.now()-at, 0)
	}
	return time.Duration(ns)
}

// Guest is what the threads of a guest have in common. The zero value is one without a limit.
type Guest struct {
	// Limit is for how long the guest may compute; 0 = no limit.
	Limit time.Duration

	computed atomic.Int64

	// A guest is busy if its threads computed, or were ready to, for more than half of the last
	// window. What they computed tells little where other programs have the processors.
	busy        atomic.Bool
	active      atomic.Int64
	windowStart atomic.Int64
	windowBase  atomic.Int64 // What active was then.

	share share
}

// window is how long a guest may compute before it has to take turns.
const window = 10 * time.Millisecond

func (g *Guest) exceeded() bool { return g.Limit > 0 && g.computed.Load() > int64(g.Limit) }

func (g *Guest) add(computed, active, now int64) {
	g.computed.Add(computed)
	sum := g.active.Add(active)
	used, start := sum-g.windowBase.Load(), g.windowStart.Load()
	busy := g.busy.Load()
	if length := now - start; length >= int64(window) && g.windowStart.CompareAndSwap(start, now) {
		g.windowBase.Store(sum)
		g.busy.Store(used > length/2)
	} else if !busy && used > int64(window)/2 {
		g.busy.Store(true)
	}
}
