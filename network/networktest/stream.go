package networktest

import (
	"bytes"
	"net"
	"net/netip"
	"os"
	"sync"
	"syscall"
	"time"

	"github.com/wasport/wasport/network"
)

var streamParts = []part{
	{"stream", nil, testStream},
	{"stream of pieces", nil, testManyBuffers},
	{"full stream", nil, testFullStream},
	{"bulk", nil, testBulk},
	{"sustained", nil, testSustained},
	{"peek", []Feature{Peek}, testPeek},
	{"half-close", []Feature{HalfClose}, testHalfClose},
	{"shutdown for reading", []Feature{ShutdownRead}, testShutdownRead},
	{"close ends the stream", nil, testCloseEnds},
	{"reset", []Feature{LingerReset}, testReset},
	{"close with unread bytes", []Feature{LingerReset}, testCloseUnread},
	{"close does not linger", nil, testCloseDoesNotLinger},
	{"send to a closed peer", nil, testSendToClosed},
}

func testStream(e env) {
	c, s := e.pair()
	local := must[netip.AddrPort](e)(c.LocalAddr())
	// A stream ignores an address.
	if n, err := c.Send([][]byte{[]byte("one "), nil, []byte("two "), []byte("three")},
		netip.AddrPortFrom(e.at.Addr(), 9)); n != 13 || err != nil {
		e.Fatalf("send: got %d, %v; want 13", n, err)
	}
	for end := soon(); must[int](e)(s.Available()) < 13 && time.Now().Before(end); {
		e.wait(s, network.Readable)
	}
	if n := must[int](e)(s.Available()); n != 13 {
		e.Errorf("available: got %d, want 13", n)
	}
	e.wantEvents("data", s, network.Readable|network.Writable)
	parts := [][]byte{make([]byte, 5), {}, make([]byte, 3), make([]byte, 9)}
	r, err := s.Recv(parts, 0)
	if got := bytes.Join(parts, nil); err != nil || r.N != 13 ||
		string(got[:13]) != "one two three" || r.From != local || r.Truncated {
		e.Errorf("receive: got %q, %+v, %v; want all 13 bytes from %v", got, r, err, local)
	}
	for _, nothing := range [][][]byte{nil, {}, {nil, {}}} {
		if n, err := c.Send(nothing, none); n != 0 || err != nil {
			e.Errorf("send nothing: got %d, %v; want 0", n, err)
		}
	}
	e.wantEvents("no data", s, network.Writable)
	e.send(s, "back", none)
	e.recvText(c, "back")
}

// testManyBuffers sends more buffers than a kernel takes in one call. Each call may take fewer, in
// their order.
func testManyBuffers(e env) {
	c, s := e.pair()
	const n = 2000
	var bufs, into [][]byte
	for i := range n {
		bufs, into = append(bufs, []byte{byte(i)}), append(into, make([]byte, 1))
	}
	for sent := 0; sent < n; {
		k, err := c.Send(bufs[sent:], none)
		e.check(err)
		sent += k
	}
	for got := 0; got < n; {
		e.wait(s, network.Readable)
		r, err := s.Recv(into[got:], 0)
		e.check(err)
		got += r.N
	}
	for i := range n {
		if into[i][0] != byte(i) {
			e.Fatalf("byte %d: got %d, want %d", i, into[i][0], byte(i))
		}
	}
}

func testFullStream(e env) {
	c, s := e.pair()
	sent := e.fill(c)
	e.wantEvents("full", c, 0)
	done := make(chan error, 1)
	go func() { _, err := c.Wait(network.Writable, soon()); done <- err }()
	b := make([]byte, 1<<16)
	for got := 0; got < sent; {
		got += e.recv(s, b).N
	}
	e.check(<-done)
	e.send(c, "more", none)
	e.recvText(s, "more")
}

// testBulk sends in both directions at once, in pieces of many sizes, and compares every byte.
func testBulk(e env) {
	const total = 4 << 20
	c, s := e.pair()
	var all sync.WaitGroup
	defer all.Wait()
	for _, way := range [][2]network.Socket{{c, s}, {s, c}} {
		all.Go(func() { sendPattern(e, way[0], total) })
		all.Go(func() { recvPattern(e, way[1], total) })
	}
}

// testSustained sends as fast as it can, in pieces that divide common sizes of buffers, so that the
// sender meets a full queue at every moment of a receive. A wake that is lost ends in the deadline.
func testSustained(e env) {
	const size, pieces = 64 << 10, 2048
	c, s := e.pair()
	done := make(chan error, 1)
	go func() {
		piece := make([]byte, size)
		for left := size * pieces; left > 0; {
			n, err := c.Send(one(piece[:min(left, size)]), none)
			if err == syscall.EAGAIN {
				_, err = c.Wait(network.Writable, soon())
			}
			if left -= n; err != nil {
				done <- err
				return
			}
		}
		done <- nil
	}()
	into := one(make([]byte, size))
	for got := 0; got < size*pieces; {
		r, err := s.Recv(into, 0)
		if err == syscall.EAGAIN {
			_, err = s.Wait(network.Readable, soon())
		}
		e.check(err)
		got += r.N
	}
	e.check(<-done)
}

// pattern is the byte at an offset of a stream.
func pattern(offset int) byte { return byte(offset ^ offset>>8 ^ offset>>16) }

func sendPattern(e env, s network.Socket, total int) {
	b := make([]byte, 70_000)
	for offset, size := 0, 1; offset < total; size = size*3%len(b) + 1 {
		piece := b[:min(size, total-offset)]
		for i := range piece {
			piece[i] = pattern(offset + i)
		}
		for len(piece) > 0 {
			n, err := s.Send([][]byte{piece[:len(piece)/2], piece[len(piece)/2:]}, none)
			if err == syscall.EAGAIN {
				_, err = s.Wait(network.Writable, soon())
			}
			if err != nil {
				e.Errorf("send at %d: %v", offset, err)
				return
			}
			piece, offset = piece[n:], offset+n
		}
	}
}

func recvPattern(e env, s network.Socket, total int) {
	b := make([]byte, 50_000)
	for offset, size := 0, 1; offset < total; size = size*5%len(b) + 1 {
		r, err := s.Recv([][]byte{b[:size/3], b[size/3 : size]}, 0)
		if err == syscall.EAGAIN {
			_, err = s.Wait(network.Readable, soon())
		} else if err == nil && r.N == 0 {
			err = net.ErrClosed
		}
		if err != nil {
			e.Errorf("receive at %d: %v", offset, err)
			return
		}
		for i, got := range b[:r.N] {
			if want := pattern(offset + i); got != want {
				e.Errorf("byte %d: got %d, want %d", offset+i, got, want)
				return
			}
		}
		offset += r.N
	}
}

func testPeek(e env) {
	c, s := e.pair()
	e.send(c, "peeked", none)
	e.wait(s, network.Readable)
	for _, size := range []int{3, 6, 16} {
		b := make([]byte, size)
		r, err := s.Recv(one(b), network.Peek)
		if want := "peeked"[:min(size, 6)]; err != nil || string(b[:r.N]) != want || r.Truncated {
			e.Errorf("peek: got %q, %+v, %v; want %q", b[:r.N], r, err, want)
		}
	}
	e.recvText(s, "peeked")
	_, err := s.Recv(one(make([]byte, 1)), network.Peek)
	e.wantErr("peek at nothing", err, syscall.EAGAIN)
	e.check(c.Close())
	e.waitFor(s, network.Readable)
	if r, err := s.Recv(one(make([]byte, 1)), network.Peek); r.N != 0 || err != nil {
		e.Errorf("peek at the end: got %d, %v; want 0", r.N, err)
	}
}

func (e env) wantEnd(s network.Socket) {
	e.Helper()
	if r := e.recv(s, make([]byte, 1)); r.N != 0 {
		e.Errorf("got %d bytes, want the end of the stream", r.N)
	}
}

func testHalfClose(e env) {
	c, s := e.pair()
	e.send(c, "last words", none)
	e.check(c.Shutdown(network.ShutWrite))
	_, err := c.Send(one([]byte("x")), none)
	e.wantErr("send after shutdown", err, syscall.EPIPE)
	e.recvText(s, "last words")
	e.wantEnd(s)
	e.wantEnd(s)
	e.wantEvents("the peer has finished", s, network.Readable|network.Writable)
	e.wantEvents("finished oneself", c, network.Writable)
	e.send(s, "back", none)
	e.recvText(c, "back")
	e.check(s.Shutdown(network.ShutWrite))
	e.waitFor(c, network.Readable)
	for _, end := range []network.Socket{c, s} {
		if got := e.poll(end, 0); got&network.Hangup == 0 && !e.lacks(StateEvents) {
			e.Errorf("both have finished: got events %04b, want Hangup among them", got)
		}
	}
	e.wantEnd(c)
}

func testShutdownRead(e env) {
	c, s := e.pair()
	e.send(c, "kept", none)
	e.wait(s, network.Readable)
	done := make(chan error, 1)
	go func() { _, err := c.Wait(network.Readable, soon()); done <- err }()
	e.check(c.Shutdown(network.ShutRead))
	e.check(<-done)
	e.wantEnd(c)
	e.check(s.Shutdown(network.ShutRead))
	e.recvText(s, "kept") // data that came before the shutdown
	e.wantEnd(s)
	e.send(s, "the other way", none)
}

func testCloseEnds(e env) {
	c, s := e.pair()
	e.send(c, "last words", none)
	done := make(chan error, 1)
	e.check(c.Close())
	e.recvText(s, "last words")
	go func() { _, err := s.Wait(network.Readable, soon()); done <- err }()
	e.check(<-done)
	e.wantEnd(s)
}

func testReset(e env) {
	c, s := e.pair()
	peer := must[netip.AddrPort](e)(s.RemoteAddr())
	e.send(c, "last words", none)
	if r := e.recv(s, make([]byte, 16)); r.From != peer {
		e.Errorf("got sender %v, want %v", r.From, peer)
	}
	e.check(c.SetOption(network.Linger, 0))
	e.check(c.Close())
	e.waitFor(s, network.Readable)
	e.wantEvents("reset", s, network.Readable|network.Writable|network.Hangup|network.Failed)
	_, err := s.Recv(one(make([]byte, 1)), 0)
	e.wantErr("receive after a reset", err, syscall.ECONNRESET)
	if got := e.poll(s, network.Readable); got&network.Failed != 0 {
		e.Errorf("reset, and told: got events %04b, want no Failed", got)
	}
	_, err = s.Send(one([]byte("x")), none)
	e.wantErr("send after a reset", err, syscall.EPIPE)
	if !e.lacks(StateErrnos) {
		e.wantEnd(s)
	}
}

func testCloseUnread(e env) {
	c, s := e.pair()
	e.send(c, "unread", none)
	e.wait(s, network.Readable)
	e.check(s.Close())
	e.waitFor(c, network.Readable)
	v := must[int64](e)(c.Option(network.PendingError))
	if syscall.Errno(v) != syscall.ECONNRESET {
		e.Errorf("pending error: got %d, want ECONNRESET", v)
	}
	if !e.lacks(StateErrnos) {
		e.wantEnd(c)
	}
}

// testCloseDoesNotLinger closes a full connection that the peer does not read.
func testCloseDoesNotLinger(e env) {
	const seconds = 5
	c, _ := e.pair()
	e.check(c.SetOption(network.Linger, seconds))
	e.fill(c)
	begin := time.Now()
	e.check(c.Close())
	if took := time.Since(begin); took > seconds*time.Second/2 {
		e.Errorf("got a close of %v, want no wait", took)
	}
}

// testSendToClosed sends to a peer that has closed, until the sender knows.
func testSendToClosed(e env) {
	c, s := e.pair()
	e.check(s.Close())
	e.waitFor(c, network.Readable)
	for end := soon(); ; {
		_, err := c.Send(one([]byte("x")), none)
		if err == nil {
			if time.Now().After(end) {
				e.Fatal("got every send taken, want EPIPE")
			}
			c.Wait(0, afterMoment())
			continue
		}
		if err != syscall.ECONNRESET { // which a system may report first
			e.wantErr("send", err, syscall.EPIPE)
		}
		return
	}
}

// afterMoment is the deadline of a wait that nothing ends.
func afterMoment() time.Time { return time.Now().Add(20 * time.Millisecond) }

func (e env) wantDeadline(call string, err error) {
	e.Helper()
	e.wantErr(call, err, os.ErrDeadlineExceeded)
}
