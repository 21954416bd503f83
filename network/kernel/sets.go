package kernel

import (
	"net"
	"os"
	"sync"
	"time"

	"github.com/wasport/wasport/internal/poll"
	"github.com/wasport/wasport/network"
)

// pollSets holds the poll sets in which calls wait that cannot use Go's poller.
type pollSets struct {
	// mu protects busy and idle.
	mu   sync.Mutex
	busy map[*poll.Set]struct{}
	// idle is kept for the next call, since a new set costs several system calls.
	idle *poll.Set
}

func (s *socket) waitInSet(want network.Events, deadline time.Time) (network.Events, error) {
	set, err := s.sets.get()
	if err != nil {
		return 0, err
	}
	defer s.sets.put(set)
	items := [1]poll.Item{{P: s, Want: want}}
	for !s.closed() {
		ready, err := set.Wait(items[:], true, deadline)
		switch {
		case err != nil:
			return 0, err
		case s.closed():
		case len(ready) > 0:
			return items[0].Got, items[0].Err
		case !deadline.IsZero() && !time.Now().Before(deadline):
			return 0, os.ErrDeadlineExceeded
		}
	}
	return 0, net.ErrClosed
}

func (s *pollSets) get() (*poll.Set, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	set := s.idle
	s.idle = nil
	if set == nil {
		var err error
		if set, err = poll.New(); err != nil {
			return nil, err
		}
	}
	if s.busy == nil {
		s.busy = make(map[*poll.Set]struct{})
	}
	s.busy[set] = struct{}{}
	return set, nil
}

func (s *pollSets) put(set *poll.Set) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.busy, set)
	if s.idle == nil {
		s.idle = set
	} else {
		set.Close()
	}
}

func (s *pollSets) wake() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for set := range s.busy {
		set.Wake()
	}
}

func (s *pollSets) close() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.idle != nil {
		s.idle.Close()
	}
}
