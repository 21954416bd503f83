package kernel

import (
	"net/netip"
	"sync"
	"syscall"
	"unsafe"

	"golang.org/x/sys/windows"

	"github.com/wasport/wasport/network"
)

// The calls of Winsock that golang.org/x/sys lacks.
var (
	winsock         = windows.NewLazySystemDLL("ws2_32.dll")
	procAccept      = winsock.NewProc("accept")
	procIoctlsocket = winsock.NewProc("ioctlsocket")
	procWSAPoll     = winsock.NewProc("WSAPoll")
)

const (
	fionbio     = 0x8004667e // an unsigned long: whether calls do not block
	fionread    = 0x4004667f // an unsigned long: how many bytes there are
	socketFlags = windows.WSA_FLAG_OVERLAPPED | windows.WSA_FLAG_NO_HANDLE_INHERIT
)

// descriptor is how the system names a socket.
type descriptor = windows.Handle

// startWinsock is for programs that import nothing of package net's.
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
		windows.SetsockoptInt(fd, windows.IPPROTO_IPV6, windows.IPV6_V6ONLY, 0) // as on Linux
	}
	if typ == network.Datagram {
		refusals(fd, false)
	}
	return fd, nonblocking(fd)
}

// refusals says whether a datagram that nobody has taken comes back as an error, as to connected
// sockets elsewhere.
func refusals(fd descriptor, on bool) {
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
	sa, err := sockaddr(to)
	if err != nil {
		return err
	}
	return posix(windows.Bind(fd, sa))
}

func sysConnect(fd descriptor, to netip.AddrPort) error {
	sa, err := sockaddr(reachable(to))
	if err != nil {
		return err
	}
	err = posix(windows.Connect(fd, sa))
	switch err {
	case nil:
		refusals(fd, true)
	case syscall.EAGAIN:
		return syscall.EINPROGRESS
	}
	return err
}

// sysDisconnect releases the peer of a datagram socket by connecting it to an address of zeros.
// Source: Winsock, connect, remarks.
func sysDisconnect(fd descriptor, family network.Family) error {
	var null windows.Sockaddr = new(windows.SockaddrInet4)
	if family == network.IPv6 {
		null = new(windows.SockaddrInet6)
	}
	err := posix(windows.Connect(fd, null))
	if err == nil {
		refusals(fd, false)
	}
	return err
}

// reachable is the loopback address in place of the unspecified one, to which Windows does not
// connect.
func reachable(to netip.AddrPort) netip.AddrPort {
	switch a := to.Addr(); {
	case !a.IsUnspecified():
		return to
	case a.Is4():
		return netip.AddrPortFrom(netip.AddrFrom4([4]byte{127, 0, 0, 1}), to.Port())
	default:
		return netip.AddrPortFrom(netip.IPv6Loopback(), to.Port())
	}
}

func sysFinishConnect(fd descriptor, _ netip.AddrPort) error {
	ready, err := sysPoll(fd, pollOut)
	if err != nil {
		return err
	}
	if ready == 0 {
		return syscall.EALREADY
	}
	reason, err := getInt(fd, windows.SOL_SOCKET, soError)
	if err != nil {
		return err
	}
	if reason != 0 {
		return posix(syscall.Errno(reason))
	}
	if _, err := windows.Getpeername(fd); err != nil {
		return syscall.ECONNABORTED // someone has read the reason before
	}
	return nil
}

func sysListen(fd descriptor, backlog int) error {
	err := posix(windows.Listen(fd, backlog))
	if err != syscall.EINVAL {
		return err
	}
	// Winsock wants an address first.
	any := netip.IPv4Unspecified()
	if familyOf(fd) == network.IPv6 {
		any = netip.IPv6Unspecified()
	}
	if err := sysBind(fd, netip.AddrPortFrom(any, 0)); err != nil {
		return err
	}
	return posix(windows.Listen(fd, backlog))
}

func sysAccept(fd descriptor) (descriptor, netip.AddrPort, error) {
	for {
		var sa windows.RawSockaddrAny
		size := int32(unsafe.Sizeof(sa))
		r, _, errno := syscall.SyscallN(procAccept.Addr(), uintptr(fd),
			uintptr(unsafe.Pointer(&sa)), uintptr(unsafe.Pointer(&size)))
		c := windows.Handle(r)
		if c != windows.InvalidHandle {
			windows.SetHandleInformation(c, windows.HANDLE_FLAG_INHERIT, 0)
			return c, addressOfRaw(&sa), nonblocking(c)
		}
		if errno == windows.WSAECONNRESET { // the next one in the queue may do better
			continue
		}
		return windows.InvalidHandle, netip.AddrPort{}, posix(errno)
	}
}

// sysGetsockname gives the unspecified address to a socket without one, where Winsock has an error.
func sysGetsockname(fd descriptor) (netip.AddrPort, error) {
	sa, err := windows.Getsockname(fd)
	if err = posix(err); err == syscall.EINVAL {
		if familyOf(fd) == network.IPv6 {
			return netip.AddrPortFrom(netip.IPv6Unspecified(), 0), nil
		}
		return netip.AddrPortFrom(netip.IPv4Unspecified(), 0), nil
	}
	return address(sa), err
}

func sysGetpeername(fd descriptor) (netip.AddrPort, error) {
	sa, err := windows.Getpeername(fd)
	return address(sa), posix(err)
}

func sysShutdown(fd descriptor, how int) error {
	return posix(windows.Shutdown(fd, how))
}

func sysAvailable(fd descriptor) (int, error) {
	var n uint32
	err := ioctl(fd, fionread, &n)
	return int(n), err
}

func familyOf(fd descriptor) network.Family {
	info, err := protocolInfo(fd)
	if err == nil && info.AddressFamily == windows.AF_INET6 {
		return network.IPv6
	}
	return network.IPv4
}

func sockaddr(a netip.AddrPort) (windows.Sockaddr, error) {
	if a.Addr().Is4() {
		return &windows.SockaddrInet4{Port: int(a.Port()), Addr: a.Addr().As4()}, nil
	}
	index, err := zoneIndex(a.Addr().Zone())
	if err != nil {
		return nil, err
	}
	return &windows.SockaddrInet6{Port: int(a.Port()), Addr: a.Addr().As16(), ZoneId: index}, nil
}

func address(sa windows.Sockaddr) netip.AddrPort {
	switch sa := sa.(type) {
	case *windows.SockaddrInet4:
		return address4(sa.Addr, uint16(sa.Port))
	case *windows.SockaddrInet6:
		return address6(sa.Addr, uint16(sa.Port), sa.ZoneId)
	}
	return netip.AddrPort{}
}

func addressOfRaw(raw *windows.RawSockaddrAny) netip.AddrPort {
	sa, err := raw.Sockaddr()
	if err != nil {
		return netip.AddrPort{}
	}
	return address(sa)
}
