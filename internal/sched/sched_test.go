package sched

import (
	"runtime"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/wasport/wasport/internal/monotonic"
)

// spin computes and ticks until the condition holds.
func (t *Thread) spin(until func() bool) {
	for !until() {
		for start := monotonic.Now(); monotonic.Since(start) < 3*time.Microsecond; {
		}
		t.Tick()
	}
}

// TestShortTurnsAreCounted computes for short times, each of which begins just when the clock of
// package time has ticked: in steps of 0.5 to 15.6 ms on Windows. None of them reaches the next.
func TestShortTurnsAreCounted(t *testing.T) {
	const turn, times = 200 * time.Microsecond, 50
	s := New()
	defer s.Close()
	var g Guest
	var th Thread
	th.Start(s, &g, nil)
	for range times {
		th.Pause()
		for ticked := time.Now(); time.Since(ticked) == 0; {
		}
		th.Resume()
		start := monotonic.Now()
		th.spin(func() bool { return monotonic.Since(start) >= turn })
	}
	th.ChargeNow()
	if got, want := th.Computed(), turn*times/2; got < want {
		t.Errorf("got %v for %d turns of %v, want at least %v", got, times, turn, want)
	}
	th.Stop()
}

// TestShareByGuest runs guests with different numbers of threads at once. Each gets the same
// share. Other programs may spoil single attempts.
func TestShareByGuest(t *testing.T) {
	procs := runtime.GOMAXPROCS(0)
	threads := []int{procs, 16 * procs, 2 * procs}
	var got []int64
	for range 10 {
		got = computeAtOnce(threads)
		if float64(slices.Max(got)) <= 1.5*float64(slices.Min(got)) {
			return
		}
	}
	t.Errorf("guests with %v threads computed for %v ns, want about the same", threads, got)
}

// computeAtOnce runs guests with so many threads each, and returns how long each has computed.
func computeAtOnce(threads []int) (computed []int64) {
	s := New()
	defer s.Close()
	guests := make([]Guest, len(threads))
	var over atomic.Bool
	var wg sync.WaitGroup
	for i, n := range threads {
		for range n {
			wg.Go(func() {
				var th Thread
				th.Start(s, &guests[i], nil)
				defer th.Stop()
				th.spin(over.Load)
			})
		}
	}
	// Each guest computes long enough that its time before it counted as busy does not matter.
	const enough = 20 * window
	deadline := time.Now().Add(time.Minute)
	for slowest(guests) <= int64(enough) && time.Now().Before(deadline) {
		time.Sleep(time.Millisecond)
	}
	for i := range guests {
		computed = append(computed, guests[i].computed.Load())
	}
	over.Store(true)
	wg.Wait()
	return computed
}

func slowest(guests []Guest) int64 {
	least := guests[0].computed.Load()
	for i := range guests {
		least = min(least, guests[i].computed.Load())
	}
	return least
}

// TestTurnOfSilentThread stops the ticks of the threads that hold all turns. A waiting thread then
// gets a turn, and the others take turns with it when they tick again.
func TestTurnOfSilentThread(t *testing.T) {
	s := New()
	defer s.Close()
	var silent, other Guest
	silent.busy.Store(true)
	back := make(chan struct{})
	var wg sync.WaitGroup
	var held sync.WaitGroup
	for range s.processors {
		held.Add(1)
		wg.Go(func() {
			var th Thread
			th.Start(s, &silent, nil)
			held.Done()
			<-back // This stands for a long call of the host.
			for range 10 {
				th.Tick()
			}
			th.Stop()
		})
	}
	held.Wait()
	other.busy.Store(true)
	var th Thread
	th.Start(s, &other, nil)
	if !th.turn.held.Load() {
		t.Error("got no turn, want one of those that went silent")
	}
	close(back)
	wg.Wait()
	th.Stop()
	if len(s.holders) != 0 || s.queued.Load() != 0 || len(s.waiting) != 0 {
		t.Errorf("%d turns and %d waiting are left, want none", len(s.holders), s.queued.Load())
	}
}

// TestGuestEndsWhileWaitingForTurn ends a guest whose thread waits for a turn.
func TestGuestEndsWhileWaitingForTurn(t *testing.T) {
	s := New()
	defer s.Close()
	var holding, ended Guest
	holding.busy.Store(true)
	ended.busy.Store(true)
	holders := make([]Thread, s.processors)
	for i := range holders {
		holders[i].Start(s, &holding, nil)
	}
	done := make(chan struct{})
	close(done)
	var th Thread
	th.Start(s, &ended, done)
	th.Stop()
	if s.queued.Load() != 0 || len(s.waiting) != 0 || ended.share.holding != 0 {
		t.Errorf("%d are waiting and %d turns are held, want none", s.queued.Load(),
			ended.share.holding)
	}
	for i := range holders {
		holders[i].Stop()
	}
	if len(s.holders) != 0 {
		t.Errorf("%d turns are held, want none", len(s.holders))
	}
}

// TestVirtualTimeOfLateGuest starts a guest beside one that has computed for long. It begins at the
// same virtual time.
func TestVirtualTimeOfLateGuest(t *testing.T) {
	s := New()
	defer s.Close()
	var early, late Guest
	early.addTime(int64(time.Hour), 0, s.now())
	early.busy.Store(true)
	var th Thread
	th.Start(s, &early, nil)
	late.busy.Store(true)
	s.mu.Lock()
	s.activate(&late)
	got, want := late.vtime(), early.vtime()
	s.mu.Unlock()
	if got != want {
		t.Errorf("the guest begins at %d, want %d", got, want)
	}
	th.Stop()
}

// TestWaitingIsNotCharged holds up a thread in ways that take no processor time.
func TestWaitingIsNotCharged(t *testing.T) {
	s := New()
	defer s.Close()
	var g Guest
	var th Thread
	th.Start(s, &g, nil)
	defer th.Stop()
	var charged []time.Duration
	for len(charged) == 0 || len(charged) < 5 && slices.Min(charged) > 5*time.Millisecond {
		before := th.Computed()
		th.Pause()
		took := th.Measure(func() { time.Sleep(50 * time.Millisecond) })
		th.Resume()
		th.Charge(took)
		charged = append(charged, th.Computed()-before)
	}
	if least := slices.Min(charged); least > 5*time.Millisecond {
		t.Errorf("the thread was charged %v of 50 ms in which it waited, want hardly anything",
			charged)
	}
}
