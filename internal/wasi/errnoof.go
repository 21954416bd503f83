package wasi

import (
	"context"
	"errors"
	"io/fs"
	"net"
	"os"
	"slices"
	"syscall"
)

// hostErrno is an errno of the host with a WASI errno of the same name.
type hostErrno struct {
	host syscall.Errno
	wasi Errno
}

// hostErrnos are the errnos whose names package syscall has on every platform. On Windows it
// invents numbers for missing ones, and the packages that make system calls translate Windows'
// errors to them.
var hostErrnos = []hostErrno{
	{syscall.E2BIG, E2BIG}, {syscall.EACCES, EACCES}, {syscall.EADDRINUSE, EADDRINUSE},
	{syscall.EADDRNOTAVAIL, EADDRNOTAVAIL},
	{syscall.EAFNOSUPPORT, EAFNOSUPPORT}, {syscall.EAGAIN, EAGAIN}, {syscall.EWOULDBLOCK, EAGAIN},
	{syscall.EALREADY, EALREADY},
	{syscall.EBADF, EBADF}, {syscall.EBADMSG, EBADMSG}, {syscall.EBUSY, EBUSY},
	{syscall.ECANCELED, ECANCELED},
	{syscall.ECHILD, ECHILD}, {syscall.ECONNABORTED, ECONNABORTED},
	{syscall.ECONNREFUSED, ECONNREFUSED},
	{syscall.ECONNRESET, ECONNRESET}, {syscall.EDEADLK, EDEADLK},
	{syscall.EDESTADDRREQ, EDESTADDRREQ}, {syscall.EDOM, EDOM},
	{syscall.EDQUOT, EDQUOT}, {syscall.EEXIST, EEXIST}, {syscall.EFAULT, EFAULT},
	{syscall.EFBIG, EFBIG},
	{syscall.EHOSTUNREACH, EHOSTUNREACH}, {syscall.EIDRM, EIDRM}, {syscall.EILSEQ, EILSEQ},
	{syscall.EINPROGRESS, EINPROGRESS},
	{syscall.EINTR, EINTR}, {syscall.EINVAL, EINVAL}, {syscall.EIO, EIO},
	{syscall.EISCONN, EISCONN}, {syscall.EISDIR, EISDIR},
	{syscall.ELOOP, ELOOP}, {syscall.EMFILE, EMFILE}, {syscall.EMLINK, EMLINK},
	{syscall.EMSGSIZE, EMSGSIZE},
	{syscall.ENAMETOOLONG, ENAMETOOLONG},
	{syscall.ENETDOWN, ENETDOWN},
	{syscall.ENETRESET, ENETRESET}, {syscall.ENETUNREACH, ENETUNREACH}, {syscall.ENFILE, ENFILE},
	{syscall.ENOBUFS, ENOBUFS},
	{syscall.ENODEV, ENODEV}, {syscall.ENOENT, ENOENT}, {syscall.ENOEXEC, ENOEXEC},
	{syscall.ENOLCK, ENOLCK},
	{syscall.ENOMEM, ENOMEM}, {syscall.ENOMSG, ENOMSG},
	{syscall.ENOPROTOOPT, ENOPROTOOPT},
	{syscall.ENOSPC, ENOSPC}, {syscall.ENOSYS, ENOSYS}, {syscall.ENOTCONN, ENOTCONN},
	{syscall.ENOTDIR, ENOTDIR},
	{syscall.ENOTEMPTY, ENOTEMPTY}, {syscall.ENOTSOCK, ENOTSOCK},
	{syscall.ENOTSUP, ENOTSUP}, {syscall.EOPNOTSUPP, ENOTSUP}, {syscall.ENOTTY, ENOTTY},
	{syscall.ENXIO, ENXIO},
	{syscall.EOVERFLOW, EOVERFLOW}, {syscall.EPERM, EPERM},
	{syscall.EPIPE, EPIPE},
	{syscall.EPROTO, EPROTO}, {syscall.EPROTONOSUPPORT, EPROTONOSUPPORT},
	{syscall.EPROTOTYPE, EPROTOTYPE},
	{syscall.ERANGE, ERANGE}, {syscall.EROFS, EROFS}, {syscall.ESPIPE, ESPIPE},
	{syscall.ESRCH, ESRCH}, {syscall.ESTALE, ESTALE},
	{syscall.ETIMEDOUT, ETIMEDOUT}, {syscall.ETXTBSY, ETXTBSY}, {syscall.EXDEV, EXDEV},
}

var fromHost = func() map[syscall.Errno]Errno {
	m := make(map[syscall.Errno]Errno, len(hostErrnos)+len(someErrnos))
	for _, e := range slices.Concat(hostErrnos, someErrnos) {
		m[e.host] = e.wasi
	}
	return m
}()

// ErrnoOf returns the errno that a guest gets for an error. No other function turns errors into
// numbers. An errno of the host without a counterpart is ENOSYS, as in WAMR's convert_errno; an
// error without any errno is EIO.
func ErrnoOf(err error) Errno {
	switch err {
	case nil:
		return Success
	case syscall.EAGAIN: // frequent, so without the search of errors.As
		return EAGAIN
	}
	var own Errno
	var host syscall.Errno
	switch {
	case errors.As(err, &own):
		return own
	case errors.As(err, &host):
		return FromHost(host)
	case errors.Is(err, net.ErrClosed), errors.Is(err, fs.ErrClosed):
		return EBADF
	case errors.Is(err, os.ErrDeadlineExceeded):
		return EAGAIN
	case errors.Is(err, context.Canceled):
		return ECANCELED
	case errors.Is(err, context.DeadlineExceeded):
		return ETIMEDOUT
	case errors.Is(err, fs.ErrNotExist):
		return ENOENT
	case errors.Is(err, fs.ErrExist):
		return EEXIST
	case errors.Is(err, fs.ErrPermission):
		return EACCES
	case errors.Is(err, errors.ErrUnsupported):
		return ENOTSUP
	}
	return EIO
}

// FromHost returns the WASI number of an errno of the host.
func FromHost(e syscall.Errno) Errno {
	if e == 0 {
		return Success
	}
	if n, ok := fromHost[e]; ok {
		return n
	}
	return ENOSYS
}
