package kernel

import (
	"net/netip"
	"runtime"
	"syscall"

	"golang.org/x/sys/windows"

	"github.com/wasport/wasport/network"
)

func sysSendControl(fd descriptor, bufs [][]byte, to netip.AddrPort,
	c *network.Control) (int, error) {
	var sa sockaddr
	var msg windows.WSAMsg
	if to.IsValid() {
		if err := sa.set(loopbackIfUnspecified(to)); err != nil {
			return 0, err
		}
		msg.Name, msg.Namelen = sa.any(), int32(sa.len)
	}
	var few [stackBufs]iovec
	list, pooled, err := wsaBufs(few[:0], bufs, network.Datagram)
	if err != nil {
		return 0, err
	}
	msg.Buffers, msg.BufferCount = &list[0], uint32(len(list))
	var control controlBuf
	if n := putControl(control.bytes(), c); n > 0 {
		msg.Control = windows.WSABuf{Len: uint32(n), Buf: &control.bytes()[0]}
	}
	var n uint32
	err = windows.WSASendMsg(fd, &msg, 0, &n, nil, nil)
	runtime.KeepAlive(bufs)
	putBufList(pooled)
	if err != nil {
		return 0, transferError(errnoOf(err))
	}
	return int(n), nil
}

// sysRecvControl is sysRecvFrom with the control data. A call of WSARecvMsg without OVERLAPPED is
// one of a socket that is not overlapped, which may peek (Microsoft's reference of WSARecvMsg).
func sysRecvControl(fd descriptor, bufs [][]byte, flags network.RecvFlags,
	c *network.Control) (network.Received, error) {
	var buffers recvList
	list, err := buffers.of(bufs)
	if err != nil {
		return network.Received{}, err
	}
	defer buffers.release()
	sa := sockaddr{len: sizeofInet6}
	var control controlBuf
	b := control.bytes()
	msg := windows.WSAMsg{Name: sa.any(), Namelen: int32(sa.len), Buffers: &list[0],
		BufferCount: uint32(len(list)), Control: windows.WSABuf{Len: uint32(len(b)), Buf: &b[0]},
		Flags: recvFlag(flags)}
	var n uint32
	err = windows.WSARecvMsg(fd, &msg, &n, nil, nil)
	runtime.KeepAlive(bufs)
	if err != nil {
		return network.Received{}, recvFromError(errnoOf(err))
	}
	sa.len = uint32(msg.Namelen)
	getControl(b[:min(int(msg.Control.Len), len(b))], c)
	return received(int(n), bufs, &sa), nil
}

// errnoOf returns the number of an error of golang.org/x/sys/windows, all of which are numbers.
func errnoOf(err error) syscall.Errno {
	e, _ := err.(syscall.Errno)
	return e
}
