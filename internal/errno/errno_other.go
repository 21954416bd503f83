//go:build !windows

package errno

import "syscall"

// Socket returns the POSIX errno of an error number of a socket.
func Socket(n syscall.Errno) syscall.Errno { return n }
