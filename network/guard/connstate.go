package guard

import (
	"syscall"

	"github.com/wasport/wasport/policy"
)

// connState is the state of a stream socket as far as the guest has been told. The names are those
// of the table in the doc of network.Socket. The guard needs the state for the calls whose error is
// decided before any rule (Connect, Listen), and to know which event a limit of bytes holds back.
//
//	state             entered by                          left by
//	stateUnconnected  Open, Adopt                         Listen, Connect
//	stateConnecting   Connect: EINPROGRESS                FinishConnect, a second Connect, Send
//	                                                      under a limit of bytes
//	stateConnected    Connect, FinishConnect, Accept      Connect or FinishConnect that fails
//	stateListening    Listen, Adopt                       nothing
//
// A connection that fails leads back to stateUnconnected. Whether an unconnected socket is bound is
// told by socket.localAddr, and whether it is closed by socket.closed. Datagram sockets stay
// unconnected; socket.peer is their remote address.
type connState uint32

const (
	stateUnconnected connState = iota
	stateConnecting
	stateConnected
	stateListening
)

func (c connState) String() string {
	return [...]string{"unconnected", "connecting", "connected", "listening"}[c]
}

// hasConnection reports whether a connection is established or under way.
func (c connState) hasConnection() bool { return c == stateConnecting || c == stateConnected }

func (s *socket) state() connState { return connState(s.conn.Load()) }

func (s *socket) setState(c connState) { s.conn.Store(uint32(c)) }

// noteSent ends stateConnecting: a guest that sends knows that the connection is established.
func (s *socket) noteSent() {
	s.conn.CompareAndSwap(uint32(stateConnecting), uint32(stateConnected))
}

// noteConnectResult changes the state of a stream by the result of connect(2), or of the SO_ERROR
// that follows it. A listener keeps its state.
func (s *socket) noteConnectResult(err error) {
	if s.protocol == policy.UDP {
		return
	}
	next := stateUnconnected
	switch err {
	case nil, syscall.EISCONN:
		next = stateConnected
	case syscall.EINPROGRESS, syscall.EALREADY:
		next = stateConnecting
	}
	for {
		state := s.conn.Load()
		if state == uint32(stateListening) || s.conn.CompareAndSwap(state, uint32(next)) {
			return
		}
	}
}
