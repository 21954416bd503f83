package dial

import (
	"net"
	"net/netip"
	"os"
	"sync"
	"syscall"
	"time"

	"github.com/wasport/wasport/internal/outside"
	"github.com/wasport/wasport/network"
)

// socket is the common part of streams and datagram sockets: options, waiting, and the end.
type socket struct {
	net    *Network
	family network.Family
	typ    network.Type

	// holds returns the events that hold now. It is called with mu held.
	holds func() network.Events

	// mu protects the fields below, and those of the stream or datagram socket.
	mu sync.Mutex
	// changed is woken by each change that may let the goroutines of the socket go on.
	changed sync.Cond
	// wakes are the functions of Notify and Wait.
	wakes map[*int]func()
	ended bool
	// panicked is the first panic of the program's code.
	panicked *outside.Panic
	// pending is the error that the next call, or PendingError, tells.
	pending syscall.Errno

	local   netip.AddrPort
	remote  netip.AddrPort
	options options
}

func (s *socket) init(n *Network, family network.Family, typ network.Type) {
	s.net, s.family, s.typ = n, family, typ
	s.changed.L = &s.mu
	s.local = unspecified(family)
	s.options = defaultOptions
}

func (s *socket) Family() network.Family { return s.family }
func (s *socket) Type() network.Type     { return s.typ }

// lock begins a call. It returns net.ErrClosed, without the lock, after Close.
func (s *socket) lock() error {
	s.mu.Lock()
	if p := s.panicked; p != nil {
		s.mu.Unlock()
		panic(p)
	}
	if s.ended {
		s.mu.Unlock()
		return net.ErrClosed
	}
	return nil
}

// wake tells waiting calls and the socket's goroutines of a change. mu is held.
func (s *socket) wake() {
	s.changed.Broadcast()
	for _, wake := range s.wakes {
		wake()
	}
}

// run calls code of the program on a goroutine of this package.
func (s *socket) run(f func()) {
	outside.Protect("Config.Network", f, func(p *outside.Panic) {
		s.mu.Lock()
		defer s.mu.Unlock()
		if s.panicked == nil {
			s.panicked = p
		}
		s.wake()
	})
}

// takePending returns the pending error, once. mu is held.
func (s *socket) takePending() error {
	if e := s.pending; e != 0 {
		s.pending = 0
		return e
	}
	return nil
}

// wanted returns those of the events that hold which a caller is told. mu is held.
func (s *socket) wanted(want network.Events) network.Events {
	return s.holds() & (want | network.Hangup | network.Failed)
}

func (s *socket) Poll(want network.Events) (network.Events, error) {
	if err := s.lock(); err != nil {
		return 0, err
	}
	defer s.mu.Unlock()
	return s.wanted(want), nil
}

func (s *socket) Wait(want network.Events, deadline time.Time) (network.Events, error) {
	woken := make(chan struct{}, 1)
	id := new(int)
	var expired <-chan time.Time
	for {
		if err := s.lock(); err != nil {
			return 0, err
		}
		got := s.wanted(want)
		if got == 0 && s.wakes[id] == nil {
			s.addWake(id, func() {
				select {
				case woken <- struct{}{}:
				default: // the waiting call has yet to take the last one
				}
			})
			defer s.removeWake(id)
		}
		s.mu.Unlock()
		if got != 0 {
			return got, nil
		}
		if !deadline.IsZero() {
			left := time.Until(deadline)
			if left <= 0 {
				return 0, os.ErrDeadlineExceeded
			}
			if expired == nil {
				timer := time.NewTimer(left)
				defer timer.Stop()
				expired = timer.C
			}
		}
		select {
		case <-woken:
		case <-expired:
		}
	}
}

// addWake registers a function that wake calls. mu is held.
func (s *socket) addWake(id *int, wake func()) {
	if s.wakes == nil {
		s.wakes = make(map[*int]func())
	}
	s.wakes[id] = wake
}

func (s *socket) removeWake(id *int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.wakes, id)
}

func (s *socket) Readiness() network.Readiness { return network.Readiness{Notify: s.notify} }

func (s *socket) notify(want network.Events, wake func()) (stop func()) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.ended || s.panicked != nil {
		wake()
		return func() {}
	}
	id := new(int)
	s.addWake(id, wake)
	if s.wanted(want) != 0 {
		wake()
	}
	return func() { s.removeWake(id) }
}

func (s *socket) LocalAddr() (netip.AddrPort, error) {
	if err := s.lock(); err != nil {
		return netip.AddrPort{}, err
	}
	defer s.mu.Unlock()
	return s.local, nil
}

func (s *socket) RemoteAddr() (netip.AddrPort, error) {
	if err := s.lock(); err != nil {
		return netip.AddrPort{}, err
	}
	defer s.mu.Unlock()
	if !s.remote.IsValid() {
		return netip.AddrPort{}, syscall.ENOTCONN
	}
	return s.remote, nil
}

// Join and Leave return EOPNOTSUPP: package net has no functions for groups.
func (s *socket) Join(netip.Addr, network.Interface) error  { return s.unsupported() }
func (s *socket) Leave(netip.Addr, network.Interface) error { return s.unsupported() }

func (s *socket) unsupported() error {
	if err := s.lock(); err != nil {
		return err
	}
	s.mu.Unlock()
	return syscall.EOPNOTSUPP
}

func (s *socket) currentOptions() options {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.options
}

func totalLen(bufs [][]byte) (n int) {
	for _, b := range bufs {
		n += len(b)
	}
	return n
}
