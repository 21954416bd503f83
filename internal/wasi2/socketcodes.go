package wasi2

import (
	"errors"
	"syscall"

	"github.com/wasport/wasport/internal/component/canon"
	"github.com/wasport/wasport/internal/wasi"
)

// errorCode is the error-code of wasi:sockets/network (network.wit). It is also an error, for
// mistakes that the host has no errno for.
type errorCode uint8

// The numbers of error-code.
const (
	unknownError errorCode = iota
	accessDenied
	notSupported
	invalidArgument
	outOfMemory
	timedOut
	concurrencyConflict
	notInProgress
	wouldBlock
	invalidState
	newSocketLimit
	addressNotBindable
	addressInUse
	remoteUnreachable
	connectionRefused
	connectionReset
	connectionAborted
	datagramTooLarge
	nameUnresolvable
	temporaryResolverFailure
	permanentResolverFailure
)

var errorCodes = [...]string{
	"unknown", "access-denied", "not-supported", "invalid-argument", "out-of-memory", "timeout",
	"concurrency-conflict", "not-in-progress", "would-block", "invalid-state", "new-socket-limit",
	"address-not-bindable", "address-in-use", "remote-unreachable", "connection-refused",
	"connection-reset", "connection-aborted", "datagram-too-large", "name-unresolvable",
	"temporary-resolver-failure", "permanent-resolver-failure",
}

// Error returns the name in network.wit.
func (e errorCode) Error() string { return errorCodes[e] }

var codeOfErrno = map[wasi.Errno]errorCode{
	wasi.EACCES: accessDenied, wasi.EPERM: accessDenied,
	wasi.ENOTSUP: notSupported, wasi.EAFNOSUPPORT: notSupported,
	wasi.EPROTONOSUPPORT: notSupported, wasi.ENOPROTOOPT: notSupported,
	wasi.EINVAL: invalidArgument, wasi.EDESTADDRREQ: invalidArgument,
	wasi.ENOMEM: outOfMemory, wasi.ENOBUFS: outOfMemory,
	wasi.ETIMEDOUT: timedOut,
	wasi.EALREADY:  concurrencyConflict,
	wasi.EAGAIN:    wouldBlock, wasi.EINPROGRESS: wouldBlock,
	wasi.EISCONN: invalidState, wasi.ENOTCONN: invalidState, wasi.EBADF: invalidState,
	wasi.EMFILE: newSocketLimit, wasi.ENFILE: newSocketLimit,
	wasi.EADDRNOTAVAIL: addressNotBindable, wasi.EADDRINUSE: addressInUse,
	wasi.EHOSTUNREACH: remoteUnreachable, wasi.ENETUNREACH: remoteUnreachable,
	wasi.ENETDOWN:     remoteUnreachable,
	wasi.ECONNREFUSED: connectionRefused,
	wasi.ECONNRESET:   connectionReset, wasi.ENETRESET: connectionReset,
	wasi.ECONNABORTED: connectionAborted,
	wasi.EMSGSIZE:     datagramTooLarge,
}

// codeOf returns the error-code that a guest gets for an error. No other function turns errors into
// error-codes of sockets.
func codeOf(err error) errorCode {
	if code, ok := err.(errorCode); ok {
		return code
	}
	if errors.Is(err, syscall.EHOSTDOWN) { // preview 1 has no such errno
		return remoteUnreachable
	}
	return codeOfErrno[wasi.ErrnoOf(err)]
}

// connectError replaces the error of a connect for which no local port is left (connect(2),
// EADDRNOTAVAIL): address-not-bindable is for an address that the guest chose.
func connectError(err error) error {
	if errors.Is(err, syscall.EADDRNOTAVAIL) {
		return addressInUse
	}
	return err
}

// returnCode returns ok, or the error-code of err.
func (g *Guest) returnCode(c *canon.Call, ok canon.Value, err error) error {
	switch {
	case err == nil:
		c.Return(ok)
	case !g.isStreamError(err):
		return err
	default:
		c.Return(canon.Err(canon.Case(int(codeOf(err)))))
	}
	return nil
}

// putCode is returnCode with an error for a direct function.
func (g *Guest) putCode(c *canon.Call, err error) error {
	if !g.isStreamError(err) {
		return err
	}
	r := c.Result()
	r[0] = 1
	r[c.Func().Type.Result.PayloadOffset()] = byte(codeOf(err))
	return nil
}

// networkErrorCode returns the error-code of the error of a socket's stream.
func networkErrorCode(g *Guest, c *canon.Call) error {
	f := g.errors.at(c.Arg(0).Rep())
	if f.of != ofSocket {
		c.Return(canon.None())
		return nil
	}
	c.Return(canon.Some(canon.Case(int(codeOf(f.err)))))
	return nil
}
