package outside

import "sync"

// Event happens once. The channel that tells of it is made by the first call of Done. The
// methods may be called from any goroutine.
type Event struct {
	mu       sync.Mutex
	happened bool
	done     chan struct{}
}

// Happen makes the event happen, unless it has.
func (e *Event) Happen() {
	e.mu.Lock()
	defer e.mu.Unlock()
	if !e.happened && e.done != nil {
		close(e.done)
	}
	e.happened = true
}

// Done returns a channel that is closed once the event has happened.
func (e *Event) Done() <-chan struct{} {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.happened {
		return Closed
	}
	if e.done == nil {
		e.done = make(chan struct{})
	}
	return e.done
}

// Closed is a channel that is closed.
var Closed = func() <-chan struct{} {
	c := make(chan struct{})
	close(c)
	return c
}()
