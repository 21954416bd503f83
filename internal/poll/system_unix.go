//go:build unix && (!linux || portable)

package poll

import (
	"syscall"

	"golang.org/x/sys/unix"
)

type pollFd = unix.PollFd

const (
	pollIn      = unix.POLLIN
	pollOut     = unix.POLLOUT
	pollEnd     = 0 // what else counts as something to read
	pollHangup  = unix.POLLHUP
	pollError   = unix.POLLERR
	pollInvalid = unix.POLLNVAL
)

func makePollFd(fd uintptr, mask int16) pollFd {
	return pollFd{Fd: int32(fd), Events: mask}
}

// systemPoll waits for milliseconds; less than none are for ever.
func systemPoll(fds []pollFd, timeout int) error {
	_, err := unix.Poll(fds, timeout)
	if err == unix.EINTR { // as if the time had passed, which the caller checks
		for i := range fds {
			fds[i].Revents = 0
		}
		return nil
	}
	return err
}

// waker is a pipe to oneself.
type waker struct{ out, in int }

func newWaker() (waker, error) {
	var p [2]int
	syscall.ForkLock.RLock()
	err := unix.Pipe(p[:])
	if err == nil {
		unix.CloseOnExec(p[0])
		unix.CloseOnExec(p[1])
	}
	syscall.ForkLock.RUnlock()
	if err != nil {
		return waker{}, err
	}
	w := waker{p[0], p[1]}
	for _, fd := range p {
		if err := unix.SetNonblock(fd, true); err != nil {
			w.close()
			return waker{}, err
		}
	}
	return w, nil
}

func (w waker) pollFd() pollFd { return makePollFd(uintptr(w.out), pollIn) }

func (w waker) wake() { unix.Write(w.in, []byte{0}) }

func (w waker) drain() {
	var b [8]byte
	unix.Read(w.out, b[:])
}

func (w waker) close() {
	unix.Close(w.out)
	unix.Close(w.in)
}
