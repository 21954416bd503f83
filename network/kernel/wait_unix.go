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

// poller is a socket's place in Go's poller. It is made by the first Wait that has to wait:
// registration costs as much as making the socket, and most sockets of a busy guest never need it.
type poller struct {
	file        *os.File // owns the descriptor from now on
	read, write waiter
}

// waiter waits in one direction. Go's poller knows one reader and one writer of a file, with one
// deadline each, so those who wait in the same direction take turns: the first is woken by the
// poller, the others by those before them.
type waiter struct {
	handle      *handle
	wait        func(func(uintptr) bool) error // the Read or Write of a syscall.RawConn
	setDeadline func(time.Time) error
	check       func(uintptr) bool // made once, since it would be allocated for each call

	turn   chan struct{} // full while someone has the turn, who alone uses what follows
	timed  bool          // whether a deadline is set
	looked bool          // whether the kernel has been asked
	want   network.Events
	got    network.Events
	err    error
}

// parking is where those who wait for a handle are.
type parking struct {
	sets   sets
	poller atomic.Pointer[poller]
	enrol  sync.Mutex // held by the one Wait that makes the poller
}

// unpark makes all who wait look up.
func (h *handle) unpark() {
	h.sets.wake()
	if p := h.poller.Load(); p != nil {
		p.file.SetDeadline(time.Unix(1, 0))
	}
}

// shut closes the descriptor.
func (h *handle) shut() error {
	h.sets.close()
	if p := h.poller.Load(); p != nil {
		return p.file.Close()
	}
	return unix.Close(h.fd)
}

// Wait blocks until one of the events holds. Once the poller has woken it, it takes the wanted
// event for granted, as do its callers, who try and wait again: to ask the kernel which it was
// would cost a twelfth of a round trip. To wait in both directions costs more, since the poller
// wakes readers and writers apart.
func (s *socket) Wait(want network.Events, deadline time.Time) (network.Events, error) {
	if !s.acquire() {
		return 0, net.ErrClosed
	}
	defer s.release()
	if both := network.Readable | network.Writable; want&both == both {
		return s.waitInSet(want, deadline)
	}
	p := s.poller.Load()
	if p == nil {
		// What is ready by now needs no poller.
		if got, err := pollNow(s.fd, want); got != 0 || err != nil {
			return got, err
		}
		var err error
		if p, err = s.register(); err != nil {
			return 0, err
		}
	}
	if want&network.Writable != 0 {
		return p.write.until(want, deadline)
	}
	return p.read.until(want, deadline)
}

func (h *handle) register() (*poller, error) {
	h.enrol.Lock()
	defer h.enrol.Unlock()
	if p := h.poller.Load(); p != nil {
		return p, nil
	}
	f := os.NewFile(uintptr(h.fd), "socket")
	rc, err := f.SyscallConn()
	if err != nil {
		return nil, err
	}
	p := &poller{file: f}
	p.read.init(h, rc.Read, f.SetReadDeadline)
	p.write.init(h, rc.Write, f.SetWriteDeadline)
	h.poller.Store(p)
	return p, nil
}

func (w *waiter) init(h *handle, wait func(func(uintptr) bool) error,
	setDeadline func(time.Time) error) {
	w.handle, w.wait, w.setDeadline = h, wait, setDeadline
	w.turn = make(chan struct{}, 1)
	// The poller calls it first after it was armed, so that what happens after this look wakes it
	// up, and then when it was woken.
	w.check = func(fd uintptr) bool {
		if w.looked && w.want != 0 {
			w.got = w.want
			return true
		}
		w.looked = true
		w.got, w.err = pollNow(int(fd), w.want)
		return w.got != 0 || w.err != nil
	}
}

func (w *waiter) until(want network.Events, deadline time.Time) (network.Events, error) {
	if err := w.take(deadline); err != nil {
		return 0, err
	}
	defer w.leave()
	if timed := !deadline.IsZero(); timed || w.timed {
		if err := w.setDeadline(deadline); err != nil {
			return 0, waitError(err)
		}
		w.timed = timed
	}
	// Close says that it is closed and then expires the deadline, maybe before the one set above.
	if w.handle.closed() {
		return 0, net.ErrClosed
	}
	w.want, w.got, w.err, w.looked = want, 0, nil, false
	err := w.wait(w.check)
	switch {
	case w.handle.closed():
		return 0, net.ErrClosed
	case err == nil:
		return w.got, w.err
	case errors.Is(err, os.ErrDeadlineExceeded):
		if got, err := pollNow(w.handle.fd, want); got != 0 || err != nil {
			return got, err
		}
	}
	return 0, waitError(err)
}

// take waits for the turn.
func (w *waiter) take(deadline time.Time) error {
	select {
	case w.turn <- struct{}{}:
		return nil
	default:
	}
	if deadline.IsZero() {
		w.turn <- struct{}{}
		return nil
	}
	t := time.NewTimer(time.Until(deadline))
	defer t.Stop()
	select {
	case w.turn <- struct{}{}:
		return nil
	case <-t.C:
		return os.ErrDeadlineExceeded
	}
}

func (w *waiter) leave() {
	<-w.turn
}

// waitError is the error of Go's poller as one of ours. What else can go wrong there is a lack of
// resources.
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
