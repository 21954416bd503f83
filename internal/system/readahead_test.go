package system

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net"
	"net/netip"
	"runtime"
	"syscall"
	"testing"

	"github.com/wasport/wasport/internal/errno"
	"github.com/wasport/wasport/internal/sched"
	"github.com/wasport/wasport/network"
	"github.com/wasport/wasport/network/kernel"
)

// reader is a thread of a guest that has one end of a connection; peer is the other end.
type reader struct {
	*Thread
	t    testing.TB
	fd   int32
	peer net.Conn

	// read and sent count the bytes of the peer's sequence.
	read, sent int
}

func newReader(t testing.TB) *reader {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	g, err := New(context.Background(), Config{Network: kernel.New(kernel.Config{}),
		Without: []string{}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(g.Close)
	th := g.NewThread(sched.New())
	t.Cleanup(th.Close)
	fd, err := th.Open(network.IPv4, network.Stream)
	if err == nil {
		err = th.Connect(fd, netip.MustParseAddrPort(l.Addr().String()))
	}
	if err != nil {
		t.Fatal(err)
	}
	peer, err := l.Accept()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { peer.Close() })
	return &reader{Thread: th, t: t, fd: fd, peer: peer}
}

// sequence returns bytes of the peer's sequence, n from an offset on.
func sequence(from, n int) []byte {
	b := make([]byte, n)
	for i := range b {
		b[i] = byte((from + i) * 31 >> 3)
	}
	return b
}

func (r *reader) send(n int) {
	r.t.Helper()
	if _, err := r.peer.Write(sequence(r.sent, n)); err != nil {
		r.t.Fatal(err)
	}
	r.sent += n
}

// recvWant calls Recv with n bytes of buffers, and checks that it returns the next bytes of the
// sequence, as many as wanted.
func (r *reader) recvWant(n, want int, how TransferFlags) {
	r.t.Helper()
	b := make([]byte, n)
	got, err := r.Recv(r.fd, [][]byte{b[:n/2], b[n/2:]}, how)
	if err != nil || got.N != want {
		r.t.Fatalf("Recv into %d bytes: got %d, %v, want %d", n, got.N, err, want)
	}
	if !bytes.Equal(b[:want], sequence(r.read, want)) {
		r.t.Fatalf("got other bytes at %d, want those sent", r.read)
	}
	if got.From.String() != r.peer.LocalAddr().String() {
		r.t.Errorf("got source %v, want %v", got.From, r.peer.LocalAddr())
	}
	if how&Peek == 0 {
		r.read += want
	}
}

// startReadAhead receives small pieces until the socket has bytes read ahead.
func (r *reader) startReadAhead(piece int) {
	r.t.Helper()
	for range minFullReads + 1 {
		r.recvWant(piece, piece, WaitAll)
	}
	if r.table.readAheadSockets.Load() != 1 {
		r.t.Fatal("got an empty read-ahead buffer, want bytes in it")
	}
}

// awaitReadable polls until n bytes can be read, those read ahead included.
func (r *reader) awaitReadable(n uint64) {
	r.t.Helper()
	for {
		got, err := r.Poll([]Subscription{{Kind: Reading, FD: r.fd, CountBytes: true}}, false)
		if err != nil || len(got) != 1 || got[0].Index != 0 || got[0].Err != nil {
			r.t.Fatalf("Poll: got %v, %v, want 1 event", got, err)
		}
		if got[0].Bytes == n {
			return
		}
	}
}

func TestReadAheadServesSmallReads(t *testing.T) {
	r := newReader(t)
	r.send(100_000)
	r.awaitReadable(100_000)
	r.startReadAhead(10)
	r.awaitReadable(100_000 - 50)
	for r.read < 100_000-10 {
		r.recvWant(10, 10, WaitAll)
	}
	r.awaitReadable(10)
	r.recvWant(20, 10, 0)
	if n := r.table.readAheadSockets.Load(); n != 0 {
		t.Errorf("got %d read-ahead buffers, want 0", n)
	}
	if _, err := r.Recv(r.fd, [][]byte{make([]byte, 10)}, DontWait); err != syscall.EAGAIN {
		t.Errorf("Recv of an empty socket: got %v, want EAGAIN", err)
	}
	r.peer.Close()
	r.recvWant(10, 0, 0)
}

// TestPeekBeyondReadAhead peeks at more bytes than were read ahead. The remaining ones must appear.
func TestPeekBeyondReadAhead(t *testing.T) {
	r := newReader(t)
	r.send(60)
	r.awaitReadable(60)
	r.startReadAhead(10)
	r.recvWant(20, 10, Peek)
	r.send(50)
	r.awaitReadable(60)
	r.recvWant(60, 60, Peek)
	r.recvWant(30, 30, Peek)
	r.recvWant(60, 60, 0)
}

// TestPeekWaitAllUntilBytesOrEnd peeks with WaitAll before the bytes, or the end, have come.
func TestPeekWaitAllUntilBytesOrEnd(t *testing.T) {
	r := newReader(t)
	r.send(30)
	r.awaitReadable(30)
	done := make(chan struct{})
	go func() {
		defer close(done)
		r.recvWant(60, 60, Peek|WaitAll)
	}()
	for waits := false; !waits; {
		select {
		case <-done:
			t.Fatal("got a peek that returned early, want it to wait for all bytes")
		default:
			waits = r.table.readAheadSockets.Load() == 1
			runtime.Gosched()
		}
	}
	r.send(20)
	r.send(10)
	<-done
	r.recvWant(40, 40, 0)
	r.recvWant(20, 20, Peek|WaitAll)
	r.recvWant(50, 20, Peek|WaitAll|DontWait)
	if err := r.SetRecvTimeout(r.fd, 1000); err != nil {
		t.Fatal(err)
	}
	r.recvWant(50, 20, Peek|WaitAll)
	if err := r.SetRecvTimeout(r.fd, 0); err != nil {
		t.Fatal(err)
	}
	r.peer.Close()
	r.recvWant(50, 20, Peek|WaitAll)
	r.recvWant(50, 20, WaitAll)
	r.recvWant(50, 0, Peek|WaitAll)
}

func TestReadAndWaitAllFromReadAhead(t *testing.T) {
	r := newReader(t)
	r.send(100)
	r.awaitReadable(100)
	r.startReadAhead(10)
	b := make([]byte, 20)
	if n, err := r.Read(r.fd, [][]byte{b}); n != 20 || err != nil ||
		!bytes.Equal(b, sequence(r.read, 20)) {
		t.Fatalf("Read: got %d, %v, want 20 bytes of the sequence", n, err)
	}
	r.read += 20
	done := make(chan struct{})
	go func() {
		defer close(done)
		r.recvWant(100, 100, WaitAll)
	}()
	r.send(70)
	<-done
}

// TestPollReportsReadAhead polls two sockets: one has bytes read ahead, the other is empty.
func TestPollReportsReadAhead(t *testing.T) {
	r := newReader(t)
	r.send(60)
	r.awaitReadable(60)
	r.startReadAhead(10)
	other, err := r.Open(network.IPv4, network.Datagram)
	if err != nil {
		t.Fatal(err)
	}
	if err := r.Bind(other, netip.MustParseAddrPort("127.0.0.1:0")); err != nil {
		t.Fatal(err)
	}
	in := []Subscription{{Kind: Reading, FD: other}, {Kind: Reading, FD: r.fd, CountBytes: true},
		{Kind: Writing, FD: r.fd}}
	for i := range 3 {
		got, err := r.Poll(in, i > 0)
		if err != nil || len(got) != 2 {
			t.Fatalf("Poll: got %v, %v, want 2 events", got, err)
		}
		for _, h := range got {
			if h.Index == 0 || h.Index == 1 && h.Bytes != 10 {
				t.Errorf("got %+v, want 10 readable bytes or writable", h)
			}
		}
	}
	r.recvWant(10, 10, 0)
	if got, err := r.Poll(in, true); err != nil || len(got) != 1 || got[0].Index != 2 {
		t.Errorf("all bytes read: got %v, %v, want writable only", got, err)
	}
}

// TestNoReadAheadWithTwoThreads starts a second thread. Bytes that were read ahead are still
// returned, and no more are read ahead.
func TestNoReadAheadWithTwoThreads(t *testing.T) {
	r := newReader(t)
	r.send(60)
	r.awaitReadable(60)
	r.startReadAhead(10)
	defer r.Guest.NewThread(sched.New()).Close()
	r.recvWant(20, 10, 0)
	r.send(100)
	r.awaitReadable(100)
	for range 2 * minFullReads {
		r.recvWant(10, 10, WaitAll)
		if r.table.readAheadSockets.Load() != 0 {
			t.Fatal("got bytes read ahead, want none with two threads")
		}
	}
}

// TestRecvBeyondReadAhead receives more bytes than were read ahead, while the host has more.
func TestRecvBeyondReadAhead(t *testing.T) {
	r := newReader(t)
	r.send(60)
	r.awaitReadable(60)
	r.startReadAhead(10)
	r.send(50)
	r.awaitReadable(60)
	r.recvWant(40, 40, 0)
	r.recvWant(40, 20, 0)
}

// TestResetAfterReadAhead has the peer reset a connection. The bytes read ahead come before the
// error.
func TestResetAfterReadAhead(t *testing.T) {
	r := newReader(t)
	r.send(60)
	r.awaitReadable(60)
	r.startReadAhead(10)
	if err := r.peer.(*net.TCPConn).SetLinger(0); err != nil {
		t.Fatal(err)
	}
	r.peer.Close()
	r.recvWant(20, 10, Peek)
	r.recvWant(20, 10, 0)
	if got, err := r.Recv(r.fd, [][]byte{make([]byte, 20)}, 0); err != syscall.ECONNRESET {
		t.Errorf("after the bytes: got %v, %v, want ECONNRESET", got, err)
	}
}

// TestCloseWithReadAheadResetsPeer closes a connection with bytes read ahead. The peer must see a
// reset, as for unread bytes in the host (RFC 2525, section 2.17).
func TestCloseWithReadAheadResetsPeer(t *testing.T) {
	r := newReader(t)
	r.send(60)
	r.awaitReadable(60)
	r.startReadAhead(10)
	if err := r.CloseFD(r.fd); err != nil {
		t.Fatal(err)
	}
	if n := r.table.readAheadSockets.Load(); n != 0 {
		t.Errorf("got %d read-ahead buffers, want 0", n)
	}
	var got syscall.Errno
	if _, err := io.ReadAll(r.peer); !errors.As(err, &got) ||
		errno.Socket(got) != syscall.ECONNRESET {
		t.Errorf("peer: got %v, want ECONNRESET", err)
	}
}

// TestReadAheadDoesNotAllocate receives small pieces of an endless stream.
func TestReadAheadDoesNotAllocate(t *testing.T) {
	r := newReader(t)
	go func() {
		block := make([]byte, 1<<16)
		for {
			if _, err := r.peer.Write(block); err != nil {
				return
			}
		}
	}()
	bufs := [][]byte{make([]byte, 100)}
	into := make([][]byte, 1)
	if n := testing.AllocsPerRun(10_000, func() {
		copy(into, bufs)
		if _, err := r.Recv(r.fd, into, 0); err != nil {
			t.Fatal(err)
		}
	}); n != 0 {
		t.Errorf("got %v allocations, want 0", n)
	}
}
