//go:build linux && !portable

package poll

import (
	"encoding/binary"
	"errors"
	"net"
	"os"
	"sync/atomic"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"

	"github.com/wasport/wasport/network"
)

// epollSet is a Set by epoll(7).
type epollSet struct {
	// OnWait is that of Set.
	OnWait func(begins bool)
	// LookAgain is that of Set.
	LookAgain func() bool

	registry
	epoll

	ready  []int
	wakefd int

	// signalled tells that wakefd is readable or is about to be.
	signalled atomic.Bool
	// wakeCalled tells that Wake was called since the last Wait that returned for it.
	wakeCalled atomic.Bool

	// Its mu protects the closing of wakefd too.
	lifetime
}

// newEpollSet makes an empty set. It must be closed.
func newEpollSet() (*epollSet, error) {
	fd, err := unix.Eventfd(0, unix.EFD_CLOEXEC|unix.EFD_NONBLOCK)
	if err != nil {
		return nil, err
	}
	s := &epollSet{wakefd: fd}
	if err := s.epoll.open(fd); err != nil {
		unix.Close(fd)
		return nil, err
	}
	s.registry.init(&s.epoll, s.signal)
	return s, nil
}

// Wait implements Set.Wait.
func (s *epollSet) Wait(items []Item, changed bool, deadline time.Time) ([]int, error) {
	if !s.beginWait() {
		return nil, net.ErrClosed
	}
	defer func() {
		if s.endWait() {
			s.destroy()
		}
	}()
	if changed || len(items) != len(s.sourceOf) {
		s.registry.update(items)
	}
	// Items that are ready already need neither Go's poller nor its deadline.
	s.pollNow()
	for {
		s.ready = s.ready[:0]
		signalled, err := s.collect(items)
		s.collectUnregistered(items)
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
		if s.LookAgain != nil && s.LookAgain() {
			s.pollNow()
			continue
		}
		if err := s.waitFor(deadline); err != nil {
			if errors.Is(err, os.ErrDeadlineExceeded) {
				err = nil
			}
			return nil, err
		}
	}
}

// waitFor blocks until there is an event to collect.
func (s *epollSet) waitFor(deadline time.Time) error {
	if s.OnWait != nil {
		s.OnWait(true)
		defer s.OnWait(false)
	}
	return s.waitFile(deadline)
}

// collectUnregistered finds the ready items of the sources that have no registration.
func (s *epollSet) collectUnregistered(items []Item) {
	for _, src := range s.unregistered {
		switch src.kind {
		case failed:
			for i := src.first; i >= 0; i = s.next[i] {
				items[i].Got, items[i].Err = 0, src.err
				s.ready = append(s.ready, int(i))
			}
		case alwaysReady:
			for i := src.first; i >= 0; i = s.next[i] {
				if items[i].pollAlwaysReady() {
					s.ready = append(s.ready, int(i))
				}
			}
		case notified:
			if !s.collectNotified(items, src) {
				src.arm()
			}
		}
	}
}

func (s *epollSet) collectNotified(items []Item, src *source) (ready bool) {
	for i := src.first; i >= 0; i = s.next[i] {
		items[i].Got, items[i].Err = src.p.Poll(items[i].Want)
		if items[i].Got = items[i].filter(items[i].Got); items[i].Got != 0 ||
			items[i].Err != nil {
			s.ready = append(s.ready, int(i))
			ready = true
		}
	}
	return ready
}

// collect finds the items that the last pollNow has reported as ready.
func (s *epollSet) collect(items []Item) (signalled bool, err error) {
	stale := false
	for _, e := range s.readyEvents() {
		if e.Fd == wakeSlot {
			s.drain()
			signalled = true
			continue
		}
		src := s.sourceAt(e.Fd, e.Pad)
		if src == nil {
			stale = true
			continue
		}
		got := epollEvents(e.Events)
		for i := src.first; i >= 0; i = s.next[i] {
			if items[i].Got, items[i].Err = items[i].filter(got), nil; items[i].Got != 0 {
				s.ready = append(s.ready, int(i))
			}
		}
	}
	if stale {
		return signalled, s.reopen()
	}
	return signalled, nil
}

// reopen replaces the epoll. A descriptor that is closed here while its socket lives on, in another
// process or under another number, goes on being reported and can no longer be removed (epoll(7),
// questions and answers 6).
func (s *epollSet) reopen() error {
	s.epoll.close()
	if err := s.epoll.open(s.wakefd); err != nil {
		return err
	}
	s.registry.registerAll()
	return nil
}

func epollEvents(mask uint32) network.Events {
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

// Wake implements Set.Wake.
func (s *epollSet) Wake() {
	s.wakeCalled.Store(true)
	s.signal()
}

// signal makes the epoll readable, once for any number of reasons.
func (s *epollSet) signal() {
	if s.signalled.Swap(true) {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.wakefd >= 0 {
		unix.Write(s.wakefd, binary.NativeEndian.AppendUint64(make([]byte, 0, 8), 1))
	}
}

// drain undoes signal. A caller that finds signalled set has stored its reason before drain clears
// it here, and Wait looks for reasons after drain, so no reason is lost.
func (s *epollSet) drain() {
	var count uint64
	unix.Read(s.wakefd, unsafe.Slice((*byte)(unsafe.Pointer(&count)), 8))
	s.signalled.Store(false)
}

// Close implements Set.Close.
func (s *epollSet) Close() error {
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

// destroy is called once, by the last user of the set, without mu: stop of a source may wait for a
// call of signal, which takes mu.
func (s *epollSet) destroy() {
	s.registry.clear()
	s.epoll.close()
	s.mu.Lock()
	defer s.mu.Unlock()
	unix.Close(s.wakefd)
	s.wakefd = -1
}
