package errno

import (
	"syscall"

	"golang.org/x/sys/windows"
)

// errnos maps the errors of Winsock, and of the functions that list interfaces, to their POSIX
// names. On Windows, package syscall gives these
// names numbers of its own.
var errnos = map[syscall.Errno]syscall.Errno{
	windows.WSAEINTR:           syscall.EINTR,
	windows.WSAEBADF:           syscall.EBADF,
	windows.WSAEACCES:          syscall.EACCES,
	windows.WSAEFAULT:          syscall.EFAULT,
	windows.WSAEINVAL:          syscall.EINVAL,
	windows.WSAEMFILE:          syscall.EMFILE,
	windows.WSAEWOULDBLOCK:     syscall.EAGAIN,
	windows.WSAEINPROGRESS:     syscall.EINPROGRESS,
	windows.WSAEALREADY:        syscall.EALREADY,
	windows.WSAENOTSOCK:        syscall.ENOTSOCK,
	windows.WSAEDESTADDRREQ:    syscall.EDESTADDRREQ,
	windows.WSAEMSGSIZE:        syscall.EMSGSIZE,
	windows.WSAEPROTOTYPE:      syscall.EPROTOTYPE,
	windows.WSAENOPROTOOPT:     syscall.ENOPROTOOPT,
	windows.WSAEPROTONOSUPPORT: syscall.EPROTONOSUPPORT,
	windows.WSAEOPNOTSUPP:      syscall.EOPNOTSUPP,
	windows.WSAEAFNOSUPPORT:    syscall.EAFNOSUPPORT,
	windows.WSAEADDRINUSE:      syscall.EADDRINUSE,
	windows.WSAEADDRNOTAVAIL:   syscall.EADDRNOTAVAIL,
	windows.WSAENETDOWN:        syscall.ENETDOWN,
	windows.WSAENETUNREACH:     syscall.ENETUNREACH,
	windows.WSAENETRESET:       syscall.ENETRESET,
	windows.WSAECONNABORTED:    syscall.ECONNABORTED,
	windows.WSAECONNRESET:      syscall.ECONNRESET,
	windows.WSAENOBUFS:         syscall.ENOBUFS,
	windows.WSAEISCONN:         syscall.EISCONN,
	windows.WSAENOTCONN:        syscall.ENOTCONN,
	windows.WSAESHUTDOWN:       syscall.EPIPE,
	windows.WSAETIMEDOUT:       syscall.ETIMEDOUT,
	windows.WSAECONNREFUSED:    syscall.ECONNREFUSED,
	windows.WSAEHOSTDOWN:       syscall.EHOSTDOWN,
	windows.WSAEHOSTUNREACH:    syscall.EHOSTUNREACH,

	windows.ERROR_ACCESS_DENIED:          syscall.EACCES,
	windows.ERROR_ADDRESS_NOT_ASSOCIATED: syscall.EADDRNOTAVAIL,
	windows.ERROR_CALL_NOT_IMPLEMENTED:   syscall.ENOSYS,
	windows.ERROR_INVALID_PARAMETER:      syscall.EINVAL,
	windows.ERROR_NOT_ENOUGH_MEMORY:      syscall.ENOMEM,
	windows.ERROR_NOT_SUPPORTED:          syscall.EOPNOTSUPP,
}

// Socket returns the POSIX errno of an error number of a socket.
func Socket(n syscall.Errno) syscall.Errno {
	if named, ok := errnos[n]; ok {
		return named
	}
	return n
}
