package system

import (
	"time"

	"github.com/wasport/wasport/internal/wasi"
)

var noDeadline time.Time

// Now is the time of a clock in nanoseconds. The monotonic clock starts with the guest; the processor clocks count the time
// that the guest's threads, or this one, did not spend waiting.
func (t *Thread) Now(clock uint32) (uint64, error) {
	switch clock {
	case wasi.ClockRealtime:
		return uint64(time.Now().UnixNano()), nil
	case wasi.ClockMonotonic:
		return uint64(time.Since(t.Guest.started)), nil
	case wasi.ClockProcessCPU:
		return uint64(t.Running()), nil
	case wasi.ClockThreadCPU:
		return uint64(t.running()), nil
	}
	return 0, wasi.EINVAL
}

// Resolution is the granularity of a clock in nanoseconds.
func (t *Thread) Resolution(clock uint32) (uint64, error) {
	if clock > wasi.ClockThreadCPU {
		return 0, wasi.EINVAL
	}
	return 1, nil
}

// Running is how long the guest's threads have run in total, without the time that they waited.
func (g *Guest) Running() time.Duration {
	g.mu.Lock()
	defer g.mu.Unlock()
	total := g.spent
	for t := range g.threads {
		total += t.running()
	}
	return total
}

// checkEvery is how long a thread runs between two looks at what all of them have used.
const checkEvery = 200 * time.Microsecond

// Tick is called now and then by a thread that computes, and ends the guest when its running time is used up.
func (t *Thread) Tick() {
	if t.maxCPU == 0 {
		return
	}
	// Adding up takes the longer the more threads there are.
	now := time.Since(t.started)
	if now-t.checked < checkEvery {
		return
	}
	t.checked = now
	if t.Guest.Running() > t.maxCPU {
		t.Kill(ErrCPU)
	}
}
