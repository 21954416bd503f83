// Package threadtime reads the processor time of the calling OS thread in tests. Other programs and
// threads do not add to it, where the system tells it. The caller must have locked its goroutine to
// the thread (runtime.LockOSThread).
package threadtime

import (
	"runtime"
	"time"
)

// Mean returns the mean time of a call. It makes as many calls as the steps of the clock need, and
// collects garbage before each, so that a call does not pay for others.
func Mean(call func()) time.Duration {
	var total time.Duration
	calls := time.Duration(0)
	for calls == 0 || total < 20*Step {
		runtime.GC()
		began := Now()
		call()
		total += Now() - began
		calls++
	}
	return total / calls
}
