package kernel

import (
	"math"
	"net/netip"
	"syscall"

	"github.com/wasport/wasport/network"
)

// A connection fails once, and Linux tells one caller: SO_ERROR, recv(2), send(2) or connect(2)
// returns the errno and clears it (socket(7), SO_ERROR). Later calls find a connection that has
// ended. Other kernels repeat the errno, so this file remembers that it was told, in socket.told.

// isFailure reports whether an error ends a connection.
func isFailure(err error) bool {
	switch err {
	case syscall.ECONNRESET, syscall.ECONNREFUSED, syscall.ECONNABORTED, syscall.ETIMEDOUT,
		syscall.EHOSTUNREACH, syscall.ENETUNREACH, syscall.EHOSTDOWN, syscall.ENETDOWN,
		syscall.ENETRESET:
		return true
	}
	return false
}

// tell notes that the caller is told of a failure of its connection. It reports false if another
// call was told before.
func (s *socket) tell(err error) bool {
	errno, ok := err.(syscall.Errno)
	return ok && isFailure(err) && s.told.CompareAndSwap(0, int32(errno))
}

// failed reports whether a caller was told that the connection has failed.
func (s *socket) failed() bool { return s.typ == network.Stream && s.told.Load() != 0 }

// nowhereError returns the error of a datagram without a destination, where the system sends it.
func nowhereError(bufs [][]byte) error {
	if totalLen(bufs) > math.MaxUint16 {
		return syscall.EMSGSIZE
	}
	return syscall.EDESTADDRREQ
}

// sendError converts an error of sysSend to that of Linux.
func (s *socket) sendError(err error, to netip.AddrPort) error {
	state := s.conn.load()
	switch {
	case s.typ == network.Datagram && s.family == network.IPv4 && to.Addr().Is6():
		return syscall.EAFNOSUPPORT
	case s.typ == network.Datagram && !to.IsValid() && state != stateConnected &&
		(err == syscall.ENOTCONN || err == syscall.EINVAL):
		return syscall.EDESTADDRREQ
	case s.typ == network.Datagram:
		return datagramError(err)
	case err == syscall.ENOTCONN && s.family == network.Unix:
		return err // where TCP has EPIPE
	case err == syscall.ENOTCONN && state == stateConnecting && !s.failed():
		return s.connectingError()
	case err == syscall.ENOTCONN, state != stateConnected && state != stateConnecting:
		return syscall.EPIPE
	case isFailure(err) && !s.tell(err):
		return syscall.EPIPE
	}
	return err
}

// datagramError converts the errno by which Windows and Gramine tell that a datagram sent before
// was refused (ICMP, port unreachable).
func datagramError(err error) error {
	if err == syscall.ECONNRESET {
		return syscall.ECONNREFUSED
	}
	return err
}

// recvError converts an error of sysRecv to that of Linux, where nil is the end of the stream.
func (s *socket) recvError(err error) error {
	state := s.conn.load()
	switch {
	case isFailure(err) && !s.tell(err), err == syscall.ENOTCONN && s.failed(),
		err == syscall.EAGAIN && network.How(s.ended.Load())&network.ShutRead != 0:
		return nil
	case err == syscall.ENOTCONN && state == stateConnecting:
		return s.connectingError()
	}
	return err
}

// connectingError returns the reason why a connection has failed, or EAGAIN while it is under way.
func (s *socket) connectingError() error {
	reason, err := s.pendingError()
	switch {
	case err != nil:
		return err
	case reason != 0:
		return reason
	}
	return syscall.EAGAIN
}

// pendingError returns SO_ERROR and takes it, as Linux does.
func (s *socket) pendingError() (syscall.Errno, error) {
	return s.takeError(func() (syscall.Errno, error) { return sysPendingError(s.fd, s.typ) })
}

// takeError returns the error that read finds, unless it was told. A connection fails only once.
// Datagrams can fail often, so a second read shows whether the kernel clears the error.
func (s *socket) takeError(read func() (syscall.Errno, error)) (syscall.Errno, error) {
	e, err := read()
	if e == 0 || err != nil {
		return 0, err
	}
	if s.typ == network.Stream {
		if !s.told.CompareAndSwap(0, int32(e)) {
			return 0, nil
		}
		return e, nil
	}
	if syscall.Errno(s.told.Load()) == e {
		return 0, nil
	}
	if again, err := read(); err == nil && again == e {
		s.told.Store(int32(e))
	}
	return e, nil
}

// finishByPoll returns the result of the connection under way, or EALREADY. The caller holds
// connMu.
func (s *socket) finishByPoll() error {
	ready, err := pollNow(s.fd, network.Writable)
	if err != nil {
		return err
	}
	if ready == 0 {
		return syscall.EALREADY
	}
	reason, err := s.pendingError()
	if err != nil {
		return err
	}
	if reason != 0 {
		return reason
	}
	if _, err := sysGetpeername(s.fd); err != nil || s.failed() {
		// Another call has read SO_ERROR before.
		return syscall.ECONNABORTED
	}
	return nil
}

// pollNow returns the events that hold now, as network.Socket lists them for each state.
func (s *socket) pollNow(want network.Events) (network.Events, error) {
	got, err := pollNow(s.fd, want)
	_, held := s.ahead.size()
	if held || network.How(s.ended.Load())&network.ShutRead != 0 {
		got |= want & network.Readable
	}
	if s.typ == network.Stream && err == nil && got&network.Hangup == 0 {
		got = s.streamEvents(got, want)
	}
	return got, err
}

// streamEvents adds the events that hold by the state of a stream, for a kernel that does not
// report them.
func (s *socket) streamEvents(got, want network.Events) network.Events {
	ended := network.How(s.ended.Load())
	switch {
	case s.failed():
		got = got&^network.Failed | network.Hangup | want&(network.Readable|network.Writable)
	case got&network.Failed != 0:
		got |= network.Hangup | want&(network.Readable|network.Writable)
	case s.conn.is(stateOpen, stateBound):
		got |= network.Hangup | want&network.Writable
	case ended == network.ShutBoth, ended == network.ShutWrite && peerEnded(s.fd):
		got |= network.Hangup
	}
	return got
}
