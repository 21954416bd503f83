package virtual

import (
	"net"
	"net/netip"
	"sync/atomic"
	"syscall"

	"github.com/wasport/wasport/network"
)

// base is the part that sockets of both types have.
type base struct {
	host   *Host
	family network.Family
	typ    network.Type
	watch  watch
	closed atomic.Bool
	// pending is the errno of an asynchronous failure, or 0 (socket(7), SO_ERROR).
	pending atomic.Uint32

	// values are those of the options.
	values [network.Options]atomic.Int64

	// The fields below are protected by world.mu.

	// local and remote are in the form that the family of the socket has.
	local, remote netip.AddrPort
	// portChosen and addrChosen tell that the host chose the port, or the address.
	portChosen, addrChosen bool
	// shares tells that BindShared bound the socket.
	shares bool
	// listening tells that a stream listens.
	listening bool
}

func (s *base) init(h *Host, family network.Family, typ network.Type) {
	s.host, s.family, s.typ = h, family, typ
	s.local = netip.AddrPortFrom(s.unspecified(), 0)
	for o := range s.values {
		s.values[o].Store(optionSpecs[o].initialFor(typ))
	}
}

func (s *base) unspecified() netip.Addr {
	if s.family == network.IPv6 {
		return netip.IPv6Unspecified()
	}
	return netip.IPv4Unspecified()
}

func (s *base) Family() network.Family { return s.family }
func (s *base) Type() network.Type     { return s.typ }

func (s *base) watched() (*watch, *World) { return &s.watch, s.host.world }

// checkAddr returns the error that Linux has for an address that the socket cannot take.
func (s *base) checkAddr(a netip.AddrPort) error {
	switch {
	case !a.IsValid():
		return syscall.EINVAL
	case s.family == network.IPv4 && !a.Addr().Is4():
		return syscall.EAFNOSUPPORT
	case s.family == network.IPv6 && a.Addr().Is4():
		return syscall.EINVAL
	}
	return nil
}

// present returns an address in the form of the socket's family: an IPv6 socket sees IPv4 addresses
// as IPv4-mapped ones (RFC 4291, section 2.5.5.2).
func (s *base) present(a netip.AddrPort) netip.AddrPort {
	if s.family == network.IPv6 && a.Addr().Is4() {
		return netip.AddrPortFrom(netip.AddrFrom16(a.Addr().As16()), a.Port())
	}
	return a
}

// destination returns the address that a packet goes to. An unspecified one means the host itself.
func (s *base) destination(a netip.Addr) (netip.Addr, error) {
	v4 := a.Is4() || a.Is4In6()
	if v4 && s.family == network.IPv6 && s.isV6Only() {
		return a, syscall.ENETUNREACH
	}
	switch a = a.Unmap().WithZone(""); {
	case !a.IsUnspecified():
		return a, nil
	case a.Is4():
		return loopback4, nil
	}
	return netip.IPv6Loopback(), nil
}

func (s *base) isV6Only() bool { return s.family == network.IPv6 && s.flag(network.V6Only) }

// takePending returns the pending error and clears it.
func (s *base) takePending() error {
	if s.pending.Load() == 0 {
		return nil
	}
	if e := s.pending.Swap(0); e != 0 {
		return syscall.Errno(e)
	}
	return nil
}

func (s *base) LocalAddr() (netip.AddrPort, error) {
	if s.closed.Load() {
		return netip.AddrPort{}, net.ErrClosed
	}
	s.host.world.mu.RLock()
	defer s.host.world.mu.RUnlock()
	return s.local, nil
}

// BufferLimits implements network.Buffered. The bytes that a stream has sent and the peer has not
// received are no more than its send buffer. A datagram that was sent is the receiver's. Beyond the
// gateway, a datagram socket has further queues.
func (s *base) BufferLimits() (recv, send int64, err error) {
	if s.closed.Load() {
		return 0, 0, net.ErrClosed
	}
	recv, send = s.limit(network.RecvBuffer), s.limit(network.SendBuffer)
	switch {
	case s.typ == network.Stream:
		return recv, send, nil
	case s.host.gateway() == nil:
		return recv, 0, nil
	}
	return 2 * recv, send, nil
}
