package ipc

import (
	"bytes"
	"fmt"
	"io"
	"net"
	"net/netip"
	"os"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/wasport/wasport/network"
)

const both = network.Readable | network.Writable

func one(b []byte) [][]byte { return [][]byte{b} }

func checkPoll(t *testing.T, what string, p network.Pollable, want network.Events, wantErr error) {
	t.Helper()
	if got, err := p.Poll(both); got != want || err != wantErr {
		t.Errorf("%s: got events %04b, %v, want %04b, %v", what, got, err, want, wantErr)
	}
}

func checkResult(t *testing.T, what string, n int, err error, want int, wantErr error) {
	t.Helper()
	if n != want || err != wantErr {
		t.Errorf("%s: got %d, %v, want %d, %v", what, n, err, want, wantErr)
	}
}

func TestPipeIsFilledAndDrained(t *testing.T) {
	r, w := NewPipe()
	checkPoll(t, "empty, to read", r, 0, nil)
	checkPoll(t, "empty, to write", w, network.Writable, nil)
	n, err := r.Read(one(make([]byte, 1)))
	checkResult(t, "read from an empty pipe", n, err, 0, syscall.EAGAIN)

	n, err = w.Write(one(make([]byte, PipeMemory+1)))
	checkResult(t, "write more than fits", n, err, PipeMemory, nil)
	n, err = w.Write(one(make([]byte, 1)))
	checkResult(t, "write to a full pipe", n, err, 0, syscall.EAGAIN)
	checkPoll(t, "full, to write", w, 0, nil)
	r.Read(one(make([]byte, AtomicWrite-1)))
	checkPoll(t, "room for less than an atomic write", w, 0, nil)
	n, err = w.Write(one(make([]byte, AtomicWrite)))
	checkResult(t, "atomic write that does not fit", n, err, 0, syscall.EAGAIN)
	r.Read(one(make([]byte, 1)))
	checkPoll(t, "room for an atomic write", w, network.Writable, nil)
	if got := r.p.Memory(); got > PipeMemory {
		t.Errorf("got %d bytes of memory, want at most %d", got, PipeMemory)
	}
}

func TestPipeEndsAreClosed(t *testing.T) {
	r, w := NewPipe()
	w.Write(one([]byte("rest")))
	w.Close()
	checkPoll(t, "writer closed, data left", r, network.Readable|network.Hangup, nil)
	checkPoll(t, "closed writer", w, 0, net.ErrClosed)
	n, err := r.Read(one(make([]byte, 10)))
	checkResult(t, "the rest", n, err, 4, nil)
	n, err = r.Read(one(make([]byte, 10)))
	checkResult(t, "the end", n, err, 0, nil)
	checkPoll(t, "the end", r, network.Hangup, nil)

	r, w = NewPipe()
	w.Write(one([]byte("lost")))
	r.Close()
	checkPoll(t, "reader closed", w, network.Writable|network.Failed, nil)
	n, err = w.Write(one([]byte("a")))
	checkResult(t, "write without a reader", n, err, 0, syscall.EPIPE)
	if got := r.p.Memory(); got != 0 {
		t.Errorf("got %d bytes of memory after the reader was closed, want 0", got)
	}
	n, err = r.Read(one(make([]byte, 1)))
	checkResult(t, "read from a closed reader", n, err, 0, net.ErrClosed)
}

// TestWritersDoNotMix has goroutines write pieces of different bytes, of which none may be torn.
func TestWritersDoNotMix(t *testing.T) {
	r, w := NewPipe()
	const writers, pieces, size = 4, 50, 1000
	var all sync.WaitGroup
	for i := range writers {
		all.Go(func() {
			b := bytes.Repeat([]byte{byte(i)}, size)
			for range pieces {
				for {
					if n, err := w.Write(one(b)); err == nil {
						checkResult(t, "atomic write", n, err, size, nil)
						break
					}
					(waiter{w, &w.p.forWriter}).wait(network.Writable)
				}
			}
		})
	}
	b := make([]byte, size)
	for range writers * pieces {
		for have := 0; have < size; {
			n, err := r.Read(one(b[have:]))
			if err != nil {
				(waiter{r, &r.p.forReader}).wait(network.Readable)
			}
			have += n
		}
		if !bytes.Equal(b, bytes.Repeat(b[:1], size)) {
			t.Error("got a piece with bytes of another writer, want whole pieces")
		}
	}
	all.Wait()
}

type waiter struct {
	network.Pollable
	w *watch
}

func (w waiter) wait(want network.Events) { wait(w, w.w, want, time.Time{}) }

func TestStreamPair(t *testing.T) {
	a, b := NewPair(network.Stream)
	checkPoll(t, "idle", a, network.Writable, nil)
	n, err := a.Send(one([]byte("ab")), netip.AddrPort{})
	checkResult(t, "send", n, err, 2, nil)
	got := make([]byte, 8)
	for _, flags := range []network.RecvFlags{network.Peek, 0} {
		r, err := b.Recv(one(got), flags)
		checkResult(t, fmt.Sprintf("receive with flags %d", flags), r.N, err, 2, nil)
	}
	r, err := b.Recv(one(got), 0)
	checkResult(t, "receive nothing", r.N, err, 0, syscall.EAGAIN)

	a.Shutdown(network.ShutWrite)
	checkPoll(t, "after the end", b, both, nil)
	r, err = b.Recv(one(got), 0)
	checkResult(t, "the end", r.N, err, 0, nil)
	n, err = a.Send(one([]byte("a")), netip.AddrPort{})
	checkResult(t, "send after the end", n, err, 0, syscall.EPIPE)
	n, err = b.Send(one([]byte("back")), netip.AddrPort{})
	checkResult(t, "the other direction", n, err, 4, nil)
	b.Shutdown(network.ShutWrite)
	checkPoll(t, "both directions ended", b, both|network.Hangup, nil)
	r, err = a.Recv(one(got), 0)
	checkResult(t, "what came before the end", r.N, err, 4, nil)
}

func TestPairEndIsClosed(t *testing.T) {
	for _, test := range []struct {
		name       string
		typ        network.Type
		unread     bool
		recv, send error
	}{
		{"stream", network.Stream, false, nil, syscall.EPIPE},
		{"stream with data", network.Stream, true, syscall.ECONNRESET, syscall.EPIPE},
		{"datagrams", network.Datagram, false, syscall.EAGAIN, syscall.ECONNREFUSED},
		{"datagrams with data", network.Datagram, true, syscall.EAGAIN, syscall.ECONNREFUSED},
	} {
		t.Run(test.name, func(t *testing.T) {
			a, b := NewPair(test.typ)
			if test.unread {
				a.Send(one([]byte("a")), netip.AddrPort{})
			}
			ended := make(chan error)
			go func() {
				_, err := b.Wait(network.Failed, time.Time{})
				ended <- err
			}()
			b.Close()
			if err := <-ended; err != net.ErrClosed {
				t.Errorf("got %v from a wait on a closed end, want %v", err, net.ErrClosed)
			}
			r, err := a.Recv(one(make([]byte, 1)), 0)
			checkResult(t, "receive", r.N, err, 0, test.recv)
			n, err := a.Send(one([]byte("a")), netip.AddrPort{})
			checkResult(t, "send", n, err, 0, test.send)
			if got := b.stream.Memory() + b.datagrams.Memory(); got != 0 {
				t.Errorf("got %d bytes of memory at the closed end, want 0", got)
			}
		})
	}
}

// TestPairStaysWithinMemory fills both directions of a pair.
func TestPairStaysWithinMemory(t *testing.T) {
	for _, test := range []struct {
		typ       network.Type
		size, max int
	}{
		{network.Stream, 1, StreamPairMemory}, {network.Stream, 1 << 20, StreamPairMemory},
		{network.Datagram, 0, DatagramPairMemory}, {network.Datagram, 1, DatagramPairMemory},
		{network.Datagram, 100_000, DatagramPairMemory},
		{network.Datagram, largestDatagram, DatagramPairMemory},
	} {
		t.Run(fmt.Sprint(test.typ, test.size), func(t *testing.T) {
			a, b := NewPair(test.typ)
			for _, s := range []*Socket{a, b} {
				if err := s.SetOption(network.SendBuffer, 1<<40); err != nil {
					t.Fatal(err)
				}
				for {
					_, err := s.Send(one(make([]byte, test.size)), netip.AddrPort{})
					if err == syscall.EAGAIN {
						break
					}
					if err != nil {
						t.Fatal(err)
					}
				}
				checkPoll(t, "full", s, s.readable(), nil)
			}
			got := 0
			for _, s := range []*Socket{a, b} {
				got += s.stream.Memory() + s.datagrams.Memory()
			}
			if got > test.max {
				t.Errorf("got %d bytes of memory, want at most %d", got, test.max)
			}
		})
	}
	a, _ := NewPair(network.Datagram)
	n, err := a.Send(one(make([]byte, largestDatagram+1)), netip.AddrPort{})
	checkResult(t, "too long a datagram", n, err, 0, syscall.EMSGSIZE)
}

func (s *Socket) readable() network.Events {
	if s.hasData() {
		return network.Readable
	}
	return 0
}

func TestPairWaits(t *testing.T) {
	a, b := NewPair(network.Stream)
	if _, err := a.Wait(network.Readable, time.Now()); err != os.ErrDeadlineExceeded {
		t.Errorf("got %v, want %v", err, os.ErrDeadlineExceeded)
	}
	got := make(chan error)
	go func() {
		_, err := a.Wait(network.Readable, time.Time{})
		got <- err
	}()
	b.Send(one([]byte("a")), netip.AddrPort{})
	if err := <-got; err != nil {
		t.Errorf("got %v, want nil after a send", err)
	}
}

func TestPairOptions(t *testing.T) {
	a, _ := NewPair(network.Stream)
	for _, test := range []struct {
		option    network.Option
		set, want int64
		err       error
	}{
		{network.SendBuffer, 8192, 16384, nil}, {network.SendBuffer, 1, minBuffer, nil},
		{network.RecvBuffer, 1 << 40, 2 * bufferSize, nil}, {network.KeepAlive, 1, 1, nil},
		{network.NoDelay, 1, 0, syscall.ENOTSUP}, {network.PendingError, 1, 0, syscall.ENOPROTOOPT},
	} {
		err := a.SetOption(test.option, test.set)
		got, _ := a.Option(test.option)
		if err != test.err || got != test.want {
			t.Errorf("option %d set to %d: got %d, %v, want %d, %v", test.option, test.set, got,
				err, test.want, test.err)
		}
	}
}

func TestCounter(t *testing.T) {
	c := NewCounter(3, false)
	b := make([]byte, 8)
	n, err := c.Read(one(b[:7]))
	checkResult(t, "7 bytes", n, err, 0, syscall.EINVAL)
	n, err = c.Read(one(b))
	checkResult(t, "read", n, err, 8, nil)
	if b[0] != 3 {
		t.Errorf("got the number %d, want 3", b[0])
	}
	checkPoll(t, "taken", c, network.Writable, nil)
	n, err = c.Read(one(b))
	checkResult(t, "read 0", n, err, 0, syscall.EAGAIN)
	most := bytes.Repeat([]byte{0xff}, 8)
	n, err = c.Write(one(most))
	checkResult(t, "the largest number", n, err, 0, syscall.EINVAL)
	most[0]--
	n, err = c.Write(one(most))
	checkResult(t, "the largest but one", n, err, 8, nil)
	checkPoll(t, "full", c, network.Readable, nil)
	n, err = c.Write([][]byte{{1, 0, 0}, {0, 0, 0, 0, 0}})
	checkResult(t, "one more", n, err, 0, syscall.EAGAIN)
	if got, err := c.RoomFor(one(most)).Poll(network.Writable); got != 0 || err != nil {
		t.Errorf("got %v, %v, want no room", got, err)
	}

	c = NewCounter(2, true)
	for _, want := range []error{nil, nil, syscall.EAGAIN} {
		if _, err := c.Read(one(b)); err != want || want == nil && b[0] != 1 {
			t.Errorf("semaphore: got the number %d, %v, want 1, %v", b[0], err, want)
		}
	}
}

func TestDataDoesNotAllocate(t *testing.T) {
	r, w := NewPipe()
	c := NewCounter(0, false)
	in, out := one(make([]byte, 64)), one(make([]byte, 64))
	number := one([]byte{1, 0, 0, 0, 0, 0, 0, 0})
	calls := map[string]func(){
		"pipe":    func() { w.Write(out); r.Read(in) },
		"counter": func() { c.Write(number); c.Read(in) },
	}
	for _, typ := range []network.Type{network.Stream, network.Datagram} {
		a, b := NewPair(typ)
		calls[typ.String()] = func() {
			a.Send(out, netip.AddrPort{})
			b.Recv(in, network.Peek)
			b.Recv(in, 0)
			b.Poll(both)
		}
	}
	for name, call := range calls {
		call() // makes the rings
		if got := testing.AllocsPerRun(100, call); got != 0 {
			t.Errorf("%s: got %v allocations, want none", name, got)
		}
	}
}

// FuzzStream compares a pipe with a queue of bytes.
func FuzzStream(f *testing.F) {
	f.Add([]byte{1, 5, 0, 3, 255, 255, 0, 255})
	f.Fuzz(func(t *testing.T, ops []byte) {
		r, w := NewPipe()
		var want bytes.Buffer
		next := byte(0)
		for len(ops) >= 2 {
			size := int(ops[1]) * 300
			b := make([]byte, size)
			if ops[0]%2 == 0 {
				n, _ := r.Read([][]byte{b[:size/3], b[size/3:]})
				model := make([]byte, size)
				m, err := want.Read(model)
				if err == io.EOF {
					m = 0
				}
				if n != m || !bytes.Equal(b[:n], model[:m]) {
					t.Fatalf("got %d bytes, want %d, the same", n, m)
				}
			} else {
				for i := range b {
					b[i] = next
					next += 7
				}
				n, err := w.Write([][]byte{b[:size/2], b[size/2:]})
				room := PipeMemory - want.Len()
				wantN := min(size, room)
				if size <= AtomicWrite && size > room {
					wantN = 0
				}
				if n != wantN || (err != nil) != (wantN == 0 && size > 0) {
					t.Fatalf("write of %d bytes with room for %d: got %d, %v, want %d", size, room,
						n, err, wantN)
				}
				want.Write(b[:n])
				next -= 7 * byte(size-n)
			}
			if got := r.p.Len(); got != want.Len() {
				t.Fatalf("got %d bytes queued, want %d", got, want.Len())
			}
			ops = ops[2:]
		}
	})
}
