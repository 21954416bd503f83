package kernel

import (
	"maps"
	"math"
	"sync"
	"syscall"

	"github.com/wasport/wasport/network"
)

// linuxOption is Linux's answer for an option (socket(7), tcp(7), ip(7), ipv6(7)). A guest
// finds the same range on every system, and the same initial value where the system lacks the
// option.
type linuxOption struct {
	initial int64
	// min and max bound the value. A flag takes every value, and has neither.
	min, max int64
	// minIsInitial tells that min, -1 or 0, stands for the initial value.
	minIsInitial bool
}

var linuxOptions = [network.Options]linuxOption{
	network.Linger:              {initial: -1, min: -1, max: math.MaxInt32},
	network.RecvBuffer:          {initial: 212992, max: math.MaxInt64},
	network.SendBuffer:          {initial: 212992, max: math.MaxInt64},
	network.QuickAck:            {initial: 1},
	network.KeepIdle:            {initial: 7200, min: 1, max: 32767},
	network.KeepInterval:        {initial: 75, min: 1, max: 32767},
	network.KeepCount:           {initial: 9, min: 1, max: 127},
	network.TTL:                 {initial: 64, min: 1, max: 255},
	network.MulticastTTL:        {initial: 1, max: 255},
	network.MulticastLoop4:      {initial: 1},
	network.MulticastLoop6:      {initial: 1},
	network.HopLimit:            {initial: 64, min: -1, max: 255, minIsInitial: true},
	network.MulticastHops:       {initial: 1, min: -1, max: 255, minIsInitial: true},
	network.MulticastInterface4: {max: math.MaxUint32},
	network.MulticastInterface6: {min: math.MinInt32, max: math.MaxInt32},
	network.TOS:                 {max: 255},
	network.TrafficClass:        {min: -1, max: 255, minIsInitial: true},
	// TCP_MSS_DEFAULT, which a stream has before it is connected.
	network.MaxSegment:  {initial: 536, max: 32767, minIsInitial: true},
	network.UserTimeout: {max: math.MaxInt32},
}

// isFlag reports whether the value is 0 or 1.
func (l linuxOption) isFlag() bool { return l.min == l.max }

// normal returns the value that a reader of the option gets.
func (l linuxOption) normal(v int64) int64 {
	switch {
	case l.isFlag():
		return zeroOrOne(v)
	case l.minIsInitial && v == l.min:
		return l.initial
	}
	return v
}

// checkOption returns the error of Linux for an option that cannot be set, or not to this value.
func (s *socket) checkOption(o network.Option, v int64) error {
	switch o {
	case network.PendingError, network.AcceptConn:
		return syscall.ENOPROTOOPT
	case network.MulticastTTL, network.MulticastInterface4:
		if s.typ == network.Stream {
			return syscall.EINVAL
		}
	case network.MulticastHops, network.MulticastInterface6:
		if s.typ == network.Stream {
			return syscall.ENOPROTOOPT
		}
	case network.MaxSegment:
		const least = 88 // TCP_MIN_MSS; 0 is the system's choice
		if v > 0 && v < least {
			return syscall.EINVAL
		}
	}
	if l := linuxOptions[o]; !l.isFlag() && (v < l.min || v > l.max) {
		return syscall.EINVAL
	}
	return nil
}

// initial returns the value of an option that the system lacks and that was not set.
func (s *socket) initial(o network.Option) int64 {
	if o == network.AcceptConn && s.state() == stateListening {
		return 1
	}
	return linuxOptions[o].initial
}

// lacked reports whether an error of reading an option means that the system does not have it.
func lacked(err error) bool {
	return err == syscall.ENOPROTOOPT || err == syscall.EOPNOTSUPP || err == syscall.EINVAL
}

// lacksOption reports whether an error of setting an option means that the system does not have it.
// EINVAL can also mean the value or the state of the socket, so an option that can be read counts
// as one that the system has.
func (s *socket) lacksOption(opt option, err error) bool {
	if err != syscall.EINVAL {
		return lacked(err)
	}
	_, err = s.readOption(opt)
	return lacked(err)
}

// setLinger remembers the linger time. The kernel is told only whether it is 0, with which close(2)
// resets the connection. A longer one would make close(2) block on Linux, even in non-blocking mode
// (socket(7), SO_LINGER), and fail with WSAEWOULDBLOCK on Windows. Without one, the system sends
// the rest in the background. A socket that the program has too keeps its options in the kernel
// alone.
func (s *socket) setLinger(v int64) error {
	o := options[network.Linger]
	if s.shared {
		return setLinger(s.fd, o.level, o.name, v)
	}
	s.remembered.mu.Lock()
	defer s.remembered.mu.Unlock()
	seconds := int64(-1)
	if v == 0 {
		seconds = 0
	}
	if err := setLinger(s.fd, o.level, o.name, seconds); err != nil && !s.lacksOption(o, err) {
		return err
	}
	s.remembered.setLocked(network.Linger, v)
	s.mayLinger.Store(false)
	return nil
}

// lingerTime returns the value of the option Linger. The caller has acquired the socket.
func (s *socket) lingerTime() int64 {
	if v, ok := s.remembered.get(network.Linger); ok {
		return v
	}
	if s.mayLinger.Load() {
		o := options[network.Linger]
		if v, err := getLinger(s.fd, o.level, o.name); err == nil {
			return v
		}
	}
	return -1
}

// rememberedOptions holds the values of options that the kernel does not report as they were set.
type rememberedOptions struct {
	// mu protects values.
	mu     sync.Mutex
	values map[network.Option]int64
}

func (r *rememberedOptions) get(o network.Option) (int64, bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	v, ok := r.values[o]
	return v, ok
}

func (r *rememberedOptions) set(o network.Option, v int64) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.setLocked(o, v)
}

// setLocked is set for a caller that holds mu.
func (r *rememberedOptions) setLocked(o network.Option, v int64) {
	if r.values == nil {
		r.values = make(map[network.Option]int64)
	}
	r.values[o] = v
}

func (r *rememberedOptions) forget(o network.Option) {
	r.mu.Lock()
	defer r.mu.Unlock()
	delete(r.values, o)
}

// inherit copies the values of a listener to an accepted socket, which nothing else uses yet.
func (r *rememberedOptions) inherit(from *rememberedOptions) {
	from.mu.Lock()
	defer from.mu.Unlock()
	r.values = maps.Clone(from.values)
}
