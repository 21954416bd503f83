//go:build unix

package kernel

import (
	"syscall"

	"golang.org/x/sys/unix"

	"github.com/wasport/wasport/network"
)

func getInt(fd, level, name int) (int, error) {
	return unix.GetsockoptInt(fd, level, name)
}

func setInt(fd, level, name, v int) error {
	return unix.SetsockoptInt(fd, level, name, v)
}

func setByte(fd, level, name int, v byte) error {
	return unix.SetsockoptByte(fd, level, name, v)
}

func getAddr(fd, level, name int) ([4]byte, error) {
	return unix.GetsockoptInet4Addr(fd, level, name)
}

func setAddr(fd, level, name int, a [4]byte) error {
	return unix.SetsockoptInet4Addr(fd, level, name, a)
}

// sysPendingError reads SO_ERROR.
func sysPendingError(fd int, _ network.Type) (syscall.Errno, error) {
	n, err := unix.GetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_ERROR)
	return syscall.Errno(n), err
}

// getLinger and setLinger use -1 for "off".
func getLinger(fd, level, name int) (int64, error) {
	l, err := unix.GetsockoptLinger(fd, level, name)
	if err != nil {
		return 0, err
	}
	if l.Onoff == 0 {
		return -1, nil
	}
	return int64(l.Linger), nil
}

func setLinger(fd, level, name int, seconds int64) error {
	l := unix.Linger{}
	if seconds >= 0 {
		l = unix.Linger{Onoff: 1, Linger: int32(seconds)}
	}
	return unix.SetsockoptLinger(fd, level, name, &l)
}
