package guard

import (
	"errors"
	"fmt"
	"slices"
	"sync"
	"syscall"
	"time"

	"github.com/wasport/wasport/network"
	"github.com/wasport/wasport/policy"
)

// The memory that a guest's sockets occupy in the host is bounded by the largest size of their
// queues. It is charged when a socket is made and refunded when the socket is closed.
//
// Half of the limit is for sockets whose buffers the host tunes, up to megabytes each, since
// throughput depends on that (tcp(7), tcp_rmem and tcp_wmem). When that half is charged, further
// sockets get buffers of a fixed size: a share of the memory that is left, so that it becomes
// smaller the more sockets there are, down to minBuffer. Then there are no more sockets.

// DefaultSocketMemory is the limit, in bytes, where neither the policy nor the options set one.
const DefaultSocketMemory = 512 << 20

const (
	// shareDivisor gives a socket of fixed size 1/1024 of the memory that is left.
	shareDivisor = 1024

	// minBuffer is the smallest charge for a queue, in bytes. Linux asks whether there is room
	// before it adds a segment, not after, and a segment over loopback is that large.
	minBuffer = 32 << 10

	// backlogDivisor gives the connections that wait for accept(2) 1/8 of the limit.
	backlogDivisor = 8

	// bufferDivisor lets setsockopt(2) give one buffer 1/64 of the memory that is left.
	bufferDivisor = 64

	// maxBacklog is the largest backlog that Linux allows by default (listen(2), somaxconn).
	maxBacklog = 4096
)

// bufferCharge returns the charge for a queue with a buffer of a size, in bytes: the buffer, and
// the segment that Linux adds beyond it.
func bufferCharge(size int64) int64 {
	size = max(size, minBuffer)
	return size + size/8 + 4<<10
}

// bufferSizeFor returns the largest size of a buffer that a charge pays for.
func bufferSizeFor(charge int64) int64 { return max((charge-4<<10)*8/9, minBuffer) }

// minSocketCharge is the smallest charge for a socket.
var minSocketCharge = 2 * bufferCharge(0)

// memoryAccount is the memory charged to the sockets of a guest, in bytes.
type memoryAccount struct {
	// mu protects the fields below, and the charge of each socket.
	mu     sync.Mutex
	used   int64
	unsent []unsentCharge
	// sweepTimer is set while unsent has an element.
	sweepTimer *time.Timer
	closed     bool
	// net is the Network whose account this is.
	net *Network
}

// socketCharge is the memory charged for the queues of one socket, in bytes: its two buffers, and
// the connections in the backlog of a listener.
type socketCharge struct{ recv, send, backlog int64 }

// unsentCharge is the data of a closed socket that the host has yet to send. The host keeps it for
// as long as the peer takes to read it, or until its retransmissions end (tcp(7), tcp_retries2).
type unsentCharge struct {
	network.Unsent
	charge int64
}

// withMemory calls f with memory.mu held. If f returns ENOBUFS, withMemory also reports the limit.
func (n *Network) withMemory(active *policySnapshot, f func(m *memoryAccount) error) error {
	err := n.memory.locked(f)
	if err == syscall.ENOBUFS {
		n.noteLimited(policy.OpOpen, "socket_memory", int(active.memory))
		if n.options.Audit != nil {
			n.recordLimit(policy.OpOpen,
				fmt.Sprintf("%d bytes of memory for sockets", active.memory))
		}
	}
	return err
}

// locked calls f with mu held. The code of the network that f calls may panic.
func (m *memoryAccount) locked(f func(m *memoryAccount) error) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	return f(m)
}

// checkRoom returns ENOBUFS if want bytes cannot be charged.
func (m *memoryAccount) checkRoom(limit, want int64) error {
	if limit == 0 || limit-m.used >= want {
		return nil
	}
	if m.sweep(); limit-m.used >= want {
		return nil
	}
	return syscall.ENOBUFS
}

// checkSocketMemory returns ENOBUFS if there is no memory for one more socket.
func (n *Network) checkSocketMemory(active *policySnapshot) error {
	return n.withMemory(active, func(m *memoryAccount) error {
		return m.checkRoom(active.memory, minSocketCharge)
	})
}

// chargeSocket charges a new socket, and fixes the sizes of its buffers if they must be small.
func (n *Network) chargeSocket(active *policySnapshot, s *socket) error {
	b, ok := s.Socket.(network.Buffered)
	if !ok {
		return nil
	}
	return n.withMemory(active, func(m *memoryAccount) error {
		return m.chargeBuffers(active.memory, s, b)
	})
}

// chargeBuffers is chargeSocket with mu held. It neither refuses an adopted socket nor changes its
// buffers, since its owner opened it and chose their sizes.
func (m *memoryAccount) chargeBuffers(limit int64, s *socket, b network.Buffered) error {
	recv, send, err := b.BufferLimits()
	if err != nil {
		return err
	}
	adopted := s.adoptGrant != nil
	whole := bufferCharge(recv) + bufferCharge(send)
	if !adopted && limit != 0 && m.used+whole > limit/2 {
		if err := m.checkRoom(limit, minSocketCharge); err != nil {
			return err
		}
		share := max((limit-m.used)/shareDivisor, minSocketCharge)
		if recv, send, err = s.capBuffers(b, bufferSizeFor(share/2)); err != nil {
			return err
		}
	}
	s.charge = socketCharge{recv: bufferCharge(recv), send: bufferCharge(send)}
	m.used += s.charge.recv + s.charge.send
	return nil
}

// capBuffers limits both buffers to size bytes, and returns the largest size of each queue then. A
// connection may have received more than size before it was accepted.
func (s *socket) capBuffers(b network.Buffered, size int64) (recv, send int64, err error) {
	before, err := s.Socket.Option(network.RecvBuffer)
	if err != nil {
		return 0, 0, err
	}
	recv, send, err = b.BufferLimits()
	if err == nil && recv > size {
		err = s.Socket.SetOption(network.RecvBuffer, size/2) // Linux doubles the value (socket(7))
	}
	if err == nil && send > size {
		err = s.Socket.SetOption(network.SendBuffer, size/2)
	}
	if err == nil {
		recv, send, err = b.BufferLimits()
	}
	if received, _ := s.Socket.Available(); received > 0 {
		recv = max(recv, before)
	}
	return recv, send, err
}

// chargeBacklog charges the connections that wait for accept(2), and returns the backlog that the
// charge pays for. Linux lets one connection more wait than the backlog (sk_acceptq_is_full of
// include/net/sock.h). Each connection receives up to the size of the listener's buffer: the kernel
// enlarges a receive buffer only when data is read from it.
func (n *Network) chargeBacklog(active *policySnapshot, s *socket, backlog int) (int, error) {
	if _, ok := s.Socket.(network.Buffered); !ok || active.memory == 0 {
		return backlog, nil
	}
	if backlog < 0 || backlog > maxBacklog {
		backlog = maxBacklog
	}
	err := n.withMemory(active, func(m *memoryAccount) error {
		size, err := s.Socket.Option(network.RecvBuffer)
		if err != nil {
			return err
		}
		perConn := bufferCharge(size)
		minConns := int64(min(backlog+1, 2)) // a backlog of 0 is the largest on some systems
		if err := m.checkRoom(active.memory, minConns*perConn-s.charge.backlog); err != nil {
			return err
		}
		left := active.memory - m.used + s.charge.backlog
		maxConns := max(min(active.memory/backlogDivisor, left/2)/perConn, minConns)
		backlog = min(backlog, int(maxConns)-1)
		// A second listen(2) may shorten the backlog while the longer one is still full.
		total := max(int64(backlog+1)*perConn, s.charge.backlog)
		m.used += total - s.charge.backlog
		s.charge.backlog = total
		return nil
	})
	return backlog, err
}

var _ network.MemoryCharger = (*Network)(nil)

// ChargeMemory implements network.MemoryCharger. Reaching the limit is reported like that of
// sockets.
func (n *Network) ChargeMemory(bytes int64) error {
	active := n.active.Load()
	return n.withMemory(active, func(m *memoryAccount) error {
		if err := m.checkRoom(active.memory, bytes); err != nil {
			return err
		}
		m.used += bytes
		return nil
	})
}

// RefundMemory implements network.MemoryCharger.
func (n *Network) RefundMemory(bytes int64) {
	n.memory.mu.Lock()
	defer n.memory.mu.Unlock()
	n.memory.used -= bytes
}

// setBuffer sets the size of a buffer, and lowers a value for which there is no memory, as the
// kernel does with a value beyond its own limit (socket(7), rmem_max and wmem_max). A charge for a
// larger buffer stays, since the queue may still have that length.
func (s *socket) setBuffer(o network.Option, v int64) error {
	n, m := s.net, &s.net.memory
	b, ok := s.Socket.(network.Buffered)
	if !ok {
		return s.Socket.SetOption(o, v)
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	charged := &s.charge.recv
	if o == network.SendBuffer {
		charged = &s.charge.send
	}
	if limit := n.active.Load().memory; limit != 0 {
		maxSize := bufferSizeFor(max(*charged, (limit-m.used)/bufferDivisor))
		if o == network.RecvBuffer && s.charge.backlog > 0 {
			// The connections in the backlog would get the larger buffer, too.
			size, err := s.Socket.Option(o)
			if err != nil {
				return err
			}
			maxSize = min(maxSize, size)
		}
		v = min(v, maxSize/2)
	}
	if err := s.Socket.SetOption(o, v); err != nil {
		return err
	}
	recv, send, err := b.BufferLimits()
	if err != nil {
		return err
	}
	size := recv
	if o == network.SendBuffer {
		size = send
	}
	if c := bufferCharge(size); c > *charged {
		m.used += c - *charged
		*charged = c
	}
	return nil
}

// takeUnsent returns the data that a socket has yet to send, before it is closed. It returns nil if
// there is none, and for an adopted socket, since the guest does not pay for its data.
func takeUnsent(s *socket) network.Unsent {
	b, ok := s.Socket.(network.Buffered)
	if !ok || s.adoptGrant != nil {
		return nil
	}
	return b.Unsent()
}

// refundSocket refunds the charge of a closed socket, except for the data that the host has yet to
// send.
func (n *Network) refundSocket(s *socket, unsent network.Unsent) {
	if unsent != nil {
		unsent.End()
	}
	m := &n.memory
	m.mu.Lock()
	defer m.mu.Unlock()
	c := s.charge
	s.charge = socketCharge{}
	m.used -= c.recv + c.send + c.backlog
	switch {
	case unsent == nil:
		m.net.releaseSocket()
	case m.closed:
		unsent.Close()
		m.net.releaseSocket()
	default:
		m.makeRoomForUnsent()
		m.used += c.send
		m.unsent = append(m.unsent, unsentCharge{unsent, c.send})
		m.scheduleSweep()
	}
}

// maxUnsent bounds the closed sockets with unsent data, each of which has a descriptor of the host.
// Without it, a guest and a peer that does not read could take all descriptors of the process. More
// are kept of those that cannot be reset, up to the limits of sockets and of their memory.
const maxUnsent = 1024

// makeRoomForUnsent resets the connection that was closed first if there are maxUnsent: it has had
// the most time, and its peer is the likeliest not to read. Left to the host, its data would
// take memory without a charge. mu is held.
func (m *memoryAccount) makeRoomForUnsent() {
	if len(m.unsent) < maxUnsent {
		return
	}
	if m.sweep(); len(m.unsent) < maxUnsent {
		return
	}
	for i, u := range m.unsent {
		if u.Reset() == errors.ErrUnsupported {
			continue
		}
		m.unsent = slices.Delete(m.unsent, i, i+1)
		m.used -= u.charge
		m.net.releaseSocket()
		return
	}
}

// sweepInterval is the interval at which the host is asked for the data that it has sent.
const sweepInterval = 100 * time.Millisecond

// scheduleSweep makes a timer that sweeps until unsent is empty. mu is held.
func (m *memoryAccount) scheduleSweep() {
	if m.sweepTimer != nil {
		return
	}
	m.sweepTimer = time.AfterFunc(sweepInterval, func() {
		m.mu.Lock()
		defer m.mu.Unlock()
		m.sweepTimer = nil
		if m.sweep(); len(m.unsent) > 0 {
			m.scheduleSweep()
		}
	})
}

// sweep refunds the data that the host has sent since. mu is held.
func (m *memoryAccount) sweep() {
	kept := m.unsent[:0]
	for _, u := range m.unsent {
		size := int64(0) // if it panics
		var err error
		m.net.options.Call(func() { size, err = u.Memory() })
		m.used -= u.charge
		if size == 0 || err != nil || m.closed {
			m.net.options.Call(func() { u.Close() })
			m.net.releaseSocket()
			continue
		}
		u.charge = min(u.charge, bufferCharge(size))
		m.used += u.charge
		kept = append(kept, u)
	}
	clear(m.unsent[len(kept):])
	m.unsent = kept
}

// Close leaves the unsent data of closed sockets to the host. It is called after the guest has
// ended.
func (n *Network) Close() {
	m := &n.memory
	m.mu.Lock()
	defer m.mu.Unlock()
	m.closed = true
	if m.sweep(); m.sweepTimer != nil {
		m.sweepTimer.Stop()
		m.sweepTimer = nil
	}
}
