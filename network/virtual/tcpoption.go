package virtual

import (
	"net"
	"net/netip"
	"syscall"

	"github.com/wasport/wasport/network"
)

func (s *tcpSocket) Option(o network.Option) (int64, error) {
	if !s.closed.Load() {
		switch o {
		case network.AcceptConn:
			if s.status.Load()&listens != 0 {
				return 1, nil
			}
		case network.PendingError:
			if out := s.outside.Load(); out != nil {
				return out.Option(o)
			}
		case network.MaxSegment:
			return s.segment(), nil
		}
	}
	return s.option(o)
}

// segment returns the size of a segment: the path's, or the one that was set.
func (s *tcpSocket) segment() int64 {
	set := s.value(network.MaxSegment)
	c := s.conn.Load()
	if c == nil {
		if set != 0 {
			return set
		}
		return defaultSegment
	}
	size := int64(s.host.mtu(c.remote.Addr().Unmap()))
	if s.family == network.IPv4 || c.remote.Addr().Is4In6() {
		size -= 40
	} else {
		size -= 60
	}
	if set != 0 {
		return min(set, size)
	}
	return size
}

// SetOption sets an option. V6Only is for an unbound socket, and FastOpenConnect for one that does
// not connect or listen: EINVAL (ipv6(7), tcp(7)).
func (s *tcpSocket) SetOption(o network.Option, v int64) error {
	if err := s.setInside(o, v); err != nil {
		return err
	}
	if out := s.outside.Load(); out != nil {
		return out.setOption(&s.base, o)
	}
	return nil
}

func (s *tcpSocket) setInside(o network.Option, v int64) error {
	w := s.host.world
	w.mu.Lock()
	defer w.mu.Unlock()
	if !s.closed.Load() &&
		(o == network.V6Only && s.family == network.IPv6 && s.local.Port() != 0 ||
			o == network.FastOpenConnect && s.state != stateIdle) {
		return syscall.EINVAL
	}
	if err := s.setOption(o, v); err != nil {
		return err
	}
	if isBuffer(o) {
		s.limitQueues()
	}
	return nil
}

// Join returns EPROTO, as Linux does for a stream.
func (s *tcpSocket) Join(group netip.Addr, on network.Interface) error {
	return s.joinStream(group)
}

// Leave returns EPROTO, as Linux does for a stream.
func (s *tcpSocket) Leave(group netip.Addr, on network.Interface) error {
	return s.joinStream(group)
}

func (s *tcpSocket) joinStream(group netip.Addr) error {
	switch {
	case s.closed.Load():
		return net.ErrClosed
	case !group.IsValid():
		return syscall.EINVAL
	case group.Is6() && s.family != network.IPv6:
		return syscall.ENOPROTOOPT
	}
	return syscall.EPROTO
}
