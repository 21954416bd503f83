package system

import (
	"bytes"
	"context"
	"errors"
	"io"
	"io/fs"
	"syscall"
	"testing"
	"testing/fstest"

	"github.com/wasport/wasport/internal/hostfs"
	"github.com/wasport/wasport/internal/sched"
	"github.com/wasport/wasport/internal/wasi"
)

// repeatedBufs returns n buffers that share their memory, as the iovecs of a guest may.
func repeatedBufs(n int) [][]byte {
	b := make([]byte, chunkSize)
	bufs := make([][]byte, n)
	for i := range bufs {
		bufs[i] = b
	}
	return bufs
}

func newTestGuest(t *testing.T, preopens ...Preopen) *Guest {
	t.Helper()
	g, err := New(context.Background(), Config{Preopens: preopens})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(g.Close)
	return g
}

func TestInChunksMovesAllOrUpToError(t *testing.T) {
	failure := errors.New("failure")
	for _, tt := range []struct {
		name  string
		bufs  [][]byte
		moved []int // by each call; -1 = the call fails
		want  int
		err   error
	}{
		{"nothing", nil, []int{0}, 0, nil},
		{"one", repeatedBufs(1), []int{chunkSize}, chunkSize, nil},
		{"three", repeatedBufs(3), []int{chunkSize, chunkSize, chunkSize}, 3 * chunkSize, nil},
		{"short at first", repeatedBufs(3), []int{10}, 10, nil},
		{"short later", repeatedBufs(3), []int{chunkSize, 10}, chunkSize + 10, nil},
		{"end", repeatedBufs(3), []int{chunkSize, chunkSize, 0}, 2 * chunkSize, nil},
		{"failure at first", repeatedBufs(3), []int{-1}, 0, failure},
		{"failure later", repeatedBufs(3), []int{chunkSize, -1}, chunkSize, nil},
		{"failure at last", repeatedBufs(3), []int{chunkSize, chunkSize, -1}, 2 * chunkSize, nil},
		{"across buffers", [][]byte{make([]byte, 100), make([]byte, chunkSize), make([]byte, 100)},
			[]int{chunkSize, 200}, chunkSize + 200, nil},
	} {
		t.Run(tt.name, func(t *testing.T) {
			th := newTestGuest(t).NewThread(sched.New())
			defer th.Close()
			calls, before := 0, 0
			got, err := th.inChunks(tt.bufs, func(bufs [][]byte, done int) (int, error) {
				if done != before || totalLen(bufs) > chunkSize {
					t.Errorf("got call %d for %d bytes after %d, want at most %d after %d", calls,
						totalLen(bufs), done, chunkSize, before)
				}
				n := tt.moved[calls]
				calls++
				if n < 0 {
					return 0, failure
				}
				before += n
				return n, nil
			})
			if got != tt.want || err != tt.err || calls != len(tt.moved) {
				t.Errorf("got %d, %v in %d calls, want %d, %v in %d", got, err, calls, tt.want,
					tt.err, len(tt.moved))
			}
		})
	}
}

// TestKillBetweenChunks kills a guest during a transfer of several chunks.
func TestKillBetweenChunks(t *testing.T) {
	g := newTestGuest(t)
	th := g.NewThread(sched.New())
	defer th.Close()
	calls := 0
	_, err := th.inChunks(repeatedBufs(511), func(bufs [][]byte, _ int) (int, error) {
		if calls++; calls == 3 {
			g.Kill(io.EOF)
		}
		return totalLen(bufs), nil
	})
	if err != io.EOF || calls != 3 {
		t.Errorf("got %v after %d pieces, want %v after 3", err, calls, io.EOF)
	}
}

// TestContextHasConvertedCause checks that Config.Cause changes the cause of the context alone.
func TestContextHasConvertedCause(t *testing.T) {
	public := errors.New("public")
	g, err := New(context.Background(), Config{Cause: func(error) error { return public }})
	if err != nil {
		t.Fatal(err)
	}
	defer g.Close()
	g.Kill(io.EOF)
	if got := context.Cause(g.Context()); got != public || g.Err() != io.EOF {
		t.Errorf("got cause %v and reason %v, want %v and %v", got, g.Err(), public, io.EOF)
	}
}

// TestTransferOfRepeatedBuffers transfers 64 MiB at once.
func TestTransferOfRepeatedBuffers(t *testing.T) {
	g := newTestGuest(t, Preopen{Dir: openRoot(t, t.TempDir()), Name: "/"})
	th := g.NewThread(sched.New())
	defer th.Close()
	fd := create(t, g, "huge")
	want := 16*chunkSize + 3
	bufs := func() [][]byte { return append(repeatedBufs(16), []byte("end")) }
	for _, transfer := range []struct { // in this order: reads need the bytes written
		name string
		f    func() (int, error)
	}{
		{"write", func() (int, error) { return th.Write(fd, bufs()) }},
		{"pwrite", func() (int, error) { return th.Pwrite(fd, bufs(), 0) }},
		{"pread", func() (int, error) { return th.Pread(fd, bufs(), 0) }},
		{"read", func() (int, error) {
			if _, err := g.Seek(fd, 0, io.SeekStart); err != nil {
				return 0, err
			}
			return th.Read(fd, bufs())
		}},
	} {
		if got, err := transfer.f(); got != want || err != nil {
			t.Errorf("%s: got %d, %v, want %d", transfer.name, got, err, want)
		}
	}
	tail := make([]byte, 3)
	if _, err := th.Pread(fd, [][]byte{tail}, uint64(want-3)); err != nil ||
		!bytes.Equal(tail, []byte("end")) {
		t.Errorf("got %q, %v at the end, want %q", tail, err, "end")
	}
	if _, err := th.Pread(fd, bufs(), 1<<63); err != syscall.EINVAL {
		t.Errorf("got %v beyond all offsets, want EINVAL", err)
	}
}

// endless is an fs.FS of files without an end, the reads of which call a function.
type endless struct{ read func() }

func (e endless) Open(name string) (fs.File, error) {
	if name == "." {
		return fstest.MapFS{}.Open(name)
	}
	f, err := fstest.MapFS{name: {}}.Open(name)
	return endlessFile{f, e.read}, err
}

type endlessFile struct {
	fs.File
	read func()
}

func (f endlessFile) ReadAt(b []byte, _ int64) (int, error) {
	f.read()
	return len(b), nil
}

// TestKillEndsReadOfFile kills a guest in the first chunk of a long read.
func TestKillEndsReadOfFile(t *testing.T) {
	for name, read := range map[string]func(*Thread, int32) (int, error){
		"read": func(th *Thread, fd int32) (int, error) { return th.Read(fd, repeatedBufs(16)) },
		"pread": func(th *Thread, fd int32) (int, error) {
			return th.Pread(fd, repeatedBufs(16), 0)
		},
	} {
		t.Run(name, func(t *testing.T) {
			var g *Guest
			dir, err := hostfs.OpenFS(endless{func() { g.Kill(io.EOF) }})
			if err != nil {
				t.Fatal(err)
			}
			g = newTestGuest(t, Preopen{Dir: dir, Name: "/"})
			th := g.NewThread(sched.New())
			defer th.Close()
			fd, err := g.OpenAt(3, "file", OpenArgs{Base: wasi.RightFdRead})
			if err != nil {
				t.Fatal(err)
			}
			if got, err := read(th, fd); got > chunkSize || err != io.EOF {
				t.Errorf("got %d, %v, want %d at most, and %v", got, err, chunkSize, io.EOF)
			}
		})
	}
}
