package system

import (
	"slices"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/wasport/wasport/internal/poll"
	"github.com/wasport/wasport/network"
)

// Thread is one thread of a guest: where its calls come in, and what it needs to block. It is used by one goroutine at a time.
type Thread struct {
	*Guest

	set  atomic.Pointer[poll.Set] // made when the thread first waits for something other than one socket
	wait pollState
	one  [1]poll.Item

	started time.Time
	blocked atomic.Int64  // ns spent waiting
	since   atomic.Int64  // ns after started at which the present wait began; 0 = running
	checked time.Duration // when Tick last added up

	calling atomic.Pointer[string] // the import that it is in; nil while it computes
}

// NewThread adds a thread to the guest. It must be closed.
func (g *Guest) NewThread() *Thread {
	t := &Thread{Guest: g, started: time.Now(), checked: -checkEvery}
	g.mu.Lock()
	defer g.mu.Unlock()
	g.threads[t] = struct{}{}
	if len(g.threads) > 1 {
		g.table.several.Store(true)
	}
	return t
}

// Close ends the thread.
func (t *Thread) Close() {
	t.mu.Lock()
	delete(t.threads, t)
	t.spent += t.running()
	t.mu.Unlock()
	if s := t.set.Load(); s != nil {
		s.Close()
	}
}

// EnterCall notes which import the thread calls, and LeaveCall that it has returned.
func (t *Thread) EnterCall(name *string) { t.calling.Store(name) }
func (t *Thread) LeaveCall()             { t.calling.Store(nil) }

// Called is the import that the thread is in, or nil.
func (t *Thread) Called() *string { return t.calling.Load() }

// Stuck names the imports that threads of the guest are in.
func (g *Guest) Stuck() []string {
	g.mu.Lock()
	defer g.mu.Unlock()
	var list []string
	for t := range g.threads {
		if name := t.calling.Load(); name != nil {
			list = append(list, *name)
		}
	}
	slices.Sort(list)
	return slices.Compact(list)
}

// running is how long the thread has run so far, without the time that it waited. Go does not say how much processor time a
// goroutine had; and the host's own would tell a guest about the others.
func (t *Thread) running() time.Duration {
	now := time.Since(t.started)
	d := now - time.Duration(t.blocked.Load())
	if s := t.since.Load(); s != 0 {
		d -= now - time.Duration(s)
	}
	return max(d, 0)
}

func (t *Thread) pause() { t.since.Store(int64(time.Since(t.started)) | 1) }

func (t *Thread) resume() {
	t.blocked.Add(int64(time.Since(t.started)) - t.since.Swap(0))
}

// block waits until the descriptor is ready for want. EAGAIN at the deadline (the zero Time: never), EBADF when it was closed, and
// the guest's end as its own error.
func (t *Thread) block(d *descriptor, want network.Events, deadline time.Time) error {
	t.pause()
	defer t.resume()
	if s, ok := d.asSocket(); ok {
		_, err := s.Wait(want, deadline)
		return t.cutOff(err)
	}
	set, err := t.pollSet()
	if err != nil {
		return err
	}
	t.wait.stale = true
	for !d.closed.Load() { // whoever closes it from here on finds the set, and wakes it
		t.one[0] = poll.Item{P: d.object, Want: want}
		ready, err := set.Wait(t.one[:], true, deadline)
		switch {
		case err != nil:
			return t.cutOff(err)
		case t.Err() != nil:
			return t.Err()
		case len(ready) > 0:
			return t.one[0].Err
		case !deadline.IsZero() && !time.Now().Before(deadline):
			return syscall.EAGAIN
		}
	}
	return syscall.EBADF
}

// Sleep waits until something comes from woken: ETIMEDOUT after so long, where a negative time is for ever, and the guest's end as its
// own error.
func (t *Thread) Sleep(woken <-chan struct{}, timeout time.Duration) error {
	t.pause()
	defer t.resume()
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

// cutOff is the reason of the guest's end in place of what a call said that was cut off by it.
func (t *Thread) cutOff(err error) error {
	if err != nil {
		if cause := t.Err(); cause != nil {
			return cause
		}
	}
	return err
}

func (t *Thread) pollSet() (*poll.Set, error) {
	if s := t.set.Load(); s != nil {
		return s, nil
	}
	s, err := poll.New()
	if err != nil {
		return nil, err
	}
	t.set.Store(s)
	if t.Err() != nil { // the guest's end may have looked for sets before this one was there
		s.Wake()
	}
	return s, nil
}
