package dial

import (
	"context"
	"errors"
	"io"
	"net"
	"os"
	"syscall"

	"github.com/wasport/wasport/internal/errno"
	"github.com/wasport/wasport/network"
)

// errnoOf returns the errno of an error of the program's functions, or otherwise if it has none. It
// never returns one that makes a caller try again, nor 0.
func errnoOf(err error, otherwise syscall.Errno) syscall.Errno {
	var number syscall.Errno
	var timeout net.Error
	switch {
	case errors.Is(err, context.DeadlineExceeded), errors.Is(err, os.ErrDeadlineExceeded),
		errors.As(err, &timeout) && timeout.Timeout():
		return syscall.ETIMEDOUT
	case errors.As(err, &number):
		switch number = errno.Socket(number); number {
		case 0, syscall.EAGAIN, syscall.EINTR, syscall.EINPROGRESS, syscall.EALREADY:
			return otherwise
		}
		return number
	case errors.Is(err, io.ErrClosedPipe):
		return syscall.EPIPE
	case errors.Is(err, net.ErrClosed):
		return syscall.ECONNABORTED // closed by the program
	}
	return otherwise
}

// lookupError makes a network.LookupError of an error of Config.Resolve.
func lookupError(name string, err error) error {
	failure := network.ServerFailure
	var dns *net.DNSError
	var addr *net.AddrError
	switch {
	case errors.As(err, &dns) && dns.IsNotFound, errors.As(err, &addr):
		failure = network.NoSuchHost
	case errors.As(err, &dns) && dns.IsTimeout:
		failure = network.NoAnswer
	}
	return &network.LookupError{Name: name, Failure: failure, Err: err}
}
