//go:build !windows

package kernel

// refuseConnections does nothing: shutdown(2) has ended the listener. Gramine's does not, and there
// it takes connections until it is closed.
func (s *socket) refuseConnections() {}
