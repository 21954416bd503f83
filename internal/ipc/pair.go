package ipc

import (
	"net"
	"net/netip"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/wasport/wasport/internal/ring"
	"github.com/wasport/wasport/network"
)

// bufferSize is the number of bytes that may be on their way to an end, and largestDatagram the
// length of a datagram that is not EMSGSIZE: Linux's for AF_UNIX (socket(7), wmem_default; unix(7),
// SO_SNDBUF).
const (
	bufferSize      = 212992
	largestDatagram = bufferSize - 32
)

// StreamPairMemory and DatagramPairMemory are the memory that both ends of a pair take at most, in
// bytes: for each a ring of bytes, as long as a power of two, and for datagrams one of their
// lengths and senders. A datagram is sent if the queue holds less than bufferSize without it.
const (
	StreamPairMemory   = 2 * (256 << 10)
	DatagramPairMemory = 2 * (512<<10 + 48<<10)
)

// Socket is one end of a pair of sockets (unix(7)). It has no address: LocalAddr and RemoteAddr are
// those that network.Unix tells.
type Socket struct {
	typ   network.Type
	peer  *Socket
	watch watch

	// shut has the directions that were shut down, at this end or at the other.
	shut   atomic.Uint32
	closed atomic.Bool
	// pending is the errno of an asynchronous failure, or 0 (socket(7), SO_ERROR).
	pending atomic.Uint32

	// stream and datagrams are the queues of received data. A socket uses one of them.
	stream    ring.Stream
	datagrams ring.Datagrams

	// values are those of the options that are only remembered.
	values [network.Options]atomic.Int64
}

var _ network.Socket = (*Socket)(nil)

// NewPair makes two sockets that are connected with each other.
func NewPair(typ network.Type) (a, b *Socket) {
	a, b = newSocket(typ), newSocket(typ)
	a.peer, b.peer = b, a
	return a, b
}

func newSocket(typ network.Type) *Socket {
	s := &Socket{typ: typ}
	s.stream.SetLimit(bufferSize)
	s.values[network.RecvBuffer].Store(bufferSize)
	s.values[network.SendBuffer].Store(bufferSize)
	s.values[network.Linger].Store(-1)
	return s
}

func (s *Socket) Family() network.Family { return network.Unix }
func (s *Socket) Type() network.Type     { return s.typ }

func (s *Socket) isShut(how network.How) bool { return s.shut.Load()&uint32(how) == uint32(how) }

// Send implements network.Socket. It ignores the address.
func (s *Socket) Send(bufs [][]byte, _ netip.AddrPort) (int, error) {
	switch {
	case s.closed.Load():
		return 0, net.ErrClosed
	case s.isShut(network.ShutWrite):
		return 0, syscall.EPIPE
	case s.typ == network.Datagram:
		return s.sendDatagram(bufs)
	}
	if ring.TotalLen(bufs) == 0 {
		return 0, nil
	}
	n := s.peer.stream.Write(bufs, 0)
	switch {
	case n > 0:
		s.peer.watch.wake()
		return n, nil
	case s.isShut(network.ShutWrite):
		return 0, syscall.EPIPE
	}
	return 0, syscall.EAGAIN
}

func (s *Socket) sendDatagram(bufs [][]byte) (int, error) {
	size := ring.TotalLen(bufs)
	switch {
	case s.peer.closed.Load():
		return 0, syscall.ECONNREFUSED
	case s.peer.isShut(network.ShutRead):
		return 0, syscall.EPIPE
	case size > largestDatagram:
		return 0, syscall.EMSGSIZE
	case !s.hasRoom() || !s.peer.datagrams.Put(bufs, unnamed, 2*bufferSize+4<<10):
		if s.peer.closed.Load() {
			return 0, syscall.ECONNREFUSED
		}
		return 0, syscall.EAGAIN
	}
	s.peer.watch.wake()
	return size, nil
}

// unnamed is the address of a socket without a name.
var unnamed = netip.AddrPortFrom(netip.IPv4Unspecified(), 0)

// Recv implements network.Socket.
func (s *Socket) Recv(bufs [][]byte, flags network.RecvFlags) (network.Received, error) {
	if s.closed.Load() {
		return network.Received{}, net.ErrClosed
	}
	// The data before the end are there when the end is.
	ended := s.isShut(network.ShutRead)
	peek := flags&network.Peek != 0
	if s.typ == network.Datagram {
		if r, ok := s.datagrams.Get(bufs, peek); ok {
			if !peek {
				s.peer.watch.wake()
			}
			return r, nil
		}
	} else {
		n, freed := s.stream.Read(bufs, peek)
		if freed {
			s.peer.watch.wake()
		}
		if n > 0 || ring.TotalLen(bufs) == 0 {
			return network.Received{N: n, From: unnamed}, nil
		}
	}
	if err := s.takePending(); err != nil {
		return network.Received{}, err
	}
	if ended {
		return network.Received{From: unnamed}, nil
	}
	return network.Received{}, syscall.EAGAIN
}

func (s *Socket) takePending() error {
	if e := s.pending.Swap(0); e != 0 {
		return syscall.Errno(e)
	}
	return nil
}

// Poll implements network.Socket.
func (s *Socket) Poll(want network.Events) (network.Events, error) {
	if s.closed.Load() {
		return 0, net.ErrClosed
	}
	var got network.Events
	if s.pending.Load() != 0 {
		got |= network.Failed
	}
	if s.isShut(network.ShutBoth) {
		got |= network.Hangup
	}
	if s.isShut(network.ShutRead) || s.hasData() {
		got |= network.Readable
	}
	if s.isShut(network.ShutWrite) || s.hasRoom() {
		got |= network.Writable
	}
	return got & (want | always), nil
}

func (s *Socket) hasData() bool {
	if s.typ == network.Datagram {
		_, ok := s.datagrams.Next()
		return ok
	}
	return s.stream.Len() > 0
}

// hasRoom reports whether a send does not block. A datagram to a peer that takes none fails.
func (s *Socket) hasRoom() bool {
	if s.typ == network.Datagram {
		return s.peer.closed.Load() || s.peer.isShut(network.ShutRead) ||
			s.peer.datagrams.Used() < int(s.sendLimit())
	}
	return s.peer.stream.IsWritable()
}

func (s *Socket) Readiness() network.Readiness { return readinessOf(s, &s.watch) }

func (s *Socket) Wait(want network.Events, deadline time.Time) (network.Events, error) {
	return wait(s, &s.watch, want, deadline)
}

// Available returns the number of bytes that have come, or the length of the first datagram.
func (s *Socket) Available() (int, error) {
	if s.closed.Load() {
		return 0, net.ErrClosed
	}
	if s.typ == network.Datagram {
		size, _ := s.datagrams.Next()
		return size, nil
	}
	return s.stream.Len(), nil
}

// Shutdown implements network.Socket. The other end of a stream sees the end of a direction, too
// (unix_shutdown of net/unix/af_unix.c).
func (s *Socket) Shutdown(how network.How) error {
	if s.closed.Load() {
		return net.ErrClosed
	}
	s.end(how)
	return nil
}

func (s *Socket) end(how network.How) {
	there := network.How(0)
	if how&network.ShutRead != 0 {
		there |= network.ShutWrite
	}
	if how&network.ShutWrite != 0 {
		there |= network.ShutRead
	}
	s.shut.Or(uint32(how))
	if s.typ == network.Stream {
		s.peer.shut.Or(uint32(there))
	}
	s.watch.wake()
	s.peer.watch.wake()
}

// Close implements network.Socket. Bytes that were not received reset the other end of a stream;
// that of datagrams learns of the close when it sends (unix_release_sock of net/unix/af_unix.c).
func (s *Socket) Close() error {
	if s.closed.Swap(true) {
		return net.ErrClosed
	}
	if s.typ == network.Datagram {
		s.datagrams.Drop()
		s.watch.wake()
		s.peer.watch.wake()
		return nil
	}
	if s.stream.Len() > 0 {
		s.peer.pending.Store(uint32(syscall.ECONNRESET))
	}
	s.stream.Drop()
	s.end(network.ShutBoth)
	return nil
}
