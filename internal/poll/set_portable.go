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
	// LookAgain is not called: Wait looks and waits in one call of the system.
	LookAgain func() bool

	waker waker
	// signalled tells that waker is readable or is about to be.
	signalled atomic.Bool
	// wakeCalled tells that Wake was called since the last Wait that returned for it.
	wakeCalled atomic.Bool

	members []*member
	ready   []int
	// fds holds the waker's descriptor and then those of the members.
	fds []pollFd
	// slots finds the place of a descriptor in fds, since some systems take each only once.
	slots map[uintptr]int
	// open has the descriptors of the Pollables whose Control waitInControls is in, so that several
	// members of one take one Control.
	open map[network.Pollable]uintptr
	// deadline and failure are those of the call under way.
	deadline time.Time
	failure  error
	// idle tells that the system has reported events of which none makes an item ready.
	idle bool

	// Its mu protects wakerClosed too, and the closing of waker.
	lifetime
	wakerClosed bool
}

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
// order. Wait allocates nothing for a Pollable that the last call had at the same place. It need
// not notice that a Pollable is closed during the call. The caller that closes it calls Wake, and
// the next Wait reports net.ErrClosed for its items.
func (s *pollSet) Wait(items []Item, _ bool, deadline time.Time) ([]int, error) {
	if !s.beginWait() {
		return nil, net.ErrClosed
	}
	defer func() {
		if s.endWait() {
			s.destroy()
		}
	}()
	s.update(items)
	s.deadline = deadline
	for s.idle = false; ; s.rest() {
		signalled, err := s.pollOnce()
		for _, i := range s.ready {
			items[i] = s.members[i].Item
		}
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
func (s *pollSet) pollOnce() (signalled bool, err error) {
	s.ready, s.failure = s.ready[:0], nil
	s.fds = append(s.fds[:0], s.waker.pollFd())
	clear(s.slots)
	clear(s.open)
	s.waitInControls(0)
	if s.failure != nil {
		return false, s.failure
	}
	for _, m := range s.members {
		if m.slot == wakerSlot {
			continue
		}
		got, ok := eventsOf(&s.fds[m.slot])
		s.idle = s.idle || got != 0
		if ok && got != 0 && m.holds(got) || !ok && m.pollAlwaysReady() {
			s.ready = append(s.ready, m.index)
		}
	}
	s.idle = s.idle && len(s.ready) == 0
	if got, _ := eventsOf(&s.fds[wakerSlot]); got == 0 {
		return false, nil
	}
	// A caller of signal that finds signalled set has stored its reason before signalled is cleared
	// here, and Wait looks for reasons afterwards, so no reason is lost.
	s.waker.drain()
	s.signalled.Store(false)
	return true, nil
}

// waitInControls waits inside the Controls of the members from number i on, so that their
// descriptors stay open.
func (s *pollSet) waitInControls(i int) {
	for _, m := range s.members[i:] {
		m.slot = wakerSlot
		if fd, ok := s.open[m.P]; ok {
			m.addUnlessReady(fd)
			continue
		}
		switch {
		case m.way.Notify != nil && m.notified():
			s.ready = append(s.ready, m.index)
		case m.way.Control != nil:
			err := m.way.Control(m.enter)
			if err == nil {
				return
			}
			m.Got, m.Err = 0, err
			s.ready = append(s.ready, m.index)
		case m.way.Notify == nil && m.pollAlwaysReady():
			s.ready = append(s.ready, m.index)
		}
	}
	timeout := -1
	if len(s.ready) > 0 {
		timeout = 0
	} else if !s.deadline.IsZero() {
		left := max(time.Until(s.deadline), 0)
		timeout = int(min((left+time.Millisecond-1)/time.Millisecond, math.MaxInt32))
	}
	if s.OnWait != nil && timeout != 0 {
		s.OnWait(true)
		defer s.OnWait(false)
	}
	s.failure = systemPoll(s.fds, timeout)
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

// destroy is called once, by the last user of the set, without mu: stop of a Pollable may wait for
// a call of signal, which takes mu.
func (s *pollSet) destroy() {
	s.update(nil)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.waker.close()
	s.wakerClosed = true
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
