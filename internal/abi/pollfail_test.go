package abi_test

import (
	"net"
	"testing"

	"github.com/wasport/wasport/internal/wasi"
)

func failure(userdata, fd uint64) []byte { return fdFor(userdata, wasi.EventFdFail, fd) }

// TestPollOfFailureOnly polls for failures and not for readability.
func TestPollOfFailureOnly(t *testing.T) {
	const soon, far = 3e6, 3600e9
	in := func(ns uint64) []byte { return clockFor(1, wasi.ClockMonotonic, ns, 0) }
	quiet := wasi.Event{Userdata: 1, Type: wasi.EventClock}
	c := newNetCaller(t)
	a, b := c.pair(0)
	reset, resetPeer := c.pair(0)
	c.must("sock_set_linger", resetPeer, 1, 0)
	c.must("fd_close", resetPeer)
	file := c.openFile()
	lone, _, _, _ := c.datagrams(0)
	c.must("sock_send", a, iov, 1, 0, out)

	for _, test := range []struct {
		name string
		fd   uint64
		want wasi.Event
	}{
		{"a stream with data", b, quiet},
		{"a datagram socket", lone, quiet},
		{"a file", file, quiet},
		{"a directory", dir, quiet},
		{"stdin", stdin, quiet},
		{"a listener", func() uint64 { l, _ := c.listener(0); return l }(), quiet},
		{"not open", closed, wasi.Event{Userdata: 2, Type: wasi.EventFdFail, Error: wasi.EBADF}},
		{"reset", reset, wasi.Event{Userdata: 2, Type: wasi.EventFdFail, Error: wasi.ECONNRESET,
			Flags: wasi.EventHangup}},
		{"a fresh stream", c.open(0, stream),
			wasi.Event{Userdata: 2, Type: wasi.EventFdFail, Flags: wasi.EventHangup}},
	} {
		t.Run(test.name, func(t *testing.T) {
			ns := uint64(far)
			if test.want == quiet {
				ns = soon
			}
			if got := c.poll(in(ns), failure(2, test.fd)); len(got) != 1 || got[0] != test.want {
				t.Errorf("got %+v, want %+v", got, test.want)
			}
		})
	}
	m := c.memory()
	copy(m[at:], fdFor(1, wasi.EventFdFail+1, b))
	if e := c.call("poll_oneoff", at, out, 1, out3); e != wasi.EINVAL {
		t.Errorf("a type beyond: got %v, want %v", e, wasi.EINVAL)
	}
}

// TestPollOfFailureAfterReset resets a connection during a poll for its failure, alone and together
// with other subscriptions.
func TestPollOfFailureAfterReset(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	c := newNetCaller(t)
	fd := c.open(0, stream)
	c.must("sock_connect", fd, c.putAddr(l.Addr().(*net.TCPAddr).AddrPort()))
	conn, err := l.Accept()
	if err != nil {
		t.Fatal(err)
	}
	if _, err := conn.Write([]byte("x")); err != nil {
		t.Fatal(err)
	}
	if got := c.poll(readable(1, fd)); len(got) != 1 || got[0].Nbytes != 1 {
		t.Errorf("got %+v, want one byte", got)
	}
	go func() {
		conn.(*net.TCPConn).SetLinger(0)
		conn.Close()
	}()
	want := wasi.Event{Userdata: 2, Type: wasi.EventFdFail, Error: wasi.ECONNRESET,
		Flags: wasi.EventHangup}
	if got := c.poll(failure(2, fd)); len(got) != 1 || got[0] != want {
		t.Errorf("got %+v, want %+v", got, want)
	}
}
