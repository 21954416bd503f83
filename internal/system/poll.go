package system

import (
	"math"
	"syscall"
	"time"

	"github.com/wasport/wasport/internal/poll"
	"github.com/wasport/wasport/internal/shortcut"
	"github.com/wasport/wasport/internal/wasi"
	"github.com/wasport/wasport/network"
)

// Subscription is a condition that Poll waits for: a time, or a descriptor that becomes readable or
// writable, fails or hangs up.
type Subscription struct {
	Kind SubscriptionKind

	// FD is the descriptor; unused by Timer and Signalled.
	FD int32

	// Signal is the condition of Signalled.
	Signal *Signal

	// Clock is one of wasi.ClockRealtime and the others; only for Timer.
	Clock uint32

	// Timeout is in nanoseconds: relative, or a reading of Clock if Absolute. Only for Timer.
	Timeout  uint64
	Absolute bool

	// CountBytes asks for Event.Bytes, which takes a system call for each event; only for Reading.
	CountBytes bool

	// Same tells that the thread's last call had the same subscription at the same place. That call
	// may have failed.
	Same bool
}

// SubscriptionKind selects the condition of a Subscription.
type SubscriptionKind uint8

const (
	Timer SubscriptionKind = iota
	Reading
	Writing
	Failing   // also reported by Reading and Writing
	Signalled // Signal is set
)

// Event reports that a Subscription's condition holds.
type Event struct {
	// Index is the position of the subscription in Poll's argument.
	Index int

	// Err is the error of the descriptor, or of the subscription itself.
	Err error

	// Bytes is how many bytes can be read; only with Subscription.CountBytes.
	Bytes uint64

	// Hangup is true if the peer has closed the connection.
	Hangup bool
}

// pollState is kept between calls of Poll, since programs wait for the same descriptors again and
// again.
type pollState struct {
	itemList

	// reserved is the number of subscriptions that ReservePoll has charged.
	reserved int

	// timers are the subscriptions of kind Timer with a clock that exists.
	timers     []timer
	generation uint64

	// setStale is true if sleeper may have other items registered than these.
	setStale bool

	// readyItems is the result of addReadyHere.
	readyItems []int
	immediate  []Event
	events     []Event

	// ready is the last result of EpollWait.
	ready []EpollEvent

	// oneItem is the item of blockOn.
	oneItem [1]poll.Item
}

// timer is a subscription of kind Timer.
type timer struct {
	index int // its position
	end   deadline
}

// pollMemory is charged for each subscription of a thread's largest poll, in bytes. The thread and
// its caller keep some 270 of them until the thread ends, and slices that grow have room to spare.
const pollMemory = 512

// ReservePoll charges the guest for the memory that a poll of so many subscriptions takes, which
// the thread keeps until it ends. A caller calls it before it makes the subscriptions. It is ENOMEM
// beyond the limit of the guest's Network, or beyond defaultMemory.
func (t *Thread) ReservePoll(count int) error {
	w := t.polls()
	if more := count - w.reserved; more > 0 {
		if t.memory.ChargeMemory(int64(more)*pollMemory) != nil {
			return syscall.ENOMEM
		}
		w.reserved = count
	}
	return nil
}

// Poll waits until at least one subscription's condition holds, and returns an event for each that
// does. An empty list is EINVAL. With unchanged, the subscriptions are the ones of the thread's
// last call. The result is valid until the next call.
//
// A call goes through these steps:
//
//  1. Find the descriptors of the subscriptions that have changed, and of numbers that have got
//     another descriptor since.
//  2. Wait. Do not wait if an event exists already: a wrong subscription, bytes that were read
//     ahead, or an error that was taken from the host's socket.
//  3. Collect events: wrong subscriptions, descriptors closed during the wait, ready descriptors,
//     timers.
//  4. Return the events, or wait again if there are none.
func (t *Thread) Poll(in []Subscription, unchanged bool) ([]Event, error) {
	if len(in) == 0 {
		return nil, wasi.EINVAL
	}
	t.ChargeSteps(len(in) / 64)
	w := t.polls()
	set, err := t.pollSet()
	if err != nil {
		w.setStale = true
		return nil, err
	}
	w.setStale = w.setStale || !t.shortcuts.Has(shortcut.KeptPolls)
	changed := !unchanged || w.setStale || len(w.immediate) > 0 ||
		w.generation != t.table.generation.Load()
	if changed {
		t.register(in)
	}
	end := t.startTimers(in)
	for {
		waitUntil := end
		readyHere := t.table.mayBeReadyHere() && w.resetReadyHere()
		if len(w.immediate) > 0 || readyHere {
			waitUntil = longPassed
		}
		w.setStale = true
		ready, err := t.waitIn(set, w.items, changed, waitUntil)
		if cause := t.Err(); cause != nil {
			return nil, cause
		}
		if err != nil {
			return nil, err
		}
		w.setStale = false
		if readyHere {
			ready = w.addReadyHere(ready)
		}
		w.events = append(w.events[:0], w.immediate...)
		// Step 3. A closed descriptor is EBADF, even if its number has been reused since.
		if changed = w.generation != t.table.generation.Load(); changed {
			for i, d := range w.itemDescs {
				if d.closed.Load() {
					w.events = append(w.events, Event{Index: w.itemIndex[i], Err: syscall.EBADF})
				}
			}
		}
		for _, i := range ready {
			if changed && w.itemDescs[i].closed.Load() || w.isSpurious(i) {
				continue
			}
			// A pending error makes the host report failure. If another thread has taken the error
			// since, no condition holds.
			if h := t.eventOf(in, i); in[h.Index].Kind != Failing || h.Err != nil || h.Hangup {
				w.events = append(w.events, h)
			}
		}
		for _, x := range w.timers {
			if x.end.passed() {
				w.events = append(w.events, Event{Index: x.index})
			}
		}
		if len(w.events) > 0 {
			return w.events, nil
		}
	}
}

// polls returns the state of the thread's waits, which many guests never need: those that wait for
// one socket.
func (t *Thread) polls() *pollState {
	if t.polling == nil {
		t.polling = new(pollState)
	}
	return t.polling
}

// startTimers computes the end of each timer, and returns the earliest; zero = none.
func (t *Thread) startTimers(in []Subscription) (earliest deadline) {
	for i := range t.polling.timers {
		x := &t.polling.timers[i]
		x.end = t.endOf(&in[x.index])
		if earliest == noDeadline || x.end != noDeadline && x.end < earliest {
			earliest = x.end
		}
	}
	return earliest
}

// endOf computes the end of a timer that starts now.
func (t *Thread) endOf(x *Subscription) deadline {
	left := x.Timeout
	if x.Absolute {
		now, _ := t.Now(x.Clock)
		left -= min(now, left)
	}
	if left > math.MaxInt64 {
		return noDeadline // so far away that it never comes
	}
	return deadlineIn(time.Duration(left))
}

// mayBeReadyHere reports whether a socket may be ready for a reason that the host does not know:
// bytes that were read ahead, or an error that was taken from its socket.
func (t *table) mayBeReadyHere() bool {
	return t.readAheadSockets.Load() > 0 || t.failedSockets.Load() > 0
}

// readyHere returns the events of an item that hold for such a reason.
func (w *pollState) readyHere(item int) (got network.Events) {
	s, ok := w.items[item].P.(*socket)
	if !ok {
		return 0
	}
	if w.items[item].Want == network.Readable && s.readAhead.bufferedLen.Load() > 0 {
		got = network.Readable
	}
	if s.pendingError.Load() != 0 {
		got |= network.Failed
		if s.Type() == network.Stream {
			got |= network.Hangup // an error ends a stream
		}
	}
	return got
}

// resetReadyHere reports whether any item has events that the host does not know, and clears the
// results of those that do. set.Wait sets the results of ready items only.
func (w *pollState) resetReadyHere() bool {
	found := false
	for i := range w.items {
		if w.readyHere(i) != 0 {
			w.items[i].Got, w.items[i].Err = 0, nil
			found = true
		}
	}
	return found
}

// addReadyHere adds the items with events that the host does not know to the ready ones.
func (w *pollState) addReadyHere(ready []int) []int {
	w.readyItems = append(w.readyItems[:0], ready...)
	for i := range w.items {
		it, got := &w.items[i], w.readyHere(i)
		if got == 0 || it.Err != nil {
			continue
		}
		if it.Got == 0 {
			w.readyItems = append(w.readyItems, i)
		}
		it.Got |= got
	}
	return w.readyItems
}

// isSpurious reports whether a ready item is an epoll without a ready registration: the system
// tells only that one may have become ready.
func (w *pollState) isSpurious(item int) bool {
	it := &w.items[item]
	e, ok := it.P.(*epoll)
	if !ok || it.Err != nil {
		return false
	}
	it.Got, it.Err = e.Poll(it.Want)
	return it.Got == 0 && it.Err == nil
}

// eventOf makes the event of a ready item.
func (t *Thread) eventOf(in []Subscription, item int) Event {
	w := t.polling
	it := &w.items[item]
	h := Event{Index: w.itemIndex[item], Err: it.Err, Hangup: it.Got&network.Hangup != 0}
	if it.Err != nil {
		return h
	}
	if s, ok := it.P.(*socket); ok && it.Got&network.Failed != 0 {
		isNew := s.pendingError.Load() == 0
		h.Err = s.peekError()
		if isNew && t.table.multiThreaded.Load() {
			t.wakePollers() // the host no longer tells the other threads
		}
	}
	if _, ok := it.P.(pipeWriter); ok && it.Got&network.Failed != 0 {
		h.Err = syscall.EPIPE
	}
	if in[h.Index].CountBytes {
		h.Bytes = availableOf(it.P) // those that came before an error can still be read
	}
	return h
}

func availableOf(p network.Pollable) uint64 {
	n, err := p.Available()
	if err != nil || n < 0 {
		return 0
	}
	return uint64(n)
}
