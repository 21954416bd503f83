//go:build linux && !portable

package poll

import (
	"sync/atomic"

	"golang.org/x/sys/unix"

	"github.com/wasport/wasport/network"
)

// kind is how the readiness of a source is learnt.
type kind uint8

const (
	unsettled  kind = iota
	registered      // from the epoll
	notifying       // by asking when it says so
	always          // not at all: it is ready
	failed          // not at all: it has an error
)

// source is a Pollable, with all of its items.
type source struct {
	p     network.Pollable
	kind  kind
	first int32          // its first item
	round uint32         // the update that it was last seen in
	want  network.Events // by all of its items
	told  network.Events // of which the kernel, or the source, knows
	err   error

	control func(func(uintptr)) error
	slot    int32
	// a duplicate that is registered in place of a descriptor that is there already; 0 for none
	twin int

	notify func(network.Events, func()) func()
	signal func()
	stop   func()
	fired  *atomic.Bool
}

// arm makes sure that the next change is noticed.
func (s *source) arm() {
	if s.stop != nil && !s.fired.Load() {
		return
	}
	s.disarm()
	fired := new(atomic.Bool)
	s.fired, s.told = fired, s.want
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

// double makes the twin.
func (s *source) double(fd int) (err error) {
	s.twin, err = unix.FcntlInt(uintptr(fd), unix.F_DUPFD_CLOEXEC, 3)
	return err
}

func (s *source) single() {
	if s.twin != 0 {
		unix.Close(s.twin)
		s.twin = 0
	}
}
