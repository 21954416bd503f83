//go:build linux && !portable

package poll

import (
	"encoding/binary"
	"errors"
	"net"
	"os"
	"sync"
	"sync/atomic"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"

	"github.com/wasport/wasport/network"
)

// Set waits for the items of one goroutine at a time. Wake and Close may be called by others.
type Set struct {
	// OnWait, if not nil, is told when Wait begins to block, and when that is over.
	OnWait func(begins bool)

	registry
	epoll

	ready  []int
	wakefd int

	signalled atomic.Bool // whether wakefd is readable, or will be
	woken     atomic.Bool // whether Wake was called

	mu      sync.Mutex // guards what follows, and the closing of wakefd
	closed  bool
	waiting bool
}

// New makes an empty set.
func New() (*Set, error) {
	fd, err := unix.Eventfd(0, unix.EFD_CLOEXEC|unix.EFD_NONBLOCK)
	if err != nil {
		return nil, err
	}
	s := &Set{wakefd: fd}
	if err := s.epoll.open(fd); err != nil {
		unix.Close(fd)
		return nil, err
	}
	s.registry.init(&s.epoll, s.signal)
	return s, nil
}

// Wait blocks until an item is ready, and returns the indexes of those that are, in a slice that is
// valid until the next call. None and no error means that the deadline has passed, where the zero
// Time is none, or that Wake was called, before this call or during it. After Close, and when that
// happens meanwhile, the error is net.ErrClosed.
//
// Without changed the items must have the same Pollables and the same Want, in the same order, as
// in the last call: nothing is registered anew then, and nothing allocated. A Pollable that is
// closed while it is waited for need not be noticed; whoever closes it wakes the set, and the next
// call with changed says net.ErrClosed for it.
func (s *Set) Wait(items []Item, changed bool, deadline time.Time) ([]int, error) {
	if !s.enter() {
		return nil, net.ErrClosed
	}
	defer s.leave()
	if changed || len(items) != len(s.of) {
		s.registry.update(items)
	}
	// What is ready by now is found without the poller and its deadline.
	s.look()
	for {
		s.ready = s.ready[:0]
		nudged, err := s.collect(items)
		s.collectOthers(items)
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
		if err := s.waitFor(deadline); err != nil {
			if errors.Is(err, os.ErrDeadlineExceeded) {
				err = nil
			}
			return nil, err
		}
	}
}

// waitFor blocks until there is something to collect.
func (s *Set) waitFor(deadline time.Time) error {
	if s.OnWait != nil {
		s.OnWait(true)
		defer s.OnWait(false)
	}
	return s.block(deadline)
}

// collectOthers finds the items whose readiness the kernel does not tell.
func (s *Set) collectOthers(items []Item) {
	for _, src := range s.others {
		switch src.kind {
		case failed:
			for i := src.first; i >= 0; i = s.next[i] {
				items[i].Got, items[i].Err = 0, src.err
				s.ready = append(s.ready, int(i))
			}
		case always:
			for i := src.first; i >= 0; i = s.next[i] {
				if items[i].standing() {
					s.ready = append(s.ready, int(i))
				}
			}
		case notifying:
			if !s.collectNotifying(items, src) {
				src.arm()
			}
		}
	}
}

func (s *Set) collectNotifying(items []Item, src *source) (ready bool) {
	for i := src.first; i >= 0; i = s.next[i] {
		items[i].Got, items[i].Err = src.p.Poll(items[i].Want)
		if items[i].Got = items[i].interesting(items[i].Got); items[i].Got != 0 ||
			items[i].Err != nil {
			s.ready = append(s.ready, int(i))
			ready = true
		}
	}
	return ready
}

// collect finds the items that the kernel has said to be ready.
func (s *Set) collect(items []Item) (nudged bool, err error) {
	stale := false
	for _, e := range s.seen() {
		if e.Fd == wakeSlot {
			s.drain()
			nudged = true
			continue
		}
		src := s.at(e.Fd, e.Pad)
		if src == nil {
			stale = true
			continue
		}
		got := eventsOf(e.Events)
		for i := src.first; i >= 0; i = s.next[i] {
			if items[i].Got, items[i].Err = items[i].interesting(got), nil; items[i].Got != 0 {
				s.ready = append(s.ready, int(i))
			}
		}
	}
	if stale {
		return nudged, s.reopen()
	}
	return nudged, nil
}

// reopen starts over with an empty epoll. Needed when a descriptor is closed here but its socket
// lives on, in another process or under another number: the kernel goes on reporting it then, and
// has no way left to unregister it.
func (s *Set) reopen() error {
	s.epoll.close()
	if err := s.epoll.open(s.wakefd); err != nil {
		return err
	}
	s.registry.renew()
	return nil
}

func eventsOf(mask uint32) network.Events {
	var e network.Events
	if mask&unix.EPOLLIN != 0 {
		e |= network.Readable
	}
	if mask&unix.EPOLLOUT != 0 {
		e |= network.Writable
	}
	if mask&unix.EPOLLHUP != 0 {
		e |= network.Hangup
	}
	if mask&unix.EPOLLERR != 0 {
		e |= network.Failed
	}
	return e
}

// Wake makes the Wait that is under way, or else the next one, return early.
func (s *Set) Wake() {
	s.woken.Store(true)
	s.signal()
}

// signal makes the epoll readable, once for however many reasons.
func (s *Set) signal() {
	if s.signalled.Swap(true) {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.wakefd >= 0 {
		unix.Write(s.wakefd, binary.NativeEndian.AppendUint64(make([]byte, 0, 8), 1))
	}
}

// drain undoes signal. Whoever gives a reason and finds the signal given does so before it is taken
// back here, and the reasons are looked at after.
func (s *Set) drain() {
	var count uint64
	unix.Read(s.wakefd, unsafe.Slice((*byte)(unsafe.Pointer(&count)), 8))
	s.signalled.Store(false)
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
	s.waiting = false
	last := s.closed
	s.mu.Unlock()
	if last {
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
	last := !s.waiting
	s.mu.Unlock()
	if last {
		s.destroy()
	} else {
		s.signal()
	}
	return nil
}

// destroy is called once, by the last who uses the set. Not with the lock held: a source that is
// told to stop may want to finish a call of signal first.
func (s *Set) destroy() {
	s.registry.clear()
	s.epoll.close()
	s.mu.Lock()
	defer s.mu.Unlock()
	unix.Close(s.wakefd)
	s.wakefd = -1
}
