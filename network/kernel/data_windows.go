package kernel

import (
	"math"
	"net/netip"
	"runtime"
	"syscall"
	"unsafe"

	"golang.org/x/sys/windows"

	"github.com/wasport/wasport/network"
)

type iovec = windows.WSABuf

// Calls of Winsock, which package syscall can make with arguments on the stack. The functions of
// golang.org/x/sys allocate an address, and an error for WSAEWOULDBLOCK.
var (
	procWSASend     = winsock.NewProc("WSASend")
	procWSASendTo   = winsock.NewProc("WSASendTo")
	procWSARecv     = winsock.NewProc("WSARecv")
	procWSARecvFrom = winsock.NewProc("WSARecvFrom")
)

func sysSend(fd descriptor, typ network.Type, bufs [][]byte, to netip.AddrPort) (int, error) {
	var sa sockaddr
	if to.IsValid() {
		if err := sa.set(loopbackIfUnspecified(to)); err != nil {
			return 0, err
		}
	}
	var few [stackBufs]iovec
	list, pooled, err := wsaBufs(few[:0], bufs, typ)
	if err != nil {
		return 0, err
	}
	var n uint32
	var r uintptr
	var errno syscall.Errno
	if to.IsValid() {
		r, _, errno = syscall.SyscallN(procWSASendTo.Addr(), uintptr(fd),
			uintptr(unsafe.Pointer(&list[0])), uintptr(len(list)), uintptr(unsafe.Pointer(&n)), 0,
			uintptr(unsafe.Pointer(&sa.raw)), uintptr(sa.len), 0, 0)
	} else {
		r, _, errno = syscall.SyscallN(procWSASend.Addr(), uintptr(fd),
			uintptr(unsafe.Pointer(&list[0])), uintptr(len(list)), uintptr(unsafe.Pointer(&n)), 0,
			0, 0)
	}
	runtime.KeepAlive(bufs)
	putBufList(pooled)
	if r != 0 {
		return 0, transferError(errno)
	}
	return int(n), nil
}

func sysRecv(fd descriptor, bufs [][]byte, flags network.RecvFlags) (int, error) {
	var few [stackBufs]iovec
	list, pooled, err := wsaBufs(few[:0], bufs, network.Stream)
	if err != nil {
		return 0, err
	}
	var n uint32
	how := recvFlag(flags)
	r, _, errno := syscall.SyscallN(procWSARecv.Addr(), uintptr(fd),
		uintptr(unsafe.Pointer(&list[0])), uintptr(len(list)), uintptr(unsafe.Pointer(&n)),
		uintptr(unsafe.Pointer(&how)), 0, 0)
	runtime.KeepAlive(bufs)
	putBufList(pooled)
	switch {
	case r == 0:
		return int(n), nil
	// Shutdown has ended this direction: to POSIX that is the end of the stream.
	case errno == windows.WSAESHUTDOWN:
		return 0, nil
	}
	return 0, transferError(errno)
}

func sysRecvFrom(fd descriptor, bufs [][]byte, flags network.RecvFlags) (network.Received, error) {
	var buffers recvList
	list, err := buffers.of(bufs)
	if err != nil {
		return network.Received{}, err
	}
	defer buffers.release()
	sa := sockaddr{len: sizeofInet6}
	var n uint32
	how := recvFlag(flags)
	r, _, errno := syscall.SyscallN(procWSARecvFrom.Addr(), uintptr(fd),
		uintptr(unsafe.Pointer(&list[0])), uintptr(len(list)), uintptr(unsafe.Pointer(&n)),
		uintptr(unsafe.Pointer(&how)), uintptr(unsafe.Pointer(&sa.raw)),
		uintptr(unsafe.Pointer(&sa.len)), 0, 0)
	runtime.KeepAlive(bufs)
	if r != 0 {
		return network.Received{}, recvFromError(errno)
	}
	return received(int(n), bufs, &sa), nil
}

// recvList lists the buffers for a datagram, and one for the rest of a longer one.
type recvList struct {
	few    [stackBufs + 1]iovec
	pooled *bufList
	rest   *tailBuf
}

func (l *recvList) of(bufs [][]byte) ([]iovec, error) {
	list, pooled, err := wsaBufs(l.few[:0:stackBufs], bufs, network.Datagram)
	if err != nil {
		return nil, err
	}
	whole := l.few[:]
	if pooled != nil {
		whole = pooled[:]
	}
	l.pooled, l.rest = pooled, tailBufs.Get().(*tailBuf)
	whole[len(list)] = makeIovec(l.rest[:])
	return whole[:len(list)+1], nil
}

func (l *recvList) release() {
	putBufList(l.pooled)
	tailBufs.Put(l.rest)
}

// received describes a datagram of size bytes.
func received(size int, bufs [][]byte, from *sockaddr) network.Received {
	room := totalLen(bufs)
	return network.Received{N: min(size, room), Size: size, Truncated: size > room,
		From: from.get()}
}

func recvFromError(e syscall.Errno) error {
	switch e {
	// The socket is not bound, or Shutdown has ended this direction: no datagram can have come.
	case windows.WSAEINVAL, windows.WSAESHUTDOWN:
		return syscall.EAGAIN
	// An ICMP message reported a datagram that was sent before as undeliverable.
	case windows.WSAECONNRESET:
		return syscall.ECONNREFUSED
	}
	return transferError(e)
}

// transferError converts the error of a transfer, without an allocation for the frequent one.
func transferError(e syscall.Errno) error {
	switch e {
	case windows.WSAEWOULDBLOCK:
		return syscall.EAGAIN
	// Winsock has this error for some connections that the peer or a time-out has reset.
	case windows.WSAECONNABORTED:
		return syscall.ECONNRESET
	}
	return posix(e)
}

func recvFlag(flags network.RecvFlags) uint32 {
	if flags&network.Peek != 0 {
		// MSG_PEEK of winsock2.h.
		return 2
	}
	return 0
}

func makeIovec(b []byte) iovec {
	return windows.WSABuf{Len: uint32(min(len(b), math.MaxInt32)), Buf: &b[0]}
}

// wsaBufs is iovecs with one empty buffer if all are, and with the error of Linux for a datagram of
// too many.
func wsaBufs(few []iovec, bufs [][]byte, typ network.Type) ([]iovec, *bufList, error) {
	list, pooled := iovecs(few, bufs, typ)
	switch {
	case len(list) > maxBufs:
		putBufList(pooled)
		return nil, nil, syscall.EMSGSIZE
	case len(list) == 0:
		list = append(list, windows.WSABuf{Buf: &emptyBuf})
	}
	return list, pooled, nil
}
