package system

import (
	"syscall"

	"github.com/wasport/wasport/network"
)

// events are what a thread waits for on behalf of a subscription to a descriptor.
var events = [...]network.Events{Reading: network.Readable, Writing: network.Writable, Failing: 0}

// Ready reports whether the condition of a subscription to a descriptor holds now: a read or a
// write would not be EAGAIN. An error of the descriptor counts as ready.
func (t *Thread) Ready(fd int32, kind SubscriptionKind) (bool, error) {
	d, err := t.table.lookup(fd)
	if err != nil {
		return false, err
	}
	if d.readyHere(kind) {
		return true, nil
	}
	got, err := d.Poll(events[kind])
	return err != nil || got != 0, t.Err()
}

// Await waits until Ready would be true. It costs less than Poll with one subscription, and like it
// does not return before the time-outs of a socket.
func (t *Thread) Await(fd int32, kind SubscriptionKind) error {
	d, err := t.table.lookup(fd)
	if err != nil {
		return err
	}
	if d.readyHere(kind) {
		return nil
	}
	// An error of the descriptor is for the read or write that follows.
	if err := t.block(d, events[kind], noDeadline); err != nil && (t.Err() != nil ||
		err == syscall.EBADF) {
		return err
	}
	return nil
}

// AwaitSignal waits until the signal is set.
func (t *Thread) AwaitSignal(s *Signal) error {
	subscription := [1]Subscription{{Kind: Signalled, Signal: s}}
	_, err := t.Poll(subscription[:], false)
	return err
}

// readyHere reports whether the descriptor is ready for a reason that the host does not know: bytes
// that were read ahead, or an error that was taken from its socket.
func (d *descriptor) readyHere(kind SubscriptionKind) bool {
	s, ok := d.asSocket()
	return ok && (s.pendingError.Load() != 0 ||
		kind == Reading && s.readAhead.bufferedLen.Load() > 0)
}
