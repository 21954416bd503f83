package kernel

import (
	"net/netip"
	"sync"

	"github.com/wasport/wasport/network"
)

// maxDatagram is more than the bytes of a UDP datagram (RFC 768).
const maxDatagram = 1 << 16

// ahead holds one datagram that was received because a caller has peeked at it, where the kernel
// cannot peek. The next receiver takes it. BufferLimits counts its memory from the start.
type ahead struct {
	// mu is held during the system call of a receiver, so that datagrams keep their order. Close
	// and wake functions of poll sets are called with it.
	mu   sync.Mutex
	held bool
	b    []byte
	from netip.AddrPort
	// control has the datagram's control data, whichever receiver asks for them.
	control network.Control
	// wakes holds the wake functions of notify.
	wakes map[*func()]struct{}
}

var aheadBufs = sync.Pool{New: func() any { return new([maxDatagram]byte) }}

// recvDatagram receives a datagram, or the one that is held. Unless c is nil, *c becomes its
// control data.
func (s *socket) recvDatagram(bufs [][]byte, flags network.RecvFlags,
	c *network.Control) (network.Received, error) {
	switch {
	case s.ahead != nil:
		return s.ahead.recv(bufs, flags, c,
			func(bufs [][]byte, c *network.Control) (network.Received, error) {
				if c == nil || !s.controlAsked.Load() {
					return sysRecvFrom(s.fd, bufs, 0)
				}
				return sysRecvControl(s.fd, bufs, 0, c)
			})
	case c != nil:
		return sysRecvControl(s.fd, bufs, flags, c)
	}
	return sysRecvFrom(s.fd, bufs, flags)
}

// receiveFunc receives a datagram, with its control data unless the pointer is nil.
type receiveFunc func([][]byte, *network.Control) (network.Received, error)

// recv takes datagrams from receive, which cannot peek. c may be nil.
func (a *ahead) recv(bufs [][]byte, flags network.RecvFlags, c *network.Control,
	receive receiveFunc) (network.Received, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	peeks := flags&network.Peek != 0
	if !a.held {
		if !peeks {
			return receive(bufs, c)
		}
		if err := a.fill(receive); err != nil {
			return network.Received{}, err
		}
	}
	r := network.Received{Size: len(a.b), From: a.from}
	for _, b := range bufs {
		r.N += copy(b, a.b[r.N:])
	}
	r.Truncated = r.Size > r.N
	if c != nil {
		*c = a.control
	}
	if !peeks {
		a.held, a.b = false, nil
	}
	return r, nil
}

// fill receives the datagram to hold. The caller holds mu.
func (a *ahead) fill(receive receiveFunc) error {
	whole := aheadBufs.Get().(*[maxDatagram]byte)
	defer aheadBufs.Put(whole)
	a.control = network.Control{}
	r, err := receive([][]byte{whole[:]}, &a.control)
	if err != nil {
		return err
	}
	a.held, a.b, a.from = true, append([]byte(nil), whole[:r.N]...), r.From
	a.wakeLocked()
	return nil
}

// size returns the number of bytes of the datagram that is held.
func (a *ahead) size() (n int, held bool) {
	if a == nil {
		return 0, false
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	return len(a.b), a.held
}

// notify implements network.Readiness.Notify for the datagram that is held.
func (a *ahead) notify(_ network.Events, wake func()) (stop func()) {
	a.mu.Lock()
	defer a.mu.Unlock()
	key := &wake
	if a.wakes == nil {
		a.wakes = make(map[*func()]struct{})
	}
	a.wakes[key] = struct{}{}
	if a.held {
		wake()
	}
	return func() {
		a.mu.Lock()
		defer a.mu.Unlock()
		delete(a.wakes, key)
	}
}

// wakeAll tells the poll sets that the socket is closed.
func (a *ahead) wakeAll() {
	if a != nil {
		a.mu.Lock()
		defer a.mu.Unlock()
		a.wakeLocked()
	}
}

func (a *ahead) wakeLocked() {
	for wake := range a.wakes {
		(*wake)()
	}
}
