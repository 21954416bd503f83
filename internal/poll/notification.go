package poll

import (
	"sync/atomic"

	"github.com/wasport/wasport/network"
)

// notification is a call of Notify of a Pollable that stands between the calls of Wait.
type notification struct {
	notify func(network.Events, func()) func()
	signal func()
	stop   func()
	fired  *atomic.Bool
}

// arm calls Notify, unless an earlier call still stands and its wake function was not called. It
// reports whether it did.
func (n *notification) arm(want network.Events) bool {
	if n.stop != nil && !n.fired.Load() {
		return false
	}
	n.disarm()
	fired, signal := new(atomic.Bool), n.signal
	n.fired = fired
	n.stop = n.notify(want, func() {
		fired.Store(true)
		signal()
	})
	return true
}

func (n *notification) disarm() {
	if n.stop != nil {
		n.stop()
		n.stop = nil
	}
}
