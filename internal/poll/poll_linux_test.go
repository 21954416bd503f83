//go:build !portable

package poll_test

import (
	"testing"

	"github.com/wasport/wasport/internal/poll"
	"github.com/wasport/wasport/network"
	"github.com/wasport/wasport/network/kernel"
)

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
