package guard

import (
	"fmt"
	"sync"
	"syscall"
	"time"

	"github.com/wasport/wasport/network"
)

// The memory that a guest's sockets take of the host is bounded by what their queues may take
// at most, which is charged when a socket is made and given back when it is closed.
//
// Half of the limit is for sockets whose buffers the host sizes by itself, up to megabytes
// each, since throughput depends on that. When it is taken, further sockets get buffers of a
// fixed size: a share of what is left, so that it becomes smaller the more there are, down to
// minBuffer. Then there are no more.

// DefaultSocketMemory is the limit where neither the policy nor the options set one.
const DefaultSocketMemory = 512 << 20

const (
	// shares is what part of the memory that is left a socket of fixed size gets.
	shares = 1024

	// minBuffer is how much a queue is charged at least, in bytes. Linux asks whether there is
	// room before it adds a segment, not after, and one of loopback is that large.
	minBuffer = 32 << 10

	// queueParts is what part of the limit the connections may take that wait for a listener to
	// accept them.
	queueParts = 8

	// sizeParts is what part of the memory that is left the guest may give to one buffer.
	sizeParts = 64

	// maxBacklog is the largest backlog that Linux allows unless it is told otherwise (listen(2)).
	maxBacklog = 4096
)

// cost is what a queue is charged whose buffer has a size, with the segment that is beyond it;
// sizeFor is the size that a charge is good for.
func cost(size int64) int64      { size = max(size, minBuffer); return size + size/8 + 4<<10 }
func sizeFor(charge int64) int64 { return max((charge-4<<10)*8/9, minBuffer) }

// leastCost is what a socket is charged at least.
var leastCost = 2 * cost(0)

// memory is what the sockets of a guest are charged.
type memory struct {
	mu     sync.Mutex
	used   int64
	unsent []leftover
	timer  *time.Timer // while there is something unsent
	over   bool
}

// charge is what a socket has been charged, protected by memory.mu.
type charge struct{ recv, send, queue int64 }

// leftover is what a closed socket has yet to send. The host goes on to send it for as long as
// the peer takes, or some minutes if it does not answer.
type leftover struct {
	network.Unsent
	charge int64
}

// within calls f with memory.mu held, and tells if there is no memory for what it does: ENOBUFS.
func (n *Network) within(now *regime, f func(m *memory) error) error {
	n.memory.mu.Lock()
	err := f(&n.memory)
	n.memory.mu.Unlock()
	if err == syscall.ENOBUFS {
		n.refusedBy("socket_memory", int(now.memory))
		if n.options.Audit != nil {
			n.recordLimit("open", fmt.Sprintf("%d bytes of memory for sockets", now.memory))
		}
	}
	return err
}

// afford reports ENOBUFS if so much cannot be charged.
func (m *memory) afford(limit, want int64) error {
	if limit == 0 || limit-m.used >= want {
		return nil
	}
	if m.sweep(); limit-m.used >= want {
		return nil
	}
	return syscall.ENOBUFS
}

// mayCharge reports ENOBUFS if there is no memory for a further socket.
func (n *Network) mayCharge(now *regime) error {
	return n.within(now, func(m *memory) error { return m.afford(now.memory, leastCost) })
}

// chargeSocket charges a new socket, and fixes the sizes of its buffers if they have to be small.
func (n *Network) chargeSocket(now *regime, s *socket) error {
	b, ok := s.Socket.(network.Buffered)
	if !ok {
		return nil
	}
	return n.within(now, func(m *memory) error { return m.charge(now.memory, s, b) })
}

func (m *memory) charge(limit int64, s *socket, b network.Buffered) error {
	recv, send, err := b.BufferLimits()
	if err != nil {
		return err
	}
	own := s.grant == nil // else the sizes are not the guest's, nor was it the guest that opened it
	if whole := cost(recv) + cost(send); own && limit != 0 && m.used+whole > limit/2 {
		if err := m.afford(limit, leastCost); err != nil {
			return err
		}
		share := max((limit-m.used)/shares, leastCost)
		if recv, send, err = s.fix(b, sizeFor(share/2)); err != nil {
			return err
		}
	}
	s.charge = charge{recv: cost(recv), send: cost(send)}
	m.used += s.charge.recv + s.charge.send
	return nil
}

// fix gives the buffers a size at most, and returns what they may take then. A connection that was
// waiting to be accepted may have received more by then.
func (s *socket) fix(b network.Buffered, size int64) (recv, send int64, err error) {
	was, err := s.Socket.Option(network.RecvBuffer)
	if err != nil {
		return 0, 0, err
	}
	recv, send, err = b.BufferLimits()
	if err == nil && recv > size {
		err = s.Socket.SetOption(network.RecvBuffer, size/2) // which Linux doubles (socket(7))
	}
	if err == nil && send > size {
		err = s.Socket.SetOption(network.SendBuffer, size/2)
	}
	if err == nil {
		recv, send, err = b.BufferLimits()
	}
	if received, _ := s.Socket.Available(); received > 0 {
		recv = max(recv, was)
	}
	return recv, send, err
}

// chargeQueue charges the connections that wait to be accepted, of which each receives up to
// the size of the listener's buffer: the kernel lets that grow only by what is taken from it.
// It returns how many may wait.
func (n *Network) chargeQueue(now *regime, s *socket, backlog int) (int, error) {
	if _, ok := s.Socket.(network.Buffered); !ok || now.memory == 0 {
		return backlog, nil
	}
	if backlog < 0 || backlog > maxBacklog {
		backlog = maxBacklog
	}
	err := n.within(now, func(m *memory) error {
		size, err := s.Socket.Option(network.RecvBuffer)
		if err != nil {
			return err
		}
		each := cost(size)
		if err := m.afford(now.memory, each-s.charge.queue); err != nil {
			return err
		}
		left := now.memory - m.used + s.charge.queue
		most := max(min(now.memory/queueParts, left/2)/each, 1)
		backlog = min(backlog, int(most))
		queue := max(int64(max(backlog, 1))*each, s.charge.queue) // which may have been longer
		m.used += queue - s.charge.queue
		s.charge.queue = queue
		return nil
	})
	return backlog, err
}

// setBuffer sets the size of a buffer, as far as there is memory for it, as the kernel does as
// far as its own limit goes. What was charged for a larger one stays charged: the queue may be
// as long as that.
func (s *socket) setBuffer(o network.Option, v int64) error {
	n, m := s.net, &s.net.memory
	b, ok := s.Socket.(network.Buffered)
	if !ok {
		return s.Socket.SetOption(o, v)
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	of := &s.charge.recv
	if o == network.SendBuffer {
		of = &s.charge.send
	}
	if limit := n.now.Load().memory; limit != 0 {
		most := sizeFor(max(*of, (limit-m.used)/sizeParts))
		if o == network.RecvBuffer && s.charge.queue > 0 { // so would those that wait
			size, err := s.Socket.Option(o)
			if err != nil {
				return err
			}
			most = min(most, size)
		}
		v = min(v, most/2)
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
	if c := cost(size); c > *of {
		m.used += c - *of
		*of = c
	}
	return nil
}

// unsentOf keeps hold of what a socket that is about to be closed has yet to send; nil if that is
// nothing, or not for the guest to pay.
func unsentOf(s *socket) network.Unsent {
	b, ok := s.Socket.(network.Buffered)
	if !ok || s.grant != nil {
		return nil
	}
	return b.Unsent()
}

// discharge gives back what a closed socket was charged, less what is for the host to send on.
func (n *Network) discharge(s *socket, unsent network.Unsent) {
	if unsent != nil {
		unsent.End()
	}
	m := &n.memory
	m.mu.Lock()
	defer m.mu.Unlock()
	c := s.charge
	s.charge = charge{}
	m.used -= c.recv + c.send + c.queue
	switch {
	case unsent == nil:
	case m.over:
		unsent.Close()
	default:
		m.used += c.send
		m.unsent = append(m.unsent, leftover{unsent, c.send})
		m.later()
	}
}

// sweepEvery is how often it is asked what has been sent.
const sweepEvery = 100 * time.Millisecond

func (m *memory) later() {
	if m.timer != nil {
		return
	}
	m.timer = time.AfterFunc(sweepEvery, func() {
		m.mu.Lock()
		defer m.mu.Unlock()
		m.timer = nil
		if m.sweep(); len(m.unsent) > 0 {
			m.later()
		}
	})
}

// sweep gives back what has been sent since.
func (m *memory) sweep() {
	kept := m.unsent[:0]
	for _, l := range m.unsent {
		size, err := l.Memory()
		m.used -= l.charge
		if size == 0 || err != nil || m.over {
			l.Close()
			continue
		}
		l.charge = min(l.charge, cost(size))
		m.used += l.charge
		kept = append(kept, l)
	}
	clear(m.unsent[len(kept):])
	m.unsent = kept
}

// Close leaves to the host what closed sockets have yet to send. It is called once the guest
// has ended.
func (n *Network) Close() {
	m := &n.memory
	m.mu.Lock()
	defer m.mu.Unlock()
	m.over = true
	if m.sweep(); m.timer != nil {
		m.timer.Stop()
		m.timer = nil
	}
}
