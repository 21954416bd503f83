package system

import (
	"slices"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/wasport/wasport/internal/poll"
	"github.com/wasport/wasport/internal/sched"
	"github.com/wasport/wasport/network"
)

// Thread is one thread of a guest: where its calls come in, and what it needs to block. It is used
// by one goroutine at a time.
type Thread struct {
	*Guest

	// made when the thread first waits for something other than one socket
	sleeper atomic.Pointer[poll.Set]
	polling pollState
	oneItem [1]poll.Item

	schedThread sched.Thread
	stepsLeft   int // How many are left until the next tick; see Work.

	currentImport atomic.Pointer[string] // the import that it is in; nil while it computes
}

// NewThread adds a thread to the guest, which shares the processors with others as the scheduler
// says. It is called by the goroutine that runs the thread, and may have to wait for its turn. The
// thread must be closed.
func (g *Guest) NewThread(s *sched.Scheduler) *Thread {
	t := &Thread{Guest: g, stepsLeft: tickSteps}
	t.schedThread.Start(s, &g.schedGuest, g.ctx.Done())
	g.mu.Lock()
	defer g.mu.Unlock()
	g.threads[t] = struct{}{}
	if len(g.threads) > 1 {
		g.table.multiThreaded.Store(true)
	}
	return t
}

// Close ends the thread.
func (t *Thread) Close() {
	t.schedThread.Stop()
	t.mu.Lock()
	delete(t.threads, t)
	t.endedThreadsCPU += t.schedThread.Computed()
	t.mu.Unlock()
	if s := t.sleeper.Load(); s != nil {
		s.Close()
	}
}

// EnterCall notes which import the thread calls, and LeaveCall that it has returned.
func (t *Thread) EnterCall(name *string) { t.currentImport.Store(name) }
func (t *Thread) LeaveCall()             { t.currentImport.Store(nil) }

// CurrentImport is the import that the thread is in, or nil.
func (t *Thread) CurrentImport() *string { return t.currentImport.Load() }

// ActiveImports names the imports that threads of the guest are in.
func (g *Guest) ActiveImports() []string {
	g.mu.Lock()
	defer g.mu.Unlock()
	var list []string
	for t := range g.threads {
		if name := t.currentImport.Load(); name != nil {
			list = append(list, *name)
		}
	}
	slices.Sort(list)
	return slices.Compact(list)
}

// tickSteps is how many steps of work the calls of a thread may take between two ticks. A step
// takes up to some 20 µs.
const tickSteps = 32

// Work says that a call takes so many steps, for which Tick is called now and then: a guest may
// live in its calls and compute little itself.
func (t *Thread) Work(steps int) {
	if t.stepsLeft -= steps; t.stepsLeft <= 0 {
		t.stepsLeft = tickSteps
		t.Tick()
	}
}

// Tick is called now and then by a thread that computes. It lets others run, and ends the guest
// when its processor time is used up.
func (t *Thread) Tick() {
	if t.schedThread.Tick() {
		t.Kill(ErrCPU)
	}
}

// Garbage charges what it will take to collect so many bytes that a call has allocated.
func (t *Thread) Garbage(bytes int) { t.schedThread.ChargeGarbage(bytes) }

// Yield lets others run.
func (t *Thread) Yield() { t.schedThread.Yield() }

// onWait says that the thread begins, or has ceased, to wait.
func (t *Thread) onWait(begins bool) {
	if begins {
		t.schedThread.Pause()
	} else {
		t.schedThread.Resume()
	}
}

// block waits until the descriptor is ready for want. EAGAIN at the deadline (the zero Time:
// never), EBADF when it was closed, and the guest's end as its own error.
func (t *Thread) block(d *descriptor, want network.Events, deadline time.Time) error {
	if s, ok := d.asSocket(); ok {
		t.schedThread.Pause()
		_, err := s.Wait(want, deadline)
		t.schedThread.Resume()
		return t.endReasonIfFailed(err)
	}
	set, err := t.pollSet()
	if err != nil {
		return err
	}
	t.polling.setStale = true
	for !d.closed.Load() { // whoever closes it from here on finds the set, and wakes it
		t.oneItem[0] = poll.Item{P: d.object, Want: want}
		ready, err := set.Wait(t.oneItem[:], true, deadline)
		switch {
		case err != nil:
			return t.endReasonIfFailed(err)
		case t.Err() != nil:
			return t.Err()
		case len(ready) > 0:
			return t.oneItem[0].Err
		case !deadline.IsZero() && !time.Now().Before(deadline):
			return syscall.EAGAIN
		}
	}
	return syscall.EBADF
}

// Sleep waits until something comes from woken: ETIMEDOUT after so long, where a negative time is
// for ever, and the guest's end as its own error.
func (t *Thread) Sleep(woken <-chan struct{}, timeout time.Duration) error {
	t.schedThread.Pause()
	defer t.schedThread.Resume()
	var expired <-chan time.Time
	if timeout >= 0 {
		timer := time.NewTimer(timeout)
		defer timer.Stop()
		expired = timer.C
	}
	select {
	case <-woken:
		return nil
	case <-expired:
		return syscall.ETIMEDOUT
	case <-t.ctx.Done():
		return t.Err()
	}
}

// endReasonIfFailed is the reason of the guest's end in place of what a call said that was cut off
// by it.
func (t *Thread) endReasonIfFailed(err error) error {
	if err != nil {
		if cause := t.Err(); cause != nil {
			return cause
		}
	}
	return err
}

func (t *Thread) pollSet() (*poll.Set, error) {
	if s := t.sleeper.Load(); s != nil {
		return s, nil
	}
	s, err := poll.New()
	if err != nil {
		return nil, err
	}
	s.OnWait = t.onWait
	t.sleeper.Store(s)
	if t.Err() != nil { // the guest's end may have looked for sets before this one was there
		s.Wake()
	}
	return s, nil
}
