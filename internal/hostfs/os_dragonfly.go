package hostfs

import (
	"unsafe"

	"golang.org/x/sys/unix"
)

const (
	// DragonFly has neither O_DSYNC nor O_RSYNC.
	dsyncFlag = unix.O_SYNC
	rsyncFlag = unix.O_SYNC
	utimeNow  = unix.UTIME_NOW
	utimeOmit = unix.UTIME_OMIT
)

// readlinkat is readlinkat(2), which golang.org/x/sys lacks for this system. buf must not be empty.
func readlinkat(fd int, path string, buf []byte) (int, error) {
	p, err := unix.BytePtrFromString(path)
	if err != nil {
		return 0, err
	}
	n, _, errno := unix.Syscall6(unix.SYS_READLINKAT, uintptr(fd), uintptr(unsafe.Pointer(p)),
		uintptr(unsafe.Pointer(&buf[0])), uintptr(len(buf)), 0, 0)
	if errno != 0 {
		return 0, errno
	}
	return int(n), nil
}
