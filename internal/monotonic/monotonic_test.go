package monotonic

import (
	"testing"
	"time"
)

// TestStepsAreShort waits for steps of the clock. One of 15.6 ms is only one of Windows' timer.
func TestStepsAreShort(t *testing.T) {
	shortest := time.Hour
	for range 1000 {
		start := Now()
		step := Since(start)
		for step == 0 {
			step = Since(start)
		}
		if step < 0 {
			t.Fatalf("got %v between two readings, want a clock that never goes back", step)
		}
		shortest = min(shortest, step)
	}
	if shortest > 10*time.Microsecond {
		t.Errorf("got steps of %v at best, want at most a few microseconds", shortest)
	}
}

// TestAgreesWithPackageTime measures the same time by both clocks.
func TestAgreesWithPackageTime(t *testing.T) {
	const steps = 16 * time.Millisecond // of the clock of package time
	began, start := time.Now(), Now()
	for time.Since(began) < 20*steps {
		time.Sleep(steps)
	}
	inner := time.Since(began)
	took := Since(start)
	outer := time.Since(began)
	if took < inner-steps || took > outer+steps {
		t.Errorf("got %v, want %v to %v", took, inner, outer)
	}
}

func TestNowDoesNotAllocate(t *testing.T) {
	if n := testing.AllocsPerRun(100, func() { Now() }); n != 0 {
		t.Errorf("got %v allocations, want none", n)
	}
}

func BenchmarkNow(b *testing.B) {
	for b.Loop() {
		Now()
	}
}
