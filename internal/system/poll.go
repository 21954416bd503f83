package system

import (
	"math"
	"syscall"
	"time"

	"github.com/wasport/wasport/internal/poll"
	"github.com/wasport/wasport/internal/wasi"
	"github.com/wasport/wasport/network"
)

// Subscription is one thing that Poll waits for: a time, or a descriptor that becomes readable or
// writable, or that fails or hangs up.
type Subscription struct {
	Kind     SubscriptionKind
	FD       int32  // of all but Timer
	Clock    uint32 // of Timer
	Timeout  uint64 // of Timer: ns from now on, or on the clock if Absolute
	Absolute bool
}

// SubscriptionKind says what an Interest is about.
type SubscriptionKind uint8

const (
	Timer SubscriptionKind = iota
	Reading
	Writing
	Failing // what Reading and Writing report as well
)

// Event is something that Poll waited for.
type Event struct {
	Index  int    // of the interest
	Err    error  // what is wrong with the descriptor or the interest
	Bytes  uint64 // that can be read
	Hangup bool   // the peer has gone
}

// pollState is what a thread keeps between calls of Poll, since programs wait for the same things
// again and again.
type pollState struct {
	items      []poll.Item
	itemDescs  []*descriptor // that items[i] belongs to
	itemIndex  []int         // and its interest
	timers     []time.Time   // by interest; of those that are timers
	generation uint64
	setStale   bool  // the thread's set may hold something else than items
	readyItems []int // of the items, if there is more to it than the host knows
	immediate  []Event
	events     []Event
}

// Poll waits until at least one of the interests happens, and returns those that did by then; none
// of them is EINVAL. With same, the interests are those of the thread's last call. The result is
// valid until the next call.
func (t *Thread) Poll(in []Subscription, unchanged bool) ([]Event, error) {
	if len(in) == 0 {
		return nil, wasi.EINVAL
	}
	t.Work(len(in) / 64)
	w := &t.polling
	set, err := t.pollSet()
	if err != nil {
		w.setStale = true
		return nil, err
	}
	deadline := t.timers(in)
	changed := !unchanged || w.setStale || len(w.immediate) > 0 ||
		w.generation != t.table.generation.Load()
	if changed {
		t.register(in)
	}
	for {
		waitUntil := deadline
		withReadAhead := t.table.readAheadSockets.Load() > 0 && w.resetReadAhead()
		if len(w.immediate) > 0 || withReadAhead {
			waitUntil = time.Unix(0, 1)
		}
		w.setStale = true
		ready, err := set.Wait(w.items, changed, waitUntil)
		if cause := t.Err(); cause != nil {
			return nil, cause
		}
		if err != nil {
			return nil, err
		}
		w.setStale = false
		if withReadAhead {
			ready = w.addReadAhead(ready)
		}
		w.events = append(w.events[:0], w.immediate...)
		// A descriptor that was closed meanwhile is no longer waited for, even if there is another
		// under its number by now.
		if changed = w.generation != t.table.generation.Load(); changed {
			for i, d := range w.itemDescs {
				if d.closed.Load() {
					w.events = append(w.events, Event{Index: w.itemIndex[i], Err: syscall.EBADF})
				}
			}
		}
		for _, i := range ready {
			if changed && w.itemDescs[i].closed.Load() {
				continue
			}
			// Another thread may have taken the error meanwhile.
			if h := t.eventOf(in, i); in[h.Index].Kind != Failing || h.Err != nil || h.Hangup {
				w.events = append(w.events, h)
			}
		}
		now := time.Now()
		for i := range in {
			if in[i].Kind == Timer && !w.timers[i].IsZero() && !now.Before(w.timers[i]) {
				w.events = append(w.events, Event{Index: i})
			}
		}
		if len(w.events) > 0 {
			return w.events, nil
		}
	}
}

// timers works out when each timer ends, and returns the earliest; zero = never. What is wrong with
// a timer has happened at once.
func (t *Thread) timers(in []Subscription) (earliest time.Time) {
	w := &t.polling
	if cap(w.timers) < len(in) {
		w.timers = make([]time.Time, len(in))
	}
	w.timers = w.timers[:len(in)]
	for i := range in {
		if in[i].Kind != Timer {
			continue
		}
		w.timers[i] = time.Time{}
		if in[i].Clock > wasi.ClockThreadCPU {
			continue // register reports it
		}
		left := in[i].Timeout
		if in[i].Absolute {
			now, _ := t.Now(in[i].Clock)
			left -= min(now, left)
		}
		if left > math.MaxInt64 {
			continue // never
		}
		w.timers[i] = time.Now().Add(time.Duration(left))
		if earliest.IsZero() || w.timers[i].Before(earliest) {
			earliest = w.timers[i]
		}
	}
	return earliest
}

// register finds the descriptors anew.
func (t *Thread) register(in []Subscription) {
	w := &t.polling
	w.generation = t.table.generation.Load()
	w.items, w.itemDescs, w.itemIndex, w.immediate = w.items[:0], w.itemDescs[:0], w.itemIndex[:0], w.immediate[:0]
	for i, x := range in {
		if x.Kind == Timer {
			if x.Clock > wasi.ClockThreadCPU {
				w.immediate = append(w.immediate, Event{Index: i, Err: wasi.EINVAL})
			}
			continue
		}
		d, err := t.table.lookup(x.FD)
		if err == nil && x.Kind != Failing {
			err = d.require(wasi.RightPollFdReadwrite)
		}
		hangup := false
		if s, ok := d.asSocket(); ok && err == nil && s.pendingError.Load() != 0 {
			err = s.peekError()
			hangup = s.Type() == network.Stream // whose error ended it
		}
		if err != nil {
			w.immediate = append(w.immediate, Event{Index: i, Err: err, Hangup: hangup})
			continue
		}
		want := [...]network.Events{Reading: network.Readable, Writing: network.Writable,
			Failing: 0}[x.Kind]
		w.items = append(w.items, poll.Item{P: d.object, Want: want})
		w.itemDescs = append(w.itemDescs, d)
		w.itemIndex = append(w.itemIndex, i)
	}
}

// hasReadAhead reports whether an item is wanted to become readable, and is, because something was
// received ahead of it.
func (w *pollState) hasReadAhead(item int) bool {
	s, ok := w.items[item].P.(*socket)
	return ok && w.items[item].Want == network.Readable && s.readAhead.bufferedLen.Load() > 0
}

// resetReadAhead prepares for withAhead.
func (w *pollState) resetReadAhead() bool {
	found := false
	for i := range w.items {
		if w.hasReadAhead(i) {
			w.items[i].Got, w.items[i].Err = 0, nil
			found = true
		}
	}
	return found
}

// addReadAhead adds what was received ahead of to the items that are ready.
func (w *pollState) addReadAhead(ready []int) []int {
	w.readyItems = append(w.readyItems[:0], ready...)
	for i := range w.items {
		if it := &w.items[i]; w.hasReadAhead(i) && it.Got == 0 && it.Err == nil {
			it.Got = network.Readable
			w.readyItems = append(w.readyItems, i)
		}
	}
	return w.readyItems
}

// eventOf tells what became of an item.
func (t *Thread) eventOf(in []Subscription, item int) Event {
	w := &t.polling
	it := &w.items[item]
	h := Event{Index: w.itemIndex[item], Err: it.Err, Hangup: it.Got&network.Hangup != 0}
	if it.Err != nil {
		return h
	}
	if s, ok := it.P.(*socket); ok && it.Got&network.Failed != 0 {
		h.Err = s.peekError()
		// the host's socket has forgotten the error, so the next call must look here
		w.setStale = true
	}
	if in[h.Index].Kind == Reading && h.Err == nil {
		n, err := it.P.Available()
		if err == nil && n > 0 {
			h.Bytes = uint64(n)
		}
	}
	return h
}
