//go:build linux && !portable

package poll

import (
	"errors"
	"os"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"
)

// wakeSlot is the slot of the eventfd(2) that wakes a set.
const wakeSlot = -1

// maxRawEvents is the number of events that the kernel collects too quickly for Go's scheduler to
// need to know of the system call.
const maxRawEvents = 64

// epoll is an epoll descriptor that is registered with Go's poller.
type epoll struct {
	epfd int
	// file owns epfd.
	file *os.File
	// rawRead is the Read method of a syscall.RawConn, and check its argument.
	rawRead func(func(uintptr) bool) error
	check   func(uintptr) bool
	// hasDeadline tells that file has a deadline.
	hasDeadline bool
	events      []unix.EpollEvent
	// n is the number of events that the last pollNow has found, and err its failure.
	n   int
	err error
}

func (p *epoll) open(wakefd int) error {
	fd, err := unix.EpollCreate1(unix.EPOLL_CLOEXEC)
	if err != nil {
		return err
	}
	// The mode has no effect on epoll_wait(2). It tells os.NewFile that Go's poller may have the
	// descriptor.
	if err := unix.SetNonblock(fd, true); err != nil {
		unix.Close(fd)
		return err
	}
	f := os.NewFile(uintptr(fd), "epoll")
	rc, err := f.SyscallConn()
	if err == nil {
		err = unix.EpollCtl(fd, unix.EPOLL_CTL_ADD, wakefd,
			&unix.EpollEvent{Events: unix.EPOLLIN, Fd: wakeSlot})
	}
	if err != nil {
		f.Close()
		return err
	}
	p.epfd, p.file, p.rawRead, p.hasDeadline, p.n = fd, f, rc.Read, false, 0
	p.check = func(uintptr) bool {
		p.pollNow()
		return p.n > 0 || p.err != nil
	}
	p.growEvents(1)
	return nil
}

func (p *epoll) close() {
	p.file.Close()
}

// growEvents makes room for n events, so that one pollNow finds all ready descriptors.
func (p *epoll) growEvents(n int) {
	if n > len(p.events) {
		p.events = make([]unix.EpollEvent, n+n/2)
	}
}

// pollNow finds the descriptors that are ready now.
func (p *epoll) pollNow() {
	for {
		var n uintptr
		var errno unix.Errno
		at := unsafe.Pointer(&p.events[0])
		if len(p.events) <= maxRawEvents {
			n, _, errno = unix.RawSyscall6(unix.SYS_EPOLL_PWAIT, uintptr(p.epfd), uintptr(at),
				uintptr(len(p.events)), 0, 0, 0)
		} else {
			n, _, errno = unix.Syscall6(unix.SYS_EPOLL_PWAIT, uintptr(p.epfd), uintptr(at),
				uintptr(len(p.events)), 0, 0, 0)
		}
		switch errno {
		case unix.EINTR:
			continue
		case 0:
			p.n, p.err = int(n), nil
		default:
			p.n, p.err = 0, errno
		}
		return
	}
}

func (p *epoll) readyEvents() []unix.EpollEvent {
	return p.events[:p.n]
}

// waitFile repeats pollNow until it finds an event. It returns os.ErrDeadlineExceeded after the
// deadline.
func (p *epoll) waitFile(deadline time.Time) error {
	if timed := !deadline.IsZero(); timed || p.hasDeadline {
		if err := p.file.SetReadDeadline(deadline); err != nil {
			return err
		}
		p.hasDeadline = timed
	}
	err := p.rawRead(p.check)
	if errors.Is(err, os.ErrDeadlineExceeded) && p.check(0) {
		err = nil
	}
	if err == nil {
		err = p.err
	}
	return err
}
