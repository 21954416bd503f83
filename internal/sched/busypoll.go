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
	// waits, Go's scheduler serves other sockets only every 10 ms (runtime.sysmon).
	parkEvery = time.Millisecond
)

// busyPoll is the state of a thread that looks.
type busyPoll struct {
	// until is the time at which the looks end; 0 outside of them.
	until int64
	// skip is how many waits from now on go without looks; the last failure has set it to skipped.
	skip, skipped int
	// parked is the time at which the last wait ended.
	parked int64

	// yields tells that there is one processor, which the peer may need to answer. With more of
	// them to yield does harm: a program of less importance may then run for milliseconds.
	yields bool
	// countAt is the time from which on the processors are to be counted again.
	countAt int64
}

// BeginBusyPoll says that the thread is about to wait. LookAgain then reports true as long as the
// thread should look before it waits.
func (t *Thread) BeginBusyPoll() {
	if canYield && t.s.threads.Load() == 1 {
		t.busyPoll.begin(t.s.now())
	}
}

func (b *busyPoll) begin(now int64) {
	if b.until != 0 {
		b.until, b.skipped = 0, 0 // the last looks have found something
	}
	switch {
	case b.skip > 0:
		b.skip--
	case now-b.parked < int64(parkEvery):
		b.until = now + int64(busyPollFor)
	}
	if now >= b.countAt {
		b.yields, b.countAt = runtime.GOMAXPROCS(0) == 1, now+int64(countEvery)
	}
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
		if t.s.now() >= b.until+int64(busyPollFor) {
			b.fail() // others compute, and a thread that waits gets the processor sooner
		}
	}
	return true
}

func (b *busyPoll) fail() {
	b.until = 0
	b.skipped = min(2*b.skipped+1, maxSkip)
	b.skip = b.skipped
}
