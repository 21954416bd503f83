package kernel

import (
	"net"
	"net/netip"
	"syscall"

	"golang.org/x/sys/unix"

	"github.com/wasport/wasport/network"
)

var _ network.Sharer = (*socket)(nil)

// BindShared binds a socket for datagrams. EADDRINUSE when the address belongs to a socket that is
// not bound in this way, or to one of another user.
func (s *socket) BindShared(to netip.AddrPort) error {
	if !s.acquire() {
		return net.ErrClosed
	}
	defer s.release()
	if s.typ != network.Datagram {
		return syscall.EOPNOTSUPP
	}
	if err := s.matches(to); err != nil {
		return err
	}
	if to.Port() == 0 {
		return bindThenShare(s.fd, to)
	}
	if err := setInt(s.fd, unix.SOL_SOCKET, unix.SO_REUSEPORT, 1); err != nil {
		return err
	}
	if err := sysBind(s.fd, to); err != nil {
		setInt(s.fd, unix.SOL_SOCKET, unix.SO_REUSEPORT, 0)
		return err
	}
	return firstOnly(s.fd)
}

// bindThenShare takes a port of the kernel's choice, which would be one of those that are shared
// already if that came first. The filter comes with the second socket.
func bindThenShare(fd int, to netip.AddrPort) error {
	if err := sysBind(fd, to); err != nil {
		return err
	}
	return setInt(fd, unix.SOL_SOCKET, unix.SO_REUSEPORT, 1)
}

// firstOnly gives what is sent to one address to the first of the sockets that share it, where the
// kernel would deal it out (SO_ATTACH_REUSEPORT_CBPF in socket(7)). What is sent to a group comes
// to each of them all the same.
func firstOnly(fd int) error {
	first := unix.SockFilter{Code: unix.BPF_RET | unix.BPF_K, K: 0}
	program := unix.SockFprog{Len: 1, Filter: &first}
	return unix.SetsockoptSockFprog(fd, unix.SOL_SOCKET, unix.SO_ATTACH_REUSEPORT_CBPF, &program)
}
