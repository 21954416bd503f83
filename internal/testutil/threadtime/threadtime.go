// Package threadtime reads the processor time of the calling OS thread in tests. Other programs and
// threads do not add to it, where the system tells it. The caller must have locked its goroutine to
// the thread (runtime.LockOSThread).
package threadtime

import (
	"runtime"
	"time"
)

// Mean returns the mean time of a call. It makes as many calls as the steps of the clock need. It
// collects garbage before the first, the second, the fourth and so on, so that few calls pay for
// others.
func Mean(call func()) time.Duration {
	var total time.Duration
	calls := 0
	for batch := 1; calls == 0 || total < 20*Step; batch *= 2 {
		runtime.GC()
		began := Now()
		for range batch {
			call()
		}
		total += Now() - began
		calls += batch
	}
	return total / time.Duration(calls)
}
