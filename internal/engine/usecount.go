package engine

import "sync"

// useCount counts the users of an engine or a module, and delays its release until the last of them
// has gone. Were code unmapped while its guest is inside a host function, the process would crash
// when the function returns.
type useCount struct {
	mu     sync.Mutex
	count  int
	closed bool

	// onLastRelease is set by close if there are users left. The last of them calls it.
	onLastRelease func()
}

// acquire adds a user. It reports false, and adds none, after close.
func (c *useCount) acquire() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.closed {
		return false
	}
	c.count++
	return true
}

func (c *useCount) release() {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.count--; c.count == 0 && c.onLastRelease != nil {
		c.onLastRelease()
	}
}

// close makes acquire fail from now on. Without users it calls release, and returns its error. Else
// it returns nil, and the last user calls release.
func (c *useCount) close(release func() error) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.closed = true
	if c.count == 0 {
		return release()
	}
	c.onLastRelease = func() { release() }
	return nil
}
