package virtual

import (
	"container/list"
	"net"
	"net/netip"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/wasport/wasport/internal/ring"
	"github.com/wasport/wasport/network"
)

// tcpSocket is a stream socket. Its state is in two places: world.mu protects the part that
// connects and accepts, and status has all that Send, Recv and Poll need, which take no lock of the
// world.
type tcpSocket struct {
	base

	// status has the bits below. They are Linux's: sk_shutdown, SOCK_DONE and sk_state.
	status atomic.Uint32
	// conn is set once, before established is, and stays.
	conn atomic.Pointer[conn]
	// outside is the connection beyond the gateway, or nil.
	outside atomic.Pointer[outside]
	// queued is the length of accepted, for Poll.
	queued atomic.Int32

	// The fields below are protected by world.mu.

	state tcpState
	// backlog is the number of connections that may wait, less one (listen(2)).
	backlog int
	// accepted are the connections that wait for Accept.
	accepted list.List
	// knocking are the sockets with a connection under way, since accepted is full.
	knocking list.List
	// unaccepted tells that the socket is in accepted of its listener.
	unaccepted bool
	// listener is where the socket is in knocking, as element.
	listener *tcpSocket
	element  *list.Element
}

// conn is a connection as one of its ends sees it.
type conn struct {
	in, out *ring.Stream
	peer    *tcpSocket
	remote  netip.AddrPort
}

// The bits of status.
const (
	// established: bytes can be sent or received, or could until both directions ended.
	established = 1 << iota
	// connecting: a connection is under way.
	connecting
	// listens: the socket listens.
	listens
	// recvShut and sendShut: the direction was shut down here, or ended by the peer or a reset.
	recvShut
	sendShut
	// finished: the peer has ended its direction, so that the end of the stream is no error.
	finished
)

// tcpState is the state of a stream, by the names in the doc of network.Socket, apart from closed.
// A connection is still connecting when it is established but nobody has asked for the result.
type tcpState uint8

const (
	stateIdle tcpState = iota // open or bound
	stateConnecting
	stateConnected
	stateListening
)

var (
	_ network.Socket       = (*tcpSocket)(nil)
	_ network.Buffered     = (*tcpSocket)(nil)
	_ network.Disconnecter = (*tcpSocket)(nil)
)

func newTCPSocket(h *Host, family network.Family) *tcpSocket {
	s := new(tcpSocket)
	s.init(h, family, network.Stream)
	return s
}

// isOver reports whether both directions of a connection have ended. Linux then has the state
// TCP_CLOSE or TCP_TIME_WAIT.
func isOver(status uint32) bool {
	const both = finished | sendShut
	return status&established == 0 || status&both == both
}

// setBits changes the status and wakes the callers that wait.
func (s *tcpSocket) setBits(set, cleared uint32) {
	for {
		old := s.status.Load()
		if s.status.CompareAndSwap(old, old&^cleared|set) {
			break
		}
	}
	s.watch.wake(network.Readable | network.Writable | always)
}

// fail ends a connection with an error (tcp_reset of net/ipv4/tcp_input.c).
func (s *tcpSocket) fail(errno syscall.Errno) {
	s.pending.Store(uint32(errno))
	s.setBits(recvShut|sendShut, established|connecting)
}

// receiveReset takes a reset by the peer. After the end of its stream, the error is that of
// a pipe without a reader.
func (s *tcpSocket) receiveReset() {
	status := s.status.Load()
	switch {
	case isOver(status):
	case status&finished != 0:
		s.fail(syscall.EPIPE)
	default:
		s.fail(syscall.ECONNRESET)
	}
}

func (s *tcpSocket) Send(bufs [][]byte, _ netip.AddrPort) (int, error) {
	if s.closed.Load() {
		return 0, net.ErrClosed
	}
	if o := s.outside.Load(); o != nil {
		return o.send(bufs, netip.AddrPort{})
	}
	status := s.status.Load()
	if status&connecting != 0 {
		if err := s.takePending(); err != nil {
			return 0, err
		}
		return 0, syscall.EAGAIN
	}
	if status&(established|sendShut) != established || s.pending.Load() != 0 {
		if err := s.takePending(); err != nil {
			return 0, err
		}
		return 0, syscall.EPIPE
	}
	total := ring.TotalLen(bufs)
	if total == 0 {
		return 0, nil
	}
	c := s.conn.Load()
	n := c.out.Write(bufs, 0)
	if c.peer.closed.Load() {
		// The peer's host answers data for a closed socket with a reset (RFC 9293, 3.10.7.1).
		s.receiveReset()
		return total, nil
	}
	if n == 0 {
		return 0, syscall.EAGAIN
	}
	c.peer.watch.wake(network.Readable)
	return n, nil
}

func (s *tcpSocket) Recv(bufs [][]byte, flags network.RecvFlags) (network.Received, error) {
	if s.closed.Load() {
		return network.Received{}, net.ErrClosed
	}
	if o := s.outside.Load(); o != nil {
		return o.recv(bufs, flags)
	}
	// The bytes that came before the end of the stream are there when the end is.
	status := s.status.Load()
	var end network.Received
	if c := s.conn.Load(); c != nil {
		end.From = c.remote
		n, freed := c.in.Read(bufs, flags&network.Peek != 0)
		if freed {
			c.peer.watch.wake(network.Writable)
		}
		if n > 0 {
			return network.Received{N: n, From: c.remote}, nil
		}
	}
	switch {
	case status&listens != 0:
		return network.Received{}, syscall.ENOTCONN
	case status&finished != 0 || ring.TotalLen(bufs) == 0:
		return end, nil
	}
	if err := s.takePending(); err != nil {
		return network.Received{}, err
	}
	switch {
	case status&recvShut != 0:
		return end, nil
	case status&(established|connecting) == 0:
		return network.Received{}, syscall.ENOTCONN
	}
	return network.Received{}, syscall.EAGAIN
}

func (s *tcpSocket) Poll(want network.Events) (network.Events, error) {
	if s.closed.Load() {
		return 0, net.ErrClosed
	}
	if o := s.outside.Load(); o != nil {
		return o.Poll(want)
	}
	status := s.status.Load()
	var got network.Events
	if s.pending.Load() != 0 {
		got |= network.Failed
	}
	switch {
	case status&listens != 0:
		if s.queued.Load() > 0 {
			got |= network.Readable
		}
	case status&connecting != 0:
	default:
		const both = recvShut | sendShut
		if isOver(status) || status&both == both {
			got |= network.Hangup
		}
		c := s.conn.Load()
		if status&recvShut != 0 || c != nil && c.in.Len() > 0 {
			got |= network.Readable
		}
		if status&sendShut != 0 || c == nil || c.out.IsWritable() {
			got |= network.Writable
		}
	}
	return got & (want | always), nil
}

func (s *tcpSocket) arm(want network.Events) {
	if o := s.outside.Load(); o != nil {
		o.arm(want)
	}
}

// Unsent implements network.Buffered. Bytes sent are with the receiver, unless it is beyond the
// gateway.
func (s *tcpSocket) Unsent() network.Unsent {
	if o := s.outside.Load(); o != nil {
		if b, ok := o.Socket.(network.Buffered); ok {
			return b.Unsent()
		}
	}
	return nil
}

func (s *tcpSocket) Readiness() network.Readiness {
	return network.Readiness{Notify: notifyOf(s)}
}

func (s *tcpSocket) Wait(want network.Events, deadline time.Time) (network.Events, error) {
	return waitOnly(s, want, deadline)
}

func (s *tcpSocket) Available() (int, error) {
	if s.closed.Load() {
		return 0, net.ErrClosed
	}
	if o := s.outside.Load(); o != nil {
		return o.Available()
	}
	if c := s.conn.Load(); c != nil {
		return c.in.Len(), nil
	}
	return 0, nil
}

func (s *tcpSocket) RemoteAddr() (netip.AddrPort, error) {
	if s.closed.Load() {
		return netip.AddrPort{}, net.ErrClosed
	}
	if o := s.outside.Load(); o != nil {
		return o.peerAddr()
	}
	if c := s.conn.Load(); c != nil && !isOver(s.status.Load()) {
		return c.remote, nil
	}
	return netip.AddrPort{}, syscall.ENOTCONN
}
