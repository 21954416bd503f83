package sched

import (
	"testing"
	"time"
)

// TestTakeUncharged takes time that the process has computed.
func TestTakeUncharged(t *testing.T) {
	var u uncharged
	take := func(most time.Duration) time.Duration {
		ns, known := u.take(int64(most))
		if !known {
			t.Fatal("the processor time of the process is not known")
		}
		return time.Duration(ns)
	}
	compute := func(d time.Duration) {
		for start := processTime(); processTime()-start < int64(d); {
		}
	}
	compute(time.Millisecond)
	if got := take(time.Second); got != 0 {
		t.Errorf("took %v that the process had computed before, want 0", got)
	}
	compute(3 * time.Millisecond / 2)
	if got, want := take(time.Millisecond), time.Millisecond; got != want {
		t.Errorf("took %v of 1.5 ms, want %v", got, want)
	}
	if got, least := take(time.Second), time.Millisecond/2; got < least {
		t.Errorf("took %v of the rest, want at least %v", got, least)
	}
	compute(3 * trafficEvery)
	if got, want := take(time.Second), trafficEvery; got != want {
		t.Errorf("took %v of 3 times %v, want %v", got, trafficEvery, want)
	}
	compute(time.Millisecond)
	u.charged.Add(int64(time.Hour))
	if got := take(time.Second); got != 0 {
		t.Errorf("took %v that a guest was charged, want 0", got)
	}
}

// TestTrafficIsCharged computes in a thread, and as much beside it, which its transfers may have
// caused.
func TestTrafficIsCharged(t *testing.T) {
	for _, test := range []struct {
		transfers, waits int
		most             time.Duration
	}{
		{0, 0, 0},
		{10, 0, 10 * maxWake},
		{10, 3, 4 * maxWake},
		{10, 5, 0},
		{1000, 0, trafficEvery},
	} {
		var s Scheduler
		var g Guest
		th := Thread{s: &s, guest: &g}
		s.uncharged.take(0)
		for start := processTime(); processTime()-start < 2*int64(trafficEvery); {
		}
		for range test.transfers {
			th.CountTransfer()
		}
		for range test.waits {
			th.meter.traffic.wait()
		}
		th.meter.traffic.computed = int64(trafficEvery)
		th.chargeTraffic(0)
		if got := time.Duration(g.computed.Load()); got != test.most {
			t.Errorf("%d transfers and %d waits: charged %v, want %v", test.transfers, test.waits,
				got, test.most)
		}
	}
}
