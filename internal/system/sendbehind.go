package system

import (
	"net/netip"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/wasport/wasport/internal/monotonic"
	"github.com/wasport/wasport/internal/sendbehind"
	"github.com/wasport/wasport/internal/shortcut"
	"github.com/wasport/wasport/network"
)

const (
	// sendBehindMax is how many bytes a send may have to be held.
	sendBehindMax = 4 << 10

	// minSendRun is how many sends in a row the kernel must have taken before the next is held:
	// then more are likely to follow. Each time that a flush finds a single one, the number
	// doubles, up to maxSendRun.
	minSendRun = 4
	maxSendRun = 4096

	// holdFor is how long a send is held at most, by a timer of Go's, which may be a millisecond
	// late while the processors are idle. A guest that goes on flushes sooner: one that computes by
	// its ticks, one that sends by its steps.
	holdFor = 100 * time.Microsecond

	// flushAgainAfter is the time until the next attempt when the kernel has no room.
	flushAgainAfter = time.Millisecond
)

// sendBehind is the state of a thread with small sends that are held, by package sendbehind: a
// system call for 32 KiB costs about as much as a few for 1 KiB, and one for 32 datagrams less than
// two for one each. At most one socket of a thread holds sends.
//
// A guest must not notice. So everything is flushed before the thread does anything but a send
// through the same socket: before every other call (EnterCall), at each tick of computing code, at
// its return to the embedder and its end. What is held for holdFor is flushed by the timer or, if
// the timer is late, by the steps of further sends (ChargeSteps). An error of the flush is
// kept for the next call that returns one, as that of bytes in the kernel's buffer is. Sends are
// held only after others of the same kind that the kernel took, with nothing between them: the
// connection stands then. A guest with several threads has no sends held, since one thread could
// tell another of them.
//
// The thread alone uses the fields that are not atomic.
type sendBehind struct {
	// announced tells that the thread has called EnterSend, and nothing else since.
	announced bool

	// last is the socket of the run: of the latest sends, with no other call between them. to is
	// their destination.
	last *socket
	to   netip.AddrPort
	// run counts the sends of the run, runNeeded is the value from which on sends are held; at
	// least minSendRun.
	run, runNeeded int

	// socket may hold sends, as many as sends. It is nil if none does.
	socket atomic.Pointer[socket]
	sends  int

	timer *time.Timer
	// armed tells that the timer will call flushLate.
	armed atomic.Bool
}

// enableSendBehind decides whether sends of a socket that only this guest has may be held.
func (g *Guest) enableSendBehind(s *socket) {
	needed := shortcut.SendBehind
	if s.Type() == network.Datagram {
		needed = shortcut.Segments
	}
	if g.shortcuts.Has(needed) {
		s.behind, _ = s.Socket.(sendbehind.Socket)
	}
}

// hold holds a send, or reports that the caller must send it.
func (t *Thread) hold(s *socket, bufs [][]byte, to netip.AddrPort,
	c *network.Control) (int, bool) {
	n := 0
	for _, b := range bufs {
		n += len(b)
	}
	b := &t.behind
	announced := b.announced
	if b.last != s || b.to != to || n > sendBehindMax || c != nil {
		t.endSendRun()
		b.last, b.to = s, to
	}
	if !announced || b.run < max(b.runNeeded, minSendRun) || s.behind == nil ||
		s.pendingError.Load() != 0 || t.table.multiThreaded.Load() {
		return 0, false
	}
	if other := b.socket.Load(); other != nil && other != s {
		return 0, false // its flush was EAGAIN, and the timer tries again for one socket only
	}
	result := s.behind.Hold(bufs, to)
	if result == sendbehind.Refused && b.socket.Load() != nil {
		if t.flushHeld(); s.pendingError.Load() == 0 {
			result = s.behind.Hold(bufs, to)
		}
	}
	switch result {
	case sendbehind.Refused:
		b.run = 0 // the socket may be one that never holds any
		return 0, false
	case sendbehind.First:
		b.socket.Store(s)
		b.arm(t, holdFor)
	}
	b.sends++
	return n, true
}

// noteSend notes whether the kernel took a send that was not held.
func (b *sendBehind) noteSend(taken bool) {
	if !taken {
		b.run = 0
	} else if b.run < maxSendRun {
		b.run++
	}
}

// endSendRun flushes before something that the guest could tell apart from a send.
func (t *Thread) endSendRun() {
	t.flushHeld()
	t.behind.run, t.behind.announced = 0, false
}

// flushHeld flushes the socket that holds sends of the thread.
func (t *Thread) flushHeld() {
	b := &t.behind
	s := b.socket.Load()
	if s == nil {
		return
	}
	switch {
	case b.sends > 1:
		b.runNeeded = 0
	case b.sends == 1:
		b.runNeeded = min(max(2*b.runNeeded, 2*minSendRun), maxSendRun)
		b.run = 0
	}
	b.sends = 0
	if s.flush() {
		b.socket.Store(nil)
	}
}

// flushOld flushes sends of the thread that are held for holdFor.
func (t *Thread) flushOld() {
	s := t.behind.socket.Load()
	if s == nil {
		return
	}
	if since, held := s.behind.HeldSince(); !held || monotonic.Since(since) >= holdFor {
		t.flushHeld()
	}
}

// flush flushes the held sends, and reports whether none is left.
func (s *socket) flush() bool {
	err := s.behind.Flush()
	if err == syscall.EAGAIN {
		return false // the timer goes on
	}
	s.keepError(err)
	return true
}

// arm has flushLate called after d.
func (b *sendBehind) arm(t *Thread, d time.Duration) {
	if !b.armed.CompareAndSwap(false, true) {
		return
	}
	if b.timer == nil {
		b.timer = time.AfterFunc(time.Hour, t.flushLate)
	}
	b.timer.Reset(d)
}

// flushLate is called by the timer. It flushes sends that are held for holdFor, and comes again for
// later ones.
func (t *Thread) flushLate() {
	b := &t.behind
	b.armed.Store(false)
	s := b.socket.Load()
	if s == nil {
		return
	}
	since, held := s.behind.HeldSince()
	if !held {
		return
	}
	left := holdFor - monotonic.Since(since)
	if left <= 0 {
		done := false
		t.elsewhere.Add(int64(t.schedThread.Measure(func() { done = s.flush() })))
		if done {
			return
		}
		left = flushAgainAfter
	}
	b.arm(t, left)
}

// flushThreads flushes the held sends of all threads, before the guest's end.
func (g *Guest) flushThreads() {
	g.mu.Lock()
	defer g.mu.Unlock()
	for _, t := range g.threads {
		if s := t.behind.socket.Load(); s != nil {
			s.flush()
		}
	}
}
