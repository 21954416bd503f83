//go:build !linux || portable

package poll

import (
	"math"
	"net"
	"sync"
	"sync/atomic"
	"time"

	"github.com/wasport/wasport/network"
)

// Set waits for the items of one goroutine at a time. Wake and Close may be called by others.
type Set struct {
	// OnWait, if not nil, is told when Wait begins to block, and when that is over.
	OnWait func(begins bool)

	waker     waker
	signalled atomic.Bool // whether waker is readable, or will be
	woken     atomic.Bool // whether Wake was called

	ready []int
	fds   []pollFd        // of which the first belongs to waker
	slots map[uintptr]int // where a descriptor is in fds: some systems want each only once
	held  []held
	stops []func() // end the Notify of items

	mu      sync.Mutex // guards what follows, and the closing of waker
	closed  bool
	waiting bool
	gone    bool // whether waker is closed
}

// held is an item whose descriptor is in fds.
type held struct{ item, slot int }

// New makes an empty set.
func New() (*Set, error) {
	w, err := newWaker()
	if err != nil {
		return nil, err
	}
	return &Set{waker: w, slots: make(map[uintptr]int)}, nil
}

// Wait blocks until an item is ready, and returns the indexes of those that are, in a slice that is
// valid until the next call. None and no error means that the deadline has passed, where the zero
// Time is none, or that Wake was called, before this call or during it. After Close, and when that
// happens meanwhile, the error is net.ErrClosed.
//
// Without changed the items must have the same Pollables and the same Want, in the same order, as
// in the last call. A Pollable that is closed while it is waited for need not be noticed; whoever
// closes it wakes the set, and the next call says net.ErrClosed for it.
func (s *Set) Wait(items []Item, _ bool, deadline time.Time) ([]int, error) {
	if !s.enter() {
		return nil, net.ErrClosed
	}
	defer s.leave()
	for {
		nudged, err := s.once(items, deadline)
		switch {
		case err != nil:
			return nil, err
		case nudged && s.isClosed():
			return nil, net.ErrClosed
		case nudged && s.woken.Swap(false), len(s.ready) > 0:
			return s.ready, nil
		case !deadline.IsZero() && !time.Now().Before(deadline):
			return nil, nil
		}
	}
}

// once asks the system once.
func (s *Set) once(items []Item, deadline time.Time) (nudged bool, err error) {
	s.ready, s.held = s.ready[:0], s.held[:0]
	s.fds = append(s.fds[:0], s.waker.pollFd())
	clear(s.slots)
	defer func() {
		for _, stop := range s.stops {
			stop()
		}
		s.stops = s.stops[:0]
	}()
	if err := s.hold(items, 0, deadline); err != nil {
		return false, err
	}
	for _, h := range s.held {
		item := &items[h.item]
		got, ok := eventsOf(&s.fds[h.slot])
		switch {
		case !ok:
			if item.standing() {
				s.ready = append(s.ready, h.item)
			}
		case item.interesting(got) != 0:
			item.Got, item.Err = item.interesting(got), nil
			s.ready = append(s.ready, h.item)
		}
	}
	if got, _ := eventsOf(&s.fds[0]); got == 0 {
		return false, nil
	}
	// Whoever gives a reason and finds the signal given does so before it is taken back here, and
	// the reasons are looked at after.
	s.waker.drain()
	s.signalled.Store(false)
	return true, nil
}

// hold keeps the handles of the items open while it waits, by waiting inside of all their Controls.
func (s *Set) hold(items []Item, i int, deadline time.Time) error {
	for ; i < len(items); i++ {
		item := &items[i]
		way := item.P.Readiness()
		switch {
		case way.Control != nil:
			var failed error
			err := way.Control(func(fd uintptr) {
				s.add(fd, i, item.Want)
				failed = s.hold(items, i+1, deadline)
			})
			if err == nil {
				return failed
			}
			item.Got, item.Err = 0, err
			s.ready = append(s.ready, i)
		case way.Notify != nil:
			s.stops = append(s.stops, way.Notify(item.Want, s.signal))
			got, err := item.P.Poll(item.Want)
			item.Got, item.Err = item.interesting(got), err
			if item.Got != 0 || err != nil {
				s.ready = append(s.ready, i)
			}
		default:
			if item.standing() {
				s.ready = append(s.ready, i)
			}
		}
	}
	timeout := -1
	if len(s.ready) > 0 {
		timeout = 0
	} else if !deadline.IsZero() {
		left := max(time.Until(deadline), 0)
		timeout = int(min((left+time.Millisecond-1)/time.Millisecond, math.MaxInt32))
	}
	if s.OnWait != nil && timeout != 0 {
		s.OnWait(true)
		defer s.OnWait(false)
	}
	return systemPoll(s.fds, timeout)
}

// Wake makes the Wait that is under way, or else the next one, return early.
func (s *Set) Wake() {
	s.woken.Store(true)
	s.signal()
}

func (s *Set) signal() {
	if s.signalled.Swap(true) {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.gone {
		s.waker.wake()
	}
}

func (s *Set) enter() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return false
	}
	s.waiting = true
	return true
}

func (s *Set) leave() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.waiting = false
	if s.closed {
		s.destroy()
	}
}

func (s *Set) isClosed() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.closed
}

// Close releases the set, and ends the Wait that is under way.
func (s *Set) Close() error {
	s.mu.Lock()
	if s.closed {
		s.mu.Unlock()
		return net.ErrClosed
	}
	s.closed = true
	waiting := s.waiting
	if !waiting {
		s.destroy()
	}
	s.mu.Unlock()
	if waiting {
		s.signal()
	}
	return nil
}

func (s *Set) destroy() {
	s.waker.close()
	s.gone = true
}

func (s *Set) add(fd uintptr, item int, want network.Events) {
	var mask int16
	if want&network.Readable != 0 {
		mask |= pollIn
	}
	if want&network.Writable != 0 {
		mask |= pollOut
	}
	slot, known := s.slots[fd]
	if known {
		s.fds[slot].Events |= mask
	} else {
		slot = len(s.fds)
		s.slots[fd] = slot
		s.fds = append(s.fds, makePollFd(fd, mask))
	}
	s.held = append(s.held, held{item, slot})
}

// eventsOf are the events of a descriptor; it is not ok when the system cannot wait for it.
func eventsOf(p *pollFd) (e network.Events, ok bool) {
	if p.Revents&(pollIn|pollEnd) != 0 {
		e |= network.Readable
	}
	if p.Revents&pollOut != 0 {
		e |= network.Writable
	}
	if p.Revents&pollHangup != 0 {
		e |= network.Hangup
	}
	if p.Revents&pollError != 0 {
		e |= network.Failed
	}
	return e, p.Revents&pollInvalid == 0
}
