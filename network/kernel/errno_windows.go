package kernel

import (
	"errors"
	"syscall"

	"github.com/wasport/wasport/internal/errno"
)

// posix converts the error of a system call to its POSIX errno.
func posix(err error) error {
	if e, ok := err.(syscall.Errno); ok {
		return errno.Socket(e)
	}
	var e syscall.Errno
	if !errors.As(err, &e) {
		return err
	}
	return errno.Socket(e)
}
