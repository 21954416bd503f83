//go:build unix

package main

import "golang.org/x/sys/unix"

// keepSocket sets a descriptor to be closed on exec. It returns an error if it is not a socket.
func keepSocket(fd int) error {
	if _, err := unix.FcntlInt(uintptr(fd), unix.F_SETFD, unix.FD_CLOEXEC); err != nil {
		return err
	}
	_, err := unix.GetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_TYPE)
	return err
}
