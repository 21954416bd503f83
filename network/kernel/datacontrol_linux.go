//go:build !portable

package kernel

import (
	"net/netip"
	"runtime"
	"unsafe"

	"golang.org/x/sys/unix"

	"github.com/wasport/wasport/network"
)

func sysSendControl(fd int, bufs [][]byte, to netip.AddrPort, c *network.Control) (int, error) {
	var sa sockaddr
	var msg unix.Msghdr
	if to.IsValid() {
		if err := sa.set(to); err != nil {
			return 0, err
		}
		msg.Name, msg.Namelen = (*byte)(unsafe.Pointer(&sa.raw)), sa.len
	}
	var few [stackBufs]unix.Iovec
	list, pooled := iovecs(few[:0], bufs, network.Datagram)
	if len(list) > 0 {
		msg.Iov = &list[0]
	}
	msg.SetIovlen(len(list))
	var control controlBuf
	if n := putControl(control.bytes(), c); n > 0 {
		msg.Control = (*byte)(unsafe.Pointer(&control))
		msg.SetControllen(n)
	}
	n, err := msgCall(unix.SYS_SENDMSG, fd, &msg, sendFlag)
	runtime.KeepAlive(&sa)
	runtime.KeepAlive(&few)
	runtime.KeepAlive(&control)
	runtime.KeepAlive(bufs)
	putBufList(pooled)
	return n, err
}

// sysRecvControl is sysRecvFrom with the control data.
func sysRecvControl(fd int, bufs [][]byte, flags network.RecvFlags,
	c *network.Control) (r network.Received, err error) {
	var few [stackBufs]unix.Iovec
	var control controlBuf
	sa := sockaddr{len: unix.SizeofSockaddrInet6}
	list, pooled := iovecs(few[:0], bufs, network.Datagram)
	msg := unix.Msghdr{Name: (*byte)(unsafe.Pointer(&sa.raw)), Namelen: sa.len,
		Control: (*byte)(unsafe.Pointer(&control))}
	if len(list) > 0 {
		msg.Iov = &list[0]
	}
	msg.SetIovlen(len(list))
	msg.SetControllen(int(unsafe.Sizeof(control)))
	r.Size, err = msgCall(unix.SYS_RECVMSG, fd, &msg, recvFlag(flags)|unix.MSG_TRUNC)
	r.N = min(r.Size, totalLen(bufs))
	runtime.KeepAlive(&few)
	runtime.KeepAlive(bufs)
	putBufList(pooled)
	if err != nil {
		return network.Received{}, err
	}
	sa.len = msg.Namelen
	r.From, r.Truncated = sa.get(), r.Size > r.N
	getControl(control.bytes()[:msg.Controllen], c)
	return r, nil
}
