package wasi2

import (
	"errors"
	"net/netip"
	"syscall"

	"github.com/wasport/wasport/internal/system"
	"github.com/wasport/wasport/network"
)

// tcpState is a state of a tcp-socket. Operations that may take time have a function that starts
// them and one that finishes them, which come in pairs whatever the system does.
//
//	state           entered by                       left by
//	unbound         create-tcp-socket                start-bind, start-connect
//	bind-started    start-bind                       finish-bind
//	bound           finish-bind                      start-listen, start-connect
//	listen-started  start-listen                     finish-listen
//	listening       finish-listen                    nothing
//	connect-started start-connect                    finish-connect
//	connected       finish-connect, accept           nothing
//	closed          a start-listen or finish-connect nothing
//	                that failed
//
// A function that is called in another state changes nothing: it returns concurrency-conflict while
// an operation is started, and invalid-state else. A start-bind or start-connect that is refused
// for its argument or by the policy changes nothing either, so that a guest can try another
// address. The state is judged before the arguments, and the arguments before policy.
type tcpState uint8

const (
	tcpUnbound tcpState = iota
	tcpBindStarted
	tcpBound
	tcpListenStarted
	tcpListening
	tcpConnectStarted
	tcpConnected
	tcpClosed
)

// wrongState returns the error of a function that the state does not allow.
func (s tcpState) wrongState() error {
	switch s {
	case tcpBindStarted, tcpListenStarted, tcpConnectStarted:
		return concurrencyConflict
	}
	return invalidState
}

const (
	defaultBacklog = 128
	maxBacklog     = 4096
)

// tcpSocket is a tcp-socket.
type tcpSocket struct {
	endpoint
	state   tcpState
	backlog int

	// connectErr is the failure of a connect that failed at once, kept for finish-connect.
	connectErr error
}

func (g *Guest) createTCP(family network.Family) (uint32, error) {
	e, err := g.open(family, network.Stream)
	if err != nil {
		return 0, err
	}
	e.use()
	return put(g, &g.tcp, &tcpSocket{endpoint: e, backlog: defaultBacklog})
}

func (s *tcpSocket) startBind(g *Guest, local netip.AddrPort) error {
	if s.state != tcpUnbound {
		return s.state.wrongState()
	}
	if !isOfFamily(local.Addr(), s.family) || !isUnicast(local.Addr()) {
		return invalidArgument
	}
	if reuseOnBind && local.Port() != 0 {
		if err := g.SetOption(s.fd, network.ReuseAddr, 1); err != nil {
			return err
		}
	}
	if err := g.Bind(s.fd, local); err != nil {
		return err
	}
	s.state = tcpBindStarted
	return nil
}

func (s *tcpSocket) finishBind(*Guest) error {
	if s.state != tcpBindStarted {
		return notInProgress
	}
	s.state = tcpBound
	return nil
}

// startConnect starts a connection. A refusal and a limit of the policy are returned at once, and
// failures of the system by finishConnect.
func (s *tcpSocket) startConnect(g *Guest, remote netip.AddrPort) error {
	if s.state != tcpUnbound && s.state != tcpBound {
		return s.state.wrongState()
	}
	if !isOfFamily(remote.Addr(), s.family) || !isUnicast(remote.Addr()) ||
		!isDestination(remote) {
		return invalidArgument
	}
	err := g.Connect(s.fd, remote)
	switch {
	case errors.Is(err, syscall.EACCES), err == syscall.EAGAIN:
		return err
	case err != nil && err != syscall.EINPROGRESS:
		s.connectErr = err
	}
	s.state = tcpConnectStarted
	return nil
}

// finishConnect returns would-block while the connection is under way.
func (s *tcpSocket) finishConnect(g *Guest) error {
	if s.state != tcpConnectStarted {
		return notInProgress
	}
	err := s.connectErr
	if err == nil {
		err = g.FinishConnect(s.fd)
	}
	switch err {
	case nil:
		s.state = tcpConnected
		return nil
	case syscall.EALREADY, syscall.EINPROGRESS:
		return wouldBlock
	}
	s.fail()
	return connectError(err)
}

func (s *tcpSocket) startListen(g *Guest) error {
	if s.state != tcpBound {
		return s.state.wrongState()
	}
	if err := g.Listen(s.fd, s.backlog); err != nil {
		s.fail()
		return err
	}
	s.state = tcpListenStarted
	return nil
}

func (s *tcpSocket) finishListen(*Guest) error {
	if s.state != tcpListenStarted {
		return notInProgress
	}
	s.state = tcpListening
	return nil
}

// accept returns the first connection that waits, connected and with the options of the listener.
func (s *tcpSocket) accept(g *Guest) (*tcpSocket, error) {
	if s.state != tcpListening {
		return nil, s.state.wrongState()
	}
	fd, err := g.Accept(s.fd, true)
	if err != nil {
		return nil, err
	}
	accepted := &tcpSocket{
		endpoint: endpoint{description: &description{fd: fd, of: ofSocket}, family: s.family},
		state:    tcpConnected, backlog: defaultBacklog,
	}
	if err := accepted.inherit(g, &s.endpoint); err != nil {
		g.CloseFD(fd)
		return nil, err
	}
	accepted.use()
	return accepted, nil
}

// setBacklog sets the length of the queue of accept. Systems that cannot change that of a listener
// answer not-supported.
func (s *tcpSocket) setBacklog(g *Guest, value uint64) error {
	switch s.state {
	case tcpConnectStarted, tcpConnected, tcpClosed:
		return invalidState
	}
	if value == 0 {
		return invalidArgument
	}
	s.backlog = int(min(value, maxBacklog))
	if s.state != tcpListening {
		return nil
	}
	if err := g.Listen(s.fd, s.backlog); err != nil {
		if errors.Is(err, syscall.EACCES) {
			return err
		}
		return notSupported
	}
	return nil
}

// shutdown closes streams at once: received data that was not read is gone, and the peer gets the
// end of the stream after what was written.
func (s *tcpSocket) shutdown(g *Guest, how network.How) error {
	if s.state != tcpConnected {
		return invalidState
	}
	if s.sendClosed {
		how &^= network.ShutWrite
	}
	if how&network.ShutWrite != 0 {
		s.sendClosed = true
		if s.pending.shutdownAfter() {
			how &^= network.ShutWrite
		}
	}
	s.recvClosed = s.recvClosed || how&network.ShutRead != 0
	if how == 0 {
		return nil
	}
	// The peer may have reset the connection, which the streams report.
	if err := g.Shutdown(s.fd, how); err != nil && err != syscall.ENOTCONN {
		return err
	}
	return nil
}

// interest implements waitable.
func (s *tcpSocket) interest(x *system.Subscription) (ready bool) {
	switch {
	case s.state == tcpConnectStarted && s.connectErr == nil:
		x.Kind, x.FD = system.Writing, s.fd
	case s.state == tcpListening:
		x.Kind, x.FD = system.Reading, s.fd
	default:
		return true
	}
	return false
}

// localAddress returns the address to which the socket is bound.
func (s *tcpSocket) localAddress(g *Guest) (netip.AddrPort, error) {
	switch s.state {
	case tcpUnbound, tcpBindStarted, tcpClosed:
		return netip.AddrPort{}, invalidState
	}
	return g.LocalAddr(s.fd)
}

// remoteAddress returns the address of the peer.
func (s *tcpSocket) remoteAddress(g *Guest) (netip.AddrPort, error) {
	if s.state != tcpConnected {
		return netip.AddrPort{}, invalidState
	}
	return g.RemoteAddr(s.fd)
}

func (s *tcpSocket) fail() { s.state, s.failed = tcpClosed, true }

func (s *tcpSocket) drop(g *Guest) {
	s.fail()
	g.release(s.description)
}
