package kernel

import (
	"net/netip"
	"sync"
	"syscall"
	"unsafe"

	"golang.org/x/sys/windows"

	"github.com/wasport/wasport/network"
)

// Calls of Winsock that golang.org/x/sys does not have.
var (
	winsock         = windows.NewLazySystemDLL("ws2_32.dll")
	procAccept      = winsock.NewProc("accept")
	procBind        = winsock.NewProc("bind")
	procConnect     = winsock.NewProc("connect")
	procIoctlsocket = winsock.NewProc("ioctlsocket")
	procWSAPoll     = winsock.NewProc("WSAPoll")
)

const (
	// fionbio takes an unsigned long: whether calls return instead of blocking.
	fionbio = 0x8004667e
	// fionread returns an unsigned long: the number of bytes to read.
	fionread    = 0x4004667f
	socketFlags = windows.WSA_FLAG_OVERLAPPED | windows.WSA_FLAG_NO_HANDLE_INHERIT
)

// descriptor is the system's name of a socket.
type descriptor = windows.Handle

// sendsNowhere tells that the system sends a datagram without a destination, after a disconnect.
const sendsNowhere = true

// startWinsock initializes Winsock for programs that do not use package net.
var startWinsock = sync.OnceValue(func() error {
	var data windows.WSAData
	return windows.WSAStartup(0x0202, &data)
})

func sysSocket(family network.Family, typ network.Type) (descriptor, error) {
	if err := startWinsock(); err != nil {
		return windows.InvalidHandle, posix(err)
	}
	domain, kind, proto := windows.AF_INET, windows.SOCK_STREAM, windows.IPPROTO_TCP
	if family == network.IPv6 {
		domain = windows.AF_INET6
	}
	if typ == network.Datagram {
		kind, proto = windows.SOCK_DGRAM, windows.IPPROTO_UDP
	}
	fd, err := windows.WSASocket(int32(domain), int32(kind), int32(proto), nil, 0, socketFlags)
	if err != nil {
		return windows.InvalidHandle, posix(err)
	}
	if family == network.IPv6 {
		// Linux's default (ipv6(7)).
		windows.SetsockoptInt(fd, windows.IPPROTO_IPV6, windows.IPV6_V6ONLY, 0)
	}
	if typ == network.Datagram {
		setConnReset(fd, false)
	}
	return fd, nonblocking(fd)
}

// setConnReset selects whether an ICMP "port unreachable" message for an earlier datagram is
// returned as an error. Elsewhere that is so for connected sockets only (udp(7), ECONNREFUSED).
func setConnReset(fd descriptor, on bool) {
	var b, n uint32
	if on {
		b = 1
	}
	windows.WSAIoctl(fd, windows.SIO_UDP_CONNRESET, (*byte)(unsafe.Pointer(&b)), 4, nil, 0, &n, nil,
		0)
}

func nonblocking(fd descriptor) error {
	on := uint32(1)
	if err := ioctl(fd, fionbio, &on); err != nil {
		windows.Closesocket(fd)
		return err
	}
	return nil
}

func ioctl(fd descriptor, command uint32, arg *uint32) error {
	r, _, errno := syscall.SyscallN(procIoctlsocket.Addr(), uintptr(fd), uintptr(command),
		uintptr(unsafe.Pointer(arg)))
	if int32(r) != 0 {
		return posix(errno)
	}
	return nil
}

func sysBind(fd descriptor, to netip.AddrPort) error {
	var sa sockaddr
	if err := sa.set(to); err != nil {
		return err
	}
	return winsockCall(procBind, fd, unsafe.Pointer(&sa.raw), sa.len)
}

func sysConnect(fd descriptor, to netip.AddrPort) error {
	var sa sockaddr
	if err := sa.set(loopbackIfUnspecified(to)); err != nil {
		return err
	}
	err := winsockCall(procConnect, fd, unsafe.Pointer(&sa.raw), sa.len)
	switch err {
	case nil:
		setConnReset(fd, true)
	case syscall.EAGAIN:
		return syscall.EINPROGRESS
	}
	return err
}

// winsockCall makes a call with an address.
func winsockCall(proc *windows.LazyProc, fd descriptor, name unsafe.Pointer, size uint32) error {
	r, _, errno := syscall.SyscallN(proc.Addr(), uintptr(fd), uintptr(name), uintptr(size))
	if int32(r) != 0 {
		return posix(errno)
	}
	return nil
}

// sysDisconnect releases the peer of a datagram socket by connecting it to the zero address, see
// the remarks on connect in the reference of Winsock.
func sysDisconnect(fd descriptor, family network.Family) error {
	null := sockaddr{len: sizeofInet4}
	null.raw.Family = windows.AF_INET
	if family == network.IPv6 {
		null.raw.Family, null.len = windows.AF_INET6, sizeofInet6
	}
	err := winsockCall(procConnect, fd, unsafe.Pointer(&null.raw), null.len)
	if err == nil {
		setConnReset(fd, false)
	}
	return err
}

// finishConnect asks for the result of the connection under way.
func (s *socket) finishConnect() error { return s.finishByPoll() }

func sysListen(fd descriptor, backlog int) error {
	return posix(windows.Listen(fd, backlog))
}

func sysAccept(fd descriptor) (descriptor, netip.AddrPort, error) {
	for {
		sa := sockaddr{len: sizeofInet6}
		r, _, errno := syscall.SyscallN(procAccept.Addr(), uintptr(fd),
			uintptr(unsafe.Pointer(&sa.raw)), uintptr(unsafe.Pointer(&sa.len)))
		c := windows.Handle(r)
		if c != windows.InvalidHandle {
			windows.SetHandleInformation(c, windows.HANDLE_FLAG_INHERIT, 0)
			return c, sa.get(), nonblocking(c)
		}
		// The next connection in the queue may be intact.
		if errno == windows.WSAECONNRESET {
			continue
		}
		return windows.InvalidHandle, netip.AddrPort{}, posix(errno)
	}
}

func sysGetsockname(fd descriptor) (netip.AddrPort, error) {
	sa, err := windows.Getsockname(fd)
	return addrPortOf(sa), posix(err)
}

func sysGetpeername(fd descriptor) (netip.AddrPort, error) {
	sa, err := windows.Getpeername(fd)
	return addrPortOf(sa), posix(err)
}

// sysShutdown leaves the receiving direction to socket.ended: Winsock would receive nothing of what
// came before, and reset a connection when more comes (Microsoft's reference of shutdown).
func sysShutdown(fd descriptor, typ network.Type, how int) error {
	switch {
	case how != windows.SHUT_RD:
		return posix(windows.Shutdown(fd, windows.SHUT_WR))
	case typ == network.Datagram:
		return nil
	}
	_, err := sysGetpeername(fd)
	return err
}

func sysAvailable(fd descriptor) (int, error) {
	var n uint32
	err := ioctl(fd, fionread, &n)
	return int(n), err
}

func addrPortOf(sa windows.Sockaddr) netip.AddrPort {
	switch sa := sa.(type) {
	case *windows.SockaddrInet4:
		return address4(sa.Addr, uint16(sa.Port))
	case *windows.SockaddrInet6:
		return address6(sa.Addr, uint16(sa.Port), sa.ZoneId)
	}
	return netip.AddrPort{}
}

func addrPortOfRaw(raw *windows.RawSockaddrAny) netip.AddrPort {
	sa, err := raw.Sockaddr()
	if err != nil {
		return netip.AddrPort{}
	}
	return addrPortOf(sa)
}
