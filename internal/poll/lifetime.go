package poll

import (
	"net"
	"sync"
)

// lifetime finds the last user of a Set, which destroys it: Close, or the Wait that is under way
// then.
type lifetime struct {
	// mu protects the fields, and those that the set names.
	mu      sync.Mutex
	closed  bool
	waiting bool
}

// beginWait reports false if the set is closed.
func (l *lifetime) beginWait() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.waiting = !l.closed
	return l.waiting
}

// endWait reports whether the caller is the last user.
func (l *lifetime) endWait() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.waiting = false
	return l.closed
}

func (l *lifetime) isClosed() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.closed
}

// end reports whether the caller is the last user. Otherwise it must end the Wait under way. The
// error is net.ErrClosed if end was called before.
func (l *lifetime) end() (last bool, err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.closed {
		return false, net.ErrClosed
	}
	l.closed = true
	return !l.waiting, nil
}
