//go:build !portable

package poll_test

import (
	"testing"

	"github.com/wasport/wasport/internal/poll"
	"github.com/wasport/wasport/network"
)

// TestWaitLooksAgain has a datagram come while Wait is told to look again.
func TestWaitLooksAgain(t *testing.T) {
	set, err := poll.New()
	check(t, err)
	defer set.Close()
	p := newPeer(t)
	looks, blocked := 0, false
	set.LookAgain = func() bool {
		if looks++; looks == 3 {
			p.fill(t)
		}
		return true
	}
	set.OnWait = func(bool) { blocked = true }
	items := []poll.Item{{P: p, Want: network.Readable}}
	ready, err := set.Wait(items, true, soon())
	if len(ready) != 1 || err != nil || blocked {
		t.Errorf("got %v, %v, blocked %v, want the item without blocking", ready, err, blocked)
	}
	if looks != 3 {
		t.Errorf("got %d looks, want 3", looks)
	}
}
