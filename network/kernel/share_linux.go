package kernel

import (
	"net"
	"net/netip"
	"syscall"

	"golang.org/x/sys/unix"

	"github.com/wasport/wasport/network"
)

var _ network.Sharer = (*socket)(nil)

// BindShared implements network.Sharer. It returns EADDRINUSE if the address belongs to a socket
// that does not share, or to a socket of another user (socket(7), SO_REUSEPORT).
func (s *socket) BindShared(to netip.AddrPort) error {
	if !s.acquire() {
		return net.ErrClosed
	}
	defer s.release()
	if s.typ != network.Datagram {
		return syscall.EOPNOTSUPP
	}
	if err := s.checkAddr(to); err != nil {
		return err
	}
	var err error
	if to.Port() == 0 {
		err = bindThenShare(s.fd, to)
	} else {
		err = shareThenBind(s.fd, to)
	}
	if err == nil {
		s.setState(stateBound)
	}
	return err
}

// shareThenBind takes a port that others may share. SO_REUSEPORT must be set before bind(2), and is
// cleared again after a failure, so that a later Bind does not share (socket(7)).
func shareThenBind(fd int, to netip.AddrPort) error {
	if err := setInt(fd, unix.SOL_SOCKET, unix.SO_REUSEPORT, 1); err != nil {
		return err
	}
	if err := sysBind(fd, to); err != nil {
		setInt(fd, unix.SOL_SOCKET, unix.SO_REUSEPORT, 0)
		return err
	}
	return deliverToFirst(fd)
}

// bindThenShare binds to a port of the kernel's choice. If SO_REUSEPORT came first, the kernel
// could choose a port that is shared already. The next socket that shares the port attaches the
// filter.
func bindThenShare(fd int, to netip.AddrPort) error {
	if err := sysBind(fd, to); err != nil {
		return err
	}
	return setInt(fd, unix.SOL_SOCKET, unix.SO_REUSEPORT, 1)
}

// deliverToFirst delivers unicast datagrams to the first of the sockets that share an address,
// instead of distributing them (socket(7), SO_ATTACH_REUSEPORT_CBPF). Multicast datagrams still
// reach all of the group's members.
func deliverToFirst(fd int) error {
	first := unix.SockFilter{Code: unix.BPF_RET | unix.BPF_K, K: 0}
	program := unix.SockFprog{Len: 1, Filter: &first}
	return unix.SetsockoptSockFprog(fd, unix.SOL_SOCKET, unix.SO_ATTACH_REUSEPORT_CBPF, &program)
}
