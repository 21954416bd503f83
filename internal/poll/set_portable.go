package poll

import (
	"math"
	"net"
	"sync/atomic"
	"time"

	"github.com/wasport/wasport/network"
)

// pollSet is a Set by poll(2), or WSAPoll on Windows.
type pollSet struct {
	// OnWait is that of Set.
	OnWait func(begins bool)

	waker waker
	// signalled tells that waker is readable or is about to be.
	signalled atomic.Bool
	// wakeCalled tells that Wake was called since the last Wait that returned for it.
	wakeCalled atomic.Bool

	ready []int
	// fds holds the waker's descriptor and then those of the items.
	fds []pollFd
	// slots finds the place of a descriptor in fds, since some systems take each only once.
	slots     map[uintptr]int
	heldItems []heldItem
	// open has the descriptors of the Pollables whose Control waitInControls is in, so that several
	// items of one take one Control.
	open map[network.Pollable]uintptr
	// stops end the Notify of items.
	stops []func()
	// idle tells that the system has reported events of which none makes an item ready.
	idle bool

	// Its mu protects wakerClosed too, and the closing of waker.
	lifetime
	wakerClosed bool
}

// heldItem is an item with a descriptor in fds.
type heldItem struct{ item, slot int }

// newPollSet makes an empty set. It must be closed.
func newPollSet() (*pollSet, error) {
	w, err := newWaker()
	if err != nil {
		return nil, err
	}
	return &pollSet{waker: w, slots: make(map[uintptr]int),
		open: make(map[network.Pollable]uintptr)}, nil
}

// Wait blocks until an item is ready, and returns the indexes of the ready items. The slice is
// valid until the next call. An empty result without an error means that the deadline has passed or
// that Wake was called, before this call or during it. The zero Time is no deadline. After Close,
// or when Close is called meanwhile, the error is net.ErrClosed.
//
// Without changed, the items must have the Pollables and the Want of the last call, in the same
// order. Wait need not notice that a Pollable is closed during the call. The caller that closes it
// calls Wake, and the next Wait reports net.ErrClosed for its items.
func (s *pollSet) Wait(items []Item, _ bool, deadline time.Time) ([]int, error) {
	if !s.beginWait() {
		return nil, net.ErrClosed
	}
	defer func() {
		if s.endWait() {
			s.destroy()
		}
	}()
	for s.idle = false; ; s.rest() {
		signalled, err := s.pollOnce(items, deadline)
		switch {
		case err != nil:
			return nil, err
		case signalled && s.isClosed():
			return nil, net.ErrClosed
		case signalled && s.wakeCalled.Swap(false), len(s.ready) > 0:
			return s.ready, nil
		case !deadline.IsZero() && !time.Now().Before(deadline):
			return nil, nil
		}
	}
}

// restTime is how long a set rests after events that make no item ready, such as the end of the
// stream of an item that waits to send. WSAPoll reports that at once, again and again.
const restTime = 2 * time.Millisecond

// rest waits for restTime, or until the set is woken.
func (s *pollSet) rest() {
	if s.idle {
		s.idle = false
		fds := [1]pollFd{s.waker.pollFd()}
		systemPoll(fds[:], int(restTime/time.Millisecond))
	}
}

// pollOnce makes one system call and collects the ready items.
func (s *pollSet) pollOnce(items []Item, deadline time.Time) (signalled bool, err error) {
	s.ready, s.heldItems = s.ready[:0], s.heldItems[:0]
	s.fds = append(s.fds[:0], s.waker.pollFd())
	clear(s.slots)
	defer func() {
		for _, stop := range s.stops {
			stop()
		}
		s.stops = s.stops[:0]
		clear(s.open)
	}()
	if err := s.waitInControls(items, 0, deadline); err != nil {
		return false, err
	}
	for _, h := range s.heldItems {
		item := &items[h.item]
		got, ok := eventsOf(&s.fds[h.slot])
		s.idle = s.idle || got != 0
		switch {
		case !ok:
			if item.pollAlwaysReady() {
				s.ready = append(s.ready, h.item)
			}
		case got != 0 && item.holds(got):
			s.ready = append(s.ready, h.item)
		}
	}
	s.idle = s.idle && len(s.ready) == 0
	if got, _ := eventsOf(&s.fds[0]); got == 0 {
		return false, nil
	}
	// A caller of signal that finds signalled set has stored its reason before signalled is cleared
	// here, and Wait looks for reasons afterwards, so no reason is lost.
	s.waker.drain()
	s.signalled.Store(false)
	return true, nil
}

// waitInControls waits inside the Controls of all items, so that their descriptors stay open.
func (s *pollSet) waitInControls(items []Item, i int, deadline time.Time) error {
	for ; i < len(items); i++ {
		item := &items[i]
		if fd, ok := s.open[item.P]; ok {
			s.addUnlessReady(fd, i, item)
			continue
		}
		way := item.P.Readiness()
		switch {
		case way.Control != nil:
			if way.Notify != nil && s.notified(item, way) {
				s.ready = append(s.ready, i)
				continue
			}
			var failed error
			err := way.Control(func(fd uintptr) {
				if way.Notify == nil {
					s.open[item.P] = fd
				}
				s.addUnlessReady(fd, i, item)
				failed = s.waitInControls(items, i+1, deadline)
			})
			if err == nil {
				return failed
			}
			item.Got, item.Err = 0, err
			s.ready = append(s.ready, i)
		case way.Notify != nil:
			if s.notified(item, way) {
				s.ready = append(s.ready, i)
			}
		default:
			if item.pollAlwaysReady() {
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

// notified polls an item after it has asked to be woken, and reports whether the item is ready.
func (s *pollSet) notified(item *Item, way network.Readiness) bool {
	s.stops = append(s.stops, way.Notify(item.Want, s.signal))
	got, err := item.P.Poll(item.Want)
	item.Got, item.Err = item.filter(got), err
	return item.Got != 0 || err != nil
}

// Wake makes the Wait under way return early, or else the next one.
func (s *pollSet) Wake() {
	s.wakeCalled.Store(true)
	s.signal()
}

func (s *pollSet) signal() {
	if s.signalled.Swap(true) {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.wakerClosed {
		s.waker.wake()
	}
}

// Close releases the set and ends the Wait under way. It returns net.ErrClosed if it was called
// before.
func (s *pollSet) Close() error {
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

func (s *pollSet) destroy() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.waker.close()
	s.wakerClosed = true
}

func (s *pollSet) addUnlessReady(fd uintptr, i int, item *Item) {
	if item.holdsBefore() {
		s.ready = append(s.ready, i)
	} else {
		s.add(fd, i, item.Want)
	}
}

func (s *pollSet) add(fd uintptr, item int, want network.Events) {
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
	s.heldItems = append(s.heldItems, heldItem{item, slot})
}

// eventsOf returns the events of a descriptor. It reports false if the system cannot wait for it.
func eventsOf(p *pollFd) (e network.Events, ok bool) {
	if p.Revents&(pollIn|pollReadEnd) != 0 {
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
