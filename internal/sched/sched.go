// Package sched shares the processors among guests, and counts the time that each guest computes.
//
// Go's scheduler runs goroutines first come, first served, and does not report the processor time
// of a goroutine. So a guest with 64 threads would get 64 times the share of a guest with one
// thread, and the time between two readings of the wall clock includes the time of others.
//
// A Thread is told when its guest's thread computes and waits, by Start, Pause, Resume and Stop,
// and by Tick at short intervals while it computes. It counts time (meter.go, traffic.go), yields
// (this file), makes busy guests take turns (share.go), and says how long a thread looks for data
// before it waits (busypoll.go). Rights, limits on other resources and the guest's code are not its
// concern.
//
// Lock order: Scheduler.kickMu, then Scheduler.mu. Tick, Yield and Resume wait for other threads,
// so their caller must hold no lock that any guest's thread needs before it ticks or pauses.
package sched

import (
	"runtime"
	"sync"
	"sync/atomic"
	"time"

	"github.com/wasport/wasport/internal/monotonic"
)

const (
	// slice is how long a thread computes before it lets other goroutines run, while at least as
	// many threads compute as there are processors. While fewer compute, other goroutines have a
	// processor anyway, and idleSlice is enough: to let others run, Go's scheduler wakes an OS
	// thread, which costs both of them yieldCost.
	slice     = 50 * time.Microsecond
	idleSlice = time.Millisecond
	yieldCost = 10 * time.Microsecond

	// Go's scheduler polls the network when it has nothing to run, and otherwise every 10 ms
	// (runtime.sysmon). Threads that compute always have something to run. So every kickEvery all
	// of them pause, for kickFor at most.
	kickEvery = time.Millisecond
	kickFor   = 200 * time.Microsecond
)

// Scheduler shares the processors of a process among the guests of one engine. Several goroutines
// may call its methods.
type Scheduler struct {
	started   time.Duration // by package monotonic
	clocks    threadClocks
	garbage   garbageCost
	uncharged uncharged

	// kicked is the number of the kickEvery period of the last kick.
	kicked  atomic.Int64
	kicking atomic.Bool
	// kickMu is held during a kick.
	kickMu sync.RWMutex
	kicker netpollKicker

	// threads is the number of threads between Start and Stop.
	threads atomic.Int32

	// saturated tells that as many threads hold a turn as there are processors.
	saturated atomic.Bool
	// queued is the number of threads that wait for a turn.
	queued atomic.Int32

	// mu protects the fields below, and the turns of threads and guests.
	mu         sync.Mutex
	processors int
	// processorsAt is the time at which processors was last updated.
	processorsAt int64
	// holders are the threads that have a turn, at most as many as processors.
	holders []*Thread
	// waiting are the guests with threads that wait for a turn.
	waiting guestHeap
	// vtime is the least Guest.vtime of the active guests, and never decreases.
	vtime int64
}

// New makes a scheduler. It must be closed.
func New() *Scheduler {
	return &Scheduler{started: monotonic.Now(), processors: runtime.GOMAXPROCS(0)}
}

// Close releases the resources of the scheduler. No thread may be running.
func (s *Scheduler) Close() { s.kicker.close() }

// now returns the time since the scheduler was made, in ns.
func (s *Scheduler) now() int64 { return int64(monotonic.Since(s.started)) }

// Thread is a thread of a guest. Its methods are called by the goroutine that runs the thread,
// except where a method says otherwise.
type Thread struct {
	s     *Scheduler
	guest *Guest
	meter meter

	// sliceStart is the time at which the thread last let others run or began to compute.
	sliceStart int64
	turn       turn
	outside    outside
	busyPoll   busyPoll
}

// Start begins to count a thread that computes for a guest. It may wait for a turn; done is closed
// when the guest ends, which ends that wait.
func (t *Thread) Start(s *Scheduler, g *Guest, done <-chan struct{}) {
	t.s, t.guest = s, g
	s.threads.Add(1)
	t.turn.done = done
	t.admit(s.now())
}

// Pause begins a wait of the thread.
func (t *Thread) Pause() {
	now := t.s.now()
	t.leave(now)
	t.beginWait(now)
}

// leave charges the thread and releases its turn.
func (t *Thread) leave(now int64) {
	if t.meter.chargedUntil.Load() != 0 {
		t.charge(now)
		t.meter.chargedUntil.Store(0)
	}
	if t.turn.held.Load() {
		t.s.release(t)
	}
}

// Resume ends a wait of the thread. It returns when the thread may compute.
func (t *Thread) Resume() {
	now := t.s.now()
	t.endWait(now)
	t.busyPoll.parked = now
	t.admit(now)
}

// admit begins a slice once the thread may compute.
func (t *Thread) admit(now int64) {
	if t.guest.busy.Load() && !t.turn.held.Load() {
		t.s.acquire(t)
		now = t.s.now()
	}
	t.beginSlice(now)
}

// Measure runs a call that may compute or wait, and returns the time that it computed: the time of
// the OS thread or, if the goroutine was moved to another one, the largest cost of a wait. Any
// goroutine may call it.
func (t *Thread) Measure(call func()) time.Duration {
	start := t.s.now()
	_, _, first := t.s.clocks.read()
	call()
	computed, last, now := t.s.clocks.read()
	took := time.Duration(t.s.now() - start)
	if first == 0 || last != first || !last.sameThread(now) {
		return min(took, maxWaitCost)
	}
	return min(took, time.Duration(computed))
}

// Charge charges the thread for time that was computed on its behalf elsewhere.
func (t *Thread) Charge(computed time.Duration) { t.addTime(int64(computed), t.s.now()) }

// Stop ends the thread.
func (t *Thread) Stop() {
	now := t.s.now()
	t.leave(now)
	t.flush(now)
	t.chargeTraffic(now)
	t.s.threads.Add(-1)
}

// beginSlice begins a slice. The time until now is not charged.
func (t *Thread) beginSlice(now int64) {
	if at := t.meter.chargedUntil.Swap(now); at != 0 {
		t.meter.active += now - at
	}
	t.sliceStart = now
	t.turn.lastSeen.Store(now)
}

// Tick is called at short intervals by a thread that computes. It lets others run when it is their
// turn, and reports whether the guest has exceeded its limit.
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
		// The thread has waited for its turn, so others have run.
		t.beginSlice(s.now())
		return exceeded
	}
	if saturated := s.saturated.Load(); saturated {
		s.kick(now)
	} else if d < idleSlice {
		return exceeded
	}
	t.yield()
	return exceeded
}

// Yield lets others run, unless the thread has done so within the last slice. Without this
// exception a guest could keep the Go runtime starting OS threads that find nothing to run.
func (t *Thread) Yield() {
	now := t.s.now()
	t.charge(now)
	if time.Duration(now-t.sliceStart) < slice {
		return
	}
	if t.guest.busy.Load() && !t.s.takeTurn(t, now, slice) {
		t.beginSlice(t.s.now())
		return
	}
	if !t.s.saturated.Load() {
		t.addTime(int64(yieldCost), now)
	}
	t.yield()
}

func (t *Thread) yield() {
	runtime.Gosched()
	t.beginSlice(t.s.now())
}

// kick makes Go's scheduler poll the network, if that is due. The scheduler does so when every
// thread that computes waits: this one for the network, and the others for kickMu.
func (s *Scheduler) kick(now int64) {
	if period := now / int64(kickEvery); s.kicked.Swap(period) == period || !s.kickMu.TryLock() {
		return
	}
	defer s.kickMu.Unlock()
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
	t.s.kickMu.RLock()
	//lint:ignore SA2001 waiting is all that it is for
	t.s.kickMu.RUnlock()
	t.meter.chargedUntil.Store(t.s.now())
}
