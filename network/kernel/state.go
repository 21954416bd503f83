package kernel

import "github.com/wasport/wasport/network"

// connState is the state of a socket, by the names of the table in the doc of network.Socket. The
// kernel judges every call by its own state (RFC 9293, section 3.3.2); this one exists to tell
// apart the calls that the kernel answers differently from system to system: a second Connect, and
// FinishConnect.
//
//	state            entered by                            left by
//	stateOpen        Open                                  Bind, Listen, Connect
//	stateBound       Bind                                  Listen, Connect
//	stateConnecting  Connect of a stream: EINPROGRESS      FinishConnect, a second Connect
//	stateConnected   Connect, FinishConnect, Accept        Disconnect of a datagram socket
//	stateListening   Listen                                Shutdown of the receiving direction
//	stateClosed      Close, from every state               nothing
//
// A connection that fails, Disconnect, and Shutdown of a listener lead back to stateBound if the
// socket still has a local port, and to stateOpen otherwise.
type connState uint8

const (
	stateOpen connState = iota
	stateBound
	stateConnecting
	stateConnected
	stateListening
	stateClosed
)

func (c connState) String() string {
	return [...]string{"open", "bound", "connecting", "connected", "listening", "closed"}[c]
}

// state returns the state of the socket. stateClosed is not stored: the handle knows it.
func (s *socket) state() connState {
	if s.closed() {
		return stateClosed
	}
	s.connMu.Lock()
	defer s.connMu.Unlock()
	return s.conn
}

// setState stores a new state after a system call that has succeeded.
func (s *socket) setState(c connState) {
	s.connMu.Lock()
	defer s.connMu.Unlock()
	s.conn = c
}

// unconnectedState returns stateBound if the socket has a local port, and stateOpen otherwise.
func (s *socket) unconnectedState() connState {
	if local, err := sysGetsockname(s.fd); err == nil && local.Port() != 0 {
		return stateBound
	}
	return stateOpen
}

// adoptedState asks the kernel for the state of a socket that was made elsewhere.
func (s *socket) adoptedState() connState {
	if _, err := sysGetpeername(s.fd); err == nil {
		return stateConnected
	}
	o := options[network.AcceptConn]
	if n, err := getInt(s.fd, o.level, o.name); err == nil && n != 0 {
		return stateListening
	}
	return s.unconnectedState()
}
