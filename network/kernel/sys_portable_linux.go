//go:build portable

package kernel

import (
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"

	"github.com/wasport/wasport/network"
)

const noSignal = unix.MSG_NOSIGNAL

func sysAvailable(fd int) (int, error) {
	n, err := unix.IoctlGetUint32(fd, unix.TIOCINQ)
	return int(n), err
}

// finishConnect asks for the result of the connection under way. After a failure that SO_ERROR has
// told, Linux lets the next connect(2) fail with ECONNABORTED, unless the socket is released.
func (s *socket) finishConnect() error {
	err := s.finishByPoll()
	if err != nil && err != syscall.EALREADY {
		sysDisconnect(s.fd, s.family)
	}
	return err
}

// sysDisconnect releases the peer of a socket: connect(2) with AF_UNSPEC.
func sysDisconnect(fd int, _ network.Family) error {
	var sa unix.RawSockaddrInet4
	_, _, errno := unix.RawSyscall(unix.SYS_CONNECT, uintptr(fd), uintptr(unsafe.Pointer(&sa)),
		unsafe.Sizeof(sa))
	if errno != 0 {
		return errno
	}
	return nil
}
