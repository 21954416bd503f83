package guard

import (
	"net"
	"net/netip"
	"os"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/wasport/wasport/network"
	"github.com/wasport/wasport/policy"
)

// A socket that may not send for now is not writable, and one that may not receive is not readable:
// else a guest would try, be told to wait, be told that it need not, and so on until it may. So
// where bytes are limited, the guard has its own idea of readiness.

// waiting is what a socket knows for that.
type waiting struct {
	listens  atomic.Bool // what is readable are connections
	connects atomic.Bool // what is writable is the end of a connect
	byHandle atomic.Bool // it is waited for by its handle, of which the guard knows nothing

	watch   sync.Mutex // guards what follows
	ended   chan struct{}
	over    bool
	calls   map[*call]struct{}
	watched network.Events // by a goroutine each
}

// call is somebody to wake when one of the wanted events holds.
type call struct {
	want network.Events
	wake func()
}

// sendWithin sends within the limit of bytes.
func (s *socket) sendWithin(now *regime, bufs [][]byte, to netip.AddrPort) (int, error) {
	i, whole := -1, []byte(nil)
	if now.send != nil {
		s.connects.Store(false) // who sends knows of it
		if d := owed(now.send); d > 0 {
			return 0, s.later(d)
		}
		if s.protocol == policy.TCP {
			bufs, i, whole = cut(bufs, now.send.Burst())
		}
	}
	n, err := s.Socket.Send(bufs, to)
	if i >= 0 {
		bufs[i] = whole
	}
	if err == nil {
		s.net.counters.sent.Add(uint64(n))
		if now.send != nil {
			use(now.send, n)
		}
	}
	return n, err
}

// recvWithin receives, or peeks, within the limit of bytes.
func (s *socket) recvWithin(now *regime, bufs [][]byte, flags network.RecvFlags) (network.Received,
	error) {
	i, whole := -1, []byte(nil)
	if now.recv != nil {
		if d := owed(now.recv); d > 0 {
			return network.Received{}, s.later(d)
		}
		if s.protocol == policy.TCP {
			bufs, i, whole = cut(bufs, now.recv.Burst())
		}
	}
	r, err := s.receive(bufs, flags)
	if i >= 0 {
		bufs[i] = whole
	}
	if err == nil {
		n := s.unseen(r, flags)
		s.net.counters.received.Add(uint64(n))
		if now.recv != nil {
			use(now.recv, n)
		}
	}
	return r, err
}

// later is the error of a call that is over the limit. Who waits for the handle, from a time when
// there was no limit, is told that the socket is ready and comes back at once; so that it does not
// keep a processor busy, it is held up here.
func (s *socket) later(d time.Duration) error {
	const pause = 10 * time.Millisecond
	if s.byHandle.Load() {
		s.sleep(min(d, pause))
	}
	return syscall.EAGAIN
}

// held is which of the wanted events do not count for now, and for how long.
func (s *socket) held(now *regime, want network.Events) (held network.Events, d time.Duration) {
	if want&network.Readable != 0 && now.recv != nil && !s.listens.Load() {
		if d = owed(now.recv); d > 0 {
			held = network.Readable
		}
	}
	if want&network.Writable != 0 && now.send != nil && !s.connects.Load() {
		if e := owed(now.send); e > 0 {
			if held == 0 || e < d {
				d = e
			}
			held |= network.Writable
		}
	}
	return held, d
}

// shown is what remains of the events if some are held. That the peer has gone is not shown either:
// it would be tried to read what it has left behind.
func shown(got, held network.Events) network.Events {
	if held != 0 {
		got &^= held | network.Hangup
	}
	return got
}

func (s *socket) Poll(want network.Events) (network.Events, error) {
	now := s.net.now.Load()
	if !now.bytes() {
		return s.Socket.Poll(want)
	}
	held, _ := s.held(now, want)
	got, err := s.Socket.Poll(want)
	return shown(got, held), err
}

func (s *socket) Wait(want network.Events, deadline time.Time) (network.Events, error) {
	for {
		now := s.net.now.Load()
		held, d := network.Events(0), time.Duration(0)
		if now.bytes() {
			held, d = s.held(now, want)
		}
		if held == 0 {
			return s.Socket.Wait(want, deadline)
		}
		until := time.Now().Add(d)
		if !deadline.IsZero() && deadline.Before(until) {
			until = deadline
		}
		got, err := s.Socket.Wait(want&^held, until)
		if got = shown(got, held); got != 0 {
			return got, nil
		}
		if err != nil && err != os.ErrDeadlineExceeded {
			return 0, err
		}
		if err := s.sleep(time.Until(until)); err != nil { // if something woke it that is not shown
			return 0, err
		}
		if !deadline.IsZero() && !time.Now().Before(deadline) {
			return 0, os.ErrDeadlineExceeded
		}
	}
}

// sleep ends early with the socket.
func (s *socket) sleep(d time.Duration) error {
	if d <= 0 {
		return nil
	}
	s.watch.Lock()
	if s.over {
		s.watch.Unlock()
		return net.ErrClosed
	}
	if s.ended == nil {
		s.ended = make(chan struct{})
	}
	ended := s.ended
	s.watch.Unlock()
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-ended:
		return net.ErrClosed
	}
}

// end wakes those who sleep.
func (w *waiting) end() {
	w.watch.Lock()
	defer w.watch.Unlock()
	w.over = true
	if w.ended != nil {
		close(w.ended)
	}
}

// Readiness is that of the socket beneath, as long as bytes are not limited.
func (s *socket) Readiness() network.Readiness {
	if s.net.now.Load().bytes() {
		return network.Readiness{Notify: s.notify}
	}
	s.byHandle.Store(true)
	return s.Socket.Readiness()
}

// lookForFailure is how often a socket under a limit is looked at that is only waited for to fail.
const lookForFailure = 100 * time.Millisecond

// notify lets a goroutine for each direction wait, and go on waiting when nobody wants to know any
// more; the next who does finds it there. It ends with the socket at the latest.
func (s *socket) notify(want network.Events, wake func()) (stop func()) {
	if want == 0 { // failures alone, which take no event to wait for
		t := time.AfterFunc(lookForFailure, wake)
		return func() { t.Stop() }
	}
	c := &call{want, wake}
	s.watch.Lock()
	defer s.watch.Unlock()
	if s.calls == nil {
		s.calls = make(map[*call]struct{})
	}
	s.calls[c] = struct{}{}
	for _, e := range [...]network.Events{network.Readable, network.Writable} {
		if want&e != 0 && s.watched&e == 0 {
			s.watched |= e
			go s.await(e)
		}
	}
	return func() {
		s.watch.Lock()
		defer s.watch.Unlock()
		delete(s.calls, c)
	}
}

// await waits for an event once, and wakes whoever wants it.
func (s *socket) await(e network.Events) {
	s.Wait(e, time.Time{}) // whatever it is, the others look for themselves
	s.watch.Lock()
	s.watched &^= e
	var wake []func()
	for c := range s.calls {
		if c.want&e != 0 {
			wake = append(wake, c.wake)
			delete(s.calls, c)
		}
	}
	s.watch.Unlock()
	for _, f := range wake {
		f()
	}
}
