//go:build linux && !portable

package poll

import (
	"errors"
	"os"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"
)

// wakeSlot is the slot of the descriptor by which a set is woken.
const wakeSlot = -1

// few is how many descriptors the kernel can look at without the scheduler needing to know of the
// system call.
const few = 64

// epoll is an epoll descriptor that Go's poller waits for.
type epoll struct {
	epfd   int
	file   *os.File // owns epfd
	wait   func(func(uintptr) bool) error
	check  func(uintptr) bool
	timed  bool // whether file has a deadline
	events []unix.EpollEvent
	n      int   // how many of them the last look has seen
	err    error // why it has not
}

func (p *epoll) open(wakefd int) error {
	fd, err := unix.EpollCreate1(unix.EPOLL_CLOEXEC)
	if err != nil {
		return err
	}
	// An epoll never blocks but in its own call; this is how NewFile learns that Go's poller may
	// have it.
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
	p.epfd, p.file, p.wait, p.timed, p.n = fd, f, rc.Read, false, 0
	p.check = func(uintptr) bool {
		p.look()
		return p.n > 0 || p.err != nil
	}
	p.room(1)
	return nil
}

func (p *epoll) close() {
	p.file.Close()
}

// room makes room for n events, so that all descriptors that are ready are seen at once.
func (p *epoll) room(n int) {
	if n > len(p.events) {
		p.events = make([]unix.EpollEvent, n+n/2)
	}
}

// look sees what is ready now.
func (p *epoll) look() {
	for {
		var n uintptr
		var errno unix.Errno
		at := unsafe.Pointer(&p.events[0])
		if len(p.events) <= few {
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

func (p *epoll) seen() []unix.EpollEvent {
	return p.events[:p.n]
}

// block looks again and again, until there is something to see or the deadline passes:
// os.ErrDeadlineExceeded.
func (p *epoll) block(deadline time.Time) error {
	if timed := !deadline.IsZero(); timed || p.timed {
		if err := p.file.SetReadDeadline(deadline); err != nil {
			return err
		}
		p.timed = timed
	}
	err := p.wait(p.check)
	if errors.Is(err, os.ErrDeadlineExceeded) && p.check(0) {
		err = nil
	}
	if err == nil {
		err = p.err
	}
	return err
}
