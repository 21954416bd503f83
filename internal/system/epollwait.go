package system

import (
	"syscall"
	"time"

	"github.com/wasport/wasport/internal/poll"
	"github.com/wasport/wasport/internal/wasi"
	"github.com/wasport/wasport/network"
)

// EpollWait waits until at least one registration is ready, and returns at most limit of those that
// are, as epoll_wait(2) does. The time-out is in nanoseconds; negative = none. The result is valid
// until the thread's next call.
func (t *Thread) EpollWait(epfd int32, limit int, timeout int64) ([]EpollEvent, error) {
	d, e, err := t.epollAt(epfd)
	switch {
	case err != nil:
		return nil, err
	case limit <= 0:
		return nil, syscall.EINVAL
	}
	end := noDeadline
	if timeout >= 0 {
		end = deadlineIn(time.Duration(timeout))
	}
	w := t.polls()
	for late := timeout == 0; ; {
		before := e.polls.Load()
		w.ready = e.take(w.ready[:0], limit, t.table.multiThreaded.Load())
		t.ChargeSteps(int(e.polls.Load()-before) / 64)
		if len(w.ready) > 0 || late {
			return w.ready, t.Err()
		}
		switch err := t.blockOnEpoll(d, e, end); err {
		case nil:
		case syscall.EAGAIN:
			late = true
		default:
			return nil, err
		}
	}
}

func (t *Thread) blockOnEpoll(d *descriptor, e *epoll, end deadline) error {
	if e.edges != nil {
		return t.blockOn(d, waitingThread{e}, network.Readable, end)
	}
	set, err := t.pollSet()
	if err != nil {
		return err
	}
	t.polls().setStale = true
	_, err = t.waitIn(set, e.items(), true, end)
	switch {
	case err != nil:
		return t.endReasonIfFailed(err)
	case d.closed.Load():
		return t.endReasonIfFailed(syscall.EBADF)
	case end.passed():
		return syscall.EAGAIN
	}
	return t.Err()
}

// items are those of the registrations that a wait without edges waits for: all but disabled ones,
// and edge-triggered ones that nobody has used up.
func (e *epoll) items() (list []poll.Item) {
	e.controlMu.Lock()
	defer e.controlMu.Unlock()
	for _, i := range e.interests {
		if i.isArmed() {
			list = append(list, poll.Item{P: i.of.object, Want: i.events.wanted()})
		}
	}
	return list
}

// isArmed reports whether a registration without edges can be reported: it is not disabled, nor an
// edge-triggered one that was told, as long as no call on its description has been EAGAIN since.
func (i *interest) isArmed() bool {
	return !i.isDisabled && (!i.told || i.again != i.of.again.Load())
}

// take appends up to limit ready registrations to the list. Others may be told to look as well.
func (e *epoll) take(ready []EpollEvent, limit int, others bool) []EpollEvent {
	e.controlMu.Lock()
	defer e.controlMu.Unlock()
	for left := e.collect(); left > 0 && len(ready) < limit; left-- {
		i := e.unlist()
		if i == nil {
			break
		}
		got := i.poll()
		if got == 0 {
			continue
		}
		ready = append(ready, EpollEvent{got, i.data})
		switch {
		case i.events&EpollOneshot != 0:
			i.isDisabled = true
		case i.events&EpollEdge != 0:
			i.told, i.again = true, i.of.again.Load()
		default:
			e.list(i)
		}
	}
	if others || e.forSets.Load() {
		e.signalIfListed()
	}
	return ready
}

// collect lists the registrations that may have become ready, and returns the length of the list.
func (e *epoll) collect() int {
	if e.closed {
		return 0
	}
	if e.edges != nil {
		e.edges.Collect()
	} else {
		for _, i := range e.interests {
			if i.isArmed() && i.poll() != 0 {
				e.list(i)
			}
		}
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.listed
}

// list puts a registration at the end of the list.
func (e *epoll) list(i *interest) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if i.isListed || i.isRemoved {
		return
	}
	i.isListed, i.prev = true, e.last
	if e.last == nil {
		e.first = i
	} else {
		e.last.next = i
	}
	e.last = i
	e.listed++
}

// unlist takes the first registration from the list, nil if it is empty.
func (e *epoll) unlist() *interest {
	e.mu.Lock()
	defer e.mu.Unlock()
	i := e.first
	if i != nil {
		e.unlink(i)
	}
	return i
}

// unlink takes a registration from the list if it is there. mu is held.
func (e *epoll) unlink(i *interest) {
	if !i.isListed {
		return
	}
	if i.prev == nil {
		e.first = i.next
	} else {
		i.prev.next = i.next
	}
	if i.next == nil {
		e.last = i.prev
	} else {
		i.next.prev = i.prev
	}
	i.prev, i.next, i.isListed = nil, nil, false
	e.listed--
}

func (e *epoll) signalIfListed() {
	e.mu.Lock()
	listed := e.listed
	e.mu.Unlock()
	if listed > 0 && e.edges != nil {
		e.edges.Signal()
	}
}

// poll returns the events of a registration that hold.
func (i *interest) poll() EpollEvents {
	i.epoll.polls.Add(1)
	if i.isDisabled {
		return 0
	}
	want := i.events.wanted()
	got, err := i.of.Poll(want)
	if err != nil {
		return 0 // it is being closed
	}
	if s, ok := i.of.object.(*socket); ok {
		if s.readAhead.bufferedLen.Load() > 0 {
			got |= want & network.Readable
		}
		if s.pendingError.Load() != 0 {
			got |= want | network.Failed
		}
	}
	return epollEvents(got) & (i.events | EpollErr | EpollHup)
}

func epollEvents(got network.Events) (e EpollEvents) {
	if got&network.Readable != 0 {
		e |= EpollIn | EpollRdNorm
	}
	if got&network.Writable != 0 {
		e |= EpollOut | EpollWrNorm
	}
	if got&network.Hangup != 0 {
		e |= EpollHup
	}
	if got&network.Failed != 0 {
		e |= EpollErr
	}
	return e
}

// wanted returns the events to wait for. Others than these never hold.
func (e EpollEvents) wanted() (want network.Events) {
	if e&(EpollIn|EpollRdNorm) != 0 {
		want |= network.Readable
	}
	if e&(EpollOut|EpollWrNorm) != 0 {
		want |= network.Writable
	}
	return want
}

// Poll and Readiness let a Set wait for the epoll itself: it is readable while a registration is
// ready.
func (e *epoll) Poll(want network.Events) (network.Events, error) {
	e.controlMu.Lock()
	defer e.controlMu.Unlock()
	for left := e.collect(); left > 0; left-- {
		i := e.unlist()
		if i == nil {
			break
		}
		if i.poll() != 0 {
			e.list(i)
			e.signalIfListed()
			return want & network.Readable, nil
		}
	}
	return 0, nil
}

func (e *epoll) Readiness() network.Readiness {
	if e.edges == nil {
		return network.Readiness{}
	}
	e.forSets.Store(true)
	e.signalIfListed()
	return e.edges.Readiness()
}

// checkWaitable returns ENOTSUP for an epoll on a system where no Set can wait for it.
func (d *descriptor) checkWaitable() error {
	if e, ok := d.object.(*epoll); ok && e.edges == nil {
		return wasi.ENOTSUP
	}
	return nil
}

// waitingThread is the epoll for the Set of a thread in EpollWait. It is not told again of
// registrations that are on the list already.
type waitingThread struct{ *epoll }

func (w waitingThread) Readiness() network.Readiness { return w.edges.Readiness() }
