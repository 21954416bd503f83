package kernel

import (
	"math"
	"net/netip"
	"syscall"
	"unsafe"

	"golang.org/x/sys/windows"

	"github.com/wasport/wasport/network"
)

const (
	stackBufs = 8
	// maxBufs is the number of buffers that a stream takes at once, as on Linux.
	maxBufs = 1024
)

func sysSend(fd descriptor, typ network.Type, bufs [][]byte, to netip.AddrPort) (int, error) {
	var few [stackBufs]windows.WSABuf
	list := iovecs(few[:0], bufs, typ)
	var n uint32
	var err error
	if to.IsValid() {
		sa, bad := sockaddr(loopbackIfUnspecified(to))
		if bad != nil {
			return 0, bad
		}
		err = windows.WSASendto(fd, &list[0], uint32(len(list)), &n, 0, sa, nil, nil)
	} else {
		err = windows.WSASend(fd, &list[0], uint32(len(list)), &n, 0, nil, nil)
	}
	if err = posix(err); err != nil {
		return 0, err
	}
	return int(n), nil
}

func sysRecv(fd descriptor, bufs [][]byte, flags network.RecvFlags) (int, error) {
	var few [stackBufs]windows.WSABuf
	list := iovecs(few[:0], bufs, network.Stream)
	var n uint32
	how := recvFlag(flags)
	err := windows.WSARecv(fd, &list[0], uint32(len(list)), &n, &how, nil, nil)
	// Shutdown has ended this direction: to POSIX that is the end of the stream.
	if err == windows.WSAESHUTDOWN {
		return 0, nil
	}
	return int(n), posix(err)
}

func sysRecvFrom(fd descriptor, bufs [][]byte, flags network.RecvFlags) (network.Received, error) {
	var few [stackBufs]windows.WSABuf
	list := iovecs(few[:0], bufs, network.Datagram)
	room := totalLen(bufs)
	rest := tailBufs.Get().(*tailBuf)
	defer tailBufs.Put(rest)
	list = append(list, windows.WSABuf{Len: uint32(len(rest)), Buf: &rest[0]})
	var sa windows.RawSockaddrAny
	size := int32(unsafe.Sizeof(sa))
	var n uint32
	how := recvFlag(flags)
	err := windows.WSARecvFrom(fd, &list[0], uint32(len(list)), &n, &how, &sa, &size, nil, nil)
	r := network.Received{N: min(int(n), room), Size: int(n), Truncated: int(n) > room}
	switch err {
	case nil:
	// The socket is not bound, or Shutdown has ended this direction: no datagram can have come.
	case windows.WSAEINVAL, windows.WSAESHUTDOWN:
		// not bound, or receiving has been ended here: nothing can have come
		return network.Received{}, syscall.EAGAIN
	// An ICMP message reported a datagram that was sent before as undeliverable.
	case windows.WSAECONNRESET:
		return network.Received{}, syscall.ECONNREFUSED
	default:
		return network.Received{}, posix(err)
	}
	r.From = addrPortOfRaw(&sa)
	return r, nil
}

func recvFlag(flags network.RecvFlags) uint32 {
	if flags&network.Peek != 0 {
		// MSG_PEEK of winsock2.h.
		return 2
	}
	return 0
}

// emptyBuf is the address that an empty buffer has.
var emptyBuf byte

// iovecs lists the buffers that are not empty, or one empty buffer if all are.
func iovecs(list []windows.WSABuf, bufs [][]byte, typ network.Type) []windows.WSABuf {
	for _, b := range bufs {
		if typ == network.Stream && len(list) == maxBufs {
			break
		}
		if len(b) > 0 {
			list = append(list, windows.WSABuf{Len: uint32(min(len(b), math.MaxInt32)), Buf: &b[0]})
		}
	}
	if len(list) == 0 {
		list = append(list, windows.WSABuf{Buf: &emptyBuf})
	}
	return list
}
