//go:build unix

package sched

import (
	"os"
	"time"

	"golang.org/x/sys/unix"
)

// netpollKicker writes to a pipe that Go's poller watches, and waits until it can be read. The
// poller tells it when Go's scheduler looks at the network, which then finds all else that has
// arrived.
type netpollKicker struct {
	in, out *os.File // Nil until the first kick.
	failed  bool     // There are no descriptors for them.
	wait    func(func(uintptr) bool) error
	check   func(uintptr) bool // Made once, since it would be allocated for each kick.
	written bool               // And not read; what came too late for one kick ends the next.
	byte    [1]byte
}

// kick makes the scheduler look, and waits for that no longer than kickFor. It is called by one
// thread at a time.
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

// checkPipe is called before the poller waits, where it writes, and when there is something to
// read.
func (k *netpollKicker) checkPipe(fd uintptr) bool {
	if k.written {
		_, err := unix.Read(int(fd), k.byte[:])
		k.written = err != nil
		return true
	}
	_, err := k.out.Write(k.byte[:])
	k.written = err == nil
	return err != nil
}

func (k *netpollKicker) close() {
	if k.in != nil {
		k.in.Close()
		k.out.Close()
	}
}
