package kernel

import (
	"net"
	"os"
	"sync"
	"time"

	"github.com/wasport/wasport/internal/poll"
	"github.com/wasport/wasport/network"
)

// sets are the poll sets in which someone waits for a socket: whoever cannot wait in Go's poller.
type sets struct {
	mu   sync.Mutex
	busy map[*poll.Set]struct{}
	idle *poll.Set // kept for the next
}

func (s *socket) waitInSet(want network.Events, deadline time.Time) (network.Events, error) {
	set, err := s.sets.take()
	if err != nil {
		return 0, err
	}
	defer s.sets.giveBack(set)
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

func (s *sets) take() (*poll.Set, error) {
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

func (s *sets) giveBack(set *poll.Set) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.busy, set)
	if s.idle == nil {
		s.idle = set
	} else {
		set.Close()
	}
}

func (s *sets) wake() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for set := range s.busy {
		set.Wake()
	}
}

func (s *sets) close() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.idle != nil {
		s.idle.Close()
	}
}
