package system

import (
	"math"
	"testing"
	"time"

	"github.com/wasport/wasport/internal/monotonic"
	"github.com/wasport/wasport/internal/wasi"
	"github.com/wasport/wasport/network"
	"github.com/wasport/wasport/network/kernel"
)

// TestWaitsAreNotShort measures waits by the clocks that the guest reads. On systems with timers in
// steps of milliseconds they ended early.
func TestWaitsAreNotShort(t *testing.T) {
	const wait = 3 * time.Millisecond
	th := lookupThread(t, kernel.New(kernel.Config{}), 0)
	fd, err := th.Open(network.IPv4, network.Datagram)
	if err != nil {
		t.Fatal(err)
	}
	if err := th.SetRecvTimeout(fd, uint64(wait.Microseconds())); err != nil {
		t.Fatal(err)
	}
	e := newEpollTest(t, th)
	poll := func(clock uint32, absolute bool) {
		s := Subscription{Kind: Timer, Clock: clock, Timeout: uint64(wait), Absolute: absolute}
		if absolute {
			now, _ := th.Now(clock)
			s.Timeout += now
		}
		th.Poll([]Subscription{s}, false)
	}
	// A time of day may be slewed, by 0.05 % at most on Linux (adjtimex(2)).
	slewed := map[uint32]time.Duration{wasi.ClockRealtime: wait / 1000}
	for name, call := range map[string]func(clock uint32){
		"sleep":        func(uint32) { th.Sleep(nil, wait) },
		"poll":         func(clock uint32) { poll(clock, false) },
		"poll until":   func(clock uint32) { poll(clock, true) },
		"receive":      func(uint32) { th.Recv(fd, [][]byte{make([]byte, 1)}, 0) },
		"wait (epoll)": func(uint32) { e.EpollWait(e.ep, 1, int64(wait)) },
	} {
		t.Run(name, func(t *testing.T) {
			for range 20 {
				for _, clock := range []uint32{wasi.ClockMonotonic, wasi.ClockRealtime} {
					compute(2 * time.Millisecond)
					before, _ := th.Now(clock)
					call(clock)
					after, _ := th.Now(clock)
					if took := time.Duration(after - before); took < wait-slewed[clock] {
						t.Errorf("clock %d: got %v, want at least %v", clock, took, wait)
					}
				}
			}
		})
	}
}

// compute makes no system calls for some time, after which the clock of package time may be behind.
func compute(d time.Duration) {
	for start := monotonic.Now(); monotonic.Since(start) < d; {
	}
}

func TestDeadlinesInTime(t *testing.T) {
	for _, d := range []time.Duration{math.MinInt64, -1, 0} {
		if end := deadlineIn(d); !end.passed() || end.time().After(time.Now()) {
			t.Errorf("in %v: got %v, %v, want a deadline that has passed", d, end, end.time())
		}
	}
	end := deadlineIn(time.Hour)
	if left := time.Until(end.time()); end.passed() || left > time.Hour || left < time.Hour/2 {
		t.Errorf("got %v left, want an hour", left)
	}
	end = deadlineIn(math.MaxInt64)
	if end.passed() || end != noDeadline || !end.time().IsZero() {
		t.Errorf("beyond all clocks: got %v, want none", end)
	}
	if !longPassed.passed() || longPassed.time().After(time.Now()) {
		t.Errorf("got %v, want a time that has passed", longPassed.time())
	}
}
