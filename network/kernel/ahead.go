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
	// wakes holds the wake functions of notify.
	wakes map[*func()]struct{}
}

var aheadBufs = sync.Pool{New: func() any { return new([maxDatagram]byte) }}

// recvDatagram receives a datagram, or the one that is held.
func (s *socket) recvDatagram(bufs [][]byte, flags network.RecvFlags) (network.Received, error) {
	if s.ahead == nil {
		return sysRecvFrom(s.fd, bufs, flags)
	}
	return s.ahead.recv(bufs, flags, func(bufs [][]byte) (network.Received, error) {
		return sysRecvFrom(s.fd, bufs, 0)
	})
}

// recv takes datagrams from receive, which cannot peek.
func (a *ahead) recv(bufs [][]byte, flags network.RecvFlags,
	receive func([][]byte) (network.Received, error)) (network.Received, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	peeks := flags&network.Peek != 0
	if !a.held {
		if !peeks {
			return receive(bufs)
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
	if !peeks {
		a.held, a.b = false, nil
	}
	return r, nil
}

// fill receives the datagram to hold. The caller holds mu.
func (a *ahead) fill(receive func([][]byte) (network.Received, error)) error {
	whole := aheadBufs.Get().(*[maxDatagram]byte)
	defer aheadBufs.Put(whole)
	r, err := receive([][]byte{whole[:]})
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
