//go:build unix

package sched

import (
	"os"
	"time"

	"golang.org/x/sys/unix"
)

// netpollKicker writes to a pipe(7) that Go's poller watches, and waits until the pipe can be read.
// The poller reports that when Go's scheduler looks at the network, by epoll_wait(2) or kevent(2),
// which then finds all other arrivals too.
type netpollKicker struct {
	// in and out are nil until the first kick.
	in, out *os.File
	// failed tells that the pipe could not be made.
	failed bool
	wait   func(func(uintptr) bool) error
	// check is made once, since a closure made by each kick would be allocated.
	check func(uintptr) bool
	// written tells that the pipe holds a byte. A byte that comes too late for one kick ends the
	// next.
	written bool
	buf     [1]byte
}

// kick makes the scheduler look at the network, and waits for it for at most kickFor. One thread at
// a time calls it.
func (k *netpollKicker) kick() {
	if k.in == nil && (k.failed || !k.open()) {
		return
	}
	k.in.SetReadDeadline(time.Now().Add(kickFor))
	k.wait(k.check)
}

func (k *netpollKicker) open() bool {
	in, out, err := os.Pipe()
	if err != nil {
		k.failed = true
		return false
	}
	raw, err := in.SyscallConn()
	if err != nil {
		in.Close()
		out.Close()
		k.failed = true
		return false
	}
	k.in, k.out, k.wait = in, out, raw.Read
	k.check = k.checkPipe
	return true
}

// checkPipe is called by the poller before it waits, when it writes, and again once the pipe can be
// read.
func (k *netpollKicker) checkPipe(fd uintptr) bool {
	if k.written {
		_, err := unix.Read(int(fd), k.buf[:])
		k.written = err != nil
		return true
	}
	_, err := k.out.Write(k.buf[:])
	k.written = err == nil
	return err != nil
}

func (k *netpollKicker) close() {
	if k.in != nil {
		k.in.Close()
		k.out.Close()
	}
}
