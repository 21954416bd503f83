//go:build !portable

package poll_test

import (
	"testing"
	"time"

	"github.com/wasport/wasport/internal/poll"
	"github.com/wasport/wasport/network"
	"github.com/wasport/wasport/network/kernel"
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
	if n := testing.AllocsPerRun(100, func() {
		items[1].Want ^= network.Writable
		s.Wait(items, true, deadline)
	}); n != 0 {
		t.Errorf("events of one item changed: got %v allocations, want none", n)
	}
}

// The events are those of Linux, to the bit.
func TestEventsWithoutConnection(t *testing.T) {
	fresh, err := kernel.New(kernel.Config{}).Open(network.IPv4, network.Stream)
	check(t, err)
	defer fresh.Close()
	for want, got := range map[network.Events]network.Events{
		0:                                   network.Hangup,
		network.Readable:                    network.Hangup,
		network.Writable:                    network.Hangup | network.Writable,
		network.Readable | network.Writable: network.Hangup | network.Writable,
	} {
		items := []poll.Item{{P: fresh, Want: want}}
		expect(t, newSet(t), items, true, 0)
		if items[0].Got != got {
			t.Errorf("wanted %b, got %b, not %b", want, items[0].Got, got)
		}
	}
}
