package ipc

import (
	"net"
	"net/netip"
	"syscall"

	"github.com/wasport/wasport/network"
)

// forState returns the error of a call that a connected socket does not allow, for a stream or for
// datagrams.
func (s *Socket) forState(stream, datagram syscall.Errno) error {
	switch {
	case s.closed.Load():
		return net.ErrClosed
	case s.typ == network.Datagram:
		return datagram
	}
	return stream
}

// Bind, Listen, Accept, Connect and the others that name addresses fail: the sockets are connected,
// and names are not theirs.
func (s *Socket) Bind(netip.AddrPort) error { return s.forState(syscall.EINVAL, syscall.EINVAL) }

func (s *Socket) Listen(int) error {
	return s.forState(syscall.EINVAL, syscall.EOPNOTSUPP)
}

func (s *Socket) Accept() (network.Socket, netip.AddrPort, error) {
	return nil, netip.AddrPort{}, s.forState(syscall.EINVAL, syscall.EOPNOTSUPP)
}

func (s *Socket) Connect(netip.AddrPort) error {
	return s.forState(syscall.EISCONN, syscall.EINVAL)
}

// FinishConnect returns nil, since the sockets are connected from the beginning.
func (s *Socket) FinishConnect() error {
	_, err := s.address()
	return err
}

func (s *Socket) Join(netip.Addr, network.Interface) error {
	return s.forState(syscall.EOPNOTSUPP, syscall.EOPNOTSUPP)
}

func (s *Socket) Leave(netip.Addr, network.Interface) error {
	return s.forState(syscall.EOPNOTSUPP, syscall.EOPNOTSUPP)
}

func (s *Socket) LocalAddr() (netip.AddrPort, error) { return s.address() }

// RemoteAddr returns the same as LocalAddr.
func (s *Socket) RemoteAddr() (netip.AddrPort, error) { return s.address() }

func (s *Socket) address() (netip.AddrPort, error) {
	if s.closed.Load() {
		return netip.AddrPort{}, net.ErrClosed
	}
	return unnamed, nil
}

// Option implements network.Socket. Options of protocols are ENOTSUP, as on Linux.
func (s *Socket) Option(o network.Option) (int64, error) {
	if s.closed.Load() {
		return 0, net.ErrClosed
	}
	switch {
	case o == network.PendingError:
		return int64(s.pending.Swap(0)), nil
	case o == network.AcceptConn:
		return 0, nil
	case isRemembered(o):
		return s.values[o].Load(), nil
	}
	return 0, syscall.ENOTSUP
}

// SetOption implements network.Socket. The value of SendBuffer is doubled and bounded as on Linux
// (socket(7)), and bounds the bytes on their way as far as that is less than bufferSize.
func (s *Socket) SetOption(o network.Option, v int64) error {
	switch {
	case s.closed.Load():
		return net.ErrClosed
	case o == network.PendingError || o == network.AcceptConn:
		return syscall.ENOPROTOOPT
	case !isRemembered(o):
		return syscall.ENOTSUP
	}
	if o == network.SendBuffer || o == network.RecvBuffer {
		least := int64(minBuffer)
		if o == network.RecvBuffer {
			least /= 2
		}
		v = max(2*min(v, bufferSize), least)
	}
	s.values[o].Store(v)
	if o == network.SendBuffer {
		s.peer.stream.SetLimit(s.sendLimit())
		s.watch.wake()
	}
	return nil
}

// minBuffer is the smallest send buffer that Linux sets, and twice the smallest receive buffer
// (SOCK_MIN_SNDBUF and SOCK_MIN_RCVBUF of include/net/sock.h).
const minBuffer = 4608

func (s *Socket) sendLimit() int64 { return min(s.values[network.SendBuffer].Load(), bufferSize) }

// isRemembered tells whether an option has a value that is read back. They are those that every
// socket must have (network.Option).
func isRemembered(o network.Option) bool {
	switch o {
	case network.ReuseAddr, network.ReusePort, network.KeepAlive, network.Broadcast,
		network.Linger, network.RecvBuffer, network.SendBuffer:
		return true
	}
	return false
}
