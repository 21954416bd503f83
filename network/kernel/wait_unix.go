//go:build unix

package kernel

import (
	"errors"
	"net"
	"os"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"github.com/wasport/wasport/network"
)

// poller is a socket's registration with Go's poller. The first Wait that has to block makes it: to
// register costs as much as to make the socket, and most sockets of a busy guest never need it.
type poller struct {
	handle *handle
	// file owns the descriptor from now on.
	file        *os.File
	raw         syscall.RawConn // of file
	read, write waiter
}

// waiter waits in one direction. Go's poller takes one reader and one writer of a file, each with
// one deadline. Calls that wait in the same direction therefore hold sem one after the other.
type waiter struct {
	// made tells that sem and check are: most sockets wait in one direction only.
	made sync.Once
	// sem is a semaphore of 1. Its holder alone uses the fields below.
	sem chan struct{}
	// check is made once, since a closure made by each call would be allocated.
	check func(uintptr) bool
	// hasParked tells that the last wait did not end at once. RecvWait reads it without sem.
	hasParked atomic.Bool
	// recv is the call of RecvWait that waits. It is nil before the first.
	recv *waitingRecv

	// hasDeadline tells that the file has a deadline.
	hasDeadline bool
	// checked tells that check has polled the descriptor in this call.
	checked bool
	want    network.Events
	got     network.Events
	err     error
}

// waiters holds the places where calls wait for a handle.
type waiters struct {
	sets   pollSets
	poller atomic.Pointer[poller]
	// registerMu is held by the one Wait that makes the poller.
	registerMu sync.Mutex
}

// wakeAll wakes every waiting call, by expiring its deadline or by waking its poll set. Each call
// then finds the handle closed.
func (h *handle) wakeAll() {
	h.sets.wake()
	if p := h.poller.Load(); p != nil {
		p.file.SetDeadline(time.Unix(1, 0))
	}
}

// closeFD closes the descriptor. The poller's file owns it once there is one.
func (h *handle) closeFD() error {
	h.sets.close()
	if p := h.poller.Load(); p != nil {
		return p.file.Close()
	}
	if h.closesAtOnce.Load() {
		return sysCloseAtOnce(h.fd)
	}
	return unix.Close(h.fd)
}

// Wait implements network.Socket. After the poller wakes it, Wait reports the wanted event without
// asking the kernel again, which saves 1/12 of a round trip. Callers retry on EAGAIN. A Wait in
// both directions uses a poll set and costs more, since Go's poller wakes readers and writers
// separately. So does one for a socket that holds a datagram ahead, which Go's poller cannot see.
func (s *socket) Wait(want network.Events, deadline time.Time) (network.Events, error) {
	if !s.acquire() {
		return 0, net.ErrClosed
	}
	defer s.release()
	if want&network.Writable != 0 {
		if err := s.congestion.pause(deadline); err != nil {
			return 0, err
		}
	}
	if both := network.Readable | network.Writable; want&both == both || s.ahead != nil {
		return s.waitInSet(want, deadline)
	}
	p := s.poller.Load()
	if p == nil {
		// A socket that is ready needs no registration.
		if got, err := s.pollNow(want); got != 0 || err != nil {
			return got, err
		}
		var err error
		if p, err = s.register(); err != nil {
			return 0, err
		}
	}
	if want&network.Writable != 0 {
		return p.waitUntil(&p.write, want, deadline)
	}
	return p.waitUntil(&p.read, want, deadline)
}

func (h *handle) register() (*poller, error) {
	h.registerMu.Lock()
	defer h.registerMu.Unlock()
	if p := h.poller.Load(); p != nil {
		return p, nil
	}
	f := os.NewFile(uintptr(h.fd), "socket")
	rc, err := f.SyscallConn()
	if err != nil {
		return nil, err
	}
	p := &poller{handle: h, file: f, raw: rc}
	h.poller.Store(p)
	return p, nil
}

func (w *waiter) init() {
	w.sem = make(chan struct{}, 1)
	// The poller calls check twice. The first call comes after the poller was armed, so that an
	// event after this poll wakes it. The second call comes after it was woken.
	w.check = func(fd uintptr) bool {
		if w.checked && w.want != 0 {
			w.got = w.want
			return true
		}
		w.checked = true
		w.got, w.err = pollNow(int(fd), w.want)
		ready := w.got != 0 || w.err != nil
		if w.hasParked.Load() == ready {
			w.hasParked.Store(!ready)
		}
		return ready
	}
}

// setDeadline sets the deadline of a direction, and waitFD waits in it.
func (p *poller) setDeadline(w *waiter, deadline time.Time) error {
	if w == &p.write {
		return p.file.SetWriteDeadline(deadline)
	}
	return p.file.SetReadDeadline(deadline)
}

func (p *poller) waitFD(w *waiter, check func(uintptr) bool) error {
	if w == &p.write {
		return p.raw.Write(check)
	}
	return p.raw.Read(check)
}

func (p *poller) waitUntil(
	w *waiter, want network.Events, deadline time.Time,
) (network.Events, error) {
	w.made.Do(w.init)
	if err := w.lock(deadline); err != nil {
		return 0, err
	}
	defer w.unlock()
	if timed := !deadline.IsZero(); timed || w.hasDeadline {
		if err := p.setDeadline(w, deadline); err != nil {
			return 0, waitError(err)
		}
		w.hasDeadline = timed
	}
	// Close marks the handle closed and then expires the deadline. If setDeadline above came after
	// that, it has undone the second step, so the first is checked here.
	if p.handle.closed() {
		return 0, net.ErrClosed
	}
	w.want, w.got, w.err, w.checked = want, 0, nil, false
	err := p.waitFD(w, w.check)
	switch {
	case p.handle.closed():
		return 0, net.ErrClosed
	case err == nil:
		return w.got, w.err
	case errors.Is(err, os.ErrDeadlineExceeded):
		if got, err := pollNow(p.handle.fd, want); got != 0 || err != nil {
			return got, err
		}
		w.hasParked.Store(true) // check was not called if the deadline had passed before
	}
	return 0, waitError(err)
}

// lock acquires sem, or returns os.ErrDeadlineExceeded.
func (w *waiter) lock(deadline time.Time) error {
	select {
	case w.sem <- struct{}{}:
		return nil
	default:
	}
	if deadline.IsZero() {
		w.sem <- struct{}{}
		return nil
	}
	t := time.NewTimer(time.Until(deadline))
	defer t.Stop()
	select {
	case w.sem <- struct{}{}:
		return nil
	case <-t.C:
		return os.ErrDeadlineExceeded
	}
}

func (w *waiter) unlock() {
	<-w.sem
}

// waitError converts an error of Go's poller. Its other errors are a lack of resources.
func waitError(err error) error {
	switch {
	case err == nil:
		return nil
	case errors.Is(err, os.ErrDeadlineExceeded):
		return os.ErrDeadlineExceeded
	case errors.Is(err, os.ErrClosed):
		return net.ErrClosed
	}
	return errors.Join(err, syscall.ENOBUFS)
}
