package wasi2

import (
	"net/netip"
	"syscall"

	"github.com/wasport/wasport/internal/system"
	"github.com/wasport/wasport/network"
)

// udpState is a state of a udp-socket.
//
//	state         entered by          left by
//	unbound       create-udp-socket   start-bind
//	bind-started  start-bind          finish-bind
//	bound         finish-bind         nothing
//
// A function that is called in another state changes nothing, as with tcpState.
type udpState uint8

const (
	udpUnbound udpState = iota
	udpBindStarted
	udpBound
)

func (s udpState) wrongState() error {
	if s == udpBindStarted {
		return concurrencyConflict
	}
	return invalidState
}

// udpSocket is a udp-socket.
type udpSocket struct {
	endpoint
	state udpState

	// bound is the local address, which the socket must get back when an association ends.
	bound netip.AddrPort

	// current is the association that the latest call of stream made; nil before.
	current *association
}

// association is made by one call of stream: two streams and, if it has one, a peer.
type association struct {
	// peer is the one address to send to and to receive from, or invalid.
	peer netip.AddrPort

	// ended is true once another call of stream, or the end of the socket, has followed.
	ended bool
}

func (g *Guest) createUDP(family network.Family) (uint32, error) {
	e, err := g.open(family, network.Datagram)
	if err != nil {
		return 0, err
	}
	e.use()
	return put(g, &g.udp, &udpSocket{endpoint: e})
}

func (s *udpSocket) startBind(g *Guest, local netip.AddrPort) error {
	if s.state != udpUnbound {
		return s.state.wrongState()
	}
	if !isOfFamily(local.Addr(), s.family) {
		return invalidArgument
	}
	if err := g.Bind(s.fd, local); err != nil {
		return err
	}
	bound, err := g.LocalAddr(s.fd)
	if err != nil {
		return err
	}
	s.bound, s.state = bound, udpBindStarted
	return nil
}

func (s *udpSocket) finishBind(*Guest) error {
	if s.state != udpBindStarted {
		return notInProgress
	}
	s.state = udpBound
	return nil
}

// stream ends the association of an earlier call, and makes one with a peer, or with none if the
// address is invalid.
func (s *udpSocket) stream(g *Guest, peer netip.AddrPort) (*association, error) {
	if s.state != udpBound {
		return nil, s.state.wrongState()
	}
	if peer.IsValid() && (!isOfFamily(peer.Addr(), s.family) || !isDestination(peer)) {
		return nil, invalidArgument
	}
	if err := s.dissolve(g); err != nil {
		return nil, err
	}
	if peer.IsValid() {
		if err := g.Connect(s.fd, peer); err != nil {
			return nil, connectError(err)
		}
		// The system may spell the address otherwise, and so the sender of a datagram.
		if named, err := g.RemoteAddr(s.fd); err == nil {
			peer = named
		}
	}
	s.current = &association{peer: peer}
	return s.current, nil
}

// dissolve ends an association. Linux then takes back a port that it chose, and the address that
// the association chose; binding gets both back (ip(7); udp_disconnect in net/ipv4/udp.c).
func (s *udpSocket) dissolve(g *Guest) error {
	old := s.current
	if old == nil || old.ended {
		return nil
	}
	old.ended = true
	if !old.peer.IsValid() {
		return nil
	}
	if err := g.Disconnect(s.fd); err != nil {
		return err
	}
	local, err := g.LocalAddr(s.fd)
	if err == nil && local.Port() == 0 {
		if err = g.Bind(s.fd, s.bound); err != nil { // another socket has taken the port
			s.state = udpUnbound
		}
	}
	return err
}

// localAddress returns the address to which the socket is bound.
func (s *udpSocket) localAddress(g *Guest) (netip.AddrPort, error) {
	if s.state != udpBound {
		return netip.AddrPort{}, invalidState
	}
	return g.LocalAddr(s.fd)
}

// remoteAddress returns the peer of the association.
func (s *udpSocket) remoteAddress(*Guest) (netip.AddrPort, error) {
	if s.current == nil || s.current.ended || !s.current.peer.IsValid() {
		return netip.AddrPort{}, invalidState
	}
	return s.current.peer, nil
}

// interest implements waitable: nothing of the socket itself takes time.
func (s *udpSocket) interest(*system.Subscription) (ready bool) { return true }

func (s *udpSocket) drop(g *Guest) { g.release(s.description) }

const (
	// maxDatagrams is how many datagrams one call receives or sends.
	maxDatagrams = 16

	// maxReceived is how many bytes of datagrams after which a call receives no more.
	maxReceived = 64 << 10
)

// incoming is an incoming-datagram-stream.
type incoming struct {
	*description
	*association

	// err is an error that came after datagrams, kept for the next call.
	err error

	dropped bool
}

// next receives a datagram into b, which has room for the longest. Datagrams that were queued
// before the association stem from any sender and are dropped: the system keeps them (connect(2)).
// It returns EAGAIN if there is none.
func (s *incoming) next(g *Guest, b []byte) (network.Received, error) {
	for {
		g.buf[0] = b
		r, err := g.Recv(s.fd, g.buf[:], system.DontWait)
		if err != nil || !s.peer.IsValid() || r.From == s.peer {
			return r, err
		}
		g.ChargeSteps(1)
		if err := g.Err(); err != nil {
			return r, err
		}
	}
}

// interest implements waitable.
func (s *incoming) interest(x *system.Subscription) (ready bool) {
	if s.ended || s.dropped || s.err != nil {
		return true
	}
	x.Kind, x.FD = system.Reading, s.fd
	return false
}

func (s *incoming) drop(g *Guest) {
	s.dropped = true
	g.release(s.description)
}

// outgoing is an outgoing-datagram-stream.
type outgoing struct {
	*description
	*association
	family network.Family

	// permit is how many datagrams the next send may have.
	permit uint32

	// full is true after a send for which the system had no room. Without it checkSend would make
	// a system call for each send, nearly always to learn that there is room.
	full bool

	dropped bool
}

// checkSend returns how many datagrams the next send may have.
func (s *outgoing) checkSend(g *Guest) (uint32, error) {
	if s.ended {
		return 0, invalidState
	}
	if s.full {
		ready, err := g.Ready(s.fd, system.Writing)
		if err != nil {
			return 0, err
		}
		s.full = !ready
	}
	s.permit = maxDatagrams
	if s.full {
		s.permit = 0
	}
	return s.permit, nil
}

// checkTo returns the address for the system to send a datagram to: none for the peer of an
// association.
func (s *outgoing) checkTo(to netip.AddrPort) (netip.AddrPort, error) {
	if !s.peer.IsValid() {
		if !to.IsValid() || !isOfFamily(to.Addr(), s.family) || !isDestination(to) {
			return to, invalidArgument
		}
		return to, nil
	}
	if to.IsValid() && to != s.peer {
		return to, invalidArgument
	}
	return netip.AddrPort{}, nil
}

// sendOne sends a datagram.
func (s *outgoing) sendOne(g *Guest, b []byte, to netip.AddrPort) error {
	to, err := s.checkTo(to)
	if err != nil {
		return err
	}
	g.buf[0] = b
	_, err = g.Send(s.fd, g.buf[:], to, system.DontWait)
	s.full = err == syscall.EAGAIN
	return err
}

// interest implements waitable.
func (s *outgoing) interest(x *system.Subscription) (ready bool) {
	if s.ended || s.dropped {
		return true
	}
	x.Kind, x.FD = system.Writing, s.fd
	return false
}

func (s *outgoing) drop(g *Guest) {
	s.dropped = true
	g.release(s.description)
}
