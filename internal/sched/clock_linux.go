package sched

import (
	"sync/atomic"

	"golang.org/x/sys/unix"
)

// threadClocks remembers what the processor clock of each OS thread said when it was last read.
// Threads may share a place; then neither finds its own.
type threadClocks [512]atomic.Uint64

// lap reads the clock of the calling OS thread. It returns that and the last reading, and how many
// ns the thread has computed in between if both are of the same thread. Should the goroutine move
// to another thread in the middle, one answer is wrong.
func (c *threadClocks) lap() (ns int64, last, now reading) {
	id := uint64(unix.Gettid())
	var ts unix.Timespec
	if unix.ClockGettime(unix.CLOCK_THREAD_CPUTIME_ID, &ts) != nil {
		return 0, 0, 0
	}
	now = reading(id<<clockBits | uint64(ts.Nano())/clockUnit&clockMask)
	last = reading(c[id%uint64(len(c))].Swap(uint64(now)))
	return int64((now-last)&clockMask) * clockUnit, last, now
}
