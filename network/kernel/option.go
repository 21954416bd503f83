package kernel

import (
	"encoding/binary"
	"math"
	"net"
	"syscall"

	"github.com/wasport/wasport/network"
)

// form is how the kernel represents an option.
type form uint8

const (
	absent     form = iota // this system has no such option: the value is remembered and read back
	flag                   // 0 or 1
	number                 // an int
	octet                  // a byte where systems insist on it, 0 to 255
	octetFlag              // a byte that is 0 or 1
	bytes                  // an int, as large as is asked for or as the system allows
	lingerTime             // a struct linger
	inet4                  // an IPv4 address
	status                 // an int that can only be read
	failure                // an error that can only be read
)

// option is how the kernel names an option. The systems' tables are called options.
type option struct {
	form        form
	level, name int
	// of what may be set, for forms with numbers, where the kernel would not refuse
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
	if !s.has(o) {
		return 0, syscall.EOPNOTSUPP
	}
	opt := options[o]
	switch opt.form {
	case absent:
		s.lacking.Lock()
		defer s.lacking.Unlock()
		return s.remember[o], nil
	case flag:
		n, err := getInt(s.fd, opt.level, opt.name)
		return truth(int64(n)), err
	case octet:
		n, err := getByte(s.fd, opt.level, opt.name)
		return int64(n), err
	case octetFlag:
		n, err := getByte(s.fd, opt.level, opt.name)
		return truth(int64(n)), err
	case lingerTime:
		return getLinger(s.fd, opt.level, opt.name)
	case inet4:
		a, err := getAddr(s.fd, opt.level, opt.name)
		return int64(binary.BigEndian.Uint32(a[:])), err
	}
	n, err := getInt(s.fd, opt.level, opt.name)
	if opt.form == failure {
		n = sysErrno(n)
	}
	return int64(n), err
}

func (s *socket) SetOption(o network.Option, v int64) error {
	if !s.acquire() {
		return net.ErrClosed
	}
	defer s.release()
	if o >= network.Options || !s.has(o) {
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
	case absent:
		s.lacking.Lock()
		defer s.lacking.Unlock()
		if s.remember == nil {
			s.remember = make(map[network.Option]int64)
		}
		s.remember[o] = v
		return nil
	case flag:
		return setInt(s.fd, opt.level, opt.name, int(truth(v)))
	case octet:
		return setByte(s.fd, opt.level, opt.name, byte(v))
	case octetFlag:
		return setByte(s.fd, opt.level, opt.name, byte(truth(v)))
	case bytes:
		if v < 0 {
			return syscall.EINVAL
		}
		err := setBuffer(s.fd, opt.name, int(min(v, math.MaxInt32)))
		if err == nil {
			s.noteSize(o)
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
	case status, failure:
		return syscall.ENOPROTOOPT
	}
	if v < math.MinInt32 || v > math.MaxInt32 {
		return syscall.EINVAL
	}
	return setInt(s.fd, opt.level, opt.name, int(v))
}

func truth(v int64) int64 {
	if v != 0 {
		return 1
	}
	return 0
}

// has says whether sockets of this kind have an option, as Linux sees it. Others answer in other
// ways, or not at all.
func (s *socket) has(o network.Option) bool {
	switch o {
	case network.NoDelay, network.QuickAck, network.FastOpenConnect, network.KeepIdle,
		network.KeepInterval, network.KeepCount,
		network.MaxSegment, network.UserTimeout:
		return s.typ == network.Stream
	case network.V6Only, network.HopLimit, network.MulticastHops, network.MulticastLoop6,
		network.MulticastInterface6,
		network.TrafficClass:
		return s.family == network.IPv6
	}
	return true
}
