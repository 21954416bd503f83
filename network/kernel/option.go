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
	// This system has no such option: the value is stored in socket.emulated.
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
	// min and max bound the values of forms with numbers, where the kernel would take others. They
	// do not apply if they are equal.
	min, max int64
}

func (s *socket) Option(o network.Option) (int64, error) {
	if !s.acquire() {
		return 0, net.ErrClosed
	}
	defer s.release()
	if o >= network.Options {
		return 0, syscall.ENOPROTOOPT
	}
	if !s.supports(o) {
		return 0, syscall.EOPNOTSUPP
	}
	opt := options[o]
	switch opt.form {
	case unsupported:
		s.emulatedMu.Lock()
		defer s.emulatedMu.Unlock()
		return s.emulated[o], nil
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
	if opt.form == errnoValue {
		n = posixErrno(n)
	}
	return int64(n), err
}

func (s *socket) SetOption(o network.Option, v int64) error {
	if !s.acquire() {
		return net.ErrClosed
	}
	defer s.release()
	if o >= network.Options || !s.supports(o) {
		return syscall.ENOPROTOOPT
	}
	if o == network.MulticastTTL && s.typ == network.Stream {
		return syscall.EINVAL
	}
	opt := options[o]
	if opt.min < opt.max && (v < opt.min || v > opt.max) {
		return syscall.EINVAL
	}
	switch opt.form {
	case unsupported:
		s.emulatedMu.Lock()
		defer s.emulatedMu.Unlock()
		if s.emulated == nil {
			s.emulated = make(map[network.Option]int64)
		}
		s.emulated[o] = v
		return nil
	case flag:
		return setInt(s.fd, opt.level, opt.name, int(zeroOrOne(v)))
	case byteValue:
		return setByte(s.fd, opt.level, opt.name, byte(v))
	case byteFlag:
		return setByte(s.fd, opt.level, opt.name, byte(zeroOrOne(v)))
	case bufferSize:
		if v < 0 {
			return syscall.EINVAL
		}
		err := setBuffer(s.fd, opt.name, int(min(v, math.MaxInt32)))
		if err == nil {
			s.noteBufferSize(o)
		}
		return err
	case lingerTime:
		if v < -1 || v > math.MaxInt32 {
			return syscall.EINVAL
		}
		switch {
		case v > 0:
			s.mayLinger.Store(true)
		case v == 0:
			s.mayReset.Store(true)
		}
		return setLinger(s.fd, opt.level, opt.name, v)
	case inet4:
		if v < 0 || v > math.MaxUint32 {
			return syscall.EINVAL
		}
		var a [4]byte
		binary.BigEndian.PutUint32(a[:], uint32(v))
		return setAddr(s.fd, opt.level, opt.name, a)
	case readOnlyInt, errnoValue:
		return syscall.ENOPROTOOPT
	}
	if v < math.MinInt32 || v > math.MaxInt32 {
		return syscall.EINVAL
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
	case network.V6Only, network.HopLimit, network.MulticastHops, network.MulticastLoop6,
		network.MulticastInterface6,
		network.TrafficClass:
		return s.family == network.IPv6
	}
	return true
}
