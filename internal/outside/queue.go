package outside

import (
	"sync"
	"time"
)

const (
	// queued is how many calls may wait in a queue.
	queued = 1024

	// patience is how long a caller waits for its call to be made.
	patience = time.Second
)

// Queue makes calls in their order on a goroutine of its own, which lives while there are any. A
// caller waits until its call has returned, so that things happen in the order in which the guest
// causes them. When a call does not return for a while nobody waits any more: calls are queued, and
// those for which there is no room are dropped and counted, until it does return.
type Queue struct {
	// Failed is called when a call panicked; the next one is made nevertheless.
	Failed func(*Panic)

	// Lost is called in the order of the calls with how many were dropped in that place. Nil =
	// nothing tells of them but Dropped.
	Lost func(n uint64)

	mu      sync.Mutex
	calls   []call        // the first is being made if running
	running bool          // a goroutine makes calls
	stalled bool          // a caller has lost patience with the call that is being made
	dropped uint64        // in all
	untold  uint64        // of these, since Lost was last called
	idle    chan struct{} // closed when the queue is empty; nil if nobody waits
}

type call struct {
	in   string // see Panic
	f    func()
	made chan struct{} // closed when it has returned
}

// Do makes a call. It returns when the call has, but also when done is closed, or after a while.
func (q *Queue) Do(done <-chan struct{}, in string, f func()) {
	made, ok := q.add(in, f)
	if !ok {
		return
	}
	timer := time.NewTimer(patience)
	defer timer.Stop()
	select {
	case <-made:
	case <-done:
	case <-timer.C:
		q.mu.Lock()
		defer q.mu.Unlock()
		select {
		case <-made:
		default:
			q.stalled = true
		}
	}
}

// add queues a call. It is false if the call is not to be waited for.
func (q *Queue) add(in string, f func()) (made chan struct{}, wait bool) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if len(q.calls) >= queued {
		q.dropped++
		q.untold++
		return nil, false
	}
	q.tellLost(in)
	made = make(chan struct{})
	q.calls = append(q.calls, call{in, f, made})
	if !q.running {
		q.running = true
		go q.run()
	}
	return made, !q.stalled
}

func (q *Queue) run() {
	done := false
	defer func() {
		if !done && q.next() { // a call has ended this goroutine
			go q.run()
		}
	}()
	for more := true; more; {
		q.mu.Lock()
		c := q.calls[0]
		q.mu.Unlock()
		Protect(c.in, c.f, q.Failed)
		more = q.next()
	}
	done = true
}

// next takes away the call that has been made. It reports whether there is another.
func (q *Queue) next() bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	last := q.calls[0].in
	close(q.calls[0].made)
	q.calls[0] = call{}
	q.calls = q.calls[1:]
	q.stalled = false
	if len(q.calls) == 0 {
		q.tellLost(last)
	}
	q.running = len(q.calls) > 0
	if !q.running && q.idle != nil {
		close(q.idle)
		q.idle = nil
	}
	return q.running
}

// tellLost queues a call of Lost, if something was dropped since the last one.
func (q *Queue) tellLost(in string) {
	if n := q.untold; n > 0 && q.Lost != nil {
		q.untold = 0
		q.calls = append(q.calls, call{in, func() { q.Lost(n) }, make(chan struct{})})
	}
}

// Busy names the code that has not returned; empty if all has.
func (q *Queue) Busy() string {
	q.mu.Lock()
	defer q.mu.Unlock()
	if !q.running {
		return ""
	}
	return q.calls[0].in
}

// Idle is closed once all calls that were queued have returned.
func (q *Queue) Idle() <-chan struct{} {
	q.mu.Lock()
	defer q.mu.Unlock()
	if !q.running {
		return closed
	}
	if q.idle == nil {
		q.idle = make(chan struct{})
	}
	return q.idle
}

// Dropped is how many calls were dropped.
func (q *Queue) Dropped() uint64 {
	q.mu.Lock()
	defer q.mu.Unlock()
	return q.dropped
}

var closed = func() chan struct{} {
	c := make(chan struct{})
	close(c)
	return c
}()
