//go:build unix

package poll

import (
	"syscall"

	"golang.org/x/sys/unix"

	"github.com/wasport/wasport/network"
)

type pollFd = unix.PollFd

const (
	pollIn  = unix.POLLIN
	pollOut = unix.POLLOUT
	// No other bit counts as Readable.
	pollReadEnd = 0
	pollHangup  = unix.POLLHUP
	pollError   = unix.POLLERR
	pollInvalid = unix.POLLNVAL
)

func makePollFd(fd uintptr, mask int16) pollFd {
	return pollFd{Fd: int32(fd), Events: mask}
}

// holdsBefore reports whether the item is ready before the system is asked: poll(2) knows it.
func (i *Item) holdsBefore() bool { return false }

// holds reports whether events of the system make the item ready.
func (i *Item) holds(got network.Events) bool {
	i.Got, i.Err = i.filter(got), nil
	return i.Got != 0
}

// systemPoll waits for timeout milliseconds, or without a limit if timeout is negative.
func systemPoll(fds []pollFd, timeout int) error {
	_, err := unix.Poll(fds, timeout)
	// The call returns as if the time had passed; Wait compares the clock.
	if err == unix.EINTR {
		for i := range fds {
			fds[i].Revents = 0
		}
		return nil
	}
	return err
}

// waker is a pipe. A write makes its reading end readable.
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
