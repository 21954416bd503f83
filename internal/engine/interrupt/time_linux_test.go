package interrupt

import (
	"time"

	"golang.org/x/sys/unix"
)

// threadTime returns the processor time of the calling OS thread (clock_gettime(2),
// CLOCK_THREAD_CPUTIME_ID). Other programs do not add to it.
func threadTime() time.Duration {
	var ts unix.Timespec
	if err := unix.ClockGettime(unix.CLOCK_THREAD_CPUTIME_ID, &ts); err != nil {
		panic(err)
	}
	return time.Duration(ts.Nano())
}
