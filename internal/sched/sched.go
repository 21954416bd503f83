// Package sched shares the processors among guests, and counts what each guest computes.
//
// Go's scheduler runs goroutines first come, first served, and does not say how much processor time
// a goroutine had. So a guest with 64 threads would get 64 times the share of a guest with one, and
// the time that passes between two readings of the clock includes the time in which others ran.
// A Thread is told when its guest's thread computes and when it waits: Start, Pause, Resume, Stop,
// and Tick now and then in between. From that it counts (meter.go), yields (this file), and makes
// guests that compute a lot take turns (share.go).
//
// Lock order: Scheduler.gate, then Scheduler.mu. No caller may hold a lock that a guest's thread
// needs to get on when it calls Tick or Resume, since both may wait for other threads.
package sched

import (
	"runtime"
	"sync"
	"sync/atomic"
	"time"
)

const (
	// slice is how long a thread computes before it lets other goroutines run, while as many
	// threads compute as there are processors. While fewer do, others have a processor anyway and
	// loneSlice is enough: to let others run, Go's scheduler wakes an OS thread, which takes 10 µs
	// of both.
	slice     = 50 * time.Microsecond
	loneSlice = time.Millisecond
	yieldCost = 10 * time.Microsecond

	// Go's scheduler looks for what has arrived on the network when it has nothing to run, and else
	// every 10 ms (runtime.sysmon). Threads that compute always have something to run, so every
	// kickEvery all of them step back, for kickFor at most.
	kickEvery = time.Millisecond
	kickFor   = 200 * time.Microsecond
)

// Scheduler shares the processors of a process among the guests of one engine. All of its methods
// may be called from several goroutines.
type Scheduler struct {
	started time.Time
	clocks  threadClocks

	kicked  atomic.Int64 // The kickEvery period of the last kick.
	kicking atomic.Bool
	gate    sync.RWMutex // Held during a kick.
	kicker  netpollKicker

	saturated atomic.Bool  // As many threads hold a turn as there are processors.
	queued    atomic.Int32 // The number of threads in waiting.

	// mu protects what follows, and the turns of threads and guests.
	mu         sync.Mutex
	processors int
	counted    int64     // When processors was last brought up to date.
	holders    []*Thread // The threads that have a turn, at most as many as processors.
	waiting    guestHeap // The guests with threads that wait for a turn.
	vtime      int64     // No active guest has had less; see Guest.vtime.
}

// New makes a scheduler. It must be closed.
func New() *Scheduler {
	return &Scheduler{started: time.Now(), processors: runtime.GOMAXPROCS(0)}
}

// Close releases what the scheduler holds; no thread may be running.
func (s *Scheduler) Close() { s.kicker.close() }

// now is the time in ns since the scheduler was made.
func (s *Scheduler) now() int64 { return int64(time.Since(s.started)) }

// Thread is a guest's thread. Its methods are called by the goroutine that runs the thread.
type Thread struct {
	s     *Scheduler
	guest *Guest
	meter meter

	sliceStart int64 // When the thread last let others run, or began to compute.
	turn       turn
}

// Start adds a thread that begins to compute to a guest; done is closed when the guest ends.
func (t *Thread) Start(s *Scheduler, g *Guest, done <-chan struct{}) {
	t.s, t.guest = s, g
	t.turn.granted, t.turn.done = make(chan struct{}, 1), done
	t.admit(s.now())
}

// Pause says that the thread begins to wait.
func (t *Thread) Pause() {
	t.leave()
	t.beginWait()
}

// leave charges the thread, and lets it compute no more.
func (t *Thread) leave() {
	t.charge(t.s.now())
	t.meter.at.Store(0)
	if t.turn.held.Load() {
		t.s.release(t)
	}
}

// Resume says that the thread has waited. It returns when the thread may compute.
func (t *Thread) Resume() {
	now := t.s.now()
	t.endWait(now)
	t.admit(now)
}

// admit begins a slice once the thread may compute.
func (t *Thread) admit(now int64) {
	if t.guest.busy.Load() {
		t.s.acquire(t)
		now = t.s.now()
	}
	t.begin(now)
}

// Measure makes a call that may compute or wait, and returns for how long it computed: what the OS
// thread did meanwhile, or the most that a wait is charged if that cannot be told, since the
// goroutine was moved to another. It may be called by any goroutine.
func (t *Thread) Measure(call func()) time.Duration {
	start := t.s.now()
	_, _, first := t.s.clocks.lap()
	call()
	computed, last, now := t.s.clocks.lap()
	took := time.Duration(t.s.now() - start)
	if first == 0 || last != first || !last.of(now) {
		return min(took, maxWaitCost)
	}
	return min(took, time.Duration(computed))
}

// Charge charges a thread what was computed for it elsewhere.
func (t *Thread) Charge(computed time.Duration) { t.add(int64(computed), t.s.now()) }

// Stop says that the thread has ended.
func (t *Thread) Stop() {
	t.leave()
	t.flush(t.s.now())
}

// begin starts a slice: what has passed until now is not charged.
func (t *Thread) begin(now int64) {
	if at := t.meter.at.Swap(now); at != 0 {
		t.meter.active += now - at
	}
	t.sliceStart = now
	t.turn.seen.Store(now)
}

// Tick is called now and then by a thread that computes, and lets others run if it is their turn.
// It reports whether the guest has computed for longer than its limit.
func (t *Thread) Tick() (exceeded bool) {
	s := t.s
	t.waitForKick()
	now := s.now()
	t.charge(now)
	exceeded = t.guest.exceeded()
	d := time.Duration(now - t.sliceStart)
	if d < slice || exceeded {
		return exceeded
	}
	if t.guest.busy.Load() && !s.takeTurn(t, now, turnLength) {
		t.begin(s.now()) // It has waited, so that others have run.
		return exceeded
	}
	if saturated := s.saturated.Load(); saturated {
		s.kick(now)
	} else if d < loneSlice {
		return exceeded
	}
	t.yield()
	return exceeded
}

// Yield lets others run, unless it has just done so: a guest could make the Go runtime start OS
// threads all the time, which find nothing to run.
func (t *Thread) Yield() {
	now := t.s.now()
	t.charge(now)
	if time.Duration(now-t.sliceStart) < slice {
		return
	}
	if t.guest.busy.Load() && !t.s.takeTurn(t, now, slice) {
		t.begin(t.s.now())
		return
	}
	if !t.s.saturated.Load() {
		t.add(int64(yieldCost), now)
	}
	t.yield()
}

func (t *Thread) yield() {
	runtime.Gosched()
	t.begin(t.s.now())
}

// kick makes Go's scheduler look at the network, if that is due. It comes to that when every thread
// that computes waits, this one for the network and the others at the gate.
func (s *Scheduler) kick(now int64) {
	if period := now / int64(kickEvery); s.kicked.Swap(period) == period || !s.gate.TryLock() {
		return
	}
	defer s.gate.Unlock()
	s.kicking.Store(true)
	defer s.kicking.Store(false)
	s.kicker.kick()
}

// waitForKick waits while another thread kicks.
func (t *Thread) waitForKick() {
	if !t.s.kicking.Load() {
		return
	}
	t.charge(t.s.now())
	t.s.gate.RLock()
	//lint:ignore SA2001 waiting is all that it is for
	t.s.gate.RUnlock()
	t.meter.at.Store(t.s.now())
}
