package hostfs

import (
	"unsafe"

	"golang.org/x/sys/unix"
)

const (
	dsyncFlag = unix.O_DSYNC
	rsyncFlag = unix.O_RSYNC
	utimeNow  = unix.UTIME_NOW
	utimeOmit = unix.UTIME_OMIT
	fionread  = unix.TIOCINQ
)

// setTimes is futimens(3): the system call utimensat(2) without a path.
func setTimes(fd int, ts *[2]unix.Timespec) error {
	_, _, errno := unix.Syscall6(unix.SYS_UTIMENSAT, uintptr(fd), 0, uintptr(unsafe.Pointer(ts)), 0,
		0, 0)
	if errno != 0 {
		return errno
	}
	return nil
}

func datasync(fd int) error {
	return unix.Fdatasync(fd)
}

// allocate grows the file if the file system cannot reserve space (fallocate(2), EOPNOTSUPP).
func allocate(fd int, offset, length int64) error {
	err := retryErr(func() error { return unix.Fallocate(fd, 0, offset, length) })
	if err == unix.EOPNOTSUPP || err == unix.ENOSYS {
		return growFile(fd, offset+length)
	}
	return err
}

func advise(fd int, offset, length int64, a Advice) error {
	return unix.Fadvise(fd, offset, length, [...]int{
		Normal:     unix.FADV_NORMAL,
		Sequential: unix.FADV_SEQUENTIAL,
		Random:     unix.FADV_RANDOM,
		WillNeed:   unix.FADV_WILLNEED,
		DontNeed:   unix.FADV_DONTNEED,
		NoReuse:    unix.FADV_NOREUSE,
	}[a])
}

// pollable reports whether epoll_ctl(2) takes a descriptor. It refuses devices that never block,
// such as /dev/null, with EPERM.
func pollable(fd int) bool {
	ep, err := unix.EpollCreate1(unix.EPOLL_CLOEXEC)
	if err != nil {
		return true
	}
	defer unix.Close(ep)
	return unix.EpollCtl(ep, unix.EPOLL_CTL_ADD, fd, &unix.EpollEvent{}) != unix.EPERM
}
