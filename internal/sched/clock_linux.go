package sched

import (
	"sync/atomic"

	"golang.org/x/sys/unix"
)

// clockUnit is the unit of a reading, in ns.
const clockUnit = 256

// threadClocks remembers the last reading of each OS thread's processor clock. Two threads may
// share a place; then neither finds its own reading.
type threadClocks [512]atomic.Uint64

// read reads the clock of the calling OS thread (clock_gettime(2), CLOCK_THREAD_CPUTIME_ID). It
// returns the last reading in the thread's place, the new one and, if both are of this thread, the
// ns that it has computed in between. If the goroutine moves to another thread meanwhile, one
// result is wrong.
func (c *threadClocks) read() (ns int64, last, now reading) {
	id := uint64(unix.Gettid())
	var ts unix.Timespec
	if unix.ClockGettime(unix.CLOCK_THREAD_CPUTIME_ID, &ts) != nil {
		return 0, 0, 0
	}
	now = reading(id<<clockBits | uint64(ts.Nano())/clockUnit&clockMask)
	last = reading(c[id%uint64(len(c))].Swap(uint64(now)))
	return int64((now-last)&clockMask) * clockUnit, last, now
}

// processTime returns the processor time of the process in ns, or 0 if it is not known
// (clock_gettime(2), CLOCK_PROCESS_CPUTIME_ID).
func processTime() int64 {
	var ts unix.Timespec
	if unix.ClockGettime(unix.CLOCK_PROCESS_CPUTIME_ID, &ts) != nil {
		return 0
	}
	return ts.Nano()
}
