package virtual

import (
	"os"
	"sync"
	"sync/atomic"
	"time"

	"github.com/wasport/wasport/network"
)

// always are the events that wake every caller (poll(2)).
const always = network.Hangup | network.Failed

// watch holds the callers that wait for a socket.
type watch struct {
	// count is the number of waiters, so that a change that nobody waits for takes no lock. A
	// caller first adds its waiter and then looks at the state; a change first sets the state and
	// then looks at count.
	count atomic.Int32
	// kicks counts the calls of kick, so that a waiter that comes late notices one.
	kicks atomic.Uint32

	mu    sync.Mutex
	first *waiter
}

// waiter is one waiting caller: a blocked call, which signal wakes, or a notification.
type waiter struct {
	want       network.Events
	prev, next *waiter
	linked     bool

	// signal is buffered, so that a wake before the wait is kept.
	signal chan struct{}
	// timer wakes signal. It is nil until the first wait with a deadline.
	timer Timer
	clock Clock
	// notify is the function of Readiness.Notify. It is nil for a blocked call.
	notify func()
}

func newWaiter(c Clock) *waiter {
	return &waiter{signal: make(chan struct{}, 1), clock: c}
}

func (w *waiter) wake() {
	if w.notify != nil {
		w.notify()
		return
	}
	select {
	case w.signal <- struct{}{}:
	default:
	}
}

// startTimer has the waiter woken after d.
func (w *waiter) startTimer(d time.Duration) {
	if w.timer == nil {
		w.timer = w.clock.AfterFunc(d, w.wake)
		return
	}
	w.timer.Reset(d)
}

func (w *watch) add(n *waiter) {
	w.mu.Lock()
	defer w.mu.Unlock()
	n.prev, n.next, n.linked = nil, w.first, true
	if w.first != nil {
		w.first.prev = n
	}
	w.first = n
	w.count.Add(1)
}

func (w *watch) remove(n *waiter) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if !n.linked {
		return
	}
	if n.prev != nil {
		n.prev.next = n.next
	} else {
		w.first = n.next
	}
	if n.next != nil {
		n.next.prev = n.prev
	}
	n.prev, n.next, n.linked = nil, nil, false
	w.count.Add(-1)
}

// wake wakes the callers that wait for one of the events. The state has changed before.
func (w *watch) wake(e network.Events) {
	if w.count.Load() == 0 {
		return
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	for n := w.first; n != nil; n = n.next {
		if (n.want|always)&e != 0 {
			n.wake()
		}
	}
}

// kick wakes every caller without an event, so that it looks at its deadline again.
func (w *watch) kick() {
	w.kicks.Add(1)
	w.wake(always)
}

// polled is a socket that has a watch.
type polled interface {
	Poll(network.Events) (network.Events, error)
	watched() (*watch, *World)
	// arm has the socket wake its watch when an event of want holds, if changes of the state do not
	// do that anyway.
	arm(want network.Events)
}

// wait blocks until a wanted event holds, the deadline has passed, or kick is called. A kick since
// the value of kicks that the caller read gives no event and no error.
func wait(s polled, want network.Events, deadline time.Time, kicks uint32) (network.Events, error) {
	if got, err := s.Poll(want); got != 0 || err != nil {
		return got, err
	}
	h, world := s.watched()
	w := world.waiters.Get().(*waiter)
	w.want = want
	h.add(w)
	defer func() {
		h.remove(w)
		if w.timer != nil {
			w.timer.Stop()
		}
		select { // a wake that came too late
		case <-w.signal:
		default:
		}
		world.waiters.Put(w)
	}()
	for {
		s.arm(want)
		if got, err := s.Poll(want); got != 0 || err != nil {
			return got, err
		}
		if h.kicks.Load() != kicks {
			return 0, nil
		}
		if !deadline.IsZero() {
			left := deadline.Sub(world.clock.Now())
			if left <= 0 {
				return 0, os.ErrDeadlineExceeded
			}
			w.startTimer(left)
		}
		<-w.signal
	}
}

// waitOnly is wait for a caller that nobody kicks.
func waitOnly(s polled, want network.Events, deadline time.Time) (network.Events, error) {
	h, _ := s.watched()
	for {
		if got, err := wait(s, want, deadline, h.kicks.Load()); got != 0 || err != nil {
			return got, err
		}
	}
}

// notifyOf is the Notify of a socket's Readiness.
func notifyOf(s polled) func(network.Events, func()) func() {
	return func(want network.Events, wake func()) func() {
		h, _ := s.watched()
		w := &waiter{want: want, notify: wake}
		h.add(w)
		s.arm(want)
		if got, err := s.Poll(want); got != 0 || err != nil {
			wake()
		}
		return func() { h.remove(w) }
	}
}
