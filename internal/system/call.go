package system

import (
	"context"
	"fmt"
	"syscall"
	"time"

	"github.com/wasport/wasport/internal/poll"
)

// cancelGrace is the processor time that a thread has to return from a call that was cancelled.
const cancelGrace = 10 * time.Millisecond

// call is a call of the guest that can be cancelled. The zero value cannot.
type call struct {
	// ctx cancels the call. done is its channel, nil if it never ends.
	ctx  context.Context
	done <-chan struct{}

	// deadline is the computed time of the thread at which the guest is killed; 0 until the thread
	// has found the call cancelled.
	deadline time.Duration
}

func (c *call) cancelled() bool {
	if c.done == nil {
		return false
	}
	select {
	case <-c.done:
		return true
	default:
		return false
	}
}

// Interrupted is the error of a guest that went on to compute after its call was cancelled.
type Interrupted struct{ Cause error }

func (e *Interrupted) Error() string {
	return fmt.Sprintf("the call was cancelled and the guest did not return from it: %v", e.Cause)
}

// Unwrap returns Cause.
func (e *Interrupted) Unwrap() error { return e.Cause }

// BeginCall begins a call that ctx cancels: from then on, waits of the thread are ECANCELED, and
// the guest is killed with an *Interrupted if it computes for cancelGrace without returning. It
// returns the function that ends the call, after which the call before it goes on.
func (t *Thread) BeginCall(ctx context.Context) (outer CallState) {
	outer = CallState{t.call}
	t.call = call{ctx: ctx, done: ctx.Done()}
	return outer
}

// CallState is the state of a call that another one has interrupted.
type CallState struct{ call }

// EndCall ends a call, and goes on with the one before it.
func (t *Thread) EndCall(outer CallState) {
	t.endSendRun()
	t.call = outer.call
}

// Interrupt kills the guest because its call was cancelled and cannot return.
func (t *Thread) Interrupt() { t.Kill(&Interrupted{context.Cause(t.call.ctx)}) }

// endCancelled kills the guest if it has computed for cancelGrace since its call was cancelled.
func (t *Thread) endCancelled() {
	now := t.schedThread.Computed()
	if t.call.deadline == 0 {
		t.call.deadline = now + cancelGrace
	}
	if now >= t.call.deadline {
		t.Interrupt()
	}
}

// EnterGuest begins to count the thread as computing, LeaveGuest ends it. A new thread counts.
func (t *Thread) EnterGuest() { t.schedThread.Enter() }
func (t *Thread) LeaveGuest() {
	t.endSendRun()
	if t.schedThread.Leave() {
		t.Kill(ErrCPU)
	}
}

// EnterOutside begins a call of the embedder's code by the thread, LeaveOutside ends it.
func (t *Thread) EnterOutside() { t.schedThread.EnterOutside() }
func (t *Thread) LeaveOutside() { t.schedThread.LeaveOutside() }

// waitIn waits in the thread's set. It returns ECANCELED if nothing is ready before the deadline
// and the call has been cancelled.
func (t *Thread) waitIn(
	set *poll.Set, items []poll.Item, changed bool, until deadline,
) ([]int, error) {
	t.beginBusyPoll()
	if t.call.done == nil {
		return set.Wait(items, changed, until.time())
	}
	defer context.AfterFunc(t.call.ctx, set.Wake)()
	ready, err := set.Wait(items, changed, until.time())
	if err == nil && len(ready) == 0 && t.call.cancelled() && !until.passed() {
		err = syscall.ECANCELED
	}
	return ready, err
}
