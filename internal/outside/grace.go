package outside

import (
	"sync"
	"time"
)

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

// GraceTimer is a Grace for which no goroutine waits. The methods may be called from any goroutine.
type GraceTimer struct {
	mu    sync.Mutex
	timer *time.Timer // nil before Start and after Stop
	left  int
}

// Start has overdue called on a goroutine of its own when a grace has passed without Stop. It is
// called once.
func (g *GraceTimer) Start(overdue func()) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.left = graceTicks
	g.timer = time.AfterFunc(graceTick, func() {
		if g.tick() {
			overdue()
		}
	})
}

// tick reports whether the last tick has come.
func (g *GraceTimer) tick() bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.timer == nil {
		return false
	}
	if g.left--; g.left > 0 {
		g.timer.Reset(graceTick)
	}
	return g.left == 0
}

// Stop ends the grace.
func (g *GraceTimer) Stop() {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.timer != nil {
		g.timer.Stop()
		g.timer = nil
	}
}
