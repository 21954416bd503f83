package kernel

import (
	"fmt"
	"syscall"
	"unsafe"

	"golang.org/x/sys/windows"

	"github.com/wasport/wasport/network"
)

// The values of winsock2.h.
const (
	soProtocolInfo   = 0x2005
	fromProtocolInfo = -1
)

func adopt(from uintptr) (*socket, error) {
	var info windows.WSAProtocolInfo
	if err := windows.WSADuplicateSocket(windows.Handle(from), windows.GetCurrentProcessId(),
		&info); err != nil {
		return nil, posix(err)
	}
	fd, err := windows.WSASocket(fromProtocolInfo, fromProtocolInfo, fromProtocolInfo, &info, 0,
		socketFlags)
	if err != nil {
		return nil, posix(err)
	}
	s, err := newAdopted(fd, &info)
	if err != nil {
		windows.Closesocket(fd)
		return nil, err
	}
	if err := nonblocking(fd); err != nil {
		return nil, err
	}
	s.adopted()
	return s, nil
}

// newAdopted makes a socket of a descriptor with the family and type in info.
func newAdopted(fd descriptor, info *windows.WSAProtocolInfo) (*socket, error) {
	var family network.Family
	switch info.AddressFamily {
	case windows.AF_INET:
		family = network.IPv4
	case windows.AF_INET6:
		family = network.IPv6
	default:
		return nil, fmt.Errorf("neither IPv4 nor IPv6: %w", syscall.EAFNOSUPPORT)
	}
	switch info.SocketType {
	case windows.SOCK_STREAM:
		return newSocket(fd, family, network.Stream), nil
	case windows.SOCK_DGRAM:
		return newSocket(fd, family, network.Datagram), nil
	}
	return nil, fmt.Errorf("neither a stream nor datagrams: %w", syscall.EPROTOTYPE)
}

func socketProtocolInfo(fd descriptor) (info windows.WSAProtocolInfo, err error) {
	size := int32(unsafe.Sizeof(info))
	err = windows.Getsockopt(fd, windows.SOL_SOCKET, soProtocolInfo, (*byte)(unsafe.Pointer(&info)),
		&size)
	return info, err
}
