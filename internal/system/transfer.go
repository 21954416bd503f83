package system

import (
	"net/netip"
	"syscall"

	"github.com/wasport/wasport/network"
)

// TransferFlags says how a call sends or receives.
type TransferFlags uint8

const (
	Peek TransferFlags = 1 << iota // receiving: leave the data where it is
	// receiving from a stream: until the buffers are full, the peer has ended or an error comes
	WaitAll
	DontWait // as if the descriptor were in non-blocking mode
)

// Recv receives from a socket into bufs, whose contents, but not what they point to, may be
// changed.
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

// receive is written out, without the closure of retry, since it must not allocate.
func (t *Thread) receive(d *descriptor, s *socket, bufs [][]byte,
	how TransferFlags) (network.Received,
	error) {
	if s.pendingError.Load() != 0 && s.readAhead.bufferedLen.Load() == 0 {
		return network.Received{}, s.takeError()
	}
	if len(bufs) == 0 && s.Type() == network.Stream {
		// hosts differ in whether they wait for a byte that nobody wants
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
			return network.Received{}, nil // as on Linux, where only who does not wait gets EAGAIN
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
			return total, t.Err() // what has come is not lost; the error comes again
		}
		total.N += r.N
		total.From = r.From
		if bufs = advance(bufs, r.N); err != nil || r.N == 0 || len(bufs) == 0 {
			return total, err
		}
	}
}

// peekAll takes what has come from the host, for which it would be ready as long as anything is
// there, and waits for the rest. It looks at what there is at once if nothing may be received
// ahead, and never at more than that.
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

// Send sends bufs through a socket; to a valid address if it sends datagrams. On a stream in
// blocking mode everything is sent, unless the send time-out passes: then what was sent by then
// counts, and EAGAIN if that is nothing.
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
	if total > 0 { // what was sent was sent; the error comes again
		err = t.Err()
	}
	return total, err
}

// advance takes the first n bytes away from bufs, and buffers that are empty by then.
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
