package virtual

import (
	"encoding/binary"
	"math"
	"net"
	"net/netip"
	"syscall"

	"github.com/wasport/wasport/network"
)

// spec describes an option: its first value and its range. The values are those of Linux.
type spec struct {
	form     form
	initial  int64
	min, max int64
	// streams and families tell which sockets have the option.
	only   network.Type
	family network.Family
	// lacked tells that sockets of a host in memory do not have it.
	lacked bool
	// datagram tells that a stream reads the option and cannot set it, with this errno.
	onStream syscall.Errno
}

// form is the kind of an option's values.
type form uint8

const (
	// A flag is 0 or 1; any other value is 1.
	flag form = iota
	// A number is from min to max.
	number
	// A bufferSize is doubled, and at least min and at most max then (socket(7)).
	bufferSize
	readOnly
)

// The sizes of buffers in bytes: the first of a datagram socket, and the largest that can be set
// before it is doubled (rmem_max and wmem_max of socket(7)).
const (
	datagramBuffer = 212992
	maxBuffer      = 212992
	// streamBuffer is how far the queue of a stream grows if no size was set. Linux, too,
	// reports less at first (tcp(7), tcp_rmem).
	streamBuffer = 256 << 10
	// The least that remains of a size that was set (SOCK_MIN_RCVBUF and SOCK_MIN_SNDBUF of
	// include/net/sock.h).
	minRecvBuffer = 2304
	minSendBuffer = 4608
	// defaultSegment is the segment size of a stream without a connection (TCP_MSS_DEFAULT).
	defaultSegment = 536
)

var optionSpecs = [network.Options]spec{
	network.ReuseAddr:       {},
	network.ReusePort:       {},
	network.KeepAlive:       {},
	network.Broadcast:       {},
	network.Linger:          {form: number, initial: -1, min: -1, max: math.MaxInt32},
	network.RecvBuffer:      {form: bufferSize, initial: 131072, min: minRecvBuffer},
	network.SendBuffer:      {form: bufferSize, initial: 16384, min: minSendBuffer},
	network.NoDelay:         {only: network.Stream},
	network.QuickAck:        {only: network.Stream, initial: 1},
	network.FastOpenConnect: {only: network.Stream},
	network.KeepIdle: {form: number, only: network.Stream, initial: 7200, min: 1,
		max: 32767},
	network.KeepInterval:   {form: number, only: network.Stream, initial: 75, min: 1, max: 32767},
	network.KeepCount:      {form: number, only: network.Stream, initial: 9, min: 1, max: 127},
	network.TTL:            {form: number, initial: 64, min: 1, max: 255},
	network.MulticastTTL:   {form: number, initial: 1, max: 255, onStream: syscall.EINVAL},
	network.MulticastLoop4: {initial: 1},
	network.MulticastLoop6: {initial: 1, family: network.IPv6},
	network.V6Only:         {family: network.IPv6},
	network.HopLimit:       {form: number, initial: 64, min: -1, max: 255, family: network.IPv6},
	network.MulticastHops: {form: number, initial: 1, min: -1, max: 255, family: network.IPv6,
		onStream: syscall.ENOPROTOOPT},
	network.MulticastInterface4: {form: number, max: math.MaxUint32, onStream: syscall.EINVAL},
	network.MulticastInterface6: {form: number, min: math.MinInt32, max: math.MaxInt32,
		family: network.IPv6, onStream: syscall.ENOPROTOOPT},
	network.TOS:          {form: number, max: 255},
	network.TrafficClass: {form: number, min: -1, max: 255, family: network.IPv6},
	network.MaxSegment:   {form: number, only: network.Stream, max: 32767},
	network.UserTimeout:  {form: number, only: network.Stream, max: math.MaxInt32},
	network.PendingError: {form: readOnly},
	network.AcceptConn:   {form: readOnly},

	network.RecvPacketInfo4:  {lacked: true},
	network.RecvTTL:          {lacked: true},
	network.RecvTOS:          {lacked: true},
	network.RecvPacketInfo6:  {lacked: true},
	network.RecvHopLimit:     {lacked: true},
	network.RecvTrafficClass: {lacked: true},
	network.RecvTimestamp:    {lacked: true},
}

func (o *spec) initialFor(typ network.Type) int64 {
	if o.form == bufferSize && typ == network.Datagram {
		return datagramBuffer
	}
	return o.initial
}

// has reports whether Linux has an option on sockets of the type and family, and these do, too.
func (s *base) has(o network.Option) bool {
	spec := &optionSpecs[o]
	return !spec.lacked && (spec.only == network.AnyType || spec.only == s.typ) &&
		(spec.family == network.AnyFamily || spec.family == s.family)
}

func (s *base) value(o network.Option) int64 { return s.values[o].Load() }

func (s *base) flag(o network.Option) bool { return s.value(o) != 0 }

// option reads an option that is the same for both types of sockets.
func (s *base) option(o network.Option) (int64, error) {
	switch {
	case s.closed.Load():
		return 0, net.ErrClosed
	case o >= network.Options:
		return 0, syscall.ENOPROTOOPT
	case !s.has(o):
		return 0, syscall.EOPNOTSUPP
	case o == network.PendingError:
		return int64(s.pending.Swap(0)), nil
	}
	return s.value(o), nil
}

// setOption stores a value, in the form that Linux reads it back.
func (s *base) setOption(o network.Option, v int64) error {
	switch {
	case s.closed.Load():
		return net.ErrClosed
	case o >= network.Options || !s.has(o) || optionSpecs[o].form == readOnly:
		return syscall.ENOPROTOOPT
	case s.typ == network.Stream && optionSpecs[o].onStream != 0:
		return optionSpecs[o].onStream
	}
	v, err := s.normalize(o, v)
	if err != nil {
		return err
	}
	s.values[o].Store(v)
	return nil
}

// normalize returns the value that is read back, or the error of one that is refused.
func (s *base) normalize(o network.Option, v int64) (int64, error) {
	spec := &optionSpecs[o]
	switch spec.form {
	case flag:
		return min(max(v, -v), 1), nil
	case bufferSize:
		if v < 0 {
			return 0, syscall.EINVAL
		}
		return max(2*min(v, maxBuffer), spec.min), nil
	}
	if v < spec.min || v > spec.max {
		return 0, syscall.EINVAL
	}
	switch o {
	case network.HopLimit, network.MulticastHops:
		if v == -1 {
			v = spec.initial
		}
	case network.TrafficClass, network.TOS:
		v = max(v, 0)
		if s.typ == network.Stream {
			v &^= 3 // TCP has these bits for congestion (RFC 3168, section 23.1)
		}
	case network.MaxSegment:
		const least = 88 // TCP_MIN_MSS
		if v != 0 && v < least {
			return 0, syscall.EINVAL
		}
	case network.MulticastInterface4:
		return v, s.host.checkInterface4(v)
	case network.MulticastInterface6:
		if v != 0 && v != loIndex && v != ethIndex {
			return 0, syscall.ENODEV
		}
	}
	return v, nil
}

// checkInterface4 returns EADDRNOTAVAIL for an address that no interface has (ip(7),
// IP_MULTICAST_IF).
func (h *Host) checkInterface4(v int64) error {
	if a := addrOfValue(v); !a.IsUnspecified() && !h.isLocal(a) {
		return syscall.EADDRNOTAVAIL
	}
	return nil
}

// addrOfValue returns the address in a value of MulticastInterface4.
func addrOfValue(v int64) netip.Addr {
	var b [4]byte
	binary.BigEndian.PutUint32(b[:], uint32(v))
	return netip.AddrFrom4(b)
}

// limit returns how many bytes a buffer takes.
func (s *base) limit(o network.Option) int64 {
	if v := s.value(o); s.typ == network.Datagram || v != optionSpecs[o].initial {
		return v
	}
	return streamBuffer
}
