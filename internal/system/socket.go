package system

import (
	"net/netip"
	"os"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/wasport/wasport/internal/recvwait"
	"github.com/wasport/wasport/internal/sendbehind"
	"github.com/wasport/wasport/internal/shortcut"
	"github.com/wasport/wasport/internal/wasi"
	"github.com/wasport/wasport/network"
)

var noAddress netip.AddrPort

// socket is the object behind a socket's descriptor: the Network's socket, and the state that only
// blocking calls need.
type socket struct {
	network.Socket
	// datagram tells that Type is network.Datagram, which two calls of interfaces would find out.
	datagram bool

	// recvTimeout and sendTimeout are SO_RCVTIMEO and SO_SNDTIMEO in microseconds; 0 = none.
	recvTimeout, sendTimeout atomic.Int64

	// pendingError is the asynchronous error (SO_ERROR) that a call took from the host's socket
	// without returning it to the guest, kept for the next call that returns it; 0 = none. Reading
	// SO_ERROR clears it in the host (socket(7)).
	pendingError atomic.Uint64
	// numFailed counts the guest's sockets that have a pendingError.
	numFailed *atomic.Int32

	// failureTold tells that Connect returned a pendingError, so that the next one starts another
	// connection.
	failureTold atomic.Bool

	// readShutdown is true once a datagram socket was shut down for reading. Datagrams that are
	// queued can still be received.
	readShutdown atomic.Bool

	// localPath and remotePath are the paths of a Unix-domain socket, as the guest sees them.
	localPath, remotePath atomic.Pointer[string]

	readAhead readAhead
	// behind is the Network's socket, if its sends may be held; else nil.
	behind sendbehind.Socket
	// waiting is the Network's socket, if a receive may wait within it; else nil.
	waiting recvwait.Socket
}

// newSocket is newDescriptor for a socket. It allocates once, since a guest may make many sockets.
func newSocket(s network.Socket) *descriptor {
	all := &struct {
		descriptor
		description
		socket
	}{socket: socket{Socket: s, datagram: s.Type() == network.Datagram}}
	all.object = &all.socket
	all.init(&all.description, wasi.RightsSocket, wasi.RightsAll)
	return &all.descriptor
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
		// Closing a socket with unread bytes resets the connection (RFC 2525, section 2.17). The
		// host does not know of the bytes read ahead, so a linger time of 0 makes it reset.
		s.SetOption(network.Linger, 0)
	}
	err := s.Close()
	s.readAhead.discard()
	s.takeKeptError()
	return err
}

// Available returns how many bytes can be read, those read ahead included.
func (s *socket) Available() (int, error) {
	n, err := s.Socket.Available()
	return n + int(s.readAhead.bufferedLen.Load()), err
}

func (s *socket) stat() (wasi.Filestat, error) { return wasi.Filestat{Type: s.filetype()}, nil }

// takeError returns the socket's asynchronous error and clears it.
func (s *socket) takeError() error {
	if e := s.takeKeptError(); e != 0 {
		return e
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

// takeKeptError returns the pendingError and clears it; 0 = none.
func (s *socket) takeKeptError() syscall.Errno {
	e := s.pendingError.Swap(0)
	if e != 0 {
		s.numFailed.Add(-1)
	}
	return syscall.Errno(e)
}

// peekError returns the socket's asynchronous error and keeps it for the next call.
func (s *socket) peekError() error {
	if e := s.pendingError.Load(); e != 0 {
		return syscall.Errno(e)
	}
	err := s.takeError()
	s.keepError(err)
	return err
}

// keepError keeps an error for the next call.
func (s *socket) keepError(err error) {
	if e, ok := err.(syscall.Errno); ok && s.pendingError.Swap(uint64(e)) == 0 {
		s.numFailed.Add(1)
	}
}

// socketAt returns the descriptor fd if it is a socket, else ENOTSOCK.
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

// shouldRetry reports whether a call that returned err should wait and try again.
func (d *descriptor) shouldRetry(err error, how TransferFlags) bool {
	if err != syscall.EAGAIN {
		return false
	}
	d.again.Add(1)
	return how&DontWait == 0 && !d.nonblock.Load()
}

// deadlineAfter returns the end of a time-out of an option, in microseconds; 0 = none.
func deadlineAfter(usec int64) deadline {
	if usec == 0 {
		return noDeadline
	}
	return deadlineIn(time.Duration(usec) * time.Microsecond)
}

// retry calls try until it returns another result than EAGAIN. In blocking mode it waits for want
// between the calls, for at most timeout microseconds altogether (0 = no limit).
func (t *Thread) retry(d *descriptor, want network.Events, timeout int64, try func() error) error {
	err := try()
	if !d.shouldRetry(err, 0) {
		return err
	}
	for end := deadlineAfter(timeout); d.shouldRetry(err, 0); err = try() {
		if err := t.block(d, want, end); err != nil {
			return err
		}
	}
	return err
}

// Open makes a socket, as socket(2) does.
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

// insertExclusive inserts a socket that no other process or guest has. Only such a socket may be
// read ahead, hold sends, or wait within a receive.
func (g *Guest) insertExclusive(d *descriptor) (int32, error) {
	s := d.object.(*socket)
	s.readAhead.enabled = !s.datagram && g.shortcuts.Has(shortcut.ReceiveAhead)
	s.readAhead.numSockets = &g.table.readAheadSockets
	g.enableSendBehind(s)
	if s.Type() == network.Stream && g.shortcuts.Has(shortcut.ReceiveWait) {
		s.waiting, _ = s.Socket.(recvwait.Socket)
	}
	return g.insert(d)
}

// Bind gives a socket its local address, as bind(2) does.
func (t *Thread) Bind(fd int32, a netip.AddrPort) error {
	_, s, err := t.socketAt(fd)
	if err != nil {
		return err
	}
	if s.Family() == network.Unix {
		return syscall.EINVAL // as of Connect
	}
	return s.Bind(a)
}

// Listen makes a socket accept connections, as listen(2) does.
func (t *Thread) Listen(fd int32, backlog int) error {
	_, s, err := t.socketAt(fd)
	if err != nil {
		return err
	}
	return s.Listen(backlog)
}

// Accept takes a connection as a new descriptor, in non-blocking mode if nonblock is true. As on
// Linux, the receive time-out limits the wait (socket(7)), and the new socket inherits both
// time-outs.
func (t *Thread) Accept(fd int32, nonblock bool) (int32, error) {
	d, s, err := t.socketAt(fd)
	if err != nil {
		return -1, err
	}
	if err := t.checkRoom(); err != nil {
		return -1, err
	}
	t.schedThread.CountTransfer()
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
	n.object.(*socket).localPath.Store(s.localPath.Load())
	return t.insertExclusive(n)
}

// Connect connects a socket. In blocking mode it waits for the result, and returns EINPROGRESS once
// the send time-out has passed (socket(7), SO_SNDTIMEO).
func (t *Thread) Connect(fd int32, a netip.AddrPort) error {
	d, s, err := t.socketAt(fd)
	if err != nil {
		return err
	}
	if s.Family() == network.Unix {
		return syscall.EINVAL // ConnectUnix takes its addresses (unix(7))
	}
	if e := s.takeKeptError(); e != 0 {
		s.failureTold.Store(true)
		return e
	}
	if s.failureTold.Swap(false) {
		// The guest knows that the connection has failed, and the host's socket does not.
		s.FinishConnect()
	}
	t.schedThread.CountTransfer()
	err = s.Connect(a)
	if err != syscall.EINPROGRESS || d.nonblock.Load() {
		return err
	}
	if a.Addr().Unmap().IsLoopback() && t.shortcuts.Has(shortcut.RawCalls) {
		// The kernel delivers the packets of loopback within connect(2), so that the answer of a
		// listener is here.
		if err := s.FinishConnect(); err != syscall.EALREADY && err != syscall.EINPROGRESS {
			return err
		}
	}
	end := deadlineAfter(s.sendTimeout.Load())
	for {
		switch err := t.block(d, network.Writable, end); err {
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

// Disconnect dissolves the association of a datagram socket with its peer (connect(2), AF_UNSPEC).
// It is EAFNOSUPPORT on a stream.
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

// CheckOpen returns the refusal of a socket with which the guest could do nothing, for guests that
// learn of it when they open one.
func (t *Thread) CheckOpen(typ network.Type) error {
	if t.network == nil {
		return syscall.EACCES
	}
	if c, ok := t.network.(network.Checker); ok {
		return c.CheckOpen(typ)
	}
	return nil
}

// FinishConnect returns the result of a connect that returned EINPROGRESS: nil once the connection
// is established, EALREADY while it is under way, and otherwise the reason of its failure.
func (t *Thread) FinishConnect(fd int32) error {
	_, s, err := t.socketAt(fd)
	if err != nil {
		return err
	}
	err = s.FinishConnect()
	if e := s.takeKeptError(); e != 0 { // Poll has taken the reason from the host's socket
		return e
	}
	return err
}

// Available returns how many bytes can be read from a socket now, or 0 if it is not known.
func (t *Thread) Available(fd int32) (int, error) {
	_, s, err := t.socketAt(fd)
	if err != nil {
		return 0, err
	}
	return s.Available()
}

// Shutdown ends one or both directions of a connection, as shutdown(2) does.
func (g *Guest) Shutdown(fd int32, how network.How) error {
	_, s, err := g.socketAt(fd)
	if err != nil {
		return err
	}
	if how == 0 || how&^network.ShutBoth != 0 {
		return syscall.EINVAL
	}
	if s.Type() == network.Stream || how&network.ShutRead == 0 {
		return s.Shutdown(how)
	}
	s.readShutdown.Store(true) // before Shutdown, which wakes the receivers that look at it
	err = s.Shutdown(how)
	// Linux returns ENOTCONN for a datagram socket without a peer, but shuts it down anyway
	// (net/ipv4/af_inet.c, inet_shutdown).
	if err != nil && err != syscall.ENOTCONN {
		s.readShutdown.Store(false)
	}
	return err
}

// LocalAddr returns the address that a socket is bound to, RemoteAddr the address of its peer.
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
