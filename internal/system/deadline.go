package system

import (
	"math"
	"time"

	"github.com/wasport/wasport/internal/monotonic"
)

// A deadline is a time by package monotonic, as guests' clocks are. Waits go by the clock of
// package time, which may be a step behind, up to 15.6 ms on Windows, so that they may end early
// by the guest's clock. POSIX allows no time-out to end early (poll(2),
// pthread_cond_timedwait(3)): after a wait the caller asks passed, and waits again.
type deadline time.Duration

const (
	noDeadline deadline = 0
	longPassed deadline = 1 // before any result of deadlineIn
)

// deadlineIn returns the deadline d from now, or noDeadline if no clock counts so far.
func deadlineIn(d time.Duration) deadline {
	now := monotonic.Now()
	if d > math.MaxInt64-now {
		return noDeadline
	}
	return max(deadline(now+d), longPassed)
}

// left returns the time until a deadline.
func (d deadline) left() time.Duration { return time.Duration(d) - monotonic.Now() }

func (d deadline) passed() bool { return d != noDeadline && d.left() <= 0 }

// time returns the deadline by package time; the zero Time is none.
func (d deadline) time() time.Time {
	switch d {
	case noDeadline:
		return time.Time{}
	case longPassed:
		return time.Unix(0, 1)
	}
	return time.Now().Add(d.left())
}
