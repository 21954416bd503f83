package kernel

import (
	"net"
	"syscall"
	"time"
	"unsafe"

	"golang.org/x/sys/windows"

	"github.com/wasport/wasport/network"
)

// waiters holds the poll sets in which calls wait for a handle. Each waiting call takes an OS
// thread.
type waiters struct {
	sets pollSets
}

// wakeAll wakes every waiting call, which then finds the handle closed.
func (h *handle) wakeAll() {
	h.sets.wake()
}

// closeFD closes the descriptor.
func (h *handle) closeFD() error {
	h.sets.close()
	return posix(windows.Closesocket(h.fd))
}

// Wait implements network.Socket.
func (s *socket) Wait(want network.Events, deadline time.Time) (network.Events, error) {
	if !s.acquire() {
		return 0, net.ErrClosed
	}
	defer s.release()
	if got, err := s.pollNow(want); got != 0 || err != nil {
		return got, err
	}
	return s.waitInSet(want, deadline)
}

// The values of winsock2.h.
const (
	// POLLRDNORM.
	pollIn = 0x0100
	// POLLWRNORM.
	pollOut   = 0x0010
	pollError = 0x0001
	pollHup   = 0x0002
)

type wsaPollFd struct {
	fd              windows.Handle
	events, revents int16
}

func sysPoll(fd descriptor, mask int16) (int16, error) {
	p := wsaPollFd{fd: fd, events: mask}
	r, _, errno := syscall.SyscallN(procWSAPoll.Addr(), uintptr(unsafe.Pointer(&p)), 1, 0)
	if int32(r) < 0 {
		return 0, posix(errno)
	}
	return p.revents, nil
}

// pollNow returns the events that hold now. Windows reports POLLHUP when the peer has shut down its
// sending direction, which poll(2) of Linux reports as POLLIN; so it counts as Readable, not as
// Hangup.
func pollNow(fd descriptor, want network.Events) (network.Events, error) {
	var mask int16
	if want&network.Readable != 0 {
		mask |= pollIn
	}
	if want&network.Writable != 0 {
		mask |= pollOut
	}
	mask, err := sysPoll(fd, mask)
	var got network.Events
	if mask&(pollIn|pollHup) != 0 {
		got |= network.Readable
	}
	if mask&pollOut != 0 {
		got |= network.Writable
	}
	got &= want
	// A reset is a hang-up as well, or only that.
	if mask&pollError != 0 || mask&pollHup != 0 && resetError(fd) != 0 {
		got |= network.Failed
	}
	return got, err
}

// peerEnded reports whether the peer has ended its direction.
func peerEnded(fd descriptor) bool {
	mask, err := sysPoll(fd, pollIn)
	return err == nil && mask&pollHup != 0
}
