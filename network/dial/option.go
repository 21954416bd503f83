package dial

import (
	"math"
	"net"
	"syscall"
	"time"

	"github.com/wasport/wasport/network"
)

// options are the values of the options that every socket must have (see [network.Option]). The
// others are refused.
type options struct {
	reuseAddr, keepAlive, broadcast, noDelay, v6Only int64
	linger                                           int64
	recvBuffer, sendBuffer                           int64
}

const (
	defaultBuffer = 256 << 10
	minBuffer     = 8 << 10
	maxBuffer     = 4 << 20
)

var defaultOptions = options{linger: -1, recvBuffer: defaultBuffer, sendBuffer: defaultBuffer}

// value returns the place of an option's value, or nil if the socket does not have the option.
func (s *socket) value(o network.Option) *int64 {
	v := &s.options
	switch {
	case o == network.ReuseAddr:
		return &v.reuseAddr
	case o == network.KeepAlive:
		return &v.keepAlive
	case o == network.Broadcast:
		return &v.broadcast
	case o == network.Linger:
		return &v.linger
	case o == network.RecvBuffer:
		return &v.recvBuffer
	case o == network.SendBuffer:
		return &v.sendBuffer
	case o == network.NoDelay && s.typ == network.Stream:
		return &v.noDelay
	case o == network.V6Only && s.family == network.IPv6:
		return &v.v6Only
	}
	return nil
}

// option reads an option. listening is the value of AcceptConn.
func (s *socket) option(o network.Option, listening func() bool) (int64, error) {
	if err := s.lock(); err != nil {
		return 0, err
	}
	defer s.mu.Unlock()
	switch o {
	case network.PendingError:
		e := s.pending
		s.pending = 0
		return int64(e), nil
	case network.AcceptConn:
		if listening() {
			return 1, nil
		}
		return 0, nil
	}
	if v := s.value(o); v != nil {
		return *v, nil
	}
	return 0, syscall.EOPNOTSUPP
}

// setOption stores an option. The size of a buffer is doubled, as Linux does (socket(7)).
func (s *socket) setOption(o network.Option, v int64) error {
	if err := s.lock(); err != nil {
		return err
	}
	defer s.mu.Unlock()
	place := s.value(o)
	switch {
	case place == nil:
		return syscall.ENOPROTOOPT
	case o == network.Linger && (v < -1 || v > math.MaxInt32):
		return syscall.EINVAL
	case o == network.RecvBuffer || o == network.SendBuffer:
		if v < 0 {
			return syscall.EINVAL
		}
		v = min(max(2*min(v, maxBuffer), minBuffer), maxBuffer)
	case o != network.Linger && v != 0:
		v = 1
	}
	*place = v
	return nil
}

// queueSize returns the part of a buffer's size that is the queue of this package. The rest is for
// the operating system beneath, if there is one.
func queueSize(size int64) int { return int(size / 2) }

// tune passes options on to a connection, as far as it has functions for them. The system doubles
// the sizes of buffers.
func (o options) tune(c net.Conn) {
	if c, ok := c.(interface{ SetNoDelay(bool) error }); ok {
		c.SetNoDelay(o.noDelay != 0)
	}
	if c, ok := c.(interface{ SetKeepAlive(bool) error }); ok {
		c.SetKeepAlive(o.keepAlive != 0)
	}
	if c, ok := c.(interface{ SetReadBuffer(int) error }); ok {
		c.SetReadBuffer(int(o.recvBuffer / 4))
	}
	if c, ok := c.(interface{ SetWriteBuffer(int) error }); ok {
		c.SetWriteBuffer(int(o.sendBuffer / 4))
	}
}

// closeConn closes a connection, with a reset if the connection can.
func closeConn(c net.Conn, reset bool) {
	if l, ok := c.(interface{ SetLinger(int) error }); ok && reset {
		l.SetLinger(0)
	}
	c.Close()
}

// lingerTimeout bounds the time for which a closed connection is written to its end.
const lingerTimeout = 2 * time.Minute

// BufferLimits implements network.Buffered. Each direction has a piece more, which is being read or
// written.
func (s *socket) BufferLimits() (recv, send int64, err error) {
	if err := s.lock(); err != nil {
		return 0, 0, err
	}
	defer s.mu.Unlock()
	return s.options.recvBuffer + pieceSize, s.options.sendBuffer + pieceSize, nil
}
