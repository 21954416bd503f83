//go:build linux && !portable

package poll

import (
	"sync/atomic"

	"golang.org/x/sys/unix"

	"github.com/wasport/wasport/network"
)

// kind tells how a set learns the events of a source.
type kind uint8

const (
	// The source was not refreshed yet.
	unclassified kind = iota
	// epoll_wait(2) reports them.
	registered
	// The source calls the wake function, and Poll reports them.
	notified
	// The source is always ready.
	alwaysReady
	// Readiness or registration failed with source.err.
	failed
)

// source is a Pollable with all of its items.
type source struct {
	p    network.Pollable
	kind kind
	// first is its first item; registry.next links the others.
	first int32
	// update is the value of registry.updates at its last use.
	update uint32
	// want joins the events of all of its items.
	want network.Events
	// registeredEvents holds the events that the kernel, or the source's Notify, was told.
	registeredEvents network.Events
	err              error

	control func(func(uintptr)) error
	slot    int32
	// dupFD is a duplicate that is registered in place of a descriptor that is registered already,
	// or 0.
	dupFD int

	notify func(network.Events, func()) func()
	signal func()
	stop   func()
	fired  *atomic.Bool
}

// arm calls Notify, unless an earlier call still stands and its wake function was not called.
func (s *source) arm() {
	if s.stop != nil && !s.fired.Load() {
		return
	}
	s.disarm()
	fired := new(atomic.Bool)
	s.fired, s.registeredEvents = fired, s.want
	s.stop = s.notify(s.want, func() {
		fired.Store(true)
		s.signal()
	})
}

func (s *source) disarm() {
	if s.stop != nil {
		s.stop()
		s.stop = nil
	}
}

// dup makes dupFD.
func (s *source) dup(fd int) (err error) {
	s.dupFD, err = unix.FcntlInt(uintptr(fd), unix.F_DUPFD_CLOEXEC, 3)
	return err
}

func (s *source) closeDup() {
	if s.dupFD != 0 {
		unix.Close(s.dupFD)
		s.dupFD = 0
	}
}
