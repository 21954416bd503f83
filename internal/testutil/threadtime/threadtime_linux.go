package threadtime

import (
	"time"

	"golang.org/x/sys/unix"
)

// Step is the time in which the clock advances.
const Step = time.Duration(0) // A nanosecond is nothing.

// Now returns the processor time of the calling OS thread (clock_gettime(2),
// CLOCK_THREAD_CPUTIME_ID).
func Now() time.Duration {
	var ts unix.Timespec
	if err := unix.ClockGettime(unix.CLOCK_THREAD_CPUTIME_ID, &ts); err != nil {
		panic(err)
	}
	return time.Duration(ts.Nano())
}
