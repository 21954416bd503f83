package sched

import (
	"math"
	"runtime"
	"testing"
	"time"
)

// TestBusyPollStopsInVain has looks that find nothing, and then some that do.
func TestBusyPollStopsInVain(t *testing.T) {
	var b busyPoll
	now := int64(time.Hour)
	var waitsWithoutLooks []int
	for count := 0; len(waitsWithoutLooks) < 9; count++ {
		b.parked = now
		if b.begin(now); b.until != 0 {
			waitsWithoutLooks = append(waitsWithoutLooks, count)
			b.fail()
			count = -1
		}
	}
	for i, want := range []int{0, 1, 3, 7, 15, 31, 63, 63, 63} {
		if got := waitsWithoutLooks[i]; got != want {
			t.Errorf("after %d failures: got %d waits without looks, want %d", i, got, want)
		}
	}
	for b.until == 0 {
		b.begin(now)
	}
	b.begin(now)
	if b.until == 0 || b.skipped != 0 {
		t.Errorf("after a success: got looks until %d and %d skipped, want looks and 0",
			b.until, b.skipped)
	}
}

// TestBusyPollerParks has a thread that never waits, and then one that has waited again.
func TestBusyPollerParks(t *testing.T) {
	b := busyPoll{parked: int64(time.Hour), countAt: math.MaxInt64}
	for _, after := range []struct {
		d    time.Duration
		want bool
	}{{0, true}, {parkEvery - 1, true}, {parkEvery, false}, {time.Second, false}} {
		b.begin(b.parked + int64(after.d))
		if got := b.until != 0; got != after.want {
			t.Errorf("%v after a wait: got looks %v, want %v", after.d, got, after.want)
		}
	}
}

// TestBusyPollerKicks has a thread on one processor that never waits.
func TestBusyPollerKicks(t *testing.T) {
	start := int64(time.Hour)
	b := busyPoll{parked: start, yields: true, countAt: math.MaxInt64}
	for i, after := range []struct {
		d    time.Duration
		want bool
	}{{0, false}, {parkEvery - 1, false}, {parkEvery, true}, {parkEvery + 1, false},
		{2 * parkEvery, true}} {
		kick := b.begin(start + int64(after.d))
		if kick != after.want || b.until == 0 {
			t.Errorf("%d, after %v: got kick %v and looks until %d, want kick %v and looks",
				i, after.d, kick, b.until, after.want)
		}
	}
	b.fail()
	if now := start + int64(time.Minute); b.begin(now) || b.until != 0 {
		t.Error("after looks in vain: got a kick or looks, want none")
	}
}

// TestKickedBusyPollerLooks begins to look long after the last wait.
func TestKickedBusyPollerLooks(t *testing.T) {
	s := New()
	defer s.Close()
	var g Guest
	var one Thread
	one.Start(s, &g, nil)
	defer one.Stop()
	one.busyPoll.yields, one.busyPoll.countAt = true, math.MaxInt64
	one.busyPoll.parked = -int64(parkEvery)
	s.kicked.Store(-1)
	one.BeginBusyPoll()
	kicked, looks := s.kicked.Load() >= 0, one.busyPoll.until > 0
	if kicked != canYield || looks != canYield {
		t.Errorf("got a kick %v and looks %v, want both %v", kicked, looks, canYield)
	}
}

// TestYieldInVain has the others take the processor for some time.
func TestYieldInVain(t *testing.T) {
	for _, row := range []struct {
		took time.Duration
		vain bool
	}{{0, false}, {maxYield, false}, {busyPollFor + maxYield, true}} {
		b := busyPoll{until: int64(busyPollFor)}
		b.yielded(int64(row.took))
		if vain := b.until == 0; vain != row.vain || (b.skip > 0) != row.vain {
			t.Errorf("%v: got an end of the looks %v and %d skipped, want %v", row.took, vain,
				b.skip, row.vain)
		}
	}
}

// TestYieldsOnOneProcessor begins to look in the first moment of a scheduler.
func TestYieldsOnOneProcessor(t *testing.T) {
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(0))
	for _, processors := range []int{1, 2} {
		runtime.GOMAXPROCS(processors)
		var b busyPoll
		b.begin(1)
		if want := processors == 1; b.yields != want {
			t.Errorf("%d processors: got yields %v, want %v", processors, b.yields, want)
		}
	}
}

func TestOneThreadBusyPolls(t *testing.T) {
	s := New()
	defer s.Close()
	var g Guest
	var one, other Thread
	one.Start(s, &g, nil)
	defer one.Stop()
	// looks waits until BeginBusyPoll lets the thread look, which may take too long after a wait.
	looks := func() bool {
		for range 1000 {
			one.Pause()
			one.Resume()
			one.busyPoll.skip = 0
			one.BeginBusyPoll()
			if one.LookAgain() {
				return true
			}
		}
		return false
	}
	if got := looks(); got != canYield {
		t.Errorf("alone: got looks %v, want %v", got, canYield)
	}
	one.BeginBusyPoll()
	for one.LookAgain() {
	}
	other.Start(s, &g, nil)
	if looks() {
		t.Error("beside another thread: got looks, want none")
	}
	other.Stop()
	if got := looks(); got != canYield {
		t.Errorf("alone again: got looks %v, want %v", got, canYield)
	}
}
