//go:build unix

package kernel

import (
	"fmt"
	"syscall"

	"golang.org/x/sys/unix"

	"github.com/wasport/wasport/network"
)

func adopt(from uintptr) (*socket, error) {
	fd, err := unix.FcntlInt(from, unix.F_DUPFD_CLOEXEC, 0)
	if err != nil {
		return nil, err
	}
	s, err := newAdopted(fd)
	if err == nil {
		err = unix.SetNonblock(fd, true)
	}
	if err != nil {
		unix.Close(fd)
		return nil, err
	}
	s.adopted()
	if s.family == network.Unix && !s.conn.is(stateListening, stateConnected) {
		unix.Close(fd)
		return nil, fmt.Errorf("a Unix-domain socket that neither listens nor is connected: %w",
			syscall.ENOTCONN)
	}
	return s, nil
}

// newAdopted makes a socket of a descriptor, with the family and type that the kernel reports.
func newAdopted(fd int) (*socket, error) {
	sa, err := unix.Getsockname(fd)
	if err != nil {
		return nil, err
	}
	var family network.Family
	switch sa.(type) {
	case *unix.SockaddrInet4:
		family = network.IPv4
	case *unix.SockaddrInet6:
		family = network.IPv6
	case *unix.SockaddrUnix:
		family = network.Unix
	default:
		return nil, fmt.Errorf("neither IPv4, IPv6 nor Unix-domain: %w", syscall.EAFNOSUPPORT)
	}
	kind, err := unix.GetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_TYPE)
	if err != nil {
		return nil, err
	}
	switch {
	case kind == unix.SOCK_STREAM:
		return newSocket(fd, family, network.Stream), nil
	case family == network.Unix:
		return nil, fmt.Errorf("a Unix-domain socket, but not a stream: %w", syscall.EPROTOTYPE)
	case kind == unix.SOCK_DGRAM:
		return newSocket(fd, family, network.Datagram), nil
	}
	return nil, fmt.Errorf("neither a stream nor datagrams: %w", syscall.EPROTOTYPE)
}
