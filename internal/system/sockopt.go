package system

import (
	"math"
	"net/netip"
	"syscall"

	"github.com/wasport/wasport/network"
)

// Option returns a socket option in the units of network.Option.
func (t *Thread) Option(fd int32, o network.Option) (int64, error) {
	_, s, err := t.socketAt(fd)
	if err != nil {
		return 0, err
	}
	if o == network.PendingError {
		if e, ok := s.takeError().(syscall.Errno); ok {
			return int64(e), nil
		}
		return 0, nil
	}
	return s.Option(o)
}

// SetOption sets a socket option, in the same units.
func (t *Thread) SetOption(fd int32, o network.Option, value int64) error {
	_, s, err := t.socketAt(fd)
	if err != nil {
		return err
	}
	return s.SetOption(o, value)
}

// Timeouts returns SO_RCVTIMEO and SO_SNDTIMEO of a socket in microseconds; 0 = none. They apply to
// the waits of this package. The host's socket is always in non-blocking mode and never gets them,
// so they keep microseconds where Linux rounds up to its clock tick (time(7), the software clock).
func (t *Thread) Timeouts(fd int32) (recv, send uint64, err error) {
	_, s, err := t.socketAt(fd)
	if err != nil {
		return 0, 0, err
	}
	return uint64(s.recvTimeout.Load()), uint64(s.sendTimeout.Load()), nil
}

// maxTimeout is the longest time-out that fits a time.Duration, some 290 years. Longer ones count
// as none.
const maxTimeout = math.MaxInt64 / 1000

// SetRecvTimeout and SetSendTimeout set SO_RCVTIMEO and SO_SNDTIMEO.
func (t *Thread) SetRecvTimeout(fd int32, usec uint64) error {
	_, s, err := t.socketAt(fd)
	if err == nil {
		s.recvTimeout.Store(clampTimeout(usec))
	}
	return err
}

func (t *Thread) SetSendTimeout(fd int32, usec uint64) error {
	_, s, err := t.socketAt(fd)
	if err == nil {
		s.sendTimeout.Store(clampTimeout(usec))
	}
	return err
}

func clampTimeout(usec uint64) int64 {
	if usec > maxTimeout {
		return 0
	}
	return int64(usec)
}

// Join and Leave change a socket's membership in a multicast group (ip(7), IP_ADD_MEMBERSHIP).
func (t *Thread) Join(fd int32, group netip.Addr, on network.Interface) error {
	_, s, err := t.socketAt(fd)
	if err != nil {
		return err
	}
	return s.Join(group, on)
}

func (t *Thread) Leave(fd int32, group netip.Addr, on network.Interface) error {
	_, s, err := t.socketAt(fd)
	if err != nil {
		return err
	}
	return s.Leave(group, on)
}
