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
	fewBufs = 8
	maxBufs = 1024 // that a stream takes at once, as on Linux
)

func sysSend(fd descriptor, typ network.Type, bufs [][]byte, to netip.AddrPort) (int, error) {
	var few [fewBufs]windows.WSABuf
	list := vector(few[:0], bufs, typ)
	var n uint32
	var err error
	if to.IsValid() {
		sa, bad := sockaddr(reachable(to))
		if bad != nil {
			return 0, bad
		}
		err = windows.WSASendto(fd, &list[0], uint32(len(list)), &n, 0, sa, nil, nil)
	} else {
		err = windows.WSASend(fd, &list[0], uint32(len(list)), &n, 0, nil, nil)
	}
	if err = posix(err); err == nil {
		return int(n), nil
	}
	// Without a peer, by the names that Linux has for it.
	switch {
	case typ == network.Stream && err == syscall.ENOTCONN:
		err = syscall.EPIPE
	case typ == network.Datagram && !to.IsValid() &&
		(err == syscall.ENOTCONN || err == syscall.EINVAL):
		err = syscall.EDESTADDRREQ
	}
	return 0, err
}

func sysRecv(fd descriptor, bufs [][]byte, flags network.RecvFlags) (int, error) {
	var few [fewBufs]windows.WSABuf
	list := vector(few[:0], bufs, network.Stream)
	var n uint32
	how := recvFlag(flags)
	err := windows.WSARecv(fd, &list[0], uint32(len(list)), &n, &how, nil, nil)
	if err == windows.WSAESHUTDOWN { // receiving has been ended here
		return 0, nil
	}
	return int(n), posix(err)
}

func sysRecvFrom(fd descriptor, bufs [][]byte, flags network.RecvFlags) (network.Received, error) {
	var few [fewBufs]windows.WSABuf
	list := vector(few[:0], bufs, network.Datagram)
	room := length(bufs)
	rest := spills.Get().(*spill)
	defer spills.Put(rest)
	list = append(list, windows.WSABuf{Len: uint32(len(rest)), Buf: &rest[0]})
	var sa windows.RawSockaddrAny
	size := int32(unsafe.Sizeof(sa))
	var n uint32
	how := recvFlag(flags)
	err := windows.WSARecvFrom(fd, &list[0], uint32(len(list)), &n, &how, &sa, &size, nil, nil)
	r := network.Received{N: min(int(n), room), Size: int(n), Truncated: int(n) > room}
	switch err {
	case nil:
	case windows.WSAEINVAL, windows.WSAESHUTDOWN:
		// not bound, or receiving has been ended here: nothing can have come
		return network.Received{}, syscall.EAGAIN
	case windows.WSAECONNRESET: // a datagram sent before has found nobody
		return network.Received{}, syscall.ECONNREFUSED
	default:
		return network.Received{}, posix(err)
	}
	r.From = addressOfRaw(&sa)
	return r, nil
}

func recvFlag(flags network.RecvFlags) uint32 {
	if flags&network.Peek != 0 {
		return 2 // MSG_PEEK
	}
	return 0
}

// nothing is what an empty buffer points to.
var nothing byte

// vector lists the buffers that are not empty, or else an empty one.
func vector(list []windows.WSABuf, bufs [][]byte, typ network.Type) []windows.WSABuf {
	for _, b := range bufs {
		if typ == network.Stream && len(list) == maxBufs {
			break
		}
		if len(b) > 0 {
			list = append(list, windows.WSABuf{Len: uint32(min(len(b), math.MaxInt32)), Buf: &b[0]})
		}
	}
	if len(list) == 0 {
		list = append(list, windows.WSABuf{Buf: &nothing})
	}
	return list
}
