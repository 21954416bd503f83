package kernel

import (
	"net"
	"net/netip"
	"syscall"
	"testing"
	"time"

	"github.com/wasport/wasport/network"
)

// TestErrorIsTakenOnce reads SO_ERROR of a kernel that never clears it, and of one that does.
func TestErrorIsTakenOnce(t *testing.T) {
	const refused = syscall.ECONNREFUSED
	for _, row := range []struct {
		name string
		typ  network.Type
		// reads are the answers of the kernel, the last one for ever.
		reads []syscall.Errno
		want  []syscall.Errno
	}{
		{"stream, never cleared", network.Stream, []syscall.Errno{refused},
			[]syscall.Errno{refused, 0, 0}},
		{"stream, cleared", network.Stream, []syscall.Errno{refused, 0},
			[]syscall.Errno{refused, 0, 0}},
		{"datagrams, never cleared", network.Datagram, []syscall.Errno{refused},
			[]syscall.Errno{refused, 0, 0}},
		{"datagrams, cleared, and refused again", network.Datagram,
			[]syscall.Errno{refused, 0, refused, 0}, []syscall.Errno{refused, refused, 0}},
		{"none", network.Stream, []syscall.Errno{0}, []syscall.Errno{0, 0}},
	} {
		t.Run(row.name, func(t *testing.T) {
			s := &socket{typ: row.typ}
			for i, want := range row.want {
				got, err := s.takeError(func() (e syscall.Errno, err error) {
					e = row.reads[0]
					if len(row.reads) > 1 {
						row.reads = row.reads[1:]
					}
					return e, nil
				})
				if got != want || err != nil {
					t.Errorf("read %d: got %v, %v; want %v", i, got, err, want)
				}
			}
		})
	}
}

// TestErrorsOfOtherKernels compares the results of Send and Recv for errors of other kernels.
func TestErrorsOfOtherKernels(t *testing.T) {
	for _, row := range []struct {
		name  string
		typ   network.Type
		state connState
		told  syscall.Errno
		err   syscall.Errno
		// send and recv are the errors that a guest gets, nil for the end of the stream.
		send, recv error
	}{
		{name: "a reset", typ: network.Stream, state: stateConnected, err: syscall.ECONNRESET,
			send: syscall.ECONNRESET, recv: syscall.ECONNRESET},
		{name: "a reset, and told", typ: network.Stream, state: stateConnected,
			told: syscall.ECONNRESET, err: syscall.ECONNRESET, send: syscall.EPIPE},
		{name: "a reset, told and forgotten", typ: network.Stream, state: stateConnected,
			told: syscall.ECONNRESET, err: syscall.ENOTCONN, send: syscall.EPIPE},
		{name: "no connection", typ: network.Stream, state: stateBound, err: syscall.ENOTCONN,
			send: syscall.EPIPE, recv: syscall.ENOTCONN},
		{name: "nothing to read", typ: network.Stream, state: stateConnected,
			err: syscall.EAGAIN, send: syscall.EAGAIN, recv: syscall.EAGAIN},
		{name: "a destination out of reach", typ: network.Datagram, state: stateOpen,
			err: syscall.ENETUNREACH, send: syscall.ENETUNREACH},
		{name: "no destination", typ: network.Datagram, state: stateBound, err: syscall.ENOTCONN,
			send: syscall.EDESTADDRREQ},
		{name: "no destination, and EINVAL", typ: network.Datagram, state: stateOpen,
			err: syscall.EINVAL, send: syscall.EDESTADDRREQ},
		{name: "a datagram refused before", typ: network.Datagram, state: stateConnected,
			err: syscall.ECONNRESET, send: syscall.ECONNREFUSED},
	} {
		t.Run(row.name, func(t *testing.T) {
			s := &socket{typ: row.typ}
			s.conn.store(row.state)
			s.told.Store(int32(row.told))
			if got := s.sendError(row.err, netip.AddrPort{}); got != row.send {
				t.Errorf("send: got %v, want %v", got, row.send)
			}
			if row.typ != network.Stream {
				return
			}
			s.told.Store(int32(row.told))
			if got := s.recvError(row.err); got != row.recv {
				t.Errorf("receive: got %v, want %v", got, row.recv)
			}
		})
	}
}

// TestEventsOfOtherKernels gives the events of a kernel that reports no hang-up.
func TestEventsOfOtherKernels(t *testing.T) {
	const all = network.Readable | network.Writable
	for _, row := range []struct {
		name            string
		state           connState
		told            syscall.Errno
		got, want, asks network.Events
	}{
		{"open", stateOpen, 0, 0, network.Writable | network.Hangup, all},
		{"bound, asked for nothing", stateBound, 0, 0, network.Hangup, 0},
		{"connecting", stateConnecting, 0, 0, 0, all},
		{"listening", stateListening, 0, 0, 0, all},
		{"connected", stateConnected, 0, network.Writable, network.Writable, all},
		{"reset, and told", stateConnected, syscall.ECONNRESET, network.Failed,
			all | network.Hangup, all},
	} {
		t.Run(row.name, func(t *testing.T) {
			s := &socket{typ: network.Stream}
			s.conn.store(row.state)
			s.told.Store(int32(row.told))
			if got := s.streamEvents(row.got, row.asks); got != row.want {
				t.Errorf("got events %04b, want %04b", got, row.want)
			}
		})
	}
}

// TestEndListening ends a listener without shutdown(2), as on a system that has none for listeners.
func TestEndListening(t *testing.T) {
	l := newStateTest(t, network.Stream)
	l.want("bind", l.s.Bind(anyPort), nil, stateBound)
	l.want("listen", l.s.Listen(1), nil, stateListening)
	done := make(chan error, 1)
	go func() {
		_, err := l.s.Wait(network.Readable, time.Now().Add(10*time.Second))
		done <- err
	}()
	if err := l.s.endListening(); err != nil {
		t.Fatal(err)
	}
	if err := <-done; err != nil {
		t.Errorf("wait: got %v, want an event", err)
	}
	_, _, err := l.s.Accept()
	l.want("accept", err, syscall.EINVAL, stateBound)
	if err := l.s.Close(); err != nil {
		t.Error(err)
	}
	if _, _, err := l.s.Accept(); err != net.ErrClosed {
		t.Errorf("accept after close: got %v, want %v", err, net.ErrClosed)
	}
}
