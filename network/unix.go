package network

import (
	"fmt"
	"syscall"
)

// ErrBacklogFull is the error of a connect to a Unix-domain socket where too many connections wait
// to be accepted. No event tells when there is room; the caller tries again.
var ErrBacklogFull = fmt.Errorf("the backlog is full: %w", syscall.EAGAIN)

// A UnixSocket is a stream Socket of the family Unix that gets its address, or its peer's, from a
// path.
type UnixSocket interface {
	// BindUnix makes the file of a Unix-domain socket. Errors: EADDRINUSE if there is a file of
	// that name, EINVAL if the socket is bound or connected, and those of Open.
	BindUnix(UnixAddr) error

	// ConnectUnix connects to the socket that a file belongs to. The connection is established at
	// once. Errors: ErrBacklogFull, ECONNREFUSED if no socket has the file open or if it is another
	// file, ELOOP if it is a symbolic link, EISCONN if the socket is connected, EINVAL if it
	// listens, and those of Open.
	ConnectUnix(UnixAddr) error
}

// UnixAddr is the address of a Unix-domain socket: a file beneath a directory that the guest was
// given.
type UnixAddr struct {
	// Path is the path as the guest sees it, absolute, without ".", ".." and empty names. Rules
	// are about this path.
	Path string

	// Open finds the file's directory, without following a symbolic link, and calls use with its
	// descriptor and the file's name in it. Both are valid until use returns. The file need not
	// exist, and the name may be that of a symbolic link, which must not be followed. Open returns
	// the error of use, or its own if it has not called use.
	Open func(use func(dir uintptr, name string) error) error
}
