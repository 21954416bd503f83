package hostfs

import (
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// raceWith repeats disturb while test runs, again and again until there has been a race: enough
// disturbances, and something good in spite of them, which test counts.
func raceWith(t *testing.T, disturb func() error, test func() (good int)) {
	t.Helper()
	var times atomic.Int32
	stop, started := make(chan struct{}), make(chan struct{})
	var other sync.WaitGroup
	other.Go(func() {
		for {
			if err := disturb(); err != nil {
				t.Error(err)
			}
			if times.Add(1) == 1 {
				close(started)
			}
			select {
			case <-stop:
				return
			default:
			}
		}
	})
	<-started
	good := 0
	for begin := time.Now(); ; {
		good += test()
		if times.Load() >= 10 && good > 0 {
			break
		}
		if time.Since(begin) > 10*time.Second {
			t.Errorf("got %d disturbances and %d good reads, want 10 and 1", times.Load(), good)
			break
		}
	}
	close(stop)
	other.Wait()
}
