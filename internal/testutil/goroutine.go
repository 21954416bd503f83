package testutil

import (
	"runtime"
	"testing"
	"time"
)

// NoGoroutineLeak fails the test if more goroutines run after it than now. It waits up to 10 s for
// them to end. A test with parallel subtests cannot use it.
func NoGoroutineLeak(t testing.TB) {
	t.Helper()
	before := runtime.NumGoroutine()
	t.Cleanup(func() {
		for end := time.Now().Add(10 * time.Second); runtime.NumGoroutine() > before; {
			if time.Now().After(end) {
				stacks := make([]byte, 1<<16)
				t.Errorf("got %d goroutines, want %d as before:\n%s", runtime.NumGoroutine(),
					before, stacks[:runtime.Stack(stacks, true)])
				return
			}
			runtime.Gosched()
		}
	})
}
