package poll_test

import (
	"runtime/pprof"
	"testing"
	"time"

	"github.com/wasport/wasport/internal/poll"
	"github.com/wasport/wasport/network"
)

// TestEdgeSet runs the tests of sets on the set that darwin and the BSDs have.
func TestEdgeSet(t *testing.T) {
	before := openSet
	openSet = func() (set, error) { return poll.NewEdgeSet() }
	defer func() { openSet = before }()
	for name, test := range map[string]func(*testing.T){
		"ready items":              TestWaitReturnsReadyItems,
		"items of one pollable":    TestItemsOfOnePollable,
		"many sockets":             TestWaitOnManySockets,
		"failure":                  TestEventsOfFailure,
		"wake":                     TestWakeEndsWait,
		"no wake lost":             TestWakeNotLost,
		"deadline":                 TestWaitDeadline,
		"close":                    TestCloseEndsWait,
		"closed pollable":          TestClosedPollable,
		"descriptor of a live one": TestClosedDescriptorOfLiveSocket,
		"one handle":               TestPollablesWithOneHandle,
		"always ready":             TestAlwaysReadyBesideSocket,
		"without handle":           TestNotifyOfPollableWithoutHandle,
	} {
		t.Run(name, test)
	}
}

// TestEdgeSetTakesNoThread has many sets that wait at once.
func TestEdgeSetTakesNoThread(t *testing.T) {
	threads := pprof.Lookup("threadcreate")
	before := threads.Count()
	const count = 500
	sets := make([]set, count)
	waiting, ended := make(chan bool, count), make(chan error, count)
	for i := range sets {
		s, err := poll.NewEdgeSet()
		check(t, err)
		s.OnWait = func(begins bool) {
			if begins {
				waiting <- true
			}
		}
		sets[i] = s
		items := []poll.Item{{P: newPeer(t).Socket, Want: network.Readable}}
		go func() {
			_, err := s.Wait(items, true, time.Time{})
			ended <- err
		}()
	}
	for range sets {
		<-waiting
	}
	if more := threads.Count() - before; more > count/10 {
		t.Errorf("got %d threads for %d sets that wait, want few", more, count)
	}
	for _, s := range sets {
		s.Wake()
	}
	for range sets {
		check(t, <-ended)
	}
	for _, s := range sets {
		check(t, s.Close())
	}
}
