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

// A socket whose limit of bytes is overdrawn is neither writable nor readable, although the kernel
// says that it is. Otherwise a guest would send, get EAGAIN, see the socket writable in poll(2),
// and repeat that until the debt is repaid. So the guard computes readiness itself where bytes are
// limited.

// waitState is the part of a socket that delays and wakes callers.
type waitState struct {
	// usesHandle tells that a caller waits for the socket beneath itself, of whose events the guard
	// sees nothing.
	usesHandle atomic.Bool
	// notified tells that there has been a notification.
	notified atomic.Bool

	// notifyMu protects the fields below.
	notifyMu sync.Mutex
	// ended tells that the socket was closed.
	ended bool
	// watchedEvents are the events for which a goroutine waits.
	watchedEvents network.Events
	// done is closed when the socket is closed. It is nil until the first sleep.
	done          chan struct{}
	notifications map[*notification]struct{}
}

// notification is a call of Readiness.Notify: wake is called when a wanted event begins to hold.
type notification struct {
	want network.Events
	wake func()
	// ofLimits tells that the caller waits for the socket beneath as well, which does not tell when
	// a limit of bytes no longer holds an event back.
	ofLimits bool
	// failureTimer calls wake after failurePollInterval. It is nil unless want is 0.
	failureTimer *time.Timer
}

// sendLimited sends within the limit of bytes.
func (s *socket) sendLimited(active *policySnapshot, bufs [][]byte, to netip.AddrPort,
	c *network.Control) (int, error) {
	i, original := -1, []byte(nil)
	if active.sendBytes != nil {
		s.noteSent()
		if d := delay(active.sendBytes); d > 0 {
			return 0, s.overLimit(d)
		}
		if s.protocol == policy.TCP {
			bufs, i, original = truncateBufs(bufs, active.sendBytes.Burst())
		}
	}
	n, err := s.baseSend(bufs, to, c)
	if i >= 0 {
		bufs[i] = original
	}
	if err == nil {
		s.net.counters.sentBytes.Add(uint64(n))
		if active.sendBytes != nil {
			charge(active.sendBytes, n)
		}
	}
	return n, err
}

// recvLimited receives, or peeks, within the limit of bytes.
func (s *socket) recvLimited(active *policySnapshot, bufs [][]byte, flags network.RecvFlags,
	c *network.Control) (network.Received, error) {
	i, original := -1, []byte(nil)
	if active.recvBytes != nil {
		if d := delay(active.recvBytes); d > 0 {
			return network.Received{}, s.overLimit(d)
		}
		if s.protocol == policy.TCP {
			bufs, i, original = truncateBufs(bufs, active.recvBytes.Burst())
		}
	}
	r, err := s.recvAdmitted(bufs, flags, c)
	if i >= 0 {
		bufs[i] = original
	}
	if err == nil {
		n := s.countUnpeeked(r, flags)
		s.net.counters.receivedBytes.Add(uint64(n))
		if active.recvBytes != nil {
			charge(active.recvBytes, n)
		}
	}
	return r, err
}

// overLimit returns EAGAIN, the error of a call over the limit. A caller may have taken the
// descriptor of the socket while there was no limit. The kernel then says at once that the socket
// is ready, so overLimit sleeps first; otherwise that caller would keep a processor busy.
func (s *socket) overLimit(d time.Duration) error {
	const pause = 10 * time.Millisecond
	if s.usesHandle.Load() {
		s.sleep(min(d, pause))
	}
	return syscall.EAGAIN
}

// throttled returns the wanted events that a limit holds back, and the time until the first of them
// no longer is. Neither the connections of a listener nor the end of a connect is a byte, so these
// are never held back.
func (s *socket) throttled(active *policySnapshot,
	want network.Events) (events network.Events, d time.Duration) {
	state := s.state()
	if want&network.Readable != 0 && active.recvBytes != nil && state != stateListening {
		if d = delay(active.recvBytes); d > 0 {
			events = network.Readable
		}
	}
	if want&network.Writable != 0 && active.sendBytes != nil && state != stateConnecting {
		if sendDelay := delay(active.sendBytes); sendDelay > 0 {
			if events == 0 || sendDelay < d {
				d = sendDelay
			}
			events |= network.Writable
		}
	}
	return events, d
}

// withoutThrottled removes the throttled events. It removes Hangup as well, since a caller that
// sees it reads the rest of the stream (poll(2), POLLHUP).
func withoutThrottled(got, throttled network.Events) network.Events {
	if throttled != 0 {
		got &^= throttled | network.Hangup
	}
	return got
}

// Poll returns the wanted events that hold and that no limit holds back.
func (s *socket) Poll(want network.Events) (network.Events, error) {
	active := s.net.active.Load()
	throttled := network.Events(0)
	if active.limitsBytes() {
		throttled, _ = s.throttled(active, want)
	}
	got, err := s.Socket.Poll(want)
	got = withoutThrottled(got, throttled)
	if want == 0 || want&^got != 0 {
		s.watchAgain(want &^ got)
	}
	return got, err
}

// Wait waits for a wanted event that holds and that no limit holds back.
func (s *socket) Wait(want network.Events, deadline time.Time) (network.Events, error) {
	for {
		// 1. Without a throttled event, wait in the kernel alone.
		active := s.net.active.Load()
		throttled, d := network.Events(0), time.Duration(0)
		if active.limitsBytes() {
			throttled, d = s.throttled(active, want)
		}
		if throttled == 0 {
			return s.Socket.Wait(want, deadline)
		}

		// 2. Wait for the other events until the limit allows more.
		until := time.Now().Add(d)
		if !deadline.IsZero() && deadline.Before(until) {
			until = deadline
		}
		got, err := s.Socket.Wait(want&^throttled, until)
		if got = withoutThrottled(got, throttled); got != 0 {
			return got, nil
		}
		if err != nil && err != os.ErrDeadlineExceeded {
			return 0, err
		}

		// 3. An event that was removed may have ended the wait early, and would again.
		if err := s.sleep(time.Until(until)); err != nil {
			return 0, err
		}
		if !deadline.IsZero() && !time.Now().Before(deadline) {
			return 0, os.ErrDeadlineExceeded
		}
	}
}

// sleep returns after d, or with net.ErrClosed when the socket is closed.
func (s *socket) sleep(d time.Duration) error {
	if d <= 0 {
		return nil
	}
	s.notifyMu.Lock()
	if s.ended {
		s.notifyMu.Unlock()
		return net.ErrClosed
	}
	if s.done == nil {
		s.done = make(chan struct{})
	}
	done := s.done
	s.notifyMu.Unlock()
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-done:
		return net.ErrClosed
	}
}

// endWaits ends every sleep.
func (w *waitState) endWaits() {
	w.notifyMu.Lock()
	defer w.notifyMu.Unlock()
	w.ended = true
	if w.done != nil {
		close(w.done)
	}
}

// Readiness returns that of the socket beneath if bytes are not limited, and otherwise one that
// takes the limits into account. A later policy may limit bytes, so the first can tell, too, when a
// limit no longer holds an event back.
func (s *socket) Readiness() network.Readiness {
	if s.net.active.Load().limitsBytes() {
		return network.Readiness{Notify: s.notify}
	}
	s.usesHandle.Store(true)
	way := s.Socket.Readiness()
	resume := func(want network.Events, wake func()) (stop func()) {
		return s.addNotification(&notification{want: want, wake: wake, ofLimits: true})
	}
	if way.Control != nil {
		way.Resume = resume
		return way
	}
	base := way.Notify
	return network.Readiness{Notify: func(want network.Events, wake func()) (stop func()) {
		remove, stopBase := resume(want, wake), base(want, wake)
		return func() { remove(); stopBase() }
	}}
}

// failurePollInterval is the interval at which notify wakes a caller that wants no event, and so
// waits for a failure alone (poll(2), POLLERR).
const failurePollInterval = 100 * time.Millisecond

// notify calls wake each time that a wanted event begins to hold, until stop is called. One
// goroutine waits for each direction, until the event holds; watchAgain starts it anew when the
// event may have ceased to hold. It goes on when stop is called, so that the next notify finds it,
// and it ends with the socket at the latest.
func (s *socket) notify(want network.Events, wake func()) (stop func()) {
	n := &notification{want: want, wake: wake}
	if want == 0 {
		n.failureTimer = time.AfterFunc(failurePollInterval, wake)
	}
	stop = s.addNotification(n)
	s.notified.Store(true)
	s.notifyMu.Lock()
	defer s.notifyMu.Unlock()
	s.watch(want)
	return stop
}

func (s *socket) addNotification(n *notification) (remove func()) {
	s.notifyMu.Lock()
	defer s.notifyMu.Unlock()
	if s.notifications == nil {
		s.notifications = make(map[*notification]struct{})
	}
	s.notifications[n] = struct{}{}
	return func() {
		s.notifyMu.Lock()
		defer s.notifyMu.Unlock()
		delete(s.notifications, n)
		if n.failureTimer != nil {
			n.failureTimer.Stop()
		}
	}
}

// watchAgain watches for events that a call has found not to hold, or has used up. Without events
// it watches for a failure alone.
func (s *socket) watchAgain(events network.Events) {
	limited := s.net.active.Load().limitsBytes()
	if !s.mustWatch(limited) {
		return
	}
	s.notifyMu.Lock()
	defer s.notifyMu.Unlock()
	if s.ended {
		return
	}
	wanted := network.Events(0)
	for n := range s.notifications {
		if limited || !n.ofLimits {
			wanted |= n.want
		}
		if n.failureTimer != nil && events == 0 {
			n.failureTimer.Reset(failurePollInterval)
		}
	}
	s.watch(events & wanted)
}

// mayWatch is false for a socket that mustWatch is false for under every policy, as most are.
func (s *socket) mayWatch() bool { return s.notified.Load() || s.usesHandle.Load() }

func (s *socket) mustWatch(limited bool) bool {
	return s.notified.Load() || limited && s.usesHandle.Load()
}

// watchAfter is watchAgain for a call that moved n bytes of bufs, or failed.
func (s *socket) watchAfter(event network.Events, n int, bufs [][]byte) {
	for _, b := range bufs {
		n -= len(b)
	}
	if n < 0 {
		s.watchAgain(event)
	}
}

// watch starts the goroutines for events that have none. notifyMu is held.
func (s *socket) watch(events network.Events) {
	for _, e := range [...]network.Events{network.Readable, network.Writable} {
		if events&e != 0 && s.watchedEvents&e == 0 {
			s.watchedEvents |= e
			go s.watchOnce(e)
		}
	}
}

// watchOnce waits for an event, and then wakes every notification that wants it. It ignores the
// result of Wait, since each caller polls the socket when it is woken.
func (s *socket) watchOnce(e network.Events) {
	s.net.options.Call(func() { s.Wait(e, time.Time{}) })
	s.notifyMu.Lock()
	s.watchedEvents &^= e
	wake := s.wakesOf(e)
	s.notifyMu.Unlock()
	for _, f := range wake {
		f()
	}
}

// wakesOf returns the functions of the notifications that want one of the events. notifyMu is held.
func (s *socket) wakesOf(events network.Events) (wake []func()) {
	for n := range s.notifications {
		if n.want&events != 0 {
			wake = append(wake, n.wake)
		}
	}
	return wake
}

// wakeClosed wakes every notification of a socket that was closed.
func (s *socket) wakeClosed() {
	s.notifyMu.Lock()
	wake := s.wakesOf(network.Readable | network.Writable)
	s.notifyMu.Unlock()
	for _, f := range wake {
		f()
	}
}
