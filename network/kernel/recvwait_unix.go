//go:build unix

package kernel

import (
	"net"
	"syscall"
	"time"

	"github.com/wasport/wasport/internal/recvwait"
	"github.com/wasport/wasport/network"
)

var _ recvwait.Socket = (*socket)(nil)

// A receive, a wait and a receive take four system calls: the first one, which finds nothing, a
// poll once Go's poller is armed, since data may have come in between, and the receive after the
// wait. RecvWait arms the poller first. Then the receive that finds nothing is the poll as well.

// waitingRecv is the receive of a RecvWait.
type waitingRecv struct {
	of     *socket
	bufs   [][]byte
	thread recvwait.Thread
	// waited tells that the first attempt found nothing, paused that the thread is to resume.
	waited, paused bool
	n              int
	err            error
	// try is the recvOrPause of the waiter, made once as its check is.
	try func(uintptr) bool
}

// RecvWait implements recvwait.Socket. It expects that it has to wait if the last wait had to.
func (s *socket) RecvWait(bufs [][]byte, t recvwait.Thread) (network.Received, error) {
	p := s.poller.Load()
	if p == nil || !p.read.hasParked.Load() || s.typ != network.Stream {
		return s.Recv(bufs, 0)
	}
	if !s.acquire() {
		return network.Received{}, net.ErrClosed
	}
	var r network.Received
	var err error
	p.read.made.Do(p.read.init)
	select {
	case p.read.sem <- struct{}{}:
		r.N, err = p.receive(waitingRecv{of: s, bufs: bufs, thread: t})
		p.read.unlock()
	default: // another call waits
		r.N, err = s.recvStream(bufs, 0)
	}
	if err == nil {
		r.From = s.peerAddr()
	}
	s.release()
	return r, err
}

// receive is called with the sem of read held.
func (p *poller) receive(call waitingRecv) (int, error) {
	w := &p.read
	if w.hasDeadline {
		if err := p.setDeadline(w, time.Time{}); err != nil {
			return 0, waitError(err)
		}
		w.hasDeadline = false
	}
	if p.handle.closed() { // as in waitUntil
		return 0, net.ErrClosed
	}
	r := w.recv
	if r == nil {
		r = &waitingRecv{try: w.recvOrPause}
		w.recv = r
	}
	call.try = r.try
	*r = call
	err := p.waitFD(w, r.try)
	w.resume()
	n, recvErr := r.n, r.err
	*r = waitingRecv{try: call.try}
	switch {
	case err == nil:
		return n, recvErr
	case p.handle.closed():
		return 0, net.ErrClosed
	}
	return 0, waitError(err)
}

// recvOrPause is called by the poller once it is armed, and again each time that it was woken. It
// reports whether the call is done, and else the poller waits.
func (w *waiter) recvOrPause(uintptr) bool {
	w.resume()
	r := w.recv
	if r.n, r.err = r.of.recvStream(r.bufs, 0); r.err != syscall.EAGAIN {
		if !r.waited {
			w.hasParked.Store(false)
		}
		return true
	}
	r.waited, r.paused = true, true
	r.thread.Pause()
	return false
}

func (w *waiter) resume() {
	if w.recv.paused {
		w.recv.paused = false
		w.recv.thread.Resume()
	}
}
