package outside

import "time"

// A grace is counted in ticks. A machine that has no time for this process delays and drops the
// ticks, too, and between two of them goroutines that are ready get their turn. So code that has
// not returned after all of them is stuck, and not only late.
const (
	graceTicks = 20
	graceTick  = 100 * time.Millisecond
)

// Grace is the time that outside code has to return after the guest's end: two seconds of a machine
// that is not overloaded. It begins with the first Wait. One goroutine uses it.
type Grace struct {
	ticks <-chan time.Time
	stop  func()
	left  int
}

// Wait returns true when done is closed, and false if the grace ends before.
func (g *Grace) Wait(done <-chan struct{}) bool {
	select {
	case <-done:
		return true
	default:
	}
	if g.ticks == nil {
		t := time.NewTicker(graceTick)
		*g = Grace{ticks: t.C, stop: t.Stop, left: graceTicks}
	}
	for ; g.left > 0; g.left-- {
		select {
		case <-done:
			return true
		case <-g.ticks:
		}
	}
	select {
	case <-done:
		return true
	default:
		return false
	}
}

// End releases what the grace holds.
func (g *Grace) End() {
	if g.stop != nil {
		g.stop()
	}
}
