package system

import (
	"context"
	"errors"
	"io"
	"os"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"github.com/wasport/wasport/internal/hostfs"
	"github.com/wasport/wasport/internal/sched"
	"github.com/wasport/wasport/internal/wasi"
	"github.com/wasport/wasport/network"
)

func pipeOf(t *testing.T, th *Thread, nonblock bool) (r, w int32) {
	t.Helper()
	r, w, err := th.Pipe(nonblock)
	if err != nil {
		t.Fatal(err)
	}
	return r, w
}

func wantResult(t *testing.T, what string, got int, err error, want int, wantErr error) {
	t.Helper()
	if got != want || !errors.Is(err, wantErr) {
		t.Errorf("%s: got %d, %v, want %d, %v", what, got, err, want, wantErr)
	}
}

func buf(b []byte) [][]byte { return [][]byte{b} }

// another starts a second thread of the guest. wait returns its result, and lets it run meanwhile.
func another(th *Thread, s *sched.Scheduler, f func(*Thread) error) (wait func() error) {
	done := make(chan error, 1)
	go func() {
		n := th.NewThread(s)
		defer n.Close()
		done <- f(n)
	}()
	return func() error {
		th.schedThread.Pause()
		defer th.schedThread.Resume()
		return <-done
	}
}

// TestPipeBlocksUntilOtherThreadActs writes more than a pipe holds while another thread reads it.
func TestPipeBlocksUntilOtherThreadActs(t *testing.T) {
	th, s := scheduledThread(t, Config{})
	r, w := pipeOf(t, th, false)
	const size = 300_000
	wait := another(th, s, func(th *Thread) error {
		n, err := th.Write(w, buf(make([]byte, size)))
		if err == nil && n != size {
			err = io.ErrShortWrite
		}
		th.CloseFD(w)
		return err
	})
	total := 0
	for {
		n, err := th.Read(r, buf(make([]byte, 5000)))
		if err != nil {
			t.Fatal(err)
		}
		if n == 0 {
			break
		}
		total += n
	}
	if err := wait(); total != size || err != nil {
		t.Errorf("got %d bytes, and %v from the writer, want %d, nil", total, err, size)
	}
	_, err := th.Write(r, buf([]byte("a")))
	wantResult(t, "write to the end to read", 0, err, 0, wasi.ENOTCAPABLE)
}

// TestBlockedOnPipeIsWoken ends a thread that is blocked on a pipe in each way.
func TestBlockedOnPipeIsWoken(t *testing.T) {
	killed := errors.New("killed")
	for _, test := range []struct {
		name string
		do   func(th *Thread, r, w int32)
		want error
	}{
		{"closed", func(th *Thread, r, _ int32) { th.CloseFD(r) }, wasi.EBADF},
		{"replaced", func(th *Thread, r, w int32) { th.DupTo(w, r) }, wasi.EBADF},
		{"end of the stream", func(th *Thread, _, w int32) { th.CloseFD(w) }, nil},
		{"killed", func(th *Thread, _, _ int32) { th.Kill(killed) }, killed},
	} {
		t.Run(test.name, func(t *testing.T) {
			th, s := scheduledThread(t, Config{})
			r, w := pipeOf(t, th, false)
			blocked := make(chan *Thread)
			wait := another(th, s, func(th *Thread) error {
				blocked <- th
				_, err := th.Read(r, buf(make([]byte, 1)))
				return err
			})
			other := <-blocked
			for other.sleeper.Load() == nil {
				time.Sleep(time.Millisecond)
			}
			test.do(th, r, w)
			if err := wait(); !errors.Is(err, test.want) && wasi.ErrnoOf(err) != test.want {
				t.Errorf("got %v, want %v", err, test.want)
			}
		})
	}
}

func TestBlockedOnPipeIsCancelled(t *testing.T) {
	th := lookupThread(t, nil, 0)
	r, _ := pipeOf(t, th, false)
	ctx, cancel := context.WithCancel(context.Background())
	outer := th.BeginCall(ctx)
	defer th.EndCall(outer)
	time.AfterFunc(10*time.Millisecond, cancel)
	n, err := th.Read(r, buf(make([]byte, 1)))
	wantResult(t, "read in a cancelled call", n, err, 0, syscall.ECANCELED)
}

// TestPipeWithoutReader polls and writes after the reader was closed.
func TestPipeWithoutReader(t *testing.T) {
	th := lookupThread(t, nil, 0)
	r, w := pipeOf(t, th, true)
	th.CloseFD(r)
	events, err := th.Poll([]Subscription{{Kind: Writing, FD: w}, {Kind: Failing, FD: w}}, false)
	if err != nil || len(events) != 2 || events[0].Err != syscall.EPIPE ||
		events[1].Err != syscall.EPIPE {
		t.Errorf("got %v, %v, want two events with %v", events, err, syscall.EPIPE)
	}
	n, err := th.Write(w, buf([]byte("a")))
	wantResult(t, "write", n, err, 0, syscall.EPIPE)
}

func TestPipeCountsReadableBytes(t *testing.T) {
	th := lookupThread(t, nil, 0)
	r, w := pipeOf(t, th, true)
	th.Write(w, buf(make([]byte, 123)))
	events, err := th.Poll([]Subscription{{Kind: Reading, FD: r, CountBytes: true}}, false)
	if err != nil || len(events) != 1 || events[0].Bytes != 123 {
		t.Errorf("got %v, %v, want an event with 123 bytes", events, err)
	}
}

// TestMemoryOfPipesIsLimited makes pipes and pairs until there is no more memory, and once more
// after one was closed.
func TestMemoryOfPipesIsLimited(t *testing.T) {
	for _, test := range []struct {
		name string
		open func(th *Thread) (int32, int32, error)
		want error
	}{
		{"pipes", func(th *Thread) (int32, int32, error) { return th.Pipe(false) }, syscall.ENFILE},
		{"streams", func(th *Thread) (int32, int32, error) {
			return th.Pair(network.Stream, false)
		}, syscall.ENOBUFS},
		{"datagrams", func(th *Thread) (int32, int32, error) {
			return th.Pair(network.Datagram, false)
		}, syscall.ENOBUFS},
	} {
		t.Run(test.name, func(t *testing.T) {
			th := lookupThread(t, nil, 0)
			var told string
			th.onLimit = func(name string, _ int) { told = name }
			var last [2]int32
			var err error
			for err == nil {
				var a, b int32
				if a, b, err = test.open(th); err == nil {
					last = [2]int32{a, b}
				}
			}
			if err != test.want || told != "socket_memory" {
				t.Errorf("got %v and limit %q, want %v, %q", err, told, test.want, "socket_memory")
			}
			th.CloseFD(last[0])
			if _, _, err := test.open(th); err != test.want {
				t.Errorf("got %v after one end was closed, want %v", err, test.want)
			}
			th.CloseFD(last[1])
			if _, _, err := test.open(th); err != nil {
				t.Errorf("got %v after both ends were closed, want nil", err)
			}
			th.Guest.Close()
			if used := th.memory.(*memoryAccount).used.Load(); used != 0 {
				t.Errorf("got %d bytes charged after the end, want 0", used)
			}
		})
	}
}

// TestPairOfDescriptorsIsMadeWhole makes a pipe when there is room for one descriptor only.
func TestPairOfDescriptorsIsMadeWhole(t *testing.T) {
	th := lookupThread(t, nil, 4)
	if _, _, err := th.Pipe(false); err != syscall.EMFILE {
		t.Errorf("got %v, want %v", err, syscall.EMFILE)
	}
	if used := th.memory.(*memoryAccount).used.Load(); used != 0 {
		t.Errorf("got %d bytes charged, want 0", used)
	}
	if fd, err := th.Counter(0, false, false); fd != 3 || err != nil {
		t.Errorf("got descriptor %d, %v, want 3, nil", fd, err)
	}
}

func TestBlockedCounterWaitsForRoom(t *testing.T) {
	th, s := scheduledThread(t, Config{})
	fd, err := th.Counter(0, false, false)
	if err != nil {
		t.Fatal(err)
	}
	most := []byte{0xf0, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff}
	th.Write(fd, buf(most))
	wait := another(th, s, func(th *Thread) error {
		n, err := th.Write(fd, buf(most))
		if n != 8 && err == nil {
			err = io.ErrShortWrite
		}
		return err
	})
	for range 2 {
		if _, err := th.Read(fd, buf(make([]byte, 8))); err != nil {
			t.Fatal(err)
		}
	}
	if err := wait(); err != nil {
		t.Errorf("got %v, want nil", err)
	}
}

// newFileThread makes a thread of a guest that has a file of some bytes open as descriptor 4.
func newFileThread(t *testing.T, text string) *Thread {
	t.Helper()
	host := t.TempDir()
	if err := os.WriteFile(filepath.Join(host, "file"), []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	root, err := hostfs.OpenRoot(host, hostfs.ReadWrite)
	if err != nil {
		t.Fatal(err)
	}
	th := threadOf(t, Config{Preopens: []Preopen{{Dir: root, Name: "/"}}})
	fd, err := th.OpenAt(3, "file", OpenArgs{Base: wasi.RightsFile})
	if err != nil || fd != 4 {
		t.Fatalf("got descriptor %d, %v, want 4", fd, err)
	}
	return th
}

// TestDupSharesOpenFile reads and changes a file by two descriptors.
func TestDupSharesOpenFile(t *testing.T) {
	th := newFileThread(t, "abcdef")
	fd, err := th.Dup(4, 10)
	if err != nil || fd != 10 {
		t.Fatalf("got %d, %v, want 10", fd, err)
	}
	b := make([]byte, 2)
	for i, from := range []int32{4, 10, 4} {
		want := "abcdef"[2*i:][:2]
		if n, err := th.Read(from, buf(b)); n != 2 || err != nil || string(b) != want {
			t.Errorf("read %d: got %q, %v, want %q", i, b[:n], err, want)
		}
	}
	if err := th.SetFlags(10, wasi.FdflagAppend|wasi.FdflagNonblock); err != nil {
		t.Fatal(err)
	}
	if s, err := th.Fdstat(4); s.Flags != wasi.FdflagAppend|wasi.FdflagNonblock || err != nil {
		t.Errorf("got flags %d, %v, want those of the other descriptor", s.Flags, err)
	}
	th.CloseFD(4)
	if _, err := th.Seek(10, 0, wasi.WhenceSet); err != nil {
		t.Errorf("got %v after the first was closed, want nil", err)
	}
	if _, err := th.Seek(4, 0, wasi.WhenceSet); err != syscall.EBADF {
		t.Errorf("got %v by the closed number, want %v", err, syscall.EBADF)
	}
}

// TestDupKeepsObjectOpen closes the ends of a pipe that has two descriptors for each.
func TestDupKeepsObjectOpen(t *testing.T) {
	th := lookupThread(t, nil, 0)
	r, w := pipeOf(t, th, true)
	w2, err := th.Dup(w, 0)
	if err != nil {
		t.Fatal(err)
	}
	th.CloseFD(w)
	n, err := th.Read(r, buf(make([]byte, 1)))
	wantResult(t, "a writer is left", n, err, 0, syscall.EAGAIN)
	if err := th.DupTo(r, w2); err != nil {
		t.Fatal(err)
	}
	n, err = th.Read(w2, buf(make([]byte, 1)))
	wantResult(t, "the last writer was replaced", n, err, 0, nil)
}

func TestDupErrors(t *testing.T) {
	th := lookupThread(t, nil, 6)
	r, w := pipeOf(t, th, true)
	for _, test := range []struct {
		name string
		do   func() error
		want error
	}{
		{"closed", func() error { _, err := th.Dup(99, 0); return err }, syscall.EBADF},
		{"negative lowest", func() error { _, err := th.Dup(r, -1); return err }, syscall.EINVAL},
		{"lowest too large", func() error { _, err := th.Dup(r, 6); return err }, syscall.EINVAL},
		{"closed, to a number", func() error { return th.DupTo(99, r) }, syscall.EBADF},
		{"to a number too large", func() error { return th.DupTo(r, 6) }, syscall.EBADF},
		{"to a negative number", func() error { return th.DupTo(r, -1) }, syscall.EBADF},
		{"to itself", func() error { return th.DupTo(w, w) }, nil},
		{"to the last number", func() error { return th.DupTo(w, 5) }, nil},
		{"the table is full", func() error { _, err := th.Dup(r, 0); return err }, syscall.EMFILE},
		{"to a taken number", func() error { return th.DupTo(r, 5) }, nil},
	} {
		if err := test.do(); err != test.want {
			t.Errorf("%s: got %v, want %v", test.name, err, test.want)
		}
	}
	th.CloseFD(3)
	th.CloseFD(4)
	th.CloseFD(5)
	if th.table.numOpen != 3 {
		t.Errorf("got %d descriptors, want 3", th.table.numOpen)
	}
}

// TestDupSharesReadAhead reads a stream by two descriptors, in pieces by which it is read ahead.
func TestDupSharesReadAhead(t *testing.T) {
	r := newReader(t)
	other, err := r.Dup(r.fd, 0)
	if err != nil {
		t.Fatal(err)
	}
	const size = 4000
	r.send(size)
	r.awaitReadable(size)
	b := make([]byte, 100)
	for i := range size / len(b) {
		n, err := r.Read([]int32{r.fd, other}[i%2], buf(b))
		if n != len(b) || err != nil {
			t.Fatalf("read %d: got %d, %v, want %d", i, n, err, len(b))
		}
	}
	r.CloseFD(r.fd)
	r.send(10)
	n, err := r.Read(other, buf(b))
	wantResult(t, "read after the first was closed", n, err, 10, nil)
}
