package system

import (
	"net/netip"

	"github.com/wasport/wasport/network"
)

// Recv receives from a socket into bufs. With all, a stream is read until bufs are full, the peer has ended or an error
// comes. The contents of bufs, not what they point to, may be changed.
func (t *Thread) Recv(fd int32, bufs [][]byte, flags network.RecvFlags, all bool) (network.Received, error) {
	d, s, err := t.socketAt(fd)
	if err != nil {
		return network.Received{}, err
	}
	if all && flags&network.Peek == 0 && s.Type() == network.Stream {
		return t.receiveAll(d, s, bufs)
	}
	return t.receive(d, s, bufs, flags)
}

// receive is written out, without the closure of retry, since it must not allocate.
func (t *Thread) receive(d *descriptor, s *socket, bufs [][]byte, flags network.RecvFlags) (network.Received, error) {
	if e := s.pending.Load(); e != 0 {
		return network.Received{}, s.failure()
	}
	r, err := s.Recv(bufs, flags)
	if !d.again(err) {
		return r, err
	}
	for deadline := deadlineAfter(s.recvTimeout.Load()); d.again(err); r, err = s.Recv(bufs, flags) {
		if err := t.block(d, network.Readable, deadline); err != nil {
			return network.Received{}, err
		}
	}
	return r, err
}

func (t *Thread) receiveAll(d *descriptor, s *socket, bufs [][]byte) (network.Received, error) {
	var total network.Received
	for {
		r, err := t.receive(d, s, bufs, 0)
		if err != nil && total.N > 0 {
			return total, nil // what has come is not lost; the error comes again
		}
		total.N += r.N
		total.From = r.From
		if bufs = advance(bufs, r.N); err != nil || r.N == 0 || len(bufs) == 0 {
			return total, err
		}
	}
}

// Send sends bufs through a socket; to a valid address if it sends datagrams. On a stream in blocking mode everything is
// sent, unless the send time-out passes: then what was sent by then counts, and EAGAIN if that is nothing.
func (t *Thread) Send(fd int32, bufs [][]byte, to netip.AddrPort) (int, error) {
	d, s, err := t.socketAt(fd)
	if err != nil {
		return 0, err
	}
	return t.send(d, s, bufs, to)
}

func (t *Thread) send(d *descriptor, s *socket, bufs [][]byte, to netip.AddrPort) (int, error) {
	if e := s.pending.Load(); e != 0 {
		return 0, s.failure()
	}
	n, err := s.Send(bufs, to)
	if err == nil && s.Type() == network.Datagram {
		return n, nil
	}
	total := n
	if bufs = advance(bufs, n); len(bufs) == 0 || err != nil && !d.again(err) || d.nonblock.Load() {
		return total, err
	}
	for deadline := deadlineAfter(s.sendTimeout.Load()); ; {
		if err == nil {
			n, err = s.Send(bufs, to)
		}
		if d.again(err) {
			if err = t.block(d, network.Writable, deadline); err == nil {
				continue
			}
		}
		if err != nil {
			if total > 0 { // what was sent was sent; the error comes again
				err = t.Err()
			}
			return total, err
		}
		total += n
		if bufs = advance(bufs, n); len(bufs) == 0 || s.Type() == network.Datagram {
			return total, nil
		}
	}
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
