//go:build darwin || dragonfly || freebsd || netbsd || openbsd

package kernel

import (
	"golang.org/x/sys/unix"

	"github.com/wasport/wasport/network"
)

// fionread is FIONREAD: the number of bytes to read, as an int.
const fionread = 0x4004667f

func sysAvailable(fd int) (int, error) {
	return unix.IoctlGetInt(fd, fionread)
}

// finishConnect asks for the result of the connection under way.
func (s *socket) finishConnect() error { return s.finishByPoll() }

// sysDisconnect releases the peer of a datagram socket by connecting it to the null address. The
// call fails, but only after that: connect(2) of FreeBSD and macOS.
func sysDisconnect(fd int, family network.Family) error {
	var null unix.Sockaddr = new(unix.SockaddrInet4)
	if family == network.IPv6 {
		null = new(unix.SockaddrInet6)
	}
	err := unix.Connect(fd, null)
	if _, peerErr := unix.Getpeername(fd); peerErr == unix.ENOTCONN {
		return nil
	}
	return err
}
