package poll

import (
	"errors"
	"net"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/wasport/wasport/network"
)

// edgeSet is a Set for systems where Go's poller cannot wait for the kernel's queue of events, as
// it can for an epoll(7): Go's poller asks for EVFILT_WRITE, which a kqueue(2) refuses for another.
// All sets of the process share one queue and the one goroutine that waits for it (hub), so that a
// blocked call takes no OS thread.
//
// An event only tells that a Pollable may have become ready; Poll tells the rest. A call first
// polls every item, since events come from the hub a moment late, and then those with an event.
//
// It is built on every system, so that its tests run on Linux, with another queue.
type edgeSet struct {
	// OnWait is that of Set.
	OnWait func(begins bool)
	// LookAgain is not called: to look costs a call for each item, which the hub saves.
	LookAgain func() bool

	hub *hub
	// wakes has a value if Wait has something to look at.
	wakes   chan struct{}
	timer   *time.Timer
	watches []*watch
	ready   []int

	// wakeCalled tells that Wake was called since the last Wait that returned for it.
	wakeCalled atomic.Bool

	lifetime
}

// watch is one item of a set.
type watch struct {
	p network.Pollable
	// fd is the descriptor that the hub has, or -1.
	fd   int
	stop func()

	// always tells that no event will come, so that every call polls the item.
	always bool
	// err tells why no event will come, if the system lacks memory.
	err error
	// marked tells that the item may be ready.
	marked atomic.Bool
	// want holds the events of the item, a network.Events.
	want   atomic.Uint32
	signal func()
}

// mark notes that an event has come.
func (w *watch) mark() {
	if !w.marked.Swap(true) {
		w.signal()
	}
}

// newEdgeSet makes an empty set. It must be closed.
func newEdgeSet(h *hub) (*edgeSet, error) {
	if err := h.acquire(); err != nil {
		return nil, err
	}
	t := time.NewTimer(0)
	t.Stop()
	return &edgeSet{hub: h, wakes: make(chan struct{}, 1), timer: t}, nil
}

// Wait blocks until an item is ready, and returns the indexes of the ready items. The slice is
// valid until the next call. An empty result without an error means that the deadline has passed or
// that Wake was called, before this call or during it. The zero Time is no deadline. After Close,
// or when Close is called meanwhile, the error is net.ErrClosed.
//
// Without changed, the items must have the Pollables and the Want of the last call, in the same
// order. Wait need not notice that a Pollable is closed during the call. The caller that closes it
// calls Wake, and the next Wait with changed reports net.ErrClosed for its items.
func (s *edgeSet) Wait(items []Item, changed bool, deadline time.Time) ([]int, error) {
	if !s.beginWait() {
		return nil, net.ErrClosed
	}
	defer func() {
		if s.endWait() {
			s.destroy()
		}
	}()
	if changed || len(items) != len(s.watches) {
		s.update(items)
	}
	for all := true; ; all = false {
		s.collect(items, all)
		switch {
		case s.isClosed():
			return nil, net.ErrClosed
		case s.wakeCalled.Swap(false), len(s.ready) > 0:
			return s.ready, nil
		}
		if !s.block(deadline) {
			s.collect(items, true)
			return s.ready, nil
		}
	}
}

// block waits for a signal. It reports false after the deadline.
func (s *edgeSet) block(deadline time.Time) bool {
	if deadline.IsZero() {
		s.onWait(true)
		defer s.onWait(false)
		<-s.wakes
		return true
	}
	left := time.Until(deadline)
	if left <= 0 {
		return false
	}
	s.onWait(true)
	defer s.onWait(false)
	s.timer.Reset(left)
	defer s.timer.Stop()
	select {
	case <-s.wakes:
		return true
	case <-s.timer.C:
		return false
	}
}

func (s *edgeSet) onWait(begins bool) {
	if s.OnWait != nil {
		s.OnWait(begins)
	}
}

// collect polls all items, or those that an event has marked. A mark is removed before Poll, so
// that an event afterwards sets it again.
func (s *edgeSet) collect(items []Item, all bool) {
	s.ready = s.ready[:0]
	for i, w := range s.watches {
		item := &items[i]
		switch marked := w.marked.Swap(false); {
		case w.err != nil:
			item.Got, item.Err = 0, w.err
		case w.always:
			item.pollAlwaysReady()
		case marked || all:
			item.Got, item.Err = item.P.Poll(item.Want)
			item.Got = item.filter(item.Got)
		default:
			continue
		}
		if item.Got != 0 || item.Err != nil {
			s.ready = append(s.ready, i)
		}
	}
}

// update makes the watches match the items. Removed ones go first, since new ones may have the
// descriptor numbers of closed ones.
func (s *edgeSet) update(items []Item) {
	for i, w := range s.watches {
		if i >= len(items) || w.p != items[i].P {
			s.remove(w)
			s.watches[i] = nil
		}
	}
	s.watches = append(s.watches, make([]*watch, max(len(items)-len(s.watches), 0))...)
	clear(s.watches[len(items):])
	s.watches = s.watches[:len(items)]
	for i := range items {
		w := s.watches[i]
		if w == nil {
			w = &watch{p: items[i].P, fd: -1, signal: s.signal}
			s.watches[i] = w
		} else if uint32(items[i].Want) == w.want.Load() && w.err == nil {
			continue
		}
		w.want.Store(uint32(items[i].Want))
		s.arm(w)
	}
}

// arm asks for the events of a watch.
func (s *edgeSet) arm(w *watch) {
	want := network.Events(w.want.Load())
	w.always, w.err = false, nil
	way := w.p.Readiness()
	if notify := notifyBesides(way); notify != nil {
		if w.stop != nil {
			w.stop()
		}
		w.stop = notify(want, w.mark)
	}
	switch {
	case way.Control != nil:
		var failed error
		err := way.Control(func(fd uintptr) { failed = s.hub.watch(int(fd), w, want) })
		if err == nil {
			err = failed
		}
		if err != nil {
			// Poll tells whether the Pollable is closed, or without events as a file is.
			w.always = true
			if errors.Is(err, syscall.ENOMEM) {
				w.err = err
			}
		}
	case way.Notify == nil:
		w.always = true
	}
}

// notifyBesides returns a function for the events that the system does not tell, or tells too
// early.
func notifyBesides(way network.Readiness) func(network.Events, func()) (stop func()) {
	if way.Notify != nil {
		return way.Notify
	}
	return way.Resume
}

func (s *edgeSet) remove(w *watch) {
	if w.stop != nil {
		w.stop()
	}
	if w.fd >= 0 {
		s.hub.unwatch(w)
	}
}

// Wake makes the Wait under way return early, or else the next one.
func (s *edgeSet) Wake() {
	s.wakeCalled.Store(true)
	s.signal()
}

func (s *edgeSet) signal() {
	select {
	case s.wakes <- struct{}{}:
	default:
	}
}

// Close releases the set and ends the Wait under way. It returns net.ErrClosed if it was called
// before.
func (s *edgeSet) Close() error {
	last, err := s.end()
	switch {
	case err != nil:
	case last:
		s.destroy()
	default:
		s.signal()
	}
	return err
}

// destroy is called once, by the last user of the set, without mu: stop of a Pollable may wait for
// a call of its wake function.
func (s *edgeSet) destroy() {
	for _, w := range s.watches {
		s.remove(w)
	}
	s.watches = nil
	s.hub.release()
}
