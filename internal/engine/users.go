package engine

import "sync"

// users counts the guests that use something. Code that is unmapped under a guest which is still in
// the host would crash the process when the guest comes back.
type users struct {
	mu     sync.Mutex
	n      int
	closed bool
	last   func() // called by the last to leave
}

// enter reports whether there is something to use still.
func (u *users) enter() bool {
	u.mu.Lock()
	defer u.mu.Unlock()
	if u.closed {
		return false
	}
	u.n++
	return true
}

func (u *users) leave() {
	u.mu.Lock()
	defer u.mu.Unlock()
	if u.n--; u.n == 0 && u.last != nil {
		u.last()
	}
}

// close lets nobody enter any more. It calls release, and returns its error; or it has the last
// user call it.
func (u *users) close(release func() error) error {
	u.mu.Lock()
	defer u.mu.Unlock()
	u.closed = true
	if u.n == 0 {
		return release()
	}
	u.last = func() { release() }
	return nil
}
