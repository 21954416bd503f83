package kernel

import (
	"net/netip"
	"sync"
	"syscall"
	"testing"

	"github.com/wasport/wasport/network"
)

// queue is a kernel's queue of datagrams that cannot be peeked at.
type queue struct{ datagrams []string }

// receive tells of each datagram, as its time, how many are behind it.
func (q *queue) receive(bufs [][]byte, c *network.Control) (network.Received, error) {
	if len(q.datagrams) == 0 {
		return network.Received{}, syscall.EAGAIN
	}
	d := q.datagrams[0]
	q.datagrams = q.datagrams[1:]
	n := copy(bufs[0], d)
	if c != nil {
		*c = network.Control{Fields: network.PacketTime, Time: int64(len(q.datagrams))}
	}
	return network.Received{N: n, Size: len(d), Truncated: n < len(d),
		From: netip.MustParseAddrPort("192.0.2.1:53")}, nil
}

func TestDatagramHeldAhead(t *testing.T) {
	a, q := new(ahead), &queue{datagrams: []string{"first", "", "third"}}
	wakes := 0
	stop := a.notify(network.Readable, func() { wakes++ })
	for i, c := range []struct {
		peek bool
		room int
		got  string
		size int
		held bool
		// behind is the number of datagrams behind this one when it was received.
		behind int64
	}{
		{true, 8, "first", 5, true, 2},
		{true, 2, "fi", 5, true, 2},
		{false, 3, "fir", 5, false, 2},
		{true, 8, "", 0, true, 1},
		{false, 8, "", 0, false, 1},
		{false, 8, "third", 5, false, 0},
	} {
		flags := network.RecvFlags(0)
		if c.peek {
			flags = network.Peek
		}
		// The buffers are two, of which the first has one byte.
		b := make([]byte, c.room)
		bufs := [][]byte{b}
		if i < 3 {
			bufs = [][]byte{b[:1], b[1:]}
		}
		var control network.Control
		r, err := a.recv(bufs, flags, &control, q.receive)
		want := network.Received{N: len(c.got), Size: c.size, Truncated: c.size > len(c.got),
			From: netip.MustParseAddrPort("192.0.2.1:53")}
		if err != nil || r != want || string(b[:r.N]) != c.got {
			t.Errorf("%d: got %+v, %q, %v; want %+v, %q", i, r, b[:r.N], err, want, c.got)
		}
		if control.Fields != network.PacketTime || control.Time != c.behind {
			t.Errorf("%d: got control data %+v, want time %d", i, control, c.behind)
		}
		if _, held := a.size(); held != c.held {
			t.Errorf("%d: holds a datagram: got %t, want %t", i, held, c.held)
		}
	}
	for _, flags := range []network.RecvFlags{0, network.Peek} {
		_, err := a.recv([][]byte{make([]byte, 1)}, flags, nil, q.receive)
		if err != syscall.EAGAIN {
			t.Errorf("an empty queue: got %v, want EAGAIN", err)
		}
	}
	if wakes != 2 {
		t.Errorf("got %d wakes, want one for each datagram that was held", wakes)
	}
	stop()
	a.wakeAll()
	if wakes != 2 {
		t.Error("woken after stop")
	}
}

// TestDatagramHeldAheadOfThreads lets threads peek and receive at once: each datagram is received
// once.
func TestDatagramHeldAheadOfThreads(t *testing.T) {
	const n = 100
	a, q := new(ahead), new(queue)
	for range n {
		q.datagrams = append(q.datagrams, "x")
	}
	var received sync.Map
	var wg sync.WaitGroup
	for thread := range 4 {
		wg.Go(func() {
			for {
				b := make([]byte, 1)
				a.recv([][]byte{b}, network.Peek, nil, q.receive)
				if _, err := a.recv([][]byte{b}, 0, nil, q.receive); err != nil {
					return
				}
				key := [2]int{thread, 0}
				old, _ := received.LoadOrStore(key, 0)
				received.Store(key, old.(int)+1)
			}
		})
	}
	wg.Wait()
	total := 0
	received.Range(func(_, v any) bool { total += v.(int); return true })
	if total != n {
		t.Errorf("got %d datagrams, want %d", total, n)
	}
}

func TestErrorsOfDatagrams(t *testing.T) {
	to := netip.MustParseAddrPort("192.0.2.1:53")
	for _, c := range []struct {
		state connState
		to    netip.AddrPort
		err   syscall.Errno
		want  syscall.Errno
	}{
		{stateConnected, netip.AddrPort{}, syscall.ECONNRESET, syscall.ECONNREFUSED},
		{stateOpen, to, syscall.ECONNRESET, syscall.ECONNREFUSED},
		{stateOpen, to, syscall.EMSGSIZE, syscall.EMSGSIZE},
		{stateBound, netip.AddrPort{}, syscall.ENOTCONN, syscall.EDESTADDRREQ},
		{stateBound, netip.AddrPort{}, syscall.EINVAL, syscall.EDESTADDRREQ},
	} {
		s := &socket{typ: network.Datagram}
		s.conn.store(c.state)
		if got := s.sendError(c.err, c.to); got != c.want {
			t.Errorf("%v, to %v, %v: got %v, want %v", c.state, c.to, c.err, got, c.want)
		}
	}
}
