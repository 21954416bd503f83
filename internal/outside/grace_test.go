package outside

import (
	"testing"
	"time"
)

// TestGraceCountsTicks gives the ticks of a machine that has no time for the process: however late
// they come, code that returns before the last one is not stuck.
func TestGraceCountsTicks(t *testing.T) {
	late := time.Now().Add(time.Hour)
	for _, test := range []struct {
		name  string
		ticks int
		want  bool
	}{
		{"at once", 0, true},
		{"before the last tick", graceTicks - 1, true},
		{"never", graceTicks, false},
	} {
		t.Run(test.name, func(t *testing.T) {
			ticks, done := make(chan time.Time), make(chan struct{})
			g := Grace{ticks: ticks, left: graceTicks}
			got := make(chan bool)
			go func() { got <- g.Wait(done) }()
			for range test.ticks {
				ticks <- late
			}
			if test.want {
				close(done)
			}
			if got := <-got; got != test.want {
				t.Errorf("got %t after %d ticks, want %t", got, test.ticks, test.want)
			}
		})
	}
}

// TestGraceIsShared waits for two, of which only the second returns: the first takes all ticks.
func TestGraceIsShared(t *testing.T) {
	ticks := make(chan time.Time, graceTicks)
	for range graceTicks {
		ticks <- time.Time{}
	}
	g := Grace{ticks: ticks, left: graceTicks}
	returned := make(chan struct{})
	close(returned)
	if g.Wait(make(chan struct{})) || !g.Wait(returned) || g.Wait(make(chan struct{})) {
		t.Error("got another result, want only the one that has returned to be in time")
	}
}

// TestGraceEnds has the ticks of the clock.
func TestGraceEnds(t *testing.T) {
	var g Grace
	defer g.End()
	if g.Wait(make(chan struct{})) {
		t.Error("got a return, want the end of the grace")
	}
}

// TestGraceTimerCountsTicks has ticks without the time between them, as TestGraceCountsTicks has.
func TestGraceTimerCountsTicks(t *testing.T) {
	start := func() *GraceTimer {
		g := &GraceTimer{timer: time.AfterFunc(time.Hour, func() {}), left: graceTicks}
		t.Cleanup(g.Stop)
		for n := 1; n < graceTicks; n++ {
			if g.tick() {
				t.Fatalf("tick %d: got the end, want it after %d", n, graceTicks)
			}
		}
		return g
	}
	if !start().tick() {
		t.Errorf("got no end after %d ticks", graceTicks)
	}
	stopped := start()
	stopped.Stop()
	if stopped.tick() {
		t.Error("got an end after Stop, whose last tick was under way")
	}
}

// TestGraceTimerEnds has the ticks of the clock.
func TestGraceTimerEnds(t *testing.T) {
	var g GraceTimer
	defer g.Stop()
	overdue := make(chan struct{})
	g.Start(func() { close(overdue) })
	<-overdue
}

// TestEvent waits before and after the event.
func TestEvent(t *testing.T) {
	var e Event
	before := e.Done()
	select {
	case <-before:
		t.Error("got the event before it happened")
	default:
	}
	e.Happen()
	e.Happen()
	<-before
	<-e.Done()
}
