package guard

import (
	"syscall"

	"github.com/wasport/wasport/policy"
)

// connState is the state of a stream socket as far as the guest knows it. The names are those of
// the table in the doc of network.Socket. Connect and Listen need the state for the errors that
// come before any rule, and the limits of bytes need it to hold back the right event.
//
//	state             entered by                          left by
//	stateUnconnected  Open, Adopt                         Listen, Connect
//	stateConnecting   Connect: EINPROGRESS                FinishConnect, a second Connect, Send
//	                                                      under a limit of bytes
//	stateConnected    Connect, FinishConnect, Accept,     FinishConnect that fails
//	                  Adopt, Send under a limit of bytes
//	stateListening    Listen, Adopt                       nothing
//
// A connection that fails leads back to stateUnconnected. The states open and bound of the table
// are one here, since socket.localAddr tells them apart; socket.closed is the state closed. A
// datagram socket stays unconnected, and datagramState.peer is its remote address.
type connState uint32

const (
	stateUnconnected connState = iota
	stateConnecting
	stateConnected
	stateListening
)

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
