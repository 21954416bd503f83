package poll_test

import (
	"testing"
	"time"

	"github.com/wasport/wasport/network"
)

func TestWaitDoesNotAllocate(t *testing.T) {
	s, items := oneReadyOf(t, 100)
	deadline := soon()
	if n := testing.AllocsPerRun(100, func() {
		if ready, err := s.Wait(items, false, deadline); len(ready) != 1 || err != nil {
			t.Errorf("got %v, %v; want one ready item", ready, err)
		}
	}); n != 0 {
		t.Errorf("one item ready: got %v allocations, want none", n)
	}
	idle := newSet(t)
	if n := testing.AllocsPerRun(100,
		func() { idle.Wait(nil, false, time.Now().Add(10*time.Microsecond)) }); n != 0 {
		t.Errorf("no item ready: got %v allocations, want none", n)
	}
	items[1].Want, items[2].Want = network.Writable, network.Writable
	s.Wait(items, true, deadline)
	if n := testing.AllocsPerRun(100, func() {
		items[1].Want ^= network.Writable
		s.Wait(items, true, deadline)
	}); n != 0 {
		t.Errorf("events of one item changed: got %v allocations, want none", n)
	}
}
