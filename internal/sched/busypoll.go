package sched

import (
	"runtime"
	"time"
)

// A thread that has to wait looks for the data first, a few times. To wait on Go's poller takes
// three system calls and a switch between goroutines, and a processor that falls asleep meanwhile
// takes 20 to 40 µs to wake up: longer than a peer on the same machine takes to answer. To wait in
// the kernel for a limited time is no way out: in a virtual machine, to set a timer takes as long
// as all the looks.
//
// The goroutine keeps its place in Go's scheduler while it looks. So only the one thread of a
// process's one guest does.
const (
	// busyPollFor is about the cost of a wait.
	busyPollFor = 40 * time.Microsecond

	// A thread that has looked in vain does not look the next time. The number of waits without
	// looks grows with each failure, up to maxSkip, so that a peer which takes longer costs little.
	maxSkip = 63

	// parkEvery is how often a thread that could look waits on Go's poller. While no goroutine
	// waits, Go's scheduler serves other sockets only every 10 ms (runtime.sysmon). On one
	// processor the thread kicks instead, and looks. In a real wait that processor falls idle, and
	// then Go's scheduler wakes a thread of its own every 50 to 100 µs for some milliseconds, each
	// of which takes the processor from the guest and its peer.
	parkEvery = time.Millisecond

	// maxYield is how long the others may have taken the only processor, beyond busyPollFor, until
	// that counts as looking in vain. A peer that answers takes less: the half of a connection that
	// is the kernel's work for a client takes up to 100 µs. One that computes takes a slice of the
	// kernel's scheduler, of milliseconds, and a thread that waits gets the processor sooner.
	maxYield = 400 * time.Microsecond
)

// busyPoll is the state of a thread that looks.
type busyPoll struct {
	// until is the time at which the looks end; 0 outside of them.
	until int64
	// skip is how many waits from now on go without looks; the last failure has set it to skipped.
	skip, skipped int
	// parked is the time of the last kick, or at which the last wait ended.
	parked int64

	// yields tells that there is one processor, which the peer may need to answer. With more of
	// them to yield does harm: a program of less importance may then run for milliseconds.
	yields bool
	// countAt is the time from which on the processors are to be counted again.
	countAt int64
}

// MayBusyPoll reports whether the thread is alone, so that it may look before it waits.
func (t *Thread) MayBusyPoll() bool { return canYield && t.s.threads.Load() == 1 }

// BeginBusyPoll says that the thread is about to wait. LookAgain then reports true as long as the
// thread should look before it waits.
func (t *Thread) BeginBusyPoll() {
	if !t.MayBusyPoll() {
		return
	}
	now := t.s.now()
	if t.busyPoll.begin(now) {
		t.s.kick(now)
		t.busyPoll.until = t.s.now() + int64(busyPollFor)
	}
}

// begin begins to look, unless it is the time to wait. It reports whether to kick before that.
func (b *busyPoll) begin(now int64) (kick bool) {
	if b.until != 0 {
		b.until, b.skipped = 0, 0 // the last looks have found something
	}
	if now >= b.countAt {
		b.yields, b.countAt = runtime.GOMAXPROCS(0) == 1, now+int64(countEvery)
	}
	kick = b.yields && b.skip == 0 && now-b.parked >= int64(parkEvery)
	if kick {
		b.parked = now
	}
	switch {
	case b.skip > 0:
		b.skip--
	case now-b.parked < int64(parkEvery):
		b.until = now + int64(busyPollFor)
	}
	return kick
}

// LookAgain reports whether the thread should look again, or else wait.
func (t *Thread) LookAgain() bool {
	b := &t.busyPoll
	if b.until == 0 {
		return false
	}
	if now := t.s.now(); now >= b.until {
		b.fail()
		return false
	}
	if b.yields {
		yieldProcessor()
		b.yielded(t.s.now())
	}
	return true
}

// yielded ends the looks if the others have had the processor for long. The one that LookAgain has
// promised is still to come.
func (b *busyPoll) yielded(now int64) {
	if now >= b.until+int64(maxYield) {
		b.fail()
	}
}

func (b *busyPoll) fail() {
	b.until = 0
	b.skipped = min(2*b.skipped+1, maxSkip)
	b.skip = b.skipped
}
