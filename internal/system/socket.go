package system

import (
	"net/netip"
	"os"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/wasport/wasport/internal/wasi"
	"github.com/wasport/wasport/network"
)

var noAddress netip.AddrPort

// socket is what a descriptor of a socket refers to: the Network's socket and what only matters to
// calls that block.
type socket struct {
	network.Socket
	recvTimeout, sendTimeout atomic.Int64 // µs; 0 = for ever

	// pendingError is an asynchronous error that poll had to take from the socket to report it,
	// kept for the next call that wants it.
	pendingError atomic.Uint64

	readShutdown atomic.Bool // receives datagrams no more, but for those that have come

	readAhead readAhead
}

func newSocket(s network.Socket) *descriptor {
	return newDescriptor(&socket{Socket: s}, wasi.RightsSocket, wasi.RightsAll)
}

func (s *socket) filetype() wasi.Filetype {
	if s.Type() == network.Datagram {
		return wasi.FiletypeSocketDgram
	}
	return wasi.FiletypeSocketStream
}

func (s *socket) read(bufs [][]byte) (int, error) {
	r, err := s.Recv(bufs, 0)
	return r.N, err
}

func (s *socket) write(bufs [][]byte) (int, error) { return s.Send(bufs, noAddress) }
func (s *socket) flags() wasi.Fdflags              { return 0 }
func (s *socket) setFlags(wasi.Fdflags) error      { return nil }

func (s *socket) close() error {
	if s.readAhead.bufferedLen.Load() > 0 {
		// as the host does by itself when somebody closes what has more to be received
		s.SetOption(network.Linger, 0)
	}
	err := s.Close()
	s.readAhead.discard()
	return err
}

// Available counts what was received ahead, too.
func (s *socket) Available() (int, error) {
	n, err := s.Socket.Available()
	return n + int(s.readAhead.bufferedLen.Load()), err
}

func (s *socket) stat() (wasi.Filestat, error) { return wasi.Filestat{Type: s.filetype()}, nil }

// takeError takes the socket's asynchronous error.
func (s *socket) takeError() error {
	if e := s.pendingError.Swap(0); e != 0 {
		return syscall.Errno(e)
	}
	e, err := s.Option(network.PendingError)
	if err != nil {
		return err
	}
	if e != 0 {
		return syscall.Errno(e)
	}
	return nil
}

// peekError tells the socket's asynchronous error and leaves it to the next call.
func (s *socket) peekError() error {
	err := s.takeError()
	s.keepError(err)
	return err
}

// keepError leaves an error to the next call.
func (s *socket) keepError(err error) {
	if e, ok := err.(syscall.Errno); ok {
		s.pendingError.Store(uint64(e))
	}
}

// socketAt finds a descriptor that is a socket.
func (g *Guest) socketAt(fd int32) (*descriptor, *socket, error) {
	d, err := g.table.lookup(fd)
	if err != nil {
		return nil, nil, err
	}
	s, ok := d.asSocket()
	if !ok {
		return nil, nil, syscall.ENOTSOCK
	}
	return d, s, nil
}

// shouldRetry reports whether a call that got err should wait and try once more.
func (d *descriptor) shouldRetry(err error, how TransferFlags) bool {
	return err == syscall.EAGAIN && how&DontWait == 0 && !d.nonblock.Load()
}

func deadlineAfter(usec int64) time.Time {
	if usec == 0 {
		return noDeadline
	}
	return time.Now().Add(time.Duration(usec) * time.Microsecond)
}

// retry calls try until it says something else than EAGAIN, and waits for want in between if the
// descriptor is in blocking mode: for so many µs in total, or for ever if 0.
func (t *Thread) retry(d *descriptor, want network.Events, timeout int64, try func() error) error {
	err := try()
	if !d.shouldRetry(err, 0) {
		return err
	}
	for deadline := deadlineAfter(timeout); d.shouldRetry(err, 0); err = try() {
		if err := t.block(d, want, deadline); err != nil {
			return err
		}
	}
	return err
}

// Open makes a socket.
func (t *Thread) Open(family network.Family, typ network.Type) (int32, error) {
	if t.network == nil {
		return -1, syscall.EACCES
	}
	if err := t.checkRoom(); err != nil {
		return -1, err
	}
	s, err := t.network.Open(family, typ)
	if err != nil {
		return -1, err
	}
	return t.insertExclusive(newSocket(s))
}

// insertExclusive gives a number to a socket that nobody else has.
func (g *Guest) insertExclusive(d *descriptor) (int32, error) {
	s := d.object.(*socket)
	s.readAhead.enabled, s.readAhead.numSockets = s.Type() == network.Stream, &g.table.readAheadSockets
	return g.insert(d)
}

// Bind gives a socket its local address.
func (t *Thread) Bind(fd int32, a netip.AddrPort) error {
	_, s, err := t.socketAt(fd)
	if err != nil {
		return err
	}
	return s.Bind(a)
}

// Listen makes a socket accept connections.
func (t *Thread) Listen(fd int32, backlog int) error {
	_, s, err := t.socketAt(fd)
	if err != nil {
		return err
	}
	return s.Listen(backlog)
}

// Accept takes a connection as a new descriptor, in non-blocking mode if so wanted. Like on Linux,
// the receive time-out applies, and both time-outs are inherited.
func (t *Thread) Accept(fd int32, nonblock bool) (int32, error) {
	d, s, err := t.socketAt(fd)
	if err != nil {
		return -1, err
	}
	if err := t.checkRoom(); err != nil {
		return -1, err
	}
	var accepted network.Socket
	err = t.retry(d, network.Readable, s.recvTimeout.Load(), func() (err error) {
		accepted, _, err = s.Accept()
		return err
	})
	if err != nil {
		return -1, err
	}
	n := newSocket(accepted)
	n.nonblock.Store(nonblock)
	n.object.(*socket).recvTimeout.Store(s.recvTimeout.Load())
	n.object.(*socket).sendTimeout.Store(s.sendTimeout.Load())
	return t.insertExclusive(n)
}

// Connect connects a socket. A blocking one waits for the result, or until its send time-out: then
// EINPROGRESS.
func (t *Thread) Connect(fd int32, a netip.AddrPort) error {
	d, s, err := t.socketAt(fd)
	if err != nil {
		return err
	}
	if e := s.pendingError.Swap(0); e != 0 {
		return syscall.Errno(e)
	}
	err = s.Connect(a)
	if err != syscall.EINPROGRESS || d.nonblock.Load() {
		return err
	}
	deadline := deadlineAfter(s.sendTimeout.Load())
	for {
		switch err := t.block(d, network.Writable, deadline); err {
		case nil:
		case os.ErrDeadlineExceeded:
			return syscall.EINPROGRESS
		default:
			return err
		}
		if err := s.FinishConnect(); err != syscall.EALREADY && err != syscall.EINPROGRESS {
			return err
		}
	}
}

// Disconnect releases the peer of a datagram socket; EAFNOSUPPORT on a stream.
func (t *Thread) Disconnect(fd int32) error {
	_, s, err := t.socketAt(fd)
	if err != nil {
		return err
	}
	if s.Type() != network.Datagram {
		return syscall.EAFNOSUPPORT
	}
	if d, ok := s.Socket.(network.Disconnecter); ok {
		return d.Disconnect()
	}
	return syscall.EOPNOTSUPP
}

// Shutdown ends one or both directions of a connection.
func (t *Thread) Shutdown(fd int32, how network.How) error {
	_, s, err := t.socketAt(fd)
	if err != nil {
		return err
	}
	if how == 0 || how&^network.ShutBoth != 0 {
		return syscall.EINVAL
	}
	if s.Type() == network.Stream || how&network.ShutRead == 0 {
		return s.Shutdown(how)
	}
	s.readShutdown.Store(true) // first, since it wakes who receives
	err = s.Shutdown(how)
	// which is said of unconnected datagrams, and done all the same
	if err != nil && err != syscall.ENOTCONN {
		s.readShutdown.Store(false)
	}
	return err
}

// LocalAddr is the address that a socket is bound to, RemoteAddr the one of its peer.
func (t *Thread) LocalAddr(fd int32) (netip.AddrPort, error) {
	_, s, err := t.socketAt(fd)
	if err != nil {
		return noAddress, err
	}
	return s.LocalAddr()
}

func (t *Thread) RemoteAddr(fd int32) (netip.AddrPort, error) {
	_, s, err := t.socketAt(fd)
	if err != nil {
		return noAddress, err
	}
	return s.RemoteAddr()
}
