package ipc

import (
	"os"
	"sync"
	"sync/atomic"
	"time"

	"github.com/wasport/wasport/network"
)

// always are the events that are reported unasked (poll(2)).
const always = network.Hangup | network.Failed

// watch holds the wake functions of those that wait for one end.
type watch struct {
	// count is the number of wakes, so that a change that nobody waits for takes no lock. A waiter
	// first adds its function and then looks at the state; a change first sets the state and then
	// looks at count.
	count atomic.Int32

	mu    sync.Mutex
	wakes map[*func()]struct{}
}

func (w *watch) wake() {
	if w.count.Load() == 0 {
		return
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	for f := range w.wakes {
		(*f)()
	}
}

func (w *watch) add(f *func()) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.wakes == nil {
		w.wakes = make(map[*func()]struct{})
	}
	w.wakes[f] = struct{}{}
	w.count.Store(int32(len(w.wakes)))
}

func (w *watch) remove(f *func()) {
	w.mu.Lock()
	defer w.mu.Unlock()
	delete(w.wakes, f)
	w.count.Store(int32(len(w.wakes)))
}

// readinessOf is the Readiness of an end.
func readinessOf(p network.Pollable, w *watch) network.Readiness {
	return network.Readiness{Notify: func(want network.Events, wake func()) (stop func()) {
		w.add(&wake)
		if got, err := p.Poll(want); got != 0 || err != nil {
			wake()
		}
		return func() { w.remove(&wake) }
	}}
}

// wait is the Wait of a socket.
func wait(p network.Pollable, w *watch, want network.Events, deadline time.Time) (network.Events,
	error) {
	if got, err := p.Poll(want); got != 0 || err != nil {
		return got, err
	}
	woken := make(chan struct{}, 1)
	wake := func() {
		select {
		case woken <- struct{}{}:
		default:
		}
	}
	w.add(&wake)
	defer w.remove(&wake)
	var expired <-chan time.Time
	if !deadline.IsZero() {
		timer := time.NewTimer(time.Until(deadline))
		defer timer.Stop()
		expired = timer.C
	}
	for {
		if got, err := p.Poll(want); got != 0 || err != nil {
			return got, err
		}
		select {
		case <-woken:
		case <-expired:
			return 0, os.ErrDeadlineExceeded
		}
	}
}
