package system

import (
	"net/netip"
	"syscall"

	"github.com/wasport/wasport/network"
)

// TransferFlags are the flags of Recv and Send.
type TransferFlags uint8

const (
	Peek TransferFlags = 1 << iota // MSG_PEEK of recv(2): leave the bytes queued
	// >MSG_WAITALL of recv(2), for streams: fill the buffers, up to the end or an error
	WaitAll
	DontWait // MSG_DONTWAIT of recv(2): as in non-blocking mode
)

// Recv receives from a socket into bufs. It may change the slice bufs itself.
func (t *Thread) Recv(fd int32, bufs [][]byte, how TransferFlags) (network.Received, error) {
	d, s, err := t.socketAt(fd)
	if err != nil {
		return network.Received{}, err
	}
	if how&WaitAll != 0 && s.Type() == network.Stream {
		if how&Peek != 0 {
			return t.peekAll(d, s, bufs, how)
		}
		return t.receiveAll(d, s, bufs, how)
	}
	return t.receive(d, s, bufs, how, nil)
}

// IsStream reports whether a descriptor is a stream socket.
func (t *Thread) IsStream(fd int32) bool {
	_, s, err := t.socketAt(fd)
	return err == nil && s.Type() == network.Stream
}

// RecvControl is Recv, and sets *c to the control data of a datagram. A stream has none.
func (t *Thread) RecvControl(fd int32, bufs [][]byte, how TransferFlags,
	c *network.Control) (network.Received, error) {
	*c = network.Control{}
	d, s, err := t.socketAt(fd)
	if err != nil {
		return network.Received{}, err
	}
	if _, ok := s.Socket.(network.Controller); !ok || s.Type() == network.Stream {
		return t.Recv(fd, bufs, how)
	}
	return t.receive(d, s, bufs, how, c)
}

// receive is a loop like that of retry, but without a closure, since the receive path must not
// allocate. c is nil, or the place for the control data of a datagram.
func (t *Thread) receive(d *descriptor, s *socket, bufs [][]byte, how TransferFlags,
	c *network.Control) (network.Received, error) {
	t.schedThread.CountTransfer()
	var flags network.RecvFlags
	if how&Peek != 0 {
		flags = network.Peek
	}
	if s.pendingError.Load() != 0 && s.readAhead.bufferedLen.Load() == 0 {
		return t.receiveFailed(s, bufs, flags)
	}
	if len(bufs) == 0 && s.Type() == network.Stream {
		// Systems differ in whether a read of 0 bytes waits for one.
		return network.Received{}, nil
	}
	var end deadline
	for waited := false; ; waited = true {
		var r network.Received
		var err error
		switch {
		case c != nil:
			r, err = s.Socket.(network.Controller).RecvControl(bufs, flags, c)
		case !waited && flags == 0 && how&DontWait == 0 && t.mayWaitWithin(d, s):
			r, err = t.recvWait(d, s, bufs)
		case s.readAhead.enabled:
			r, err = t.recvAhead(s, bufs, flags)
		default:
			r, err = s.Recv(bufs, flags)
		}
		if !d.shouldRetry(err, how) {
			return r, err
		}
		if s.readShutdown.Load() {
			// As on Linux, where only a non-blocking call gets EAGAIN (net/core/datagram.c).
			return network.Received{}, nil
		}
		if !waited {
			end = deadlineAfter(s.recvTimeout.Load())
		}
		if err := t.block(d, network.Readable, end); err != nil {
			return network.Received{}, err
		}
	}
}

// receiveFailed receives from a socket with a pendingError. As on Linux, the bytes that a stream
// queued before it failed come before the error, and EPIPE, that of a reset after the peer's end,
// is left to the next send (net/ipv4/tcp_input.c, tcp_reset).
func (t *Thread) receiveFailed(s *socket, bufs [][]byte,
	flags network.RecvFlags) (network.Received, error) {
	if s.Type() == network.Stream && len(bufs) > 0 {
		r, err := t.recvAhead(s, bufs, flags)
		if err == nil && (r.N > 0 || s.pendingError.Load() == uint64(syscall.EPIPE)) {
			return r, nil
		}
	}
	return network.Received{}, s.takeError()
}

func (t *Thread) receiveAll(d *descriptor, s *socket, bufs [][]byte,
	how TransferFlags) (network.Received, error) {
	var total network.Received
	for {
		r, err := t.receive(d, s, bufs, how, nil)
		if err != nil && total.N > 0 {
			if err != syscall.EAGAIN {
				s.keepError(err) // bytes were received; the next call returns the error
			}
			return total, t.Err()
		}
		total.N += r.N
		total.From = r.From
		if bufs = advance(bufs, r.N); err != nil || r.N == 0 || len(bufs) == 0 {
			return total, err
		}
	}
}

// peekAll peeks until bufs are full. The host cannot wait for more bytes than are queued, so
// peekAll moves the queued bytes to the read-ahead buffer and waits for the rest. It returns the
// queued bytes at once if the socket cannot be read ahead, and never more than fits the buffer.
func (t *Thread) peekAll(d *descriptor, s *socket, bufs [][]byte,
	how TransferFlags) (network.Received,
	error) {
	wanted := 0
	for _, b := range bufs {
		wanted += len(b)
	}
	end := deadlineAfter(s.recvTimeout.Load())
	for {
		r, err := t.receive(d, s, bufs, how, nil)
		if err != nil || r.N == 0 || r.N == wanted || t.table.multiThreaded.Load() {
			return r, err
		}
		n, err := s.readAhead.fillMore(s)
		switch {
		case n > 0:
		case err == nil:
			return r, nil
		case err != syscall.EAGAIN:
			s.keepError(err)
			return r, nil
		case !d.shouldRetry(err, how) || t.block(d, network.Readable, end) != nil:
			return r, t.Err()
		}
	}
}

// Send sends bufs through a socket; to is the destination of a datagram, or the zero AddrPort. In
// blocking mode a stream takes all bytes before Send returns. If the send time-out passes first,
// Send returns the number of bytes sent, or EAGAIN if that is 0 (socket(7), SO_SNDTIMEO).
func (t *Thread) Send(fd int32, bufs [][]byte, to netip.AddrPort, how TransferFlags) (int, error) {
	d, s, err := t.socketAt(fd)
	if err != nil {
		return 0, err
	}
	return t.send(d, s, bufs, to, how, nil)
}

// SendControl is Send with the control data of a datagram. A stream ignores them, as on Linux.
func (t *Thread) SendControl(fd int32, bufs [][]byte, to netip.AddrPort, how TransferFlags,
	c *network.Control) (int, error) {
	d, s, err := t.socketAt(fd)
	if err != nil {
		return 0, err
	}
	if s.Type() == network.Stream || c.Fields == 0 {
		c = nil
	} else if _, ok := s.Socket.(network.Controller); !ok {
		return 0, syscall.EOPNOTSUPP
	}
	return t.send(d, s, bufs, to, how, c)
}

// send is Send with control data unless c is nil.
func (t *Thread) send(d *descriptor, s *socket, bufs [][]byte, to netip.AddrPort,
	how TransferFlags, c *network.Control) (int, error) {
	t.schedThread.CountTransfer()
	if !s.datagram && to.IsValid() && s.Family() == network.Unix {
		return 0, s.namedPeerError()
	}
	if n, held := t.hold(s, bufs, to, c); held {
		return n, nil
	}
	if s.pendingError.Load() != 0 {
		t.behind.noteSend(false)
		return 0, s.takeError()
	}
	var total int
	var err error
	if c == nil {
		total, err = s.Send(bufs, to)
	} else {
		total, err = s.sendOnce(bufs, to, c)
	}
	if err == nil {
		bufs = advance(bufs, total)
	}
	t.behind.noteSend(err == nil && len(bufs) == 0)
	if err == nil {
		if s.datagram || len(bufs) == 0 {
			return total, nil
		}
		if !d.shouldRetry(syscall.EAGAIN, how) {
			return total, nil
		}
	}
	for end := deadlineAfter(s.sendTimeout.Load()); err == nil || d.shouldRetry(err, how); {
		if err = t.block(d, network.Writable, end); err != nil {
			break
		}
		var n int
		if n, err = s.sendOnce(bufs, to, c); err == nil {
			total += n
			if bufs = advance(bufs, n); s.datagram || len(bufs) == 0 {
				return total, nil
			}
		}
	}
	if total > 0 { // bytes were sent; the next call returns the error
		err = t.Err()
	}
	return total, err
}

// namedPeerError returns the error of a send to an address by a stream of AF_UNIX, where one of TCP
// ignores the address (send(2), and unix_stream_sendmsg of net/unix/af_unix.c).
func (s *socket) namedPeerError() error {
	if _, err := s.RemoteAddr(); err != nil {
		return syscall.EOPNOTSUPP
	}
	return syscall.EISCONN
}

func (s *socket) sendOnce(bufs [][]byte, to netip.AddrPort, c *network.Control) (int, error) {
	if c != nil {
		return s.Socket.(network.Controller).SendControl(bufs, to, c)
	}
	return s.Send(bufs, to)
}

// advance removes the first n bytes from bufs, and the buffers that are empty then.
func advance(bufs [][]byte, n int) [][]byte {
	for len(bufs) > 0 && n >= len(bufs[0]) {
		n -= len(bufs[0])
		bufs = bufs[1:]
	}
	if n > 0 {
		bufs[0] = bufs[0][n:]
	}
	return bufs
}
