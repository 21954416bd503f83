//go:build !portable

package kernel

import (
	"net/netip"
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"

	"github.com/wasport/wasport/network"
)

// sysSocket makes a socket. The functions below that take or return an address make their system
// calls directly, since those of golang.org/x/sys allocate an address for each call.
func sysSocket(family network.Family, typ network.Type) (int, error) {
	domain, kind, proto := unix.AF_INET, unix.SOCK_STREAM, unix.IPPROTO_TCP
	if family == network.IPv6 {
		domain = unix.AF_INET6
	}
	if typ == network.Datagram {
		kind, proto = unix.SOCK_DGRAM, unix.IPPROTO_UDP
	}
	fd, err := unix.Socket(domain, kind|unix.SOCK_NONBLOCK|unix.SOCK_CLOEXEC, proto)
	if err == nil && typ == network.Datagram {
		joinedGroupsOnly(fd, family)
	}
	return fd, err
}

func sysBind(fd int, to netip.AddrPort) error {
	var sa sockaddr
	if err := sa.set(to); err != nil {
		return err
	}
	_, _, errno := syscall.RawSyscall(unix.SYS_BIND, uintptr(fd), uintptr(unsafe.Pointer(&sa.raw)),
		uintptr(sa.len))
	return errnoErr(errno)
}

func sysConnect(fd int, to netip.AddrPort) error {
	var sa sockaddr
	if err := sa.set(to); err != nil {
		return err
	}
	// Neither this call nor accept4(2) waits on a non-blocking socket, so Go's scheduler need not
	// know of them. It would give the processor to another thread while the kernel delivers the
	// packets of loopback, and this thread would have to wait for it.
	// No shortcut turns that off, since the kernel gets the same calls at the same times.
	_, _, errno := syscall.RawSyscall(unix.SYS_CONNECT, uintptr(fd),
		uintptr(unsafe.Pointer(&sa.raw)), uintptr(sa.len))
	return errnoErr(errno)
}

// sysDisconnect releases the peer of a datagram socket: connect(2) with AF_UNSPEC, the family of
// the zero sockaddr.
func sysDisconnect(fd int, _ network.Family) error {
	sa := sockaddr{len: unix.SizeofSockaddrInet4}
	_, _, errno := syscall.RawSyscall(unix.SYS_CONNECT, uintptr(fd),
		uintptr(unsafe.Pointer(&sa.raw)), uintptr(sa.len))
	return errnoErr(errno)
}

// finishConnect calls connect(2) a second time, which completes the first call for the kernel as
// well. Without it, a third call would not return EISCONN.
func (s *socket) finishConnect() error {
	err := sysConnect(s.fd, s.connectTo)
	switch err {
	case syscall.EISCONN:
		return nil
	// A kernel that is not Linux's may still say so when the connection is there, or has failed.
	case syscall.EALREADY, syscall.EINPROGRESS:
		return s.finishByPoll()
	}
	return err
}

func sysAccept(fd int) (int, netip.AddrPort, error) {
	for {
		sa := sockaddr{len: unix.SizeofSockaddrInet6}
		n, _, errno := syscall.RawSyscall6(unix.SYS_ACCEPT4, uintptr(fd),
			uintptr(unsafe.Pointer(&sa.raw)), uintptr(unsafe.Pointer(&sa.len)),
			unix.SOCK_NONBLOCK|unix.SOCK_CLOEXEC, 0, 0)
		switch errno {
		case 0:
			return int(n), sa.get(), nil
		// The next connection in the queue may be intact (accept(2), error handling).
		case unix.EINTR, unix.ECONNABORTED:
			continue
		}
		return -1, netip.AddrPort{}, errno
	}
}

func sysGetsockname(fd int) (netip.AddrPort, error) {
	sa := sockaddr{len: unix.SizeofSockaddrInet6}
	_, _, errno := syscall.RawSyscall(unix.SYS_GETSOCKNAME, uintptr(fd),
		uintptr(unsafe.Pointer(&sa.raw)), uintptr(unsafe.Pointer(&sa.len)))
	return sa.get(), errnoErr(errno)
}

func sysGetpeername(fd int) (netip.AddrPort, error) {
	sa := sockaddr{len: unix.SizeofSockaddrInet6}
	_, _, errno := syscall.RawSyscall(unix.SYS_GETPEERNAME, uintptr(fd),
		uintptr(unsafe.Pointer(&sa.raw)), uintptr(unsafe.Pointer(&sa.len)))
	if errno != 0 {
		return netip.AddrPort{}, errno
	}
	return sa.get(), nil
}

// sysCloseAtOnce is close(2) without notice to Go's scheduler, as in sysConnect.
func sysCloseAtOnce(fd int) error {
	_, _, errno := syscall.RawSyscall(unix.SYS_CLOSE, uintptr(fd), 0, 0)
	return errnoErr(errno)
}

func sysPoll(fd int, mask int16) (int16, error) {
	p := unix.PollFd{Fd: int32(fd), Events: mask}
	var now unix.Timespec
	for {
		_, _, errno := syscall.RawSyscall6(unix.SYS_PPOLL, uintptr(unsafe.Pointer(&p)), 1,
			uintptr(unsafe.Pointer(&now)), 0, 0, 0)
		if errno != unix.EINTR {
			return p.Revents, errnoErr(errno)
		}
	}
}

func sysAvailable(fd int) (int, error) {
	n, err := unix.IoctlGetUint32(fd, unix.TIOCINQ)
	return int(n), err
}

// errnoErr returns nil for errno 0, which as an error would be a non-nil interface.
func errnoErr(errno syscall.Errno) error {
	if errno != 0 {
		return errno
	}
	return nil
}
