//go:build !portable

package kernel

import (
	"net/netip"
	"runtime"
	"sync"
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"

	"github.com/wasport/wasport/network"
)

// Sending and receiving, which allocate nothing: addresses and short lists of buffers lie on the
// stack, long lists come from a pool. One buffer, which is nearly every call, needs no list.

const (
	fewBufs = 8
	maxBufs = 1024 // the kernel's UIO_MAXIOV
	// bytes that are copied too fast for the scheduler to need to know of the system call
	quick    = 4096
	sendFlag = unix.MSG_NOSIGNAL | unix.MSG_DONTWAIT
)

// bufList holds one buffer more than the kernel takes.
type bufList [maxBufs + 1]unix.Iovec

var bufLists = sync.Pool{New: func() any { return new(bufList) }}

// nothing is what an empty buffer points to.
var nothing byte

func sysSend(fd int, typ network.Type, bufs [][]byte, to netip.AddrPort) (int, error) {
	var sa sockaddr
	var name unsafe.Pointer
	if to.IsValid() {
		if err := sa.set(to); err != nil {
			return 0, err
		}
		name = unsafe.Pointer(&sa.raw)
	}
	if one, many := single(bufs); !many {
		return sendto(fd, one, name, sa.len)
	}
	var few [fewBufs]unix.Iovec
	list, pooled := vector(few[:0], bufs, typ)
	msg := unix.Msghdr{Name: (*byte)(name), Namelen: sa.len, Iov: &list[0]}
	msg.SetIovlen(len(list))
	n, err := message(unix.SYS_SENDMSG, fd, &msg, sendFlag)
	runtime.KeepAlive(&few)
	runtime.KeepAlive(bufs)
	giveBack(pooled)
	return n, err
}

// sysRecv receives from a stream, where the kernel gives no address.
func sysRecv(fd int, bufs [][]byte, flags network.RecvFlags) (int, error) {
	if one, many := single(bufs); !many {
		return recvfrom(fd, one, recvFlag(flags), nil, nil)
	}
	var few [fewBufs]unix.Iovec
	list, pooled := vector(few[:0], bufs, network.Stream)
	msg := unix.Msghdr{Iov: &list[0]}
	msg.SetIovlen(len(list))
	n, err := message(unix.SYS_RECVMSG, fd, &msg, recvFlag(flags))
	runtime.KeepAlive(&few)
	runtime.KeepAlive(bufs)
	giveBack(pooled)
	return n, err
}

// sysRecvFrom receives a datagram.
func sysRecvFrom(fd int, bufs [][]byte, flags network.RecvFlags) (r network.Received, err error) {
	sa := sockaddr{len: unix.SizeofSockaddrInet6}
	if one, many := single(bufs); !many {
		// With MSG_TRUNC the kernel answers with the length that the datagram had.
		r.N, err = recvfrom(fd, one, recvFlag(flags)|unix.MSG_TRUNC, unsafe.Pointer(&sa.raw),
			unsafe.Pointer(&sa.len))
		r.Size, r.N = r.N, min(r.N, len(one))
	} else {
		var few [fewBufs]unix.Iovec
		list, pooled := vector(few[:0], bufs, network.Datagram)
		msg := unix.Msghdr{Name: (*byte)(unsafe.Pointer(&sa.raw)), Namelen: sa.len, Iov: &list[0]}
		msg.SetIovlen(len(list))
		r.Size, err = message(unix.SYS_RECVMSG, fd, &msg, recvFlag(flags)|unix.MSG_TRUNC)
		r.N = min(r.Size, length(bufs))
		runtime.KeepAlive(&few)
		runtime.KeepAlive(bufs)
		giveBack(pooled)
		sa.len = msg.Namelen
	}
	if err != nil {
		return network.Received{}, err
	}
	r.From, r.Truncated = sa.get(), r.Size > r.N
	return r, nil
}

func sendto(fd int, b []byte, name unsafe.Pointer, namelen uint32) (int, error) {
	for {
		var n uintptr
		var errno syscall.Errno
		if len(b) <= quick {
			n, _, errno = unix.RawSyscall6(unix.SYS_SENDTO, uintptr(fd),
				uintptr(unsafe.Pointer(base(b))), uintptr(len(b)), sendFlag,
				uintptr(name), uintptr(namelen))
		} else {
			n, _, errno = unix.Syscall6(unix.SYS_SENDTO, uintptr(fd),
				uintptr(unsafe.Pointer(base(b))), uintptr(len(b)), sendFlag,
				uintptr(name), uintptr(namelen))
		}
		if errno != unix.EINTR {
			return result(n, errno)
		}
	}
}

func recvfrom(fd int, b []byte, flags uintptr, name, namelen unsafe.Pointer) (int, error) {
	for {
		var n uintptr
		var errno syscall.Errno
		if len(b) <= quick {
			n, _, errno = unix.RawSyscall6(unix.SYS_RECVFROM, uintptr(fd),
				uintptr(unsafe.Pointer(base(b))), uintptr(len(b)), flags,
				uintptr(name), uintptr(namelen))
		} else {
			n, _, errno = unix.Syscall6(unix.SYS_RECVFROM, uintptr(fd),
				uintptr(unsafe.Pointer(base(b))), uintptr(len(b)), flags,
				uintptr(name), uintptr(namelen))
		}
		if errno != unix.EINTR {
			return result(n, errno)
		}
	}
}

func recvFlag(flags network.RecvFlags) uintptr {
	if flags&network.Peek != 0 {
		return unix.MSG_PEEK | unix.MSG_DONTWAIT
	}
	return unix.MSG_DONTWAIT
}

// single finds the only buffer that is not empty, if there are not several of them.
func single(bufs [][]byte) (one []byte, many bool) {
	for _, b := range bufs {
		if len(b) == 0 {
			continue
		}
		if one != nil {
			return nil, true
		}
		one = b
	}
	return one, false
}

func base(b []byte) *byte {
	if len(b) == 0 {
		return &nothing
	}
	return &b[0]
}

// vector lists the buffers that are not empty, in few if they fit and else in a list to be given
// back. A stream goes on with those that did not fit another time; a datagram cannot, so one buffer
// too many makes the kernel refuse it.
func vector(few []unix.Iovec, bufs [][]byte, typ network.Type) ([]unix.Iovec, *bufList) {
	var pooled *bufList
	list := few
	for _, b := range bufs {
		if len(b) == 0 {
			continue
		}
		if len(list) == cap(list) {
			if pooled != nil {
				break
			}
			pooled = bufLists.Get().(*bufList)
			list = append(pooled[:0], list...)
		}
		v := unix.Iovec{Base: &b[0]}
		v.SetLen(len(b))
		list = append(list, v)
	}
	if typ == network.Stream && len(list) > maxBufs {
		list = list[:maxBufs]
	}
	return list, pooled
}

func giveBack(pooled *bufList) {
	if pooled != nil {
		clear(pooled[:])
		bufLists.Put(pooled)
	}
}

func message(trap uintptr, fd int, msg *unix.Msghdr, flags uintptr) (int, error) {
	for {
		n, _, errno := unix.Syscall(trap, uintptr(fd), uintptr(unsafe.Pointer(msg)), flags)
		if errno != unix.EINTR {
			return result(n, errno)
		}
	}
}

func result(n uintptr, errno syscall.Errno) (int, error) {
	if errno != 0 {
		return 0, errno
	}
	return int(n), nil
}
