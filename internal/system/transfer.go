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
	return t.receive(d, s, bufs, how)
}

// receive is a loop like that of retry, but without a closure, since the receive path must not
// allocate.
func (t *Thread) receive(d *descriptor, s *socket, bufs [][]byte,
	how TransferFlags) (network.Received,
	error) {
	if s.pendingError.Load() != 0 && s.readAhead.bufferedLen.Load() == 0 {
		return network.Received{}, s.takeError()
	}
	if len(bufs) == 0 && s.Type() == network.Stream {
		// Systems differ in whether a read of 0 bytes waits for one.
		return network.Received{}, nil
	}
	var flags network.RecvFlags
	if how&Peek != 0 {
		flags = network.Peek
	}
	r, err := t.recv(s, bufs, flags)
	if !d.shouldRetry(err, how) {
		return r, err
	}
	for deadline := deadlineAfter(s.recvTimeout.Load()); d.shouldRetry(err, how); r,
		err = t.recv(s, bufs,
		flags) {
		if s.readShutdown.Load() {
			// As on Linux, where only a non-blocking call gets EAGAIN (net/core/datagram.c).
			return network.Received{}, nil
		}
		if err := t.block(d, network.Readable, deadline); err != nil {
			return network.Received{}, err
		}
	}
	return r, err
}

func (t *Thread) receiveAll(d *descriptor, s *socket, bufs [][]byte,
	how TransferFlags) (network.Received, error) {
	var total network.Received
	for {
		r, err := t.receive(d, s, bufs, how)
		if err != nil && total.N > 0 {
			return total, t.Err() // bytes were received; the next call returns the error
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
	deadline := deadlineAfter(s.recvTimeout.Load())
	for {
		r, err := t.receive(d, s, bufs, how)
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
		case !d.shouldRetry(err, how) || t.block(d, network.Readable, deadline) != nil:
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
	return t.send(d, s, bufs, to, how)
}

func (t *Thread) send(d *descriptor, s *socket, bufs [][]byte, to netip.AddrPort,
	how TransferFlags) (int, error) {
	if s.pendingError.Load() != 0 {
		return 0, s.takeError()
	}
	total, err := s.Send(bufs, to)
	datagram := s.Type() == network.Datagram
	if datagram {
		t.schedThread.WakesPoller()
	}
	if err == nil {
		if bufs = advance(bufs, total); datagram || len(bufs) == 0 {
			return total, nil
		}
		if !d.shouldRetry(syscall.EAGAIN, how) {
			return total, nil
		}
	}
	for deadline := deadlineAfter(s.sendTimeout.Load()); err == nil || d.shouldRetry(err, how); {
		if err = t.block(d, network.Writable, deadline); err != nil {
			break
		}
		var n int
		if n, err = s.Send(bufs, to); err == nil {
			total += n
			if bufs = advance(bufs, n); datagram || len(bufs) == 0 {
				return total, nil
			}
		}
	}
	if total > 0 { // bytes were sent; the next call returns the error
		err = t.Err()
	}
	return total, err
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
