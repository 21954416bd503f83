//go:build linux && !portable

package poll

import (
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
	// open tells that one of its items has Open.
	open bool
	// registeredEvents holds the events that the kernel, or the source's Notify, was told.
	registeredEvents network.Events
	err              error

	control func(func(uintptr)) error
	slot    int32
	// dupFD is a duplicate that is registered in place of a descriptor that is registered already,
	// or 0.
	dupFD int

	notification
}

// arm calls Notify where that is due.
func (s *source) arm() {
	if s.notification.arm(s.want) {
		s.registeredEvents = s.want
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
