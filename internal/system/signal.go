package system

import (
	"sync"
	"sync/atomic"

	"github.com/wasport/wasport/network"
)

// Signal is a condition that a goroutine of the host sets and Poll waits for: the end of a pending
// write, the answer to a lookup. The zero value is clear. Its methods may be called from any
// goroutine.
type Signal struct {
	set atomic.Bool

	mu     sync.Mutex
	wakers map[*func()]struct{}
}

// neverClosed stands for the descriptor of a Signal, which has none.
var neverClosed = &descriptor{description: &description{}}

// Set makes the condition hold, and wakes the threads that wait for it.
func (s *Signal) Set() {
	s.set.Store(true)
	s.mu.Lock()
	defer s.mu.Unlock()
	for wake := range s.wakers {
		(*wake)()
	}
}

// Clear makes the condition not hold.
func (s *Signal) Clear() { s.set.Store(false) }

// IsSet reports whether the condition holds.
func (s *Signal) IsSet() bool { return s.set.Load() }

// Poll, Readiness and Available implement network.Pollable.
func (s *Signal) Poll(want network.Events) (network.Events, error) {
	if !s.set.Load() {
		return 0, nil
	}
	return want & network.Readable, nil
}

func (s *Signal) Readiness() network.Readiness {
	return network.Readiness{Notify: func(_ network.Events, wake func()) (stop func()) {
		s.add(&wake)
		return func() { s.remove(&wake) }
	}}
}

// add arranges calls of wake: one if the condition holds, and one each time that it is set.
func (s *Signal) add(wake *func()) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.wakers == nil {
		s.wakers = make(map[*func()]struct{})
	}
	s.wakers[wake] = struct{}{}
	if s.set.Load() {
		(*wake)()
	}
}

func (s *Signal) remove(wake *func()) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.wakers, wake)
}

func (s *Signal) Available() (int, error) { return 0, nil }
