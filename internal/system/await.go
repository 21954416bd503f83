package system

import (
	"cmp"

	"github.com/wasport/wasport/network"
)

// events are those that a subscription to a descriptor waits for.
var events = [...]network.Events{Reading: network.Readable, Writing: network.Writable, Failing: 0}

// Ready reports whether the condition of a subscription to a descriptor holds now: a read or a
// write would not be EAGAIN. An error of the descriptor counts as ready.
func (t *Thread) Ready(fd int32, kind SubscriptionKind) (bool, error) {
	t.endSendRun()
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
		return cmp.Or(t.Err(), err) // the guest's end closes descriptors
	}
	if d.readyHere(kind) {
		return nil
	}
	return t.block(d, events[kind], noDeadline)
}

// AwaitSignal waits until the signal is set.
func (t *Thread) AwaitSignal(s *Signal) error {
	if s.IsSet() {
		return t.Err()
	}
	if t.signalled == nil {
		t.signalled = make(chan struct{}, 1)
		t.wakeForSignal = func() {
			select {
			case t.signalled <- struct{}{}:
			default: // the thread has yet to take the last one
			}
		}
	}
	s.add(&t.wakeForSignal)
	defer s.remove(&t.wakeForSignal)
	for !s.IsSet() {
		if err := t.Sleep(t.signalled, -1); err != nil {
			return err
		}
	}
	return nil
}

// readyHere reports whether the descriptor is ready for a reason that the host does not know: bytes
// that were read ahead, or an error that was taken from its socket.
func (d *descriptor) readyHere(kind SubscriptionKind) bool {
	s, ok := d.asSocket()
	return ok && (s.pendingError.Load() != 0 ||
		kind == Reading && s.readAhead.bufferedLen.Load() > 0)
}
