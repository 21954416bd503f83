//go:build !portable

package kernel

import (
	"net/netip"
	"runtime"
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"

	"github.com/wasport/wasport/network"
)

// Sending and receiving allocate nothing. Addresses and short lists of buffers are on the stack,
// and long lists come from a pool. A call with one buffer, the common case, needs no list.
const (
	// maxRawLen is the number of bytes up to which a copy is too short for Go's scheduler to need
	// to know of the system call.
	maxRawLen = 4096
	sendFlag  = unix.MSG_NOSIGNAL | unix.MSG_DONTWAIT
)

type iovec = unix.Iovec

// A thread that waits between its calls finds little of the host's code in the processor's caches,
// so the way to the kernel is short: the functions of one buffer make the system call themselves,
// by package syscall, which golang.org/x/sys would reach through two more functions. Those of
// several buffers are apart, since their lists take much of the stack.

func sysSend(fd int, typ network.Type, bufs [][]byte, to netip.AddrPort) (int, error) {
	var sa sockaddr
	var name unsafe.Pointer
	if to.IsValid() {
		if err := sa.set(to); err != nil {
			return 0, err
		}
		name = unsafe.Pointer(&sa.raw)
	}
	one, many := singleBuf(bufs)
	if many {
		return sendList(fd, typ, bufs, name, sa.len)
	}
	for {
		var n uintptr
		var errno syscall.Errno
		if len(one) <= maxRawLen {
			n, _, errno = syscall.RawSyscall6(unix.SYS_SENDTO, uintptr(fd),
				uintptr(unsafe.Pointer(basePtr(one))), uintptr(len(one)), sendFlag,
				uintptr(name), uintptr(sa.len))
		} else {
			n, _, errno = syscall.Syscall6(unix.SYS_SENDTO, uintptr(fd),
				uintptr(unsafe.Pointer(basePtr(one))), uintptr(len(one)), sendFlag,
				uintptr(name), uintptr(sa.len))
		}
		if errno != unix.EINTR {
			return countOrErr(n, errno)
		}
	}
}

func sendList(fd int, typ network.Type, bufs [][]byte, name unsafe.Pointer,
	namelen uint32) (int, error) {
	var few [stackBufs]unix.Iovec
	list, pooled := iovecs(few[:0], bufs, typ)
	msg := unix.Msghdr{Name: (*byte)(name), Namelen: namelen, Iov: &list[0]}
	msg.SetIovlen(len(list))
	n, err := msgCall(unix.SYS_SENDMSG, fd, &msg, sendFlag)
	runtime.KeepAlive(&few)
	runtime.KeepAlive(bufs)
	putBufList(pooled)
	return n, err
}

// sysRecv receives from a stream, for which the kernel reports no address (recvmsg(2)).
func sysRecv(fd int, bufs [][]byte, flags network.RecvFlags) (int, error) {
	one, many := singleBuf(bufs)
	if many {
		return recvList(fd, network.Stream, bufs, recvFlag(flags), nil)
	}
	return recvfrom(fd, one, recvFlag(flags), nil)
}

// sysRecvFrom receives a datagram. With MSG_TRUNC the kernel returns the length of the whole
// datagram (recv(2)).
func sysRecvFrom(fd int, bufs [][]byte, flags network.RecvFlags) (r network.Received, err error) {
	sa := sockaddr{len: unix.SizeofSockaddrInet6}
	if one, many := singleBuf(bufs); !many {
		r.Size, err = recvfrom(fd, one, recvFlag(flags)|unix.MSG_TRUNC, &sa)
		r.N = min(r.Size, len(one))
	} else {
		r.Size, err = recvList(fd, network.Datagram, bufs, recvFlag(flags)|unix.MSG_TRUNC, &sa)
		r.N = min(r.Size, totalLen(bufs))
	}
	if err != nil {
		return network.Received{}, err
	}
	r.From, r.Truncated = sa.get(), r.Size > r.N
	return r, nil
}

// recvList receives into several buffers, and sets *from to the sender unless it is nil.
func recvList(fd int, typ network.Type, bufs [][]byte, flags uintptr, from *sockaddr) (int, error) {
	var few [stackBufs]unix.Iovec
	list, pooled := iovecs(few[:0], bufs, typ)
	msg := unix.Msghdr{Iov: &list[0]}
	if from != nil {
		msg.Name, msg.Namelen = (*byte)(unsafe.Pointer(&from.raw)), from.len
	}
	msg.SetIovlen(len(list))
	n, err := msgCall(unix.SYS_RECVMSG, fd, &msg, flags)
	runtime.KeepAlive(&few)
	runtime.KeepAlive(bufs)
	putBufList(pooled)
	if from != nil {
		from.len = msg.Namelen
	}
	return n, err
}

// recvfrom receives into one buffer, and sets *from to the sender unless it is nil.
func recvfrom(fd int, b []byte, flags uintptr, from *sockaddr) (int, error) {
	var name, namelen unsafe.Pointer
	if from != nil {
		name, namelen = unsafe.Pointer(&from.raw), unsafe.Pointer(&from.len)
	}
	for {
		var n uintptr
		var errno syscall.Errno
		if len(b) <= maxRawLen {
			n, _, errno = syscall.RawSyscall6(unix.SYS_RECVFROM, uintptr(fd),
				uintptr(unsafe.Pointer(basePtr(b))), uintptr(len(b)), flags,
				uintptr(name), uintptr(namelen))
		} else {
			n, _, errno = syscall.Syscall6(unix.SYS_RECVFROM, uintptr(fd),
				uintptr(unsafe.Pointer(basePtr(b))), uintptr(len(b)), flags,
				uintptr(name), uintptr(namelen))
		}
		if errno != unix.EINTR {
			return countOrErr(n, errno)
		}
	}
}

func recvFlag(flags network.RecvFlags) uintptr {
	if flags&network.Peek != 0 {
		return unix.MSG_PEEK | unix.MSG_DONTWAIT
	}
	return unix.MSG_DONTWAIT
}

// singleBuf returns the only buffer that is not empty, or reports that there are several.
func singleBuf(bufs [][]byte) (one []byte, many bool) {
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

func basePtr(b []byte) *byte {
	if len(b) == 0 {
		return &emptyBuf
	}
	return &b[0]
}

func makeIovec(b []byte) iovec {
	v := unix.Iovec{Base: &b[0]}
	v.SetLen(len(b))
	return v
}

func msgCall(trap uintptr, fd int, msg *unix.Msghdr, flags uintptr) (int, error) {
	for {
		n, _, errno := syscall.Syscall(trap, uintptr(fd), uintptr(unsafe.Pointer(msg)), flags)
		if errno != unix.EINTR {
			return countOrErr(n, errno)
		}
	}
}

func countOrErr(n uintptr, errno syscall.Errno) (int, error) {
	if errno != 0 {
		return 0, errno
	}
	return int(n), nil
}
