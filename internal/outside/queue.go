package outside

import (
	"sync"
	"time"
)

const (
	// maxQueued is how many calls may wait in a queue.
	maxQueued = 1024

	// callTimeout is how long Do waits for its call to return.
	callTimeout = time.Second
)

// Queue makes calls in their order, on a goroutine that exists while there are any. Do waits for
// its call, so that the guest goes on after it. Once a call has taken longer than callTimeout, the
// queue is stalled until that call returns: Do no longer waits, and calls beyond maxQueued are
// dropped and counted.
//
// The methods may be called from any goroutine.
type Queue struct {
	// OnPanic is called when a call panicked. The queue goes on with the next call.
	OnPanic func(*Panic)

	// OnDropped is called with the number of dropped calls, in the place of these calls. If it is
	// nil, only Dropped counts them.
	OnDropped func(n uint64)

	mu sync.Mutex

	// calls are the queued calls. The first one is under way if running.
	calls []call

	// running is true while the goroutine exists.
	running bool

	// stalled is true if the first call has taken longer than callTimeout.
	stalled bool

	// dropped counts all dropped calls.
	dropped uint64

	// unreported counts the dropped calls that OnDropped was not called for.
	unreported uint64

	// idle is closed when the queue is empty; nil if no caller waits for that.
	idle chan struct{}
}

type call struct {
	in       string // as in Panic.In
	f        func()
	returned chan struct{} // closed when the call has returned
}

// Do makes a call. It returns when the call has returned, when done is closed, or after
// callTimeout.
func (q *Queue) Do(done <-chan struct{}, in string, f func()) {
	returned, ok := q.add(in, f)
	if !ok {
		return
	}
	timer := time.NewTimer(callTimeout)
	defer timer.Stop()
	select {
	case <-returned:
	case <-done:
	case <-timer.C:
		q.mu.Lock()
		defer q.mu.Unlock()
		select {
		case <-returned:
		default:
			q.stalled = true
		}
	}
}

// add queues a call. wait is false if the queue is stalled or the call was dropped.
func (q *Queue) add(in string, f func()) (returned chan struct{}, wait bool) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if len(q.calls) >= maxQueued {
		q.dropped++
		q.unreported++
		return nil, false
	}
	q.reportDropped(in)
	returned = make(chan struct{})
	q.calls = append(q.calls, call{in, f, returned})
	if !q.running {
		q.running = true
		go q.run()
	}
	return returned, !q.stalled
}

func (q *Queue) run() {
	done := false
	defer func() {
		if !done && q.finishCall() { // the call has ended this goroutine
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

// finishCall removes the call that has returned. It reports whether there is another.
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

// reportDropped queues a call of OnDropped if calls were dropped since the last one. mu is held.
func (q *Queue) reportDropped(in string) {
	if n := q.unreported; n > 0 && q.OnDropped != nil {
		q.unreported = 0
		q.calls = append(q.calls, call{in, func() { q.OnDropped(n) }, make(chan struct{})})
	}
}

// Busy names the code that has not returned; "" if the queue is empty.
func (q *Queue) Busy() string {
	q.mu.Lock()
	defer q.mu.Unlock()
	if !q.running {
		return ""
	}
	return q.calls[0].in
}

// Idle returns a channel that is closed once all queued calls have returned.
func (q *Queue) Idle() <-chan struct{} {
	q.mu.Lock()
	defer q.mu.Unlock()
	if !q.running {
		return Closed
	}
	if q.idle == nil {
		q.idle = make(chan struct{})
	}
	return q.idle
}

// Dropped returns how many calls were dropped; none of a nil queue.
func (q *Queue) Dropped() uint64 {
	if q == nil {
		return 0
	}
	q.mu.Lock()
	defer q.mu.Unlock()
	return q.dropped
}
