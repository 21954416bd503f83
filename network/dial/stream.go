package dial

import (
	"context"
	"net"
	"net/netip"
	"strconv"
	"syscall"
	"time"

	"github.com/wasport/wasport/network"
)

// state is a state of a stream, by the names of the table in the doc of network.Socket.
type state uint8

const (
	stateOpen state = iota
	stateBound
	stateConnecting
	stateConnected
	stateListening
)

// stream is a stream socket.
type stream struct {
	socket
	state state

	// listener is set from Bind on. chosen tells that Bind named an address or a port.
	listener *listener
	chosen   bool

	// cancel ends a connect that is under way.
	cancel context.CancelFunc
	// untold tells that the result of a connect was not told yet.
	untold bool
	// broken tells that the connect failed, or that the connection did.
	broken bool

	conn                net.Conn
	recv, send          queue
	eof                 bool
	readShut, writeShut bool
	// writing tells that the goroutine exists which writes.
	writing bool
	// finished tells that the end of the stream was written.
	finished bool
	// closing tells how the goroutine ends the connection once all is written. lingering closes
	// it before, after lingerTimeout.
	closing   closing
	lingering *time.Timer
}

// closing tells how a connection whose socket is closed ends.
type closing uint8

const (
	_ closing = iota // the socket is open
	// closeHeld waits for Unsent.End, and closeWritten for the end of the data.
	closeHeld
	closeWritten
	closeNow
	closeReset
)

var (
	_ network.Socket        = (*stream)(nil)
	_ network.NameConnecter = (*stream)(nil)
	_ network.Disconnecter  = (*stream)(nil)
	_ network.Buffered      = (*stream)(nil)
)

func newStream(n *Network, family network.Family) *stream {
	s := &stream{}
	s.init(n, family, network.Stream)
	s.holds = s.events
	return s
}

// events returns the events that hold, as the table in the doc of network.Socket has them.
func (s *stream) events() (e network.Events) {
	const ready = network.Readable | network.Writable
	switch {
	case s.pending != 0:
		return ready | network.Hangup | network.Failed
	case s.broken:
		return ready | network.Hangup
	case s.state == stateConnecting:
		return 0
	case s.state == stateListening:
		if len(s.listener.queue) > 0 || s.listener.err != 0 {
			e = network.Readable
		}
		return e
	case s.state != stateConnected:
		return network.Writable | network.Hangup
	}
	if s.recv.len() > 0 || s.eof || s.readShut {
		e |= network.Readable
	}
	if s.send.len() < queueSize(s.options.sendBuffer) || s.writeShut {
		e |= network.Writable
	}
	if (s.eof || s.readShut) && s.writeShut {
		e |= network.Hangup
	}
	return e
}

func (s *stream) Connect(to netip.AddrPort) error { return s.connect(to, to.String()) }

// ConnectName implements network.NameConnecter.
func (s *stream) ConnectName(name string, as netip.AddrPort) error {
	return s.connect(as, net.JoinHostPort(name, strconv.Itoa(int(as.Port()))))
}

// connect starts a connection to an address for DialContext. to is the address that guests see.
func (s *stream) connect(to netip.AddrPort, address string) error {
	if err := s.lock(); err != nil {
		return err
	}
	defer s.mu.Unlock()
	if err := checkAddr(s.family, to); err != nil {
		return err
	}
	switch {
	case s.state == stateConnecting:
		return syscall.EALREADY
	case s.untold:
		return s.tellResult()
	case s.state == stateConnected, s.state == stateListening:
		return syscall.EISCONN
	case s.net.config.DialContext == nil:
		return syscall.ENETUNREACH
	case s.chosen:
		return syscall.EOPNOTSUPP // DialContext cannot connect from an address
	}
	if l := s.listener; l != nil {
		s.listener = nil
		go s.run(l.markClosed(s))
	}
	ctx, cancel := context.WithTimeout(context.Background(), connectTimeout)
	s.state, s.broken, s.pending, s.remote, s.cancel = stateConnecting, false, 0, to, cancel
	s.local = unspecified(s.family)
	go s.run(func() { s.dial(ctx, address) })
	return syscall.EINPROGRESS
}

// connectTimeout bounds a connect, as tcp(7) does with tcp_syn_retries.
const connectTimeout = 2 * time.Minute

// dial makes the connection.
func (s *stream) dial(ctx context.Context, address string) {
	conn, err := s.net.config.DialContext(ctx, "tcp", address)
	var local netip.AddrPort
	if err == nil {
		s.currentOptions().tune(conn)
		local = localOf(conn.LocalAddr(), s.family)
	}
	if s.endConnect(conn, local, err) && err == nil {
		conn.Close()
	}
}

// endConnect stores the result of a connect. It reports whether nobody wants it any more.
func (s *stream) endConnect(conn net.Conn, local netip.AddrPort, err error) (late bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.cancel()
	switch {
	case s.ended:
		return true
	case err != nil:
		s.state, s.untold, s.broken, s.remote = stateOpen, true, true, netip.AddrPort{}
		s.pending = errnoOf(err, syscall.EHOSTUNREACH)
	default:
		s.untold = true
		s.begin(conn, local)
	}
	s.wake()
	return false
}

// begin makes the stream one of a connection. mu is held.
func (s *stream) begin(conn net.Conn, local netip.AddrPort) {
	s.state, s.conn, s.local = stateConnected, conn, local
	go s.run(func() { s.read(conn) })
}

// FinishConnect returns ECONNABORTED if PendingError has told the reason before.
func (s *stream) FinishConnect() error {
	if err := s.lock(); err != nil {
		return err
	}
	defer s.mu.Unlock()
	switch {
	case s.state == stateConnecting:
		return syscall.EALREADY
	case s.untold:
		return s.tellResult()
	case s.state != stateConnected:
		return syscall.ENOTCONN
	}
	return nil
}

// tellResult returns the result of a connect. mu is held.
func (s *stream) tellResult() error {
	s.untold = false
	if s.state == stateConnected {
		return nil
	}
	if err := s.takePending(); err != nil {
		return err
	}
	return syscall.ECONNABORTED
}

// Send queues as many bytes as there is room for.
func (s *stream) Send(bufs [][]byte, _ netip.AddrPort) (int, error) {
	if err := s.lock(); err != nil {
		return 0, err
	}
	defer s.mu.Unlock()
	switch {
	case s.state == stateConnecting:
		return 0, syscall.EAGAIN
	case s.state == stateConnected && s.pending != 0:
		return 0, s.takePending()
	case s.state != stateConnected || s.writeShut || s.broken:
		return 0, syscall.EPIPE
	case totalLen(bufs) == 0:
		return 0, nil
	}
	room := queueSize(s.options.sendBuffer) - s.send.len()
	if room <= 0 {
		return 0, syscall.EAGAIN
	}
	n := 0
	for _, b := range bufs {
		b = b[:min(len(b), room-n)]
		s.send.add(b)
		n += len(b)
	}
	s.startWriting()
	return n, nil
}

func (s *stream) Recv(bufs [][]byte, flags network.RecvFlags) (network.Received, error) {
	if err := s.lock(); err != nil {
		return network.Received{}, err
	}
	defer s.mu.Unlock()
	r := network.Received{From: s.remote}
	switch {
	case s.state == stateConnecting:
		return network.Received{}, syscall.EAGAIN
	case s.state != stateConnected:
		return network.Received{}, syscall.ENOTCONN
	case s.recv.len() > 0:
		if r.N = s.recv.copyTo(bufs); flags&network.Peek == 0 {
			s.recv.take(r.N)
			s.changed.Broadcast() // there is room again
		}
		return r, nil
	case s.pending != 0:
		return network.Received{}, s.takePending()
	case s.eof || s.readShut || s.broken:
		return r, nil
	}
	return network.Received{}, syscall.EAGAIN
}

func (s *stream) Available() (int, error) {
	if err := s.lock(); err != nil {
		return 0, err
	}
	defer s.mu.Unlock()
	return s.recv.len(), nil
}

// Shutdown returns EOPNOTSUPP for one direction if the connection has no CloseWrite.
func (s *stream) Shutdown(how network.How) error {
	if err := s.lock(); err != nil {
		return err
	}
	if l := s.listener; s.state == stateListening && how >= 1 && how <= network.ShutBoth {
		s.state, s.broken = stateOpen, true
		s.listener, s.local = nil, unspecified(s.family)
		closeListener := l.markClosed(s)
		s.wake()
		s.mu.Unlock()
		closeListener()
		return nil
	}
	defer s.mu.Unlock()
	switch {
	case how < network.ShutRead || how > network.ShutBoth:
		return syscall.EINVAL
	case s.state != stateConnected || s.broken:
		return syscall.ENOTCONN
	}
	if _, ok := s.conn.(halfCloser); !ok && how == network.ShutWrite {
		return syscall.EOPNOTSUPP
	}
	s.readShut = s.readShut || how&network.ShutRead != 0
	if how&network.ShutWrite != 0 {
		s.writeShut = true
		s.startWriting()
	}
	s.wake()
	return nil
}

// Disconnect returns EOPNOTSUPP.
func (s *stream) Disconnect() error { return s.unsupported() }

func (s *stream) Option(o network.Option) (int64, error) {
	return s.option(o, func() bool { return s.state == stateListening })
}

// SetOption passes NoDelay and KeepAlive on to the connection.
func (s *stream) SetOption(o network.Option, v int64) error {
	err := s.setOption(o, v)
	if err != nil || o != network.NoDelay && o != network.KeepAlive {
		return err
	}
	s.mu.Lock()
	conn, values := s.conn, s.options
	s.mu.Unlock()
	if conn != nil {
		values.tune(conn)
	}
	return nil
}

// Close ends a connect that is under way, and a listener. A connection with unread bytes, or with a
// linger time of 0, is reset if it can be (RFC 1122, section 4.2.2.13). Another one is written to
// its end.
func (s *stream) Close() error {
	s.mu.Lock()
	if s.ended {
		s.mu.Unlock()
		return net.ErrClosed
	}
	s.ended = true
	if s.cancel != nil {
		s.cancel()
	}
	end := func() {}
	switch {
	case s.listener != nil:
		end = s.listener.markClosed(s)
	case s.conn != nil:
		end = s.closeConnection()
	}
	s.wake()
	s.mu.Unlock()
	end()
	return nil
}
