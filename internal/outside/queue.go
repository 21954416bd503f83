package outside

import (
	"sync"
	"time"
)

const (
	// maxQueued is how many calls may wait in a queue.
	maxQueued = 1024

	// callTimeout is how long a caller waits for its call to be made.
	callTimeout = time.Second
)

// Queue makes calls in their order on a goroutine of its own, which lives while there are any. A
// caller waits until its call has returned, so that things happen in the order in which the guest
// causes them. When a call does not return for a while nobody waits any more: calls are queued, and
// those for which there is no room are dropped and counted, until it does return.
type Queue struct {
	// OnPanic is called when a call panicked; the next one is made all the same.
	OnPanic func(*Panic)

	// OnDropped is called in the order of the calls with how many were dropped in that place. Nil =
	// nothing tells of them but Dropped.
	OnDropped func(n uint64)

	mu         sync.Mutex
	calls      []call        // the first is being made if running
	running    bool          // a goroutine makes calls
	stalled    bool          // a caller has lost patience with the call that is being made
	dropped    uint64        // in all
	unreported uint64        // of these, since Lost was last called
	idle       chan struct{} // closed when the queue is empty; nil if nobody waits
}

type call struct {
	in       string // see Panic
	f        func()
	returned chan struct{} // closed when it has returned
}

// Do makes a call. It returns when the call has, but also when done is closed, or after a while.
func (q *Queue) Do(done <-chan struct{}, in string, f func()) {
	made, ok := q.add(in, f)
	if !ok {
		return
	}
	timer := time.NewTimer(callTimeout)
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
	if len(q.calls) >= maxQueued {
		q.dropped++
		q.unreported++
		return nil, false
	}
	q.reportDropped(in)
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
		if !done && q.finishCall() { // a call has ended this goroutine
			go q.run()
		}
	}()
	for more := true; more; {
		q.mu.Lock()
		c := q.calls[0]
		q.mu.Unlock()
		Protect(c.in, c.f, q.OnPanic)
		more = q.finishCall()
	}
	done = true
}

// finishCall takes away the call that has been made. It reports whether there is another.
func (q *Queue) finishCall() bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	last := q.calls[0].in
	close(q.calls[0].returned)
	q.calls[0] = call{}
	q.calls = q.calls[1:]
	q.stalled = false
	if len(q.calls) == 0 {
		q.reportDropped(last)
	}
	q.running = len(q.calls) > 0
	if !q.running && q.idle != nil {
		close(q.idle)
		q.idle = nil
	}
	return q.running
}

// reportDropped queues a call of Lost, if something was dropped since the last one.
func (q *Queue) reportDropped(in string) {
	if n := q.unreported; n > 0 && q.OnDropped != nil {
		q.unreported = 0
		q.calls = append(q.calls, call{in, func() { q.OnDropped(n) }, make(chan struct{})})
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
