package sched

import (
	"container/heap"
	"runtime"
	"slices"
	"sync/atomic"
	"time"
)

// Busy guests take turns: no more of their threads compute at a time than there are processors. The
// next turn goes to the guest with the least computed time, and to the thread of it that has waited
// longest. So a guest's share does not depend on its number of threads, and a goroutine that wakes
// up finds only a few others before it in Go's run queue. Guests that mostly wait are not busy and
// need no turn.
const (
	// turnLength is how long a thread computes before it passes its turn to one that waits, which
	// costs 1 usec.
	turnLength = 200 * time.Microsecond

	// revokeAfter is how long a thread may go without a tick before it loses its turn to one that
	// waits. It may be in a call of the host that takes long, such as a read from a slow disk.
	revokeAfter = 10 * time.Millisecond

	// countEvery is how often the number of processors is read, which the limits of a container can
	// change (cgroups(7), cpu).
	countEvery = time.Second
)

// turn is the state of one thread.
type turn struct {
	// held tells that the thread has a turn. Scheduler.mu protects its writes.
	held atomic.Bool
	// lastSeen is the time at which the thread last began a slice.
	lastSeen atomic.Int64
	// granted receives a value when the thread gets a turn that it waited for. It is made at the
	// first such wait, which guests that mostly wait for other things never make.
	granted chan struct{}
	done    <-chan struct{}
	timer   *time.Timer
	// start is the time at which the turn began. Scheduler.mu protects it.
	start int64
}

// share is the state of one guest. Scheduler.mu protects it.
type share struct {
	// queue holds the threads that wait for a turn, first come first.
	queue []*Thread
	// holding is the number of threads that have a turn.
	holding int
	// vtimeOffset is added to the guest's computed time, see vtime.
	vtimeOffset int64
	// heapKey is the vtime by which the guest was last sorted into Scheduler.waiting, at heapIndex.
	heapKey   int64
	heapIndex int
}

// vtime returns the guest's virtual time: its computed time, on a scale where guests that have been
// active for equally long are equal, as the scheduler of Linux has it for threads (sched(7)). A
// guest that becomes active starts at the least virtual time of the active ones. So it neither
// makes up for the time in which it was idle, nor pays for it.
func (g *Guest) vtime() int64 { return g.computed.Load() + g.share.vtimeOffset }

// takeTurn makes sure that a busy guest's thread has a turn, and passes on a turn that has lasted
// for length. It reports false if the thread had to wait.
func (s *Scheduler) takeTurn(t *Thread, now int64, length time.Duration) (immediately bool) {
	if !t.turn.held.Load() {
		return s.acquire(t)
	}
	if s.queued.Load() == 0 || now-t.turn.start < int64(length) {
		return true
	}
	t.flush(now)
	s.mu.Lock()
	next := s.nextGuest()
	if next == nil || next.vtime() > t.guest.vtime() || !t.turn.held.Load() {
		t.turn.start = now
		s.mu.Unlock()
		return true
	}
	s.dropTurn(t)
	s.enqueue(t)
	s.grantTurns()
	s.mu.Unlock()
	s.awaitTurn(t)
	return false
}

// acquire gets a turn for a thread. It reports false if the thread had to wait.
func (s *Scheduler) acquire(t *Thread) (immediately bool) {
	s.mu.Lock()
	s.activate(t.guest)
	s.enqueue(t)
	s.grantTurns()
	if immediately = t.turn.held.Load(); immediately {
		<-t.turn.granted
	}
	s.mu.Unlock()
	if !immediately {
		s.awaitTurn(t)
	}
	return immediately
}

// release passes the turn of a thread on.
func (s *Scheduler) release(t *Thread) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.dropTurn(t)
	s.grantTurns()
}

// awaitTurn waits until an enqueued thread gets its turn, or its guest ends.
func (s *Scheduler) awaitTurn(t *Thread) {
	if t.turn.timer == nil {
		t.turn.timer = time.NewTimer(revokeAfter)
	} else {
		t.turn.timer.Reset(revokeAfter)
	}
	defer t.turn.timer.Stop()
	for {
		select {
		case <-t.turn.granted:
			// The goroutine that granted the turn has put this one at the head of its processor's
			// run queue, before others that have waited longer.
			runtime.Gosched()
			return
		case <-t.turn.timer.C:
			s.revoke()
			t.turn.timer.Reset(revokeAfter)
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

// revoke takes the turns of threads that have not ticked for revokeAfter.
func (s *Scheduler) revoke() {
	s.mu.Lock()
	defer s.mu.Unlock()
	now := s.now()
	for _, t := range slices.Clone(s.holders) {
		if now-t.turn.lastSeen.Load() > int64(revokeAfter) {
			s.dropTurn(t)
		}
	}
	s.grantTurns()
}

// activate raises the virtual time of a guest that has been idle to the least of the active ones.
// The caller holds mu, as the callers of all functions below do.
func (s *Scheduler) activate(g *Guest) {
	if g.share.holding > 0 || len(g.share.queue) > 0 {
		return
	}
	var least int64 = -1
	if first := s.nextGuest(); first != nil {
		least = first.vtime()
	}
	for _, t := range s.holders {
		if v := t.guest.vtime(); least < 0 || v < least {
			least = v
		}
	}
	s.vtime = max(s.vtime, least)
	if behind := s.vtime - g.vtime(); behind > 0 {
		g.share.vtimeOffset += behind
	}
}

func (s *Scheduler) enqueue(t *Thread) {
	if t.turn.granted == nil {
		t.turn.granted = make(chan struct{}, 1)
	}
	g := t.guest
	g.share.queue = append(g.share.queue, t)
	if len(g.share.queue) == 1 {
		g.share.heapKey = g.vtime()
		heap.Push(&s.waiting, g)
	}
	s.queued.Add(1)
}

// dequeue removes a thread from the queue. It reports false if the thread has got its turn.
func (s *Scheduler) dequeue(t *Thread) bool {
	g := t.guest
	i := slices.Index(g.share.queue, t)
	if i < 0 {
		return false
	}
	g.share.queue = slices.Delete(g.share.queue, i, i+1)
	if len(g.share.queue) == 0 {
		heap.Remove(&s.waiting, g.share.heapIndex)
	}
	s.queued.Add(-1)
	return true
}

// nextGuest returns the waiting guest with the least virtual time, or nil. Other threads of a
// waiting guest raise its virtual time, so the order is repaired here.
func (s *Scheduler) nextGuest() *Guest {
	for len(s.waiting) > 0 {
		g := s.waiting[0]
		if v := g.vtime(); v > g.share.heapKey {
			g.share.heapKey = v
			heap.Fix(&s.waiting, 0)
			if s.waiting[0] != g {
				continue
			}
		}
		return g
	}
	return nil
}

// grantTurns gives the free turns to the next threads.
func (s *Scheduler) grantTurns() {
	now := s.now()
	if now-s.processorsAt > int64(countEvery) {
		s.processorsAt, s.processors = now, runtime.GOMAXPROCS(0)
	}
	for len(s.holders) < s.processors {
		g := s.nextGuest()
		if g == nil {
			break
		}
		t := g.share.queue[0]
		s.dequeue(t)
		s.holders = append(s.holders, t)
		g.share.holding++
		t.turn.start = now
		t.turn.lastSeen.Store(now)
		t.turn.held.Store(true)
		t.turn.granted <- struct{}{}
	}
	s.saturated.Store(len(s.holders) >= s.processors)
}

// dropTurn takes a thread's turn, if it has one.
func (s *Scheduler) dropTurn(t *Thread) {
	i := slices.Index(s.holders, t)
	if i < 0 {
		return
	}
	s.holders = slices.Delete(s.holders, i, i+1)
	t.guest.share.holding--
	t.turn.held.Store(false)
	s.saturated.Store(false)
}

// guestHeap orders guests by heapKey, the least first.
type guestHeap []*Guest

func (h guestHeap) Len() int           { return len(h) }
func (h guestHeap) Less(i, j int) bool { return h[i].share.heapKey < h[j].share.heapKey }
func (h guestHeap) Swap(i, j int) {
	h[i], h[j] = h[j], h[i]
	h[i].share.heapIndex, h[j].share.heapIndex = i, j
}

// Push and Pop implement heap.Interface.
func (h *guestHeap) Push(g any) {
	g.(*Guest).share.heapIndex = len(*h)
	*h = append(*h, g.(*Guest))
}

func (h *guestHeap) Pop() any {
	last := len(*h) - 1
	g := (*h)[last]
	(*h)[last] = nil
	*h = (*h)[:last]
	return g
}
