package gonet

import (
	"syscall"
	"unsafe"
)

// The functions of the host. Source: docs/abi.md. Each returns a WASI errno, which is what
// syscall.Errno counts on wasip1.

//go:wasmimport wasi_snapshot_preview1 sock_open
//go:noescape
func sockOpen(pool, family, typ int32, fd *int32) uint32

//go:wasmimport wasi_snapshot_preview1 sock_bind
//go:noescape
func sockBind(fd int32, addr unsafe.Pointer) uint32

//go:wasmimport wasi_snapshot_preview1 sock_listen
//go:noescape
func sockListen(fd, backlog int32) uint32

//go:wasmimport wasi_snapshot_preview1 sock_accept
//go:noescape
func sockAccept(fd, flags int32, accepted *int32) uint32

//go:wasmimport wasi_snapshot_preview1 sock_connect
//go:noescape
func sockConnect(fd int32, addr unsafe.Pointer) uint32

//go:wasmimport wasi_snapshot_preview1 sock_addr_local
//go:noescape
func sockAddrLocal(fd int32, addr unsafe.Pointer) uint32

//go:wasmimport wasi_snapshot_preview1 sock_addr_remote
//go:noescape
func sockAddrRemote(fd int32, addr unsafe.Pointer) uint32

//go:wasmimport wasi_snapshot_preview1 sock_addr_resolve
//go:noescape
func sockAddrResolve(host, service, hints, results unsafe.Pointer, capacity uint32,
	count *uint32) uint32

//go:wasmimport wasi_snapshot_preview1 sock_shutdown
//go:noescape
func sockShutdown(fd, how int32) uint32

//go:wasmimport wasport_sockets sock_recv_msg
//go:noescape
func sockRecvMsg(fd int32, iovs unsafe.Pointer, count, flags uint32, from unsafe.Pointer,
	n, roflags *uint32) uint32

//go:wasmimport wasport_sockets sock_send_msg
//go:noescape
func sockSendMsg(fd int32, iovs unsafe.Pointer, count, flags uint32, to unsafe.Pointer,
	n *uint32) uint32

//go:wasmimport wasport_sockets sock_interfaces
//go:noescape
func sockInterfaces(list unsafe.Pointer, capacity uint32, count *uint32) uint32

//go:wasmimport wasport_sockets sock_set_option
//go:noescape
func sockSetOption(fd int32, option uint32, value int64) uint32

//go:wasmimport wasi_snapshot_preview1 sock_set_keep_alive
//go:noescape
func sockSetKeepAlive(fd, on int32) uint32

//go:wasmimport wasi_snapshot_preview1 sock_set_tcp_keep_idle
//go:noescape
func sockSetKeepIdle(fd, seconds int32) uint32

//go:wasmimport wasi_snapshot_preview1 sock_set_tcp_keep_intvl
//go:noescape
func sockSetKeepInterval(fd, seconds int32) uint32

//go:wasmimport wasi_snapshot_preview1 sock_set_tcp_no_delay
//go:noescape
func sockSetNoDelay(fd, on int32) uint32

//go:wasmimport wasi_snapshot_preview1 sock_set_linger
//go:noescape
func sockSetLinger(fd, on, seconds int32) uint32

//go:wasmimport wasi_snapshot_preview1 sock_set_reuse_addr
//go:noescape
func sockSetReuseAddr(fd, on int32) uint32

//go:wasmimport wasi_snapshot_preview1 sock_set_broadcast
//go:noescape
func sockSetBroadcast(fd, on int32) uint32

//go:wasmimport wasi_snapshot_preview1 sock_set_recv_buf_size
//go:noescape
func sockSetRecvBuffer(fd, size int32) uint32

//go:wasmimport wasi_snapshot_preview1 sock_set_send_buf_size
//go:noescape
func sockSetSendBuffer(fd, size int32) uint32

//go:wasmimport wasi_snapshot_preview1 sock_set_ipv6_only
//go:noescape
func sockSetIPv6Only(fd, on int32) uint32

//go:wasmimport wasi_snapshot_preview1 sock_set_ip_add_membership
//go:noescape
func sockJoin(fd int32, group unsafe.Pointer, on uint32) uint32

//go:wasmimport wasi_snapshot_preview1 sock_set_ip_multicast_loop
//go:noescape
func sockSetMulticastLoop(fd, ipv6, on int32) uint32

// Numbers of the functions above.
const (
	typeDatagram = 0
	typeStream   = 1

	flagNonblock = 4 // of sock_accept

	msgTruncated = 1 // of sock_recv_msg's results

	optionKeepCount = 3 // of sock_set_option
)

// errno turns a result into an error: a syscall.Errno, or nil.
func errno(e uint32) error {
	if e == 0 {
		return nil
	}
	return syscall.Errno(e)
}

// iovec is a buffer as the host's functions take it. Go's pointers have 64 bits on this system, so
// the address is a number, which keeps nothing alive: the buffer must be on the heap.
type iovec struct{ data, size uint32 }

func iovecOf(b []byte) iovec {
	return iovec{uint32(uintptr(unsafe.Pointer(unsafe.SliceData(b)))), uint32(len(b))}
}
