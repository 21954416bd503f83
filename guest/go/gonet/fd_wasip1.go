package gonet

import (
	"context"
	"errors"
	"io"
	"net"
	"net/netip"
	"os"
	"sync/atomic"
	"syscall"
	"time"
)

// netFD is a socket. Its file belongs to Go's poller, which waits for the descriptor and knows
// deadlines and closing; all calls go through it. It may be used by several goroutines.
type netFD struct {
	file *os.File
	raw  syscall.RawConn
	fd   int32 // valid while the file is open, so used only inside raw's functions

	network       string
	local, remote net.Addr

	closed atomic.Bool
}

// openFD makes a socket in non-blocking mode.
func openFD(network string, family, typ int32) (*netFD, error) {
	var fd int32
	if err := errno(sockOpen(-1, family, typ, &fd)); err != nil {
		return nil, os.NewSyscallError("socket", err)
	}
	if err := syscall.SetNonblock(int(fd), true); err != nil {
		syscall.Close(int(fd))
		return nil, os.NewSyscallError("setnonblock", err)
	}
	return newFD(network, fd)
}

// newFD takes over a descriptor that is in non-blocking mode.
func newFD(network string, fd int32) (*netFD, error) {
	file := os.NewFile(uintptr(fd), network)
	raw, err := file.SyscallConn()
	if err != nil {
		file.Close()
		return nil, err
	}
	return &netFD{file: file, raw: raw, fd: fd, network: network}, nil
}

// setAddrs notes the addresses that the socket has got.
func (f *netFD) setAddrs() {
	f.local = netAddr(f.network, queryAddr(f.fd, sockAddrLocal))
	f.remote = netAddr(f.network, queryAddr(f.fd, sockAddrRemote))
}

// control calls f with the descriptor while the file is open.
func (f *netFD) control(call func(fd int32) uint32) error {
	var result uint32
	if err := f.raw.Control(func(fd uintptr) { result = call(int32(fd)) }); err != nil {
		return f.plain(err)
	}
	return errno(result)
}

// setOption is control for a socket option, with the error that package net gives.
func (f *netFD) setOption(call func(fd int32) uint32) error {
	if err := f.control(call); err != nil {
		return f.opError("set", os.NewSyscallError("setsockopt", err))
	}
	return nil
}

// waitRead calls f until it says something else than EAGAIN, and waits in between until the socket
// is readable. waitWrite does so until it is writable.
func (f *netFD) waitRead(call func(fd int32) uint32) error { return f.wait(f.raw.Read, call) }

func (f *netFD) waitWrite(call func(fd int32) uint32) error { return f.wait(f.raw.Write, call) }

func (f *netFD) wait(with func(func(uintptr) bool) error, call func(fd int32) uint32) error {
	var result uint32
	err := with(func(fd uintptr) bool {
		result = call(int32(fd))
		return result != uint32(syscall.EAGAIN)
	})
	if err != nil {
		return f.plain(err)
	}
	return errno(result)
}

// plain removes what package os put around an error, and calls a closed socket what package net
// does. The raw connection has an error of its own for that, which no package exports.
func (f *netFD) plain(err error) error {
	var path *os.PathError
	if errors.As(err, &path) {
		err = path.Err
	}
	_, isErrno := err.(syscall.Errno)
	if errors.Is(err, os.ErrClosed) || f.closed.Load() && !isErrno {
		return net.ErrClosed
	}
	return err
}

func (f *netFD) opError(op string, err error) error {
	if err == nil || err == io.EOF {
		return err
	}
	return &net.OpError{Op: op, Net: f.network, Source: f.local, Addr: f.remote, Err: f.plain(err)}
}

// connect connects the socket, and waits until the connection stands or the context ends.
func (f *netFD) connect(ctx context.Context, to netip.AddrPort) error {
	addr := sockaddrOf(to)
	if deadline, ok := ctx.Deadline(); ok {
		f.file.SetWriteDeadline(deadline)
	}
	stop := context.AfterFunc(ctx, func() { f.file.SetWriteDeadline(time.Unix(1, 0)) })
	err := f.waitWrite(func(fd int32) uint32 {
		switch e := sockConnect(fd, addr.pointer()); syscall.Errno(e) {
		case syscall.EINPROGRESS, syscall.EALREADY:
			return uint32(syscall.EAGAIN) // the next call tells the result
		case syscall.EISCONN:
			return 0
		default:
			return e
		}
	})
	if !stop() || errors.Is(err, os.ErrDeadlineExceeded) {
		if ctx.Err() == context.Canceled {
			return canceledError{}
		}
		return timeoutError{} // also just before the context notices its deadline
	}
	f.file.SetWriteDeadline(time.Time{})
	if err != nil {
		if e, ok := err.(syscall.Errno); ok {
			err = os.NewSyscallError("connect", e)
		}
		return err
	}
	f.setAddrs()
	return nil
}

// canceledError is the reason of a cancelled dial, as in package net.
type canceledError struct{}

func (canceledError) Error() string        { return "operation was canceled" }
func (canceledError) Is(target error) bool { return target == context.Canceled }

// timeoutError is the reason of a dial that ran out of time, as in package net.
type timeoutError struct{}

func (timeoutError) Error() string        { return "i/o timeout" }
func (timeoutError) Timeout() bool        { return true }
func (timeoutError) Temporary() bool      { return true }
func (timeoutError) Is(target error) bool { return target == context.DeadlineExceeded }

// What follows is common to connections and listeners.

// Read, Write and the deadlines are those of net.Conn.
func (f *netFD) Read(b []byte) (int, error) {
	n, err := f.file.Read(b)
	return n, f.opError("read", err)
}

func (f *netFD) Write(b []byte) (int, error) {
	n, err := f.file.Write(b)
	return n, f.opError("write", err)
}

// Close closes the socket and ends calls that wait for it.
func (f *netFD) Close() error {
	f.closed.Store(true)
	return f.opError("close", f.file.Close())
}

func (f *netFD) LocalAddr() net.Addr  { return f.local }
func (f *netFD) RemoteAddr() net.Addr { return f.remote }

func (f *netFD) SetDeadline(t time.Time) error { return f.opError("set", f.file.SetDeadline(t)) }

func (f *netFD) SetReadDeadline(t time.Time) error {
	return f.opError("set", f.file.SetReadDeadline(t))
}

func (f *netFD) SetWriteDeadline(t time.Time) error {
	return f.opError("set", f.file.SetWriteDeadline(t))
}

// SyscallConn gives access to the descriptor, for the functions of docs/abi.md.
func (f *netFD) SyscallConn() (syscall.RawConn, error) { return f.raw, nil }

// SetReadBuffer sets the size of the host's receive buffer in bytes, SetWriteBuffer that of its
// send buffer.
func (f *netFD) SetReadBuffer(bytes int) error {
	return f.setOption(func(fd int32) uint32 { return sockSetRecvBuffer(fd, int32(bytes)) })
}

func (f *netFD) SetWriteBuffer(bytes int) error {
	return f.setOption(func(fd int32) uint32 { return sockSetSendBuffer(fd, int32(bytes)) })
}
