package kernel

import (
	"net"
	"syscall"
	"time"
	"unsafe"

	"golang.org/x/sys/windows"

	"github.com/wasport/wasport/network"
)

// parking is where those who wait for a handle are: in a poll set, each with a thread of the
// system.
type parking struct {
	sets sets
}

// unpark makes all who wait look up.
func (h *handle) unpark() {
	h.sets.wake()
}

// shut closes the descriptor.
func (h *handle) shut() error {
	h.sets.close()
	return posix(windows.Closesocket(h.fd))
}

// Wait blocks until one of the events holds.
func (s *socket) Wait(want network.Events, deadline time.Time) (network.Events, error) {
	if !s.acquire() {
		return 0, net.ErrClosed
	}
	defer s.release()
	if got, err := pollNow(s.fd, want); got != 0 || err != nil {
		return got, err
	}
	return s.waitInSet(want, deadline)
}

// The values of winsock2.h.
const (
	pollIn    = 0x0100 // POLLRDNORM
	pollOut   = 0x0010 // POLLWRNORM
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

// pollNow asks which events hold now. Windows says that a peer has hung up when it will send no
// more, which is the end of a stream to read, and no Hangup.
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
	if mask&pollError != 0 {
		got |= network.Failed
	}
	return got, err
}
