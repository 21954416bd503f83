//go:build darwin || dragonfly || freebsd || netbsd || openbsd || portable

package kernel

import (
	"net/netip"
	"syscall"

	"golang.org/x/sys/unix"

	"github.com/wasport/wasport/network"
)

// maxBufs is the number of buffers that these systems take at once (IOV_MAX, POSIX limits.h).
const maxBufs = 1024

// sysSocket makes a socket. All functions of this file make their system calls through
// golang.org/x/sys, which systems require if their system calls are functions of the C library.
// That allocates an address for each datagram. The build tag "portable" selects this file on Linux
// as well, for tests.
func sysSocket(family network.Family, typ network.Type) (int, error) {
	domain, kind, proto := unix.AF_INET, unix.SOCK_STREAM, unix.IPPROTO_TCP
	if family == network.IPv6 {
		domain = unix.AF_INET6
	}
	if typ == network.Datagram {
		kind, proto = unix.SOCK_DGRAM, unix.IPPROTO_UDP
	}
	syscall.ForkLock.RLock()
	fd, err := unix.Socket(domain, kind, proto)
	if err == nil {
		unix.CloseOnExec(fd)
	}
	syscall.ForkLock.RUnlock()
	if err != nil {
		return -1, err
	}
	if typ == network.Datagram {
		joinedGroupsOnly(fd, family)
		raiseBuffers(func(name int) (int, error) { return getInt(fd, unix.SOL_SOCKET, name) },
			func(name, bytes int) error { return setBuffer(fd, name, bytes) })
	}
	if family == network.IPv6 {
		// Linux's default (ipv6(7)). OpenBSD refuses it, and a guest can read the option.
		unix.SetsockoptInt(fd, unix.IPPROTO_IPV6, unix.IPV6_V6ONLY, 0)
	}
	return fd, nonblocking(fd)
}

func nonblocking(fd int) error {
	err := unix.SetNonblock(fd, true)
	if err != nil {
		unix.Close(fd)
	}
	return err
}

func sysBind(fd int, to netip.AddrPort) error {
	sa, err := sockaddr(to)
	if err != nil {
		return err
	}
	return unix.Bind(fd, sa)
}

func sysConnect(fd int, to netip.AddrPort) error {
	sa, err := sockaddr(to)
	if err != nil {
		return err
	}
	return unix.Connect(fd, sa)
}

func sysAccept(fd int) (int, netip.AddrPort, error) {
	for {
		syscall.ForkLock.RLock()
		n, sa, err := unix.Accept(fd)
		if err == nil {
			unix.CloseOnExec(n)
		}
		syscall.ForkLock.RUnlock()
		switch err {
		case nil:
			return n, addrPortOf(sa), nonblocking(n)
		// The next connection in the queue may be intact.
		case unix.EINTR, unix.ECONNABORTED:
			continue
		}
		return -1, netip.AddrPort{}, err
	}
}

func sysGetsockname(fd int) (netip.AddrPort, error) {
	sa, err := unix.Getsockname(fd)
	return addrPortOf(sa), err
}

func sysGetpeername(fd int) (netip.AddrPort, error) {
	sa, err := unix.Getpeername(fd)
	return addrPortOf(sa), err
}

func sysCloseAtOnce(fd int) error { return unix.Close(fd) }

func sysPoll(fd int, mask int16) (int16, error) {
	p := [1]unix.PollFd{{Fd: int32(fd), Events: mask}}
	for {
		_, err := unix.Poll(p[:], 0)
		if err != unix.EINTR {
			return p[0].Revents, err
		}
	}
}

func sysSend(fd int, typ network.Type, bufs [][]byte, to netip.AddrPort) (int, error) {
	var sa unix.Sockaddr
	if to.IsValid() {
		var err error
		if sa, err = sockaddr(to); err != nil {
			return 0, err
		}
	}
	bufs, err := capBufs(bufs, typ, maxBufs)
	if err != nil {
		return 0, err
	}
	n, err := sendmsg(fd, bufs, nil, sa)
	if err == unix.EISCONN && typ == network.Datagram && sa != nil {
		return sendPastPeer(to, peerChanger{
			peer:    func() (netip.AddrPort, error) { return sysGetpeername(fd) },
			connect: func(to netip.AddrPort) error { return sysConnect(fd, to) },
			send:    func() (int, error) { return sendmsg(fd, bufs, nil, nil) },
		})
	}
	return n, err
}

func sendmsg(fd int, bufs [][]byte, control []byte, to unix.Sockaddr) (int, error) {
	for {
		n, err := sendmsgOnce(fd, bufs, control, to)
		if err != unix.EINTR {
			return max(n, 0), err
		}
	}
}

// sendmsgOnce makes the system call. A list of buffers allocates.
func sendmsgOnce(fd int, bufs [][]byte, control []byte, to unix.Sockaddr) (int, error) {
	if len(bufs) == 1 {
		return unix.SendmsgN(fd, bufs[0], control, to, noSignal)
	}
	return unix.SendmsgBuffers(fd, bufs, control, to, noSignal)
}

// sysRecv receives from a stream. An address that a stream does not have allocates as well, and
// read(2) has none.
func sysRecv(fd int, bufs [][]byte, flags network.RecvFlags) (int, error) {
	if len(bufs) == 1 && len(bufs[0]) > 0 && flags == 0 {
		return read(fd, bufs[0])
	}
	r, _, err := recvmsg(fd, bufs, nil, flags, network.Stream)
	return r.N, err
}

func read(fd int, b []byte) (int, error) {
	for {
		n, err := unix.Read(fd, b[:min(len(b), maxBufBytes)])
		if err != unix.EINTR {
			return max(n, 0), err
		}
	}
}

func sysRecvFrom(fd int, bufs [][]byte, flags network.RecvFlags) (network.Received, error) {
	r, _, err := recvmsg(fd, bufs, nil, flags, network.Datagram)
	return r, err
}

// recvmsg also returns the number of bytes of control messages, which control has room for.
func recvmsg(fd int, bufs [][]byte, control []byte, flags network.RecvFlags,
	typ network.Type) (network.Received, int, error) {
	how := 0
	if flags&network.Peek != 0 {
		how = unix.MSG_PEEK
	}
	if typ == network.Datagram {
		bufs = firstBytes(bufs, maxDatagram)
	}
	bufs, err := capBufs(bufs, typ, maxBufs)
	if err != nil {
		return network.Received{}, 0, err
	}
	room := totalLen(bufs)
	if typ == network.Datagram && len(bufs) < maxBufs {
		rest := tailBufs.Get().(*tailBuf)
		defer tailBufs.Put(rest)
		bufs = append(bufs[:len(bufs):len(bufs)], rest[:])
	}
	for {
		n, controlLen, got, from, err := unix.RecvmsgBuffers(fd, bufs, control, how)
		switch err {
		case nil:
			r := network.Received{N: min(n, room), From: addrPortOf(from)}
			if typ == network.Datagram {
				r.Size, r.Truncated = n, n > room || got&unix.MSG_TRUNC != 0
			}
			return r, controlLen, nil
		case unix.EINTR:
			continue
		}
		return network.Received{}, 0, err
	}
}

func sockaddr(a netip.AddrPort) (unix.Sockaddr, error) {
	if a.Addr().Is4() {
		return &unix.SockaddrInet4{Port: int(a.Port()), Addr: a.Addr().As4()}, nil
	}
	index, err := zoneIndex(a.Addr().Zone())
	if err != nil {
		return nil, err
	}
	return &unix.SockaddrInet6{Port: int(a.Port()), Addr: a.Addr().As16(), ZoneId: index}, nil
}

func addrPortOf(sa unix.Sockaddr) netip.AddrPort {
	switch sa := sa.(type) {
	case *unix.SockaddrInet4:
		return address4(sa.Addr, uint16(sa.Port))
	case *unix.SockaddrInet6:
		return address6(sa.Addr, uint16(sa.Port), sa.ZoneId)
	}
	return netip.AddrPort{}
}

// raiseBuffers makes room for the largest datagram in a new socket, by getsockopt(2) and
// setsockopt(2). A send of more than SO_SNDBUF is EMSGSIZE, and its default is sysctl
// net.inet.udp.maxdgram: 9216 bytes (udp(4) of FreeBSD and macOS). The receive buffer counts
// addresses as well. Where the system refuses the sizes, the socket keeps its own.
func raiseBuffers(get func(name int) (int, error), set func(name, bytes int) error) {
	const room = 128 << 10
	for _, name := range [...]int{unix.SO_SNDBUF, unix.SO_RCVBUF} {
		if n, err := get(name); err == nil && n < room {
			set(name, room)
		}
	}
}

// firstBytes returns the buffers that hold the first bytes. A datagram needs no more of a guest's
// buffers, and macOS refuses a call with more than INT_MAX bytes.
func firstBytes(bufs [][]byte, most int) [][]byte {
	left := most
	for i, b := range bufs {
		if len(b) > left {
			return append(bufs[:i:i], b[:left])
		}
		left -= len(b)
	}
	return bufs
}
