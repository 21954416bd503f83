package kernel

import (
	"encoding/binary"
	"math"
	"net"
	"syscall"

	"github.com/wasport/wasport/network"
)

// form tells how the kernel represents an option.
type form uint8

const (
	// This system has no such option: the value is stored in socket.remembered.
	unsupported form = iota
	// 0 or 1.
	flag
	// An int.
	intValue
	// An int from 0 to 255, which some systems want as a byte (ip(4) of FreeBSD).
	byteValue
	// 0 or 1, which some systems want as a byte.
	byteFlag
	// An int, which the system may round or limit.
	bufferSize
	// A struct linger.
	lingerTime
	// An IPv4 address.
	inet4
	// An int that cannot be set.
	readOnlyInt
	// An errno that cannot be set.
	errnoValue
)

// option is the kernel's name of an option. The systems' tables are called options.
type option struct {
	form        form
	level, name int
	// also is another flag that is set with this one, or 0.
	also int
}

// Option reads an option. One that was set, and that the system lacks, has the value that was set.
func (s *socket) Option(o network.Option) (int64, error) {
	if !s.acquire() {
		return 0, net.ErrClosed
	}
	defer s.release()
	switch {
	case o >= network.Options:
		return 0, syscall.ENOPROTOOPT
	case !s.supports(o):
		return 0, syscall.EOPNOTSUPP
	case o == network.PendingError:
		n, err := s.pendingError()
		return int64(n), err
	case o == network.Linger:
		return s.lingerTime(), nil
	}
	if v, ok := s.remembered.get(o); ok {
		return v, nil
	}
	v, err := s.readOption(options[o])
	if lacked(err) {
		return s.initial(o), nil
	}
	return v, err
}

// SetOption sets an option. One that the system lacks is remembered.
func (s *socket) SetOption(o network.Option, v int64) error {
	if !s.acquire() {
		return net.ErrClosed
	}
	defer s.release()
	if o >= network.Options || !s.supports(o) {
		return syscall.ENOPROTOOPT
	}
	if err := s.checkOption(o, v); err != nil {
		return err
	}
	defer s.noteHoldOption()
	if o == network.Linger {
		return s.setLinger(v)
	}
	opt := options[o]
	if err := s.writeOption(opt, v); err != nil {
		switch {
		case o == network.V6Only:
			return err
		case asksForControl(o) && s.lacksOption(opt, err):
			return syscall.ENOPROTOOPT
		case s.lacksOption(opt, err):
		case o == network.MulticastInterface4 && err == syscall.EINVAL:
			return syscall.EADDRNOTAVAIL // which is Linux's for an address of no interface
		default:
			return err
		}
		s.remembered.set(o, linuxOptions[o].normal(v))
		return nil
	}
	s.remembered.forget(o)
	if asksForControl(o) {
		s.controlAsked.Store(true)
	}
	if opt.form == bufferSize {
		s.noteBufferSize(o)
	}
	return nil
}

func (s *socket) readOption(opt option) (int64, error) {
	switch opt.form {
	case unsupported:
		return 0, syscall.ENOPROTOOPT
	case flag:
		n, err := getInt(s.fd, opt.level, opt.name)
		return zeroOrOne(int64(n)), err
	case byteValue:
		n, err := getByte(s.fd, opt.level, opt.name)
		return int64(n), err
	case byteFlag:
		n, err := getByte(s.fd, opt.level, opt.name)
		return zeroOrOne(int64(n)), err
	case lingerTime:
		return getLinger(s.fd, opt.level, opt.name)
	case inet4:
		a, err := getAddr(s.fd, opt.level, opt.name)
		return int64(binary.BigEndian.Uint32(a[:])), err
	}
	n, err := getInt(s.fd, opt.level, opt.name)
	return int64(n), err
}

// writeOption sets an option to a value that checkOption has allowed.
func (s *socket) writeOption(opt option, v int64) error {
	switch opt.form {
	case unsupported:
		return syscall.ENOPROTOOPT
	case flag:
		err := setInt(s.fd, opt.level, opt.name, int(zeroOrOne(v)))
		if err == nil && opt.also != 0 {
			err = setInt(s.fd, opt.level, opt.also, int(zeroOrOne(v)))
		}
		return err
	case byteValue:
		return setByte(s.fd, opt.level, opt.name, byte(v))
	case byteFlag:
		return setByte(s.fd, opt.level, opt.name, byte(zeroOrOne(v)))
	case bufferSize:
		return setBuffer(s.fd, opt.name, int(min(v, math.MaxInt32)))
	case inet4:
		var a [4]byte
		binary.BigEndian.PutUint32(a[:], uint32(v))
		return setAddr(s.fd, opt.level, opt.name, a)
	}
	return setInt(s.fd, opt.level, opt.name, int(v))
}

func zeroOrOne(v int64) int64 {
	if v != 0 {
		return 1
	}
	return 0
}

// supports reports whether Linux has the option on sockets of this family and type. Other systems
// answer otherwise, or not at all.
func (s *socket) supports(o network.Option) bool {
	switch o {
	case network.NoDelay, network.QuickAck, network.FastOpenConnect, network.KeepIdle,
		network.KeepInterval, network.KeepCount,
		network.MaxSegment, network.UserTimeout:
		return s.typ == network.Stream && s.family != network.Unix
	case network.TTL, network.TOS, network.MulticastTTL, network.MulticastLoop4,
		network.MulticastInterface4:
		return s.family != network.Unix
	case network.RecvPacketInfo4, network.RecvTTL, network.RecvTOS, network.RecvTimestamp:
		return s.typ == network.Datagram
	case network.RecvPacketInfo6, network.RecvHopLimit, network.RecvTrafficClass:
		return s.typ == network.Datagram && s.family == network.IPv6
	case network.V6Only, network.HopLimit, network.MulticastHops, network.MulticastLoop6,
		network.MulticastInterface6,
		network.TrafficClass:
		return s.family == network.IPv6
	}
	return true
}
