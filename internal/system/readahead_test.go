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

	"github.com/wasport/wasport/internal/sched"
	"github.com/wasport/wasport/network"
	"github.com/wasport/wasport/network/kernel"
)

// reader is a guest's thread with a connection, whose other end is the test's.
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
	g, err := New(context.Background(), Config{Network: kernel.New(kernel.Config{})})
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

// sequence is n bytes of what the peer sends, from a place on.
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

// take receives into a buffer of n bytes and expects the next of the sequence, as many as wanted.
func (r *reader) take(n, want int, how TransferFlags) {
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

// ahead receives small pieces until something has been received ahead.
func (r *reader) ahead(piece int) {
	r.t.Helper()
	for range minFullReads + 1 {
		r.take(piece, piece, WaitAll)
	}
	if r.table.readAheadSockets.Load() != 1 {
		r.t.Fatal("got an empty read-ahead buffer, want bytes in it")
	}
}

// left waits until what the peer has sent can be counted, wherever it is.
func (r *reader) left(n uint64) {
	r.t.Helper()
	for {
		got, err := r.Poll([]Subscription{{Kind: Reading, FD: r.fd}}, false)
		if err != nil || len(got) != 1 || got[0].Index != 0 || got[0].Err != nil {
			r.t.Fatalf("Poll: got %v, %v, want 1 event", got, err)
		}
		if got[0].Bytes == n {
			return
		}
	}
}

func TestReceiveAhead(t *testing.T) {
	r := newReader(t)
	r.send(100_000)
	r.left(100_000)
	r.ahead(10)
	r.left(100_000 - 50)
	for r.read < 100_000-10 {
		r.take(10, 10, WaitAll)
	}
	r.left(10)
	r.take(20, 10, 0)
	if n := r.table.readAheadSockets.Load(); n != 0 {
		t.Errorf("got %d read-ahead buffers, want 0", n)
	}
	if _, err := r.Recv(r.fd, [][]byte{make([]byte, 10)}, DontWait); err != syscall.EAGAIN {
		t.Errorf("Recv of an empty socket: got %v, want EAGAIN", err)
	}
	r.peer.Close()
	r.take(10, 0, 0)
}

// TestPeekAhead looks at more than was received ahead, which must come to be seen.
func TestPeekAhead(t *testing.T) {
	r := newReader(t)
	r.send(60)
	r.left(60)
	r.ahead(10)
	r.take(20, 10, Peek)
	r.send(50)
	r.left(60)
	r.take(60, 60, Peek)
	r.take(30, 30, Peek)
	r.take(60, 60, 0)
}

// TestPeekAll waits for all that is to be looked at, or for the end.
func TestPeekAll(t *testing.T) {
	r := newReader(t)
	r.send(30)
	r.left(30)
	done := make(chan struct{})
	go func() {
		defer close(done)
		r.take(60, 60, Peek|WaitAll)
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
	r.take(40, 40, 0)
	r.take(20, 20, Peek|WaitAll)
	r.take(50, 20, Peek|WaitAll|DontWait)
	if err := r.SetRecvTimeout(r.fd, 1000); err != nil {
		t.Fatal(err)
	}
	r.take(50, 20, Peek|WaitAll)
	if err := r.SetRecvTimeout(r.fd, 0); err != nil {
		t.Fatal(err)
	}
	r.peer.Close()
	r.take(50, 20, Peek|WaitAll)
	r.take(50, 20, WaitAll)
	r.take(50, 0, Peek|WaitAll)
}

func TestReadAndWaitAllAhead(t *testing.T) {
	r := newReader(t)
	r.send(100)
	r.left(100)
	r.ahead(10)
	b := make([]byte, 20)
	if n, err := r.Read(r.fd, [][]byte{b}); n != 20 || err != nil ||
		!bytes.Equal(b, sequence(r.read, 20)) {
		t.Fatalf("Read: got %d, %v, want 20 bytes of the sequence", n, err)
	}
	r.read += 20
	done := make(chan struct{})
	go func() {
		defer close(done)
		r.take(100, 100, WaitAll)
	}()
	r.send(70)
	<-done
}

// TestPollAhead waits for two connections, of which one has something that was received ahead, the
// other something in the kernel.
func TestPollAhead(t *testing.T) {
	r := newReader(t)
	r.send(60)
	r.left(60)
	r.ahead(10)
	other, err := r.Open(network.IPv4, network.Datagram)
	if err != nil {
		t.Fatal(err)
	}
	if err := r.Bind(other, netip.MustParseAddrPort("127.0.0.1:0")); err != nil {
		t.Fatal(err)
	}
	in := []Subscription{{Kind: Reading, FD: other}, {Kind: Reading, FD: r.fd},
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
	r.take(10, 10, 0)
	if got, err := r.Poll(in, true); err != nil || len(got) != 1 || got[0].Index != 2 {
		t.Errorf("all bytes read: got %v, %v, want writable only", got, err)
	}
}

// TestNothingAheadOfThreads starts a second thread: what was received ahead is still there, and
// nothing more is.
func TestNothingAheadOfThreads(t *testing.T) {
	r := newReader(t)
	r.send(60)
	r.left(60)
	r.ahead(10)
	defer r.Guest.NewThread(sched.New()).Close()
	r.take(20, 10, 0)
	r.send(100)
	r.left(100)
	for range 2 * minFullReads {
		r.take(10, 10, WaitAll)
		if r.table.readAheadSockets.Load() != 0 {
			t.Fatal("got bytes read ahead, want none with two threads")
		}
	}
}

// TestMoreThanAhead wants more than was received ahead, when there is more.
func TestMoreThanAhead(t *testing.T) {
	r := newReader(t)
	r.send(60)
	r.left(60)
	r.ahead(10)
	r.send(50)
	r.left(60)
	r.take(40, 40, 0)
	r.take(40, 20, 0)
}

// TestResetAhead has the peer reset a connection of which something was received ahead: that comes
// first.
func TestResetAhead(t *testing.T) {
	r := newReader(t)
	r.send(60)
	r.left(60)
	r.ahead(10)
	if err := r.peer.(*net.TCPConn).SetLinger(0); err != nil {
		t.Fatal(err)
	}
	r.peer.Close()
	r.take(20, 10, Peek)
	r.take(20, 10, 0)
	if got, err := r.Recv(r.fd, [][]byte{make([]byte, 20)}, 0); err != syscall.ECONNRESET {
		t.Errorf("after the bytes: got %v, %v, want ECONNRESET", got, err)
	}
}

// TestCloseAhead closes a connection of which something was received ahead. To the peer it is lost,
// as what is still in the host would be.
func TestCloseAhead(t *testing.T) {
	r := newReader(t)
	r.send(60)
	r.left(60)
	r.ahead(10)
	if err := r.CloseFD(r.fd); err != nil {
		t.Fatal(err)
	}
	if n := r.table.readAheadSockets.Load(); n != 0 {
		t.Errorf("got %d read-ahead buffers, want 0", n)
	}
	if _, err := io.ReadAll(r.peer); !errors.Is(err, syscall.ECONNRESET) {
		t.Errorf("peer: got %v, want ECONNRESET", err)
	}
}

// TestAheadDoesNotAllocate receives small pieces of a stream that never ends.
func TestAheadDoesNotAllocate(t *testing.T) {
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
