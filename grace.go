package wasport

import "time"

// A guest that was ended may take a grace to return from the host, and after that its output to be
// taken. It is counted in ticks. A machine that has no time for this process delays and drops the
// ticks, too, and between two of them goroutines that are ready get their turn. So what has not
// returned after all of them is stuck, and not only late.
const (
	graceTicks = 20
	graceTick  = 100 * time.Millisecond
)

// grace is one grace. It begins with its first wait.
type grace struct {
	ticks <-chan time.Time
	stop  func()
	left  int
}

// wait returns true when done is closed, and false if the grace ends before.
func (g *grace) wait(done <-chan struct{}) bool {
	if g.ticks == nil {
		t := time.NewTicker(graceTick)
		*g = grace{ticks: t.C, stop: t.Stop, left: graceTicks}
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

// end releases what the grace holds.
func (g *grace) end() {
	if g.stop != nil {
		g.stop()
	}
}
