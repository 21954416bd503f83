//go:build !portable

package poll

import (
	"sync"
	"time"

	"golang.org/x/sys/unix"
)

// Set waits for the items of one goroutine at a time. Others may call Wake and Close.
type Set struct {
	// OnWait, if not nil, is called by Wait with true before it blocks, and with false afterwards.
	OnWait func(begins bool)

	// LookAgain, if not nil, is called by Wait when it would block. If it reports true, Wait looks
	// for events once more instead, and calls it again.
	LookAgain func() bool

	// Only one of these is not nil.
	epoll *epollSet
	poll  *pollSet
}

// New makes an empty set. It must be closed.
func New() (*Set, error) {
	return newSet(epollNests())
}

func newSet(nests bool) (s *Set, err error) {
	s = new(Set)
	if nests {
		s.epoll, err = newEpollSet()
	} else {
		s.poll, err = newPollSet()
	}
	if err != nil {
		return nil, err
	}
	return s, nil
}

// epollNests reports whether an epoll takes another, which Go's poller must do with that of a set.
// Linux does; library operating systems that stand in for it may not.
var epollNests = sync.OnceValue(func() bool { return nests(unix.EpollCtl) })

// nests tries it, with the epoll_ctl(2) given.
func nests(epollCtl func(epfd, op, fd int, e *unix.EpollEvent) error) bool {
	outer, err := unix.EpollCreate1(unix.EPOLL_CLOEXEC)
	if err != nil {
		return false
	}
	defer unix.Close(outer)
	inner, err := unix.EpollCreate1(unix.EPOLL_CLOEXEC)
	if err != nil {
		return false
	}
	defer unix.Close(inner)
	return epollCtl(outer, unix.EPOLL_CTL_ADD, inner,
		&unix.EpollEvent{Events: unix.EPOLLIN | unix.EPOLLET}) == nil
}

// Wait blocks until an item is ready, and returns the indexes of the ready items. The slice is
// valid until the next call. An empty result without an error means that the deadline has passed or
// that Wake was called, before this call or during it. The zero Time is no deadline. After Close,
// or when Close is called meanwhile, the error is net.ErrClosed.
//
// Without changed, the items must have the Pollables and the Want of the last call, in the same
// order: Wait then registers and allocates nothing. Wait need not notice that a Pollable is closed
// during the call. The caller that closes it calls Wake, and the next Wait with changed reports
// net.ErrClosed for its items.
func (s *Set) Wait(items []Item, changed bool, deadline time.Time) ([]int, error) {
	if s.epoll != nil {
		s.epoll.OnWait, s.epoll.LookAgain = s.OnWait, s.LookAgain
		return s.epoll.Wait(items, changed, deadline)
	}
	s.poll.OnWait = s.OnWait
	return s.poll.Wait(items, changed, deadline)
}

// Wake makes the Wait under way return early, or else the next one.
func (s *Set) Wake() {
	if s.epoll != nil {
		s.epoll.Wake()
	} else {
		s.poll.Wake()
	}
}

// Close releases the set and ends the Wait under way. It returns net.ErrClosed if it was called
// before.
func (s *Set) Close() error {
	if s.epoll != nil {
		return s.epoll.Close()
	}
	return s.poll.Close()
}
