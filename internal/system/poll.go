package system

import (
	"math"
	"syscall"
	"time"

	"github.com/wasport/wasport/internal/poll"
	"github.com/wasport/wasport/internal/wasi"
	"github.com/wasport/wasport/network"
)

// Interest is one thing that Poll waits for: a time, or a descriptor that becomes readable or
// writable, or that fails or hangs up.
type Interest struct {
	Kind     InterestKind
	FD       int32  // of all but Timer
	Clock    uint32 // of Timer
	Timeout  uint64 // of Timer: ns from now on, or on the clock if Absolute
	Absolute bool
}

// InterestKind says what an Interest is about.
type InterestKind uint8

const (
	Timer InterestKind = iota
	Reading
	Writing
	Failing // what Reading and Writing report as well
)

// Happening is something that Poll waited for.
type Happening struct {
	Index  int    // of the interest
	Err    error  // what is wrong with the descriptor or the interest
	Bytes  uint64 // that can be read
	Hangup bool   // the peer has gone
}

// pollState is what a thread keeps between calls of Poll, since programs wait for the same things
// again and again.
type pollState struct {
	items     []poll.Item
	found     []*descriptor // that items[i] belongs to
	of        []int         // and its interest
	timers    []time.Time   // by interest; of those that are timers
	gone      uint64
	stale     bool  // the thread's set may hold something else than items
	ready     []int // of the items, if there is more to it than the host knows
	immediate []Happening
	out       []Happening
}

// Poll waits until at least one of the interests happens, and returns those that did by then; none
// of them is EINVAL. With same, the interests are those of the thread's last call. The result is
// valid until the next call.
func (t *Thread) Poll(in []Interest, same bool) ([]Happening, error) {
	if len(in) == 0 {
		return nil, wasi.EINVAL
	}
	t.Work(len(in) / 64)
	w := &t.wait
	set, err := t.pollSet()
	if err != nil {
		w.stale = true
		return nil, err
	}
	deadline := t.timers(in)
	changed := !same || w.stale || len(w.immediate) > 0 || w.gone != t.table.gone.Load()
	if changed {
		t.register(in)
	}
	for {
		until := deadline
		ahead := t.table.ahead.Load() > 0 && w.anyAhead()
		if len(w.immediate) > 0 || ahead {
			until = time.Unix(0, 1)
		}
		w.stale = true
		ready, err := set.Wait(w.items, changed, until)
		if cause := t.Err(); cause != nil {
			return nil, cause
		}
		if err != nil {
			return nil, err
		}
		w.stale = false
		if ahead {
			ready = w.withAhead(ready)
		}
		w.out = append(w.out[:0], w.immediate...)
		// A descriptor that was closed meanwhile is no longer waited for, even if there is another
		// under its number by now.
		if changed = w.gone != t.table.gone.Load(); changed {
			for i, d := range w.found {
				if d.closed.Load() {
					w.out = append(w.out, Happening{Index: w.of[i], Err: syscall.EBADF})
				}
			}
		}
		for _, i := range ready {
			if changed && w.found[i].closed.Load() {
				continue
			}
			// Another thread may have taken the error meanwhile.
			if h := t.happening(in, i); in[h.Index].Kind != Failing || h.Err != nil || h.Hangup {
				w.out = append(w.out, h)
			}
		}
		now := time.Now()
		for i := range in {
			if in[i].Kind == Timer && !w.timers[i].IsZero() && !now.Before(w.timers[i]) {
				w.out = append(w.out, Happening{Index: i})
			}
		}
		if len(w.out) > 0 {
			return w.out, nil
		}
	}
}

// timers works out when each timer ends, and returns the earliest; zero = never. What is wrong with
// a timer has happened at once.
func (t *Thread) timers(in []Interest) (earliest time.Time) {
	w := &t.wait
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
func (t *Thread) register(in []Interest) {
	w := &t.wait
	w.gone = t.table.gone.Load()
	w.items, w.found, w.of, w.immediate = w.items[:0], w.found[:0], w.of[:0], w.immediate[:0]
	for i, x := range in {
		if x.Kind == Timer {
			if x.Clock > wasi.ClockThreadCPU {
				w.immediate = append(w.immediate, Happening{Index: i, Err: wasi.EINVAL})
			}
			continue
		}
		d, err := t.table.at(x.FD)
		if err == nil && x.Kind != Failing {
			err = d.require(wasi.RightPollFdReadwrite)
		}
		hangup := false
		if s, ok := d.asSocket(); ok && err == nil && s.pending.Load() != 0 {
			err = s.peekFailure()
			hangup = s.Type() == network.Stream // whose error ended it
		}
		if err != nil {
			w.immediate = append(w.immediate, Happening{Index: i, Err: err, Hangup: hangup})
			continue
		}
		want := [...]network.Events{Reading: network.Readable, Writing: network.Writable,
			Failing: 0}[x.Kind]
		w.items = append(w.items, poll.Item{P: d.object, Want: want})
		w.found = append(w.found, d)
		w.of = append(w.of, i)
	}
}

// ahead reports whether an item is wanted to become readable, and is, because something was
// received ahead of it.
func (w *pollState) ahead(item int) bool {
	s, ok := w.items[item].P.(*socket)
	return ok && w.items[item].Want == network.Readable && s.ahead.left.Load() > 0
}

// anyAhead prepares for withAhead.
func (w *pollState) anyAhead() bool {
	any := false
	for i := range w.items {
		if w.ahead(i) {
			w.items[i].Got, w.items[i].Err = 0, nil
			any = true
		}
	}
	return any
}

// withAhead adds what was received ahead of to the items that are ready.
func (w *pollState) withAhead(ready []int) []int {
	w.ready = append(w.ready[:0], ready...)
	for i := range w.items {
		if it := &w.items[i]; w.ahead(i) && it.Got == 0 && it.Err == nil {
			it.Got = network.Readable
			w.ready = append(w.ready, i)
		}
	}
	return w.ready
}

// happening tells what became of an item.
func (t *Thread) happening(in []Interest, item int) Happening {
	w := &t.wait
	it := &w.items[item]
	h := Happening{Index: w.of[item], Err: it.Err, Hangup: it.Got&network.Hangup != 0}
	if it.Err != nil {
		return h
	}
	if s, ok := it.P.(*socket); ok && it.Got&network.Failed != 0 {
		h.Err = s.peekFailure()
		w.stale = true // the host's socket has forgotten the error, so the next call must look here
	}
	if in[h.Index].Kind == Reading && h.Err == nil {
		n, err := it.P.Available()
		if err == nil && n > 0 {
			h.Bytes = uint64(n)
		}
	}
	return h
}
