package system

import (
	"os"
	"slices"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/wasport/wasport/internal/poll"
	"github.com/wasport/wasport/internal/sched"
	"github.com/wasport/wasport/internal/shortcut"
	"github.com/wasport/wasport/network"
)

// Thread is one thread of a guest: the receiver of its calls, and the state that it needs to block.
// It is used by one goroutine at a time.
type Thread struct {
	*Guest

	// sleeper is the set in which the thread waits for anything but one socket. It is made at the
	// first such wait.
	sleeper atomic.Pointer[poll.Set]
	polling *pollState // nil before the first use; see polls

	schedThread sched.Thread
	behind      sendBehind

	// wakeForSignal makes signalled readable, on which AwaitSignal waits; both are made at its
	// first call.
	signalled     chan struct{}
	wakeForSignal func()

	// waitsWithin is the descriptor of a receive that may wait within the socket.
	waitsWithin *descriptor

	// elsewhere is the processor time in nanoseconds that other goroutines have used for the
	// thread, and that the next Tick charges.
	elsewhere atomic.Int64

	// stepsLeft counts down to the next tick; see ChargeSteps.
	stepsLeft int

	currentImport currentImport

	// number counts the guest's threads in the order of their start.
	number      int
	stackWanted atomic.Pointer[stackRequest]

	call call
}

// NewThread adds a thread to the guest, scheduled by s. The goroutine that runs the thread calls
// it; it waits for the thread's turn. The thread must be closed.
func (g *Guest) NewThread(s *sched.Scheduler) *Thread {
	t := g.newThread()
	t.Guest, t.stepsLeft = g, tickSteps
	t.schedThread.Start(s, &g.schedGuest, g.ctx.Done())
	g.mu.Lock()
	defer g.mu.Unlock()
	g.threads = append(g.threads, t)
	if len(g.threads) > 1 {
		g.table.multiThreaded.Store(true)
	}
	return t
}

// newThread numbers a thread. The first is a part of the guest.
func (g *Guest) newThread() *Thread {
	g.mu.Lock()
	defer g.mu.Unlock()
	t := &g.first
	if g.startedThreads > 0 {
		t = new(Thread)
	}
	t.number = int(g.startedThreads)
	g.startedThreads++
	return t
}

// Close ends the thread and releases its set.
func (t *Thread) Close() {
	t.endSendRun()
	t.schedThread.Stop()
	t.mu.Lock()
	t.threads = slices.DeleteFunc(t.threads, func(o *Thread) bool { return o == t })
	t.endedThreadsCPU += t.schedThread.Computed()
	t.mu.Unlock()
	if s := t.sleeper.Load(); s != nil {
		s.Close()
	}
	if t.polling != nil {
		t.memory.RefundMemory(int64(t.polling.reserved) * pollMemory)
	}
}

// EnterCall notes that the thread calls an import, LeaveCall that the import has returned.
// EnterSend is EnterCall for an import that has no effect but those of Send, SendControl and Write.
func (t *Thread) EnterCall(name *string) {
	t.endSendRun()
	t.currentImport.set(name)
}
func (t *Thread) EnterSend(name *string) {
	t.behind.announced = true
	t.currentImport.set(name)
}
func (t *Thread) LeaveCall() { t.currentImport.set(nil) }

// CurrentImport returns the name of the import that the thread has called, or nil.
func (t *Thread) CurrentImport() *string { return t.currentImport.get() }

// ActiveImports returns the names of the imports that the guest's threads have called, sorted and
// without repetition.
func (g *Guest) ActiveImports() []string {
	g.mu.Lock()
	defer g.mu.Unlock()
	var list []string
	for _, t := range g.threads {
		if name := t.currentImport.get(); name != nil {
			list = append(list, *name)
		}
	}
	slices.Sort(list)
	return slices.Compact(list)
}

// tickSteps is how many steps the calls of a thread may take between two ticks. A step takes up to
// 20 microseconds.
const tickSteps = 32

// ChargeSteps counts the steps of a call and ticks after every tickSteps. Without it a guest that
// spends its time in calls would neither yield the processor nor reach its limit.
//
// Unlike Tick it leaves sends held that have not been for holdFor: a small write of a component is
// three calls, and so 32 KiB in pieces of 1 KiB would be flushed three times.
func (t *Thread) ChargeSteps(steps int) {
	if t.stepsLeft -= steps; t.stepsLeft <= 0 {
		t.endSteps()
	}
}

// endSteps is apart so that the rest of ChargeSteps is inlined.
func (t *Thread) endSteps() {
	t.stepsLeft = tickSteps
	t.flushOld()
	t.tick()
}

// Tick lets other guests run, and kills the guest once its processor time is used up. Computing
// threads call it every few milliseconds.
func (t *Thread) Tick() {
	t.flushHeld()
	t.tick()
}

func (t *Thread) tick() {
	if t.elsewhere.Load() != 0 { // A load alone costs much less.
		t.schedThread.Charge(time.Duration(t.elsewhere.Swap(0)))
	}
	if t.schedThread.Tick() {
		t.Kill(ErrCPU)
	}
	if t.call.cancelled() {
		t.endCancelled()
	}
}

// ChargeGarbage charges the thread for the later collection of bytes that a call has allocated.
func (t *Thread) ChargeGarbage(bytes int) { t.schedThread.ChargeGarbage(bytes) }

// Yield lets other threads and guests run.
func (t *Thread) Yield() { t.schedThread.Yield() }

// onWait tells the scheduler that the thread begins or ends to wait.
func (t *Thread) onWait(begins bool) {
	if begins {
		t.schedThread.Pause()
	} else {
		t.schedThread.Resume()
	}
}

// beginBusyPoll begins a wait, unless the guest does without busy polling: LookAgain of schedThread
// then reports true as long as the thread should look before it waits.
func (t *Thread) beginBusyPoll() {
	if t.shortcuts.Has(shortcut.BusyPoll) {
		t.schedThread.BeginBusyPoll()
	}
}

// busyPoll reports whether a socket has become ready while the thread looked for that. It does not
// look for space in a send buffer, which Wait may give out later than Poll.
func (t *Thread) busyPoll(s *socket, want network.Events) bool {
	for t.beginBusyPoll(); t.schedThread.LookAgain(); {
		if got, err := s.Poll(want); err != nil || got != 0 {
			return err == nil
		}
	}
	return false
}

// block waits until the descriptor is ready for want. It returns EAGAIN at the deadline (zero =
// none), EBADF once the descriptor is closed, ECANCELED once the call has been cancelled, and the
// guest's end reason once that has ended.
func (t *Thread) block(d *descriptor, want network.Events, end deadline) error {
	t.endSendRun()
	if s, ok := d.asSocket(); ok && t.call.done == nil {
		if want == network.Readable && t.busyPoll(s, want) {
			return t.Err()
		}
		t.schedThread.Pause()
		_, err := s.Wait(want, end.time())
		for err == os.ErrDeadlineExceeded && !end.passed() {
			_, err = s.Wait(want, end.time())
		}
		t.schedThread.Resume()
		return t.endReasonIfFailed(err)
	}
	return t.blockOn(d, d.object, want, end)
}

// blockOn is block for another condition than that of the descriptor's object, which also ends when
// the descriptor is closed.
func (t *Thread) blockOn(d *descriptor, p network.Pollable, want network.Events,
	end deadline) error {
	set, err := t.pollSet()
	if err != nil {
		return err
	}
	w := t.polls()
	w.setStale = true
	for !d.closed.Load() { // a later close finds sleeper set, and wakes it
		w.oneItem[0] = poll.Item{P: p, Want: want}
		ready, err := t.waitIn(set, w.oneItem[:], true, end)
		switch {
		case err != nil:
			return t.endReasonIfFailed(err)
		case t.Err() != nil:
			return t.Err()
		case len(ready) > 0:
			return w.oneItem[0].Err
		case end.passed():
			return syscall.EAGAIN
		}
	}
	return t.endReasonIfFailed(syscall.EBADF)
}

// Sleep waits for a value from woken. It returns ETIMEDOUT after the time-out (negative = none),
// ECANCELED once the call has been cancelled, and the guest's end reason once that has ended.
func (t *Thread) Sleep(woken <-chan struct{}, timeout time.Duration) error {
	t.endSendRun()
	t.schedThread.Pause()
	defer t.schedThread.Resume()
	end := noDeadline
	var timer *time.Timer
	var expired <-chan time.Time
	if timeout >= 0 {
		end = deadlineIn(timeout)
		timer = time.NewTimer(timeout)
		defer timer.Stop()
		expired = timer.C
	}
	for {
		select {
		case <-woken:
			return nil
		case <-expired:
			left := end.left()
			if left <= 0 {
				return syscall.ETIMEDOUT
			}
			timer.Reset(left)
		case <-t.call.done:
			return syscall.ECANCELED
		case <-t.ctx.Done():
			return t.Err()
		}
	}
}

// endReasonIfFailed replaces the error of a call that failed because the guest has ended by the
// reason of that end.
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
	s.LookAgain = t.schedThread.LookAgain
	t.sleeper.Store(s)
	t.hasSleepers.Store(true)
	if t.Err() != nil { // wakePollers may have run before these were set
		s.Wake()
	}
	return s, nil
}
