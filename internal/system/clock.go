package system

import (
	"time"

	"github.com/wasport/wasport/internal/monotonic"
	"github.com/wasport/wasport/internal/wasi"
)

// Now returns the time of a clock in nanoseconds. The monotonic clock starts with the guest. The
// CPU clocks count the processor time of the guest's threads, or of this thread.
func (t *Thread) Now(clock uint32) (uint64, error) {
	switch clock {
	case wasi.ClockRealtime:
		return uint64(timeOfDay().UnixNano()), nil
	case wasi.ClockMonotonic:
		return uint64(monotonic.Since(t.Guest.started)), nil
	case wasi.ClockProcessCPU:
		t.schedThread.ChargeNow()
		return uint64(t.cpuTime()), nil
	case wasi.ClockThreadCPU:
		t.schedThread.ChargeNow()
		return uint64(t.schedThread.Computed()), nil
	}
	return 0, wasi.EINVAL
}

// Resolution returns the resolution of a clock in nanoseconds.
func (t *Thread) Resolution(clock uint32) (uint64, error) {
	if clock > wasi.ClockThreadCPU {
		return 0, wasi.EINVAL
	}
	return 1, nil
}

// cpuTime returns the processor time of all of the guest's threads. It never decreases, although
// the estimate of a single thread may.
func (g *Guest) cpuTime() time.Duration {
	g.mu.Lock()
	defer g.mu.Unlock()
	total := g.endedThreadsCPU
	for _, t := range g.threads {
		total += t.schedThread.Computed()
	}
	g.lastReportedCPU = max(g.lastReportedCPU, total)
	return g.lastReportedCPU
}
