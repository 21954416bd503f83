package sched

import (
	"container/heap"
	"runtime"
	"slices"
	"sync/atomic"
	"time"
)

// Busy guests take turns: at any time no more of their threads compute than there are processors.
// The next turn goes to the guest that has had the least, to the one of its threads that has waited
// longest. So a guest's share does not depend on the number of its threads, and a goroutine that
// wakes up finds a handful of others before it in Go's queue. Guests that are not busy, since they
// mostly wait, need no turn.
const (
	// turnLength is how long a thread computes before it gives its turn to one that waits. Handing
	// over takes 1 µs.
	turnLength = 200 * time.Microsecond

	// lostAfter is how long a thread may go without a tick before it loses its turn, if others
	// wait: it may be in a call of the host that takes its time, such as a read from a slow disk.
	lostAfter = 10 * time.Millisecond

	// countEvery is how often the number of processors is looked up, which a container's limits
	// can change.
	countEvery = time.Second
)

// turn is a thread's part in taking turns.
type turn struct {
	held    atomic.Bool   // Written with Scheduler.mu held.
	seen    atomic.Int64  // When the thread last began a slice.
	granted chan struct{} // Gets something when the thread gets a turn that it waited for.
	done    <-chan struct{}
	timer   *time.Timer
	start   int64 // Protected by Scheduler.mu.
}

// share is a guest's part in taking turns. It is protected by Scheduler.mu.
type share struct {
	queue   []*Thread // The threads that wait for a turn, by the order in which they came.
	holding int       // The number of threads that have one.
	offset  int64     // See vtime.
	key     int64     // What vtime was when the guest was last put in order.
	index   int       // In Scheduler.waiting.
}

// vtime is what the guest has computed, on a scale on which all guests that have been active for as
// long as each other are equal: one that becomes active starts at the least of those that are, so
// that it neither makes up for the time in which it wanted nothing, nor pays for it.
func (g *Guest) vtime() int64 { return g.computed.Load() + g.share.offset }

// takeTurn makes sure that a busy guest's thread has a turn, and hands it over if it has had it for
// that long. It reports false if the thread had to wait.
func (s *Scheduler) takeTurn(t *Thread, now int64, length time.Duration) (immediately bool) {
	if !t.turn.held.Load() {
		return s.acquire(t)
	}
	if s.queued.Load() == 0 || now-t.turn.start < int64(length) {
		return true
	}
	t.flush(now)
	s.mu.Lock()
	next := s.first()
	if next == nil || next.vtime() > t.guest.vtime() || !t.turn.held.Load() {
		t.turn.start = now
		s.mu.Unlock()
		return true
	}
	s.drop(t)
	s.enqueue(t)
	s.grant()
	s.mu.Unlock()
	s.await(t)
	return false
}

// acquire gets a thread a turn. It reports whether there was one at once.
func (s *Scheduler) acquire(t *Thread) (immediately bool) {
	s.mu.Lock()
	s.activate(t.guest)
	s.enqueue(t)
	s.grant()
	if immediately = t.turn.held.Load(); immediately {
		<-t.turn.granted
	}
	s.mu.Unlock()
	if !immediately {
		s.await(t)
	}
	return immediately
}

// release gives a thread's turn to others.
func (s *Scheduler) release(t *Thread) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.drop(t)
	s.grant()
}

// await waits until a thread that was enqueued gets its turn, or its guest ends.
func (s *Scheduler) await(t *Thread) {
	if t.turn.timer == nil {
		t.turn.timer = time.NewTimer(lostAfter)
	} else {
		t.turn.timer.Reset(lostAfter)
	}
	defer t.turn.timer.Stop()
	for {
		select {
		case <-t.turn.granted:
			// The goroutine that granted the turn has put this one before all others that wait for
			// its processor, and they have waited for longer.
			runtime.Gosched()
			return
		case <-t.turn.timer.C:
			s.revoke()
			t.turn.timer.Reset(lostAfter)
		case <-t.turn.done:
			s.mu.Lock()
			if !s.dequeue(t) {
				<-t.turn.granted
			}
			s.mu.Unlock()
			return
		}
	}
}

// revoke takes the turns of threads that have not been seen for long.
func (s *Scheduler) revoke() {
	s.mu.Lock()
	defer s.mu.Unlock()
	now := s.now()
	for _, t := range slices.Clone(s.holders) {
		if now-t.turn.seen.Load() > int64(lostAfter) {
			s.drop(t)
		}
	}
	s.grant()
}

// The functions below are called with mu held.

// activate puts a guest that has no turn and does not wait for one level with the others.
func (s *Scheduler) activate(g *Guest) {
	if g.share.holding > 0 || len(g.share.queue) > 0 {
		return
	}
	var least int64 = -1
	if first := s.first(); first != nil {
		least = first.vtime()
	}
	for _, t := range s.holders {
		if v := t.guest.vtime(); least < 0 || v < least {
			least = v
		}
	}
	s.vtime = max(s.vtime, least)
	if behind := s.vtime - g.vtime(); behind > 0 {
		g.share.offset += behind
	}
}

func (s *Scheduler) enqueue(t *Thread) {
	g := t.guest
	g.share.queue = append(g.share.queue, t)
	if len(g.share.queue) == 1 {
		g.share.key = g.vtime()
		heap.Push(&s.waiting, g)
	}
	s.queued.Add(1)
}

// dequeue takes a thread out of the queue before it has a turn; false if it has one.
func (s *Scheduler) dequeue(t *Thread) bool {
	g := t.guest
	i := slices.Index(g.share.queue, t)
	if i < 0 {
		return false
	}
	g.share.queue = slices.Delete(g.share.queue, i, i+1)
	if len(g.share.queue) == 0 {
		heap.Remove(&s.waiting, g.share.index)
	}
	s.queued.Add(-1)
	return true
}

// first is the waiting guest that has had the least; nil if none waits. What guests have had grows
// while they wait, by their other threads, so the order is mended here.
func (s *Scheduler) first() *Guest {
	for len(s.waiting) > 0 {
		g := s.waiting[0]
		if v := g.vtime(); v > g.share.key {
			g.share.key = v
			heap.Fix(&s.waiting, 0)
			if s.waiting[0] != g {
				continue
			}
		}
		return g
	}
	return nil
}

// grant hands out the turns that are free.
func (s *Scheduler) grant() {
	now := s.now()
	if now-s.counted > int64(countEvery) {
		s.counted, s.processors = now, runtime.GOMAXPROCS(0)
	}
	for len(s.holders) < s.processors {
		g := s.first()
		if g == nil {
			break
		}
		t := g.share.queue[0]
		s.dequeue(t)
		s.holders = append(s.holders, t)
		g.share.holding++
		t.turn.start = now
		t.turn.seen.Store(now)
		t.turn.held.Store(true)
		t.turn.granted <- struct{}{}
	}
	s.saturated.Store(len(s.holders) >= s.processors)
}

// drop takes a thread's turn, if it has one.
func (s *Scheduler) drop(t *Thread) {
	i := slices.Index(s.holders, t)
	if i < 0 {
		return
	}
	s.holders = slices.Delete(s.holders, i, i+1)
	t.guest.share.holding--
	t.turn.held.Store(false)
	s.saturated.Store(false)
}

// guestHeap orders guests by their keys, the least first.
type guestHeap []*Guest

func (h guestHeap) Len() int           { return len(h) }
func (h guestHeap) Less(i, j int) bool { return h[i].share.key < h[j].share.key }
func (h guestHeap) Swap(i, j int) {
	h[i], h[j] = h[j], h[i]
	h[i].share.index, h[j].share.index = i, j
}

// Push and Pop are for container/heap.
func (h *guestHeap) Push(g any) {
	g.(*Guest).share.index = len(*h)
	*h = append(*h, g.(*Guest))
}

func (h *guestHeap) Pop() any {
	last := len(*h) - 1
	g := (*h)[last]
	(*h)[last] = nil
	*h = (*h)[:last]
	return g
}
