package system

import (
	"bytes"
	"context"
	"errors"
	"io"
	"os"
	"runtime"
	"syscall"
	"testing"
	"time"

	"github.com/wasport/wasport/internal/sched"
	"github.com/wasport/wasport/internal/wasi"
)

// stdioThread makes a thread of a guest with the given input and output.
func stdioThread(t *testing.T, in io.Reader, out io.Writer) *Thread {
	t.Helper()
	return newThread(t, Config{Stdin: in, Stdout: out})
}

// newThread makes the only thread of a guest.
func newThread(t testing.TB, c Config) *Thread {
	t.Helper()
	g, err := New(context.Background(), c)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(g.Close)
	th := g.NewThread(sched.New())
	t.Cleanup(th.Close)
	return th
}

func newPipe(t *testing.T) (r, w *os.File) {
	t.Helper()
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { r.Close(); w.Close() })
	return r, w
}

// fill writes to a descriptor until it takes no more, and returns the number of bytes.
func (t *Thread) fill(fd int32) (total int, err error) {
	piece := make([]byte, 64<<10)
	for {
		n, err := t.TryWrite(fd, [][]byte{piece})
		if err != nil {
			return total, err
		}
		total += n
	}
}

// TestSendOn sends bytes that a descriptor of each kind does not take at once.
func TestSendOn(t *testing.T) {
	rest := bytes.Repeat([]byte("rest"), 4<<10)
	check := func(t *testing.T, th *Thread, fd int32, peer io.Reader) {
		full, err := th.fill(fd)
		if err != syscall.EAGAIN {
			t.Fatalf("got %v, want %v", err, syscall.EAGAIN)
		}
		sent := make(chan error, 1)
		if err := th.SendOn(fd, rest, func(err error) { sent <- err }); err != nil {
			t.Fatal(err)
		}
		got := make([]byte, full+len(rest))
		if _, err := io.ReadFull(peer, got); err != nil || !bytes.Equal(got[full:], rest) {
			t.Errorf("got %d bytes, %v, want %d and then the rest", len(got), err, full)
		}
		if err := <-sent; err != nil {
			t.Errorf("got %v, want success", err)
		}
	}
	t.Run("pipe", func(t *testing.T) {
		r, w := newPipe(t)
		check(t, stdioThread(t, nil, w), 1, r)
	})
	t.Run("writer", func(t *testing.T) {
		r, w := io.Pipe()
		check(t, stdioThread(t, nil, w), 1, r)
	})
	t.Run("socket", func(t *testing.T) {
		r := newReader(t)
		check(t, r.Thread, r.fd, r.peer)
	})
}

// TestSendOnEnds ends a write of each kind by the guest's end and by the other side.
func TestSendOnEnds(t *testing.T) {
	ended := errors.New("ended")
	start := func(t *testing.T, th *Thread, fd int32) chan error {
		if _, err := th.fill(fd); err != syscall.EAGAIN {
			t.Fatalf("got %v, want %v", err, syscall.EAGAIN)
		}
		sent := make(chan error, 1)
		if err := th.SendOn(fd, []byte("rest"), func(err error) { sent <- err }); err != nil {
			t.Fatal(err)
		}
		return sent
	}
	for name, open := range map[string]func(t *testing.T) (*Thread, int32, io.Closer){
		"pipe": func(t *testing.T) (*Thread, int32, io.Closer) {
			r, w := newPipe(t)
			return stdioThread(t, nil, w), 1, r
		},
		"writer": func(t *testing.T) (*Thread, int32, io.Closer) {
			r, w := io.Pipe()
			t.Cleanup(func() { r.Close() }) // releases the goroutine in Write
			return stdioThread(t, nil, w), 1, r
		},
		"socket": func(t *testing.T) (*Thread, int32, io.Closer) {
			r := newReader(t)
			return r.Thread, r.fd, r.peer
		},
	} {
		t.Run(name+" by Kill", func(t *testing.T) {
			th, fd, _ := open(t)
			sent := start(t, th, fd)
			th.Kill(ended)
			if err := <-sent; err != ended {
				t.Errorf("got %v, want %v", err, ended)
			}
		})
		t.Run(name+" by its peer", func(t *testing.T) {
			th, fd, peer := open(t)
			sent := start(t, th, fd)
			peer.Close()
			if err := <-sent; err == nil {
				t.Error("got success, want an error")
			}
		})
	}
}

// TestFlushed checks that bytes for a writer count as written once it has taken them.
func TestFlushed(t *testing.T) {
	r, w := io.Pipe()
	th := stdioThread(t, nil, w)
	if n, err := th.TryWrite(1, [][]byte{[]byte("text")}); n != 4 || err != nil {
		t.Fatalf("got %d, %v, want 4", n, err)
	}
	if done, err := th.Flushed(1); done || err != nil {
		t.Errorf("before: got %v, %v, want false", done, err)
	}
	sent := make(chan error, 1)
	if err := th.SendOn(1, nil, func(err error) { sent <- err }); err != nil {
		t.Fatal(err)
	}
	io.ReadFull(r, make([]byte, 4))
	if err := <-sent; err != nil {
		t.Errorf("got %v, want success", err)
	}
	if done, err := th.Flushed(1); !done || err != nil {
		t.Errorf("after: got %v, %v, want true", done, err)
	}
	th.TryWrite(1, [][]byte{[]byte("text")})
	r.CloseWithError(errors.New("full"))
	if err := th.SendOn(1, nil, func(err error) { sent <- err }); err != nil {
		t.Fatal(err)
	}
	if err := <-sent; err == nil || err.Error() != "full" {
		t.Errorf("got %v, want the writer's error", err)
	}
}

// TestTryRead reads from a pipe and from a reader without waiting, and waits by Await.
func TestTryRead(t *testing.T) {
	r, w := newPipe(t)
	goR, goW := io.Pipe()
	for name, c := range map[string]struct {
		in  io.Reader
		out io.WriteCloser
	}{"pipe": {r, w}, "reader": {goR, goW}} {
		t.Run(name, func(t *testing.T) {
			th := stdioThread(t, c.in, nil)
			buf := make([]byte, 8)
			if n, err := th.TryRead(0, [][]byte{buf}); n > 0 || err != syscall.EAGAIN {
				t.Errorf("got %d, %v, want %v", n, err, syscall.EAGAIN)
			}
			if ready, err := th.Ready(0, Reading); ready || err != nil {
				t.Errorf("got %v, %v, want false", ready, err)
			}
			go c.out.Write([]byte("text"))
			if err := th.Await(0, Reading); err != nil {
				t.Errorf("got %v, want success", err)
			}
			if ready, err := th.Ready(0, Reading); !ready || err != nil {
				t.Errorf("got %v, %v, want true", ready, err)
			}
			if n, err := th.TryRead(0, [][]byte{buf}); n != 4 || err != nil {
				t.Errorf("got %d, %v, want 4", n, err)
			}
			c.out.Close()
			if err := th.Await(0, Reading); err != nil {
				t.Errorf("got %v, want success", err)
			}
			if n, err := th.TryRead(0, [][]byte{buf}); n != 0 || err != nil {
				t.Errorf("at the end: got %d, %v, want 0", n, err)
			}
		})
	}
}

// TestAwaitEndsWithGuest kills a guest that awaits each kind of condition.
func TestAwaitEndsWithGuest(t *testing.T) {
	ended := errors.New("ended")
	for name, await := range map[string]func(*Thread) error{
		"descriptor": func(th *Thread) error { return th.Await(0, Reading) },
		"signal":     func(th *Thread) error { return th.AwaitSignal(new(Signal)) },
	} {
		t.Run(name, func(t *testing.T) {
			r, _ := newPipe(t)
			th := stdioThread(t, r, nil)
			go th.Kill(ended)
			if err := await(th); err != ended {
				t.Errorf("got %v, want %v", err, ended)
			}
		})
	}
}

// TestPollOfSignals polls two signals and a timer, with registrations that are kept.
func TestPollOfSignals(t *testing.T) {
	th := stdioThread(t, nil, nil)
	var a, b Signal
	list := []Subscription{
		{Kind: Signalled, Signal: &a}, {Kind: Signalled, Signal: &b},
		{Kind: Timer, Clock: wasi.ClockMonotonic, Timeout: 1 << 62},
	}
	for round := range 3 {
		go b.Set()
		events, err := th.Poll(list, round > 0)
		if err != nil || len(events) != 1 || events[0].Index != 1 {
			t.Fatalf("got %v, %v, want the second", events, err)
		}
		b.Clear()
	}
	a.Set()
	b.Set()
	list[2].Timeout = 0
	if events, err := th.Poll(list, false); err != nil || len(events) != 3 {
		t.Errorf("got %v, %v, want all three", events, err)
	}
}

// TestAppend appends to a file that others write as well, and up to the quota.
func TestAppend(t *testing.T) {
	dir := t.TempDir()
	g := newTestGuest(t, Preopen{Dir: openRoot(t, dir), Name: "/", Quota: 64 << 10})
	th := g.NewThread(sched.New())
	defer th.Close()
	first, second := create(t, g, "file"), create(t, g, "file")
	for i, fd := range []int32{first, second, first} {
		piece := bytes.Repeat([]byte{'a' + byte(i)}, 10)
		if n, err := th.Append(fd, [][]byte{piece}); n != 10 || err != nil {
			t.Fatalf("got %d, %v, want 10", n, err)
		}
	}
	got, err := os.ReadFile(dir + "/file")
	if want := "aaaaaaaaaabbbbbbbbbbcccccccccc"; err != nil || string(got) != want {
		t.Errorf("got %q, %v, want %q", got, err, want)
	}
	if _, err := th.Append(first, [][]byte{make([]byte, 60<<10)}); err != nil {
		t.Fatal(err)
	}
	if n, err := th.Append(first, [][]byte{make([]byte, 4<<10)}); err != syscall.ENOSPC {
		t.Errorf("got %d, %v, want %v", n, err, syscall.ENOSPC)
	}
}

// TestSendOnIsCharged checks that the next tick charges the processor time of such a write. What a
// thread has computed since the last reading of its clock is an upper bound, which a busy machine
// makes too high at times.
func TestSendOnIsCharged(t *testing.T) {
	var got time.Duration
	var used int64
	for range 10 {
		if got, used = chargeOfSendOn(t); int64(got) >= used {
			return
		}
	}
	t.Errorf("got %v charged, want at least %d ns", got, used)
}

// chargeOfSendOn returns what a tick charges after a write, and the time that the write took.
func chargeOfSendOn(t *testing.T) (charged time.Duration, used int64) {
	t.Helper()
	r := newReader(t)
	sent := make(chan error, 1)
	if err := r.SendOn(r.fd, make([]byte, 1<<20), func(err error) { sent <- err }); err != nil {
		t.Fatal(err)
	}
	if _, err := io.ReadFull(r.peer, make([]byte, 1<<20)); err != nil {
		t.Fatal(err)
	}
	if err := <-sent; err != nil {
		t.Fatal(err)
	}
	for r.elsewhere.Load() == 0 { // done is called a moment before
		runtime.Gosched()
	}
	r.schedThread.ChargeNow()
	before := r.schedThread.Computed()
	used = r.elsewhere.Load()
	r.Tick()
	charged = r.schedThread.Computed() - before
	if left := r.elsewhere.Load(); left != 0 {
		t.Errorf("got %d ns left to charge, want none", left)
	}
	return charged, used
}
