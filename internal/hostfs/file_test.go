package hostfs

import (
	"bytes"
	"io"
	"io/fs"
	"sync"
	"syscall"
	"testing"

	"github.com/wasport/wasport/internal/testutil"
	"github.com/wasport/wasport/network"
)

func openFile(t testing.TB, d Dir, path string, o OpenOptions) File {
	t.Helper()
	f, sub, err := d.Open(path, o)
	if err != nil {
		t.Fatal(err)
	}
	if sub != nil {
		t.Fatalf("%q: got a directory, want a file", path)
	}
	t.Cleanup(func() { f.Close() })
	return f
}

var readWrite = OpenOptions{Read: true, Write: true, Create: true}

func bufs(ss ...string) (b [][]byte) {
	for _, s := range ss {
		b = append(b, []byte(s))
	}
	return b
}

func TestPositionsOfReadAndWrite(t *testing.T) {
	d := openRoot(t, t.TempDir(), ReadWrite, false)
	f := openFile(t, d, "file", readWrite)
	if n, err := f.Writev(bufs("0123", "", "456", "789")); n != 10 || err != nil {
		t.Fatalf("write: got %v, %v; want 10", n, err)
	}
	if n, err := f.Pwritev(bufs("ab", "c"), 3); n != 3 || err != nil {
		t.Fatalf("write at an offset: got %v, %v; want 3", n, err)
	}
	if pos, err := f.Seek(0, io.SeekCurrent); pos != 10 || err != nil {
		t.Fatalf("seek: got %v, %v; want 10", pos, err)
	}
	one, two := make([]byte, 4), make([]byte, 20)
	if n, err := f.Preadv([][]byte{one, two}, 1); n != 9 || err != nil || string(one) != "12ab" ||
		string(two[:5]) != "c6789" {
		t.Fatalf("read at an offset: got %v, %v, %q, %q; want 9 bytes", n, err, one, two)
	}
	if n, err := f.Readv([][]byte{one}); n != 0 || err != nil {
		t.Fatalf("read: got %v, %v; want 0", n, err)
	}
	if pos, err := f.Seek(-2, io.SeekEnd); pos != 8 || err != nil {
		t.Fatalf("seek: got %v, %v; want 8", pos, err)
	}
	if n, err := f.Available(); n != 2 || err != nil {
		t.Fatalf("available: got %v, %v; want 2", n, err)
	}
	if n, err := f.Readv([][]byte{nil, one[:1], two}); n != 2 || err != nil || one[0] != '8' ||
		two[0] != '9' {
		t.Fatalf("read: got %v, %v, %q, %q; want 8 and 9", n, err, one, two)
	}
	if pos, err := f.Seek(1000, io.SeekCurrent); pos != 1010 || err != nil {
		t.Fatalf("seek: got %v, %v; want 1010", pos, err)
	}
	if n, err := f.Available(); n != 0 || err != nil {
		t.Fatalf("available: got %v, %v; want 0", n, err)
	}
	for _, c := range []struct {
		offset int64
		whence int
	}{{-2000, io.SeekCurrent}, {-1, io.SeekStart}, {0, 3}, {0, 4}, {0, -1}, {1<<63 - 1,
		io.SeekCurrent}} {
		if _, err := f.Seek(c.offset, c.whence); err != syscall.EINVAL && err != syscall.EOVERFLOW {
			t.Errorf("seek: got %v, %v; want %v", c, err, syscall.EINVAL)
		}
	}
	if _, err := f.Preadv(bufs("x"), 1<<63); err != syscall.EINVAL {
		t.Errorf("read at an offset: got %v, want %v", err, syscall.EINVAL)
	}
	if _, err := f.Pwritev(bufs("x"), 1<<64-1); err != syscall.EINVAL {
		t.Errorf("write at an offset: got %v, want %v", err, syscall.EINVAL)
	}
	// Of more buffers than one call takes, the first ones are written.
	many := make([][]byte, 5000)
	for i := range many {
		many[i] = []byte{1}
	}
	if n, err := f.Writev(many); n < 1000 || n > 5000 || err != nil {
		t.Errorf("write of 5000 buffers: got %v, %v; want 1000 to 5000", n, err)
	}
	if n, err := f.Readv(nil); n != 0 || err != nil {
		t.Errorf("read: got %v, %v; want 0", n, err)
	}
}

func TestReadAndWriteAgainstAccessMode(t *testing.T) {
	d := openRoot(t, t.TempDir(), ReadWrite, false)
	w := openFile(t, d, "file", OpenOptions{Write: true, Create: true})
	if _, err := w.Readv(bufs("x")); err != syscall.EBADF {
		t.Errorf("read: got %v, want %v", err, syscall.EBADF)
	}
	if _, err := w.Preadv(bufs("x"), 0); err != syscall.EBADF {
		t.Errorf("read at an offset: got %v, want %v", err, syscall.EBADF)
	}
	for _, o := range []OpenOptions{{Read: true}, {}} {
		r := openFile(t, d, "file", o)
		if _, err := r.Writev(bufs("x")); err != syscall.EBADF {
			t.Errorf("write: got %v, want %v", err, syscall.EBADF)
		}
		if _, err := r.Pwritev(bufs("x"), 0); err != syscall.EBADF {
			t.Errorf("write at an offset: got %v, want %v", err, syscall.EBADF)
		}
		if err := r.SetSize(3); err != syscall.EINVAL && err != syscall.EBADF {
			t.Errorf("set size: got %v, want %v or %v", err, syscall.EINVAL, syscall.EBADF)
		}
		if n, err := r.Readv([][]byte{make([]byte, 1)}); n != 0 || err != nil {
			t.Errorf("read: got %v, %v; want 0", n, err)
		}
	}
	// A read sees an earlier write to the same file, and Truncate does not need Write.
	r := openFile(t, d, "file", OpenOptions{Read: true})
	if n, err := w.Writev(bufs("abc")); n != 3 || err != nil {
		t.Errorf("write: got %v, %v; want 3", n, err)
	}
	got := make([]byte, 5)
	if n, err := r.Readv([][]byte{got}); n != 3 || err != nil {
		t.Errorf("read: got %v, %v; want 3", n, err)
	}
	if err := tryOpen(d, "file", OpenOptions{Truncate: true}); err != nil {
		t.Error(err)
	}
	if st, err := r.Stat(); st.Size != 0 || err != nil {
		t.Errorf("after truncation: got %+v, %v; want size 0", st, err)
	}
}

func TestFlagsChangedWhileOpen(t *testing.T) {
	d := openRoot(t, t.TempDir(), ReadWrite, false)
	o := readWrite
	o.Flags = Append | Sync
	f := openFile(t, d, "file", o)
	if f.Flags() != Append|Sync {
		t.Errorf("got flags %v, want %v", f.Flags(), Append|Sync)
	}
	write := func(s string, wantSize uint64) {
		t.Helper()
		if _, err := f.Seek(0, io.SeekStart); err != nil {
			t.Error(err)
		}
		if n, err := f.Writev(bufs(s)); n != len(s) || err != nil {
			t.Errorf("write: got %v, %v; want %v", n, err, len(s))
		}
		if st, err := f.Stat(); st.Size != wantSize || err != nil {
			t.Errorf("got %+v, %v; want size %d", st, err, wantSize)
		}
	}
	write("one", 3)
	write("two", 6)
	if pos, err := f.Seek(0, io.SeekCurrent); pos != 6 || err != nil {
		t.Errorf("seek: got %v, %v; want 6", pos, err)
	}
	for _, flags := range []Flags{0, Nonblock, Dsync, Sync | Rsync} {
		if err := f.SetFlags(flags); err != nil || f.Flags() != flags {
			t.Errorf("set flags: got %v, %v; want %v", err, f.Flags(), flags)
		}
		write("xyz", 6)
	}
	if err := f.SetFlags(Append); err != nil {
		t.Error(err)
	}
	write("end", 9)
	if err := f.SetFlags(1 << 5); err != syscall.EINVAL || f.Flags() != Append {
		t.Errorf("unknown flag: got %v, %v; want %v, %v", err, f.Flags(), syscall.EINVAL, Append)
	}
	got := make([]byte, 20)
	if n, err := f.Preadv([][]byte{got}, 0); string(got[:n]) != "xyztwoend" || err != nil {
		t.Errorf("read: got %q, %v; want \"xyztwoend\"", got[:n], err)
	}
	for _, flags := range []Flags{Dsync, Rsync, Dsync | Rsync, Nonblock | Append} {
		o.Flags = flags
		if f := openFile(t, d, "file", o); f.Flags() != flags {
			t.Errorf("got flags %v, want %v", f.Flags(), flags)
		}
	}
}

func TestSizeAndTimesOfOpenFile(t *testing.T) {
	d := openRoot(t, t.TempDir(), ReadWrite, false)
	f := openFile(t, d, "file", readWrite)
	size := func(want uint64) {
		t.Helper()
		if st, err := f.Stat(); st.Size != want || err != nil {
			t.Errorf("got %+v, %v; want size %d", st, err, want)
		}
	}
	for _, c := range []struct {
		do   func() error
		want error
		size uint64
	}{
		{func() error { return f.SetSize(100) }, nil, 100},
		{func() error { return f.SetSize(10) }, nil, 10},
		{func() error { return f.SetSize(1 << 63) }, syscall.EFBIG, 10},
		{func() error { return f.Allocate(0, 100) }, nil, 100},
		{func() error { return f.Allocate(10, 10) }, nil, 100},
		{func() error { return f.Allocate(90, 20) }, nil, 110},
		{func() error { return f.Allocate(0, 0) }, syscall.EINVAL, 110},
		{func() error { return f.Allocate(1<<63, 1) }, syscall.EFBIG, 110},
		{func() error { return f.Allocate(1, 1<<63-1) }, syscall.EFBIG, 110},
		{func() error { return f.Allocate(1<<64-1, 1<<64-1) }, syscall.EFBIG, 110},
		{func() error { return f.Advise(10, 50, Normal) }, nil, 110},
		{func() error { return f.Advise(0, 0, DontNeed) }, nil, 110},
		{func() error { return f.Advise(0, 0, NoReuse) }, nil, 110},
		{func() error { return f.Advise(0, 0, NoReuse+1) }, syscall.EINVAL, 110},
		{func() error { return f.Advise(1<<63, 0, Random) }, syscall.EINVAL, 110},
		{f.Sync, nil, 110},
		{f.Datasync, nil, 110},
	} {
		if err := c.do(); err != c.want {
			t.Errorf("got %v, want %v", err, c.want)
		}
		size(c.size)
	}
	old, err := f.Stat()
	if err != nil {
		t.Fatal(err)
	}
	if err := f.SetTimes(Times{Atime: 1, Mtime: old.Mtime - 1000, Set: MtimeGiven}); err != nil {
		t.Fatal(err)
	}
	st, err := f.Stat()
	if err != nil || st.Mtime != old.Mtime-1000 || st.Atime != old.Atime ||
		st.Type != RegularFile || st.Nlink != 1 {
		t.Errorf("got %+v, %v; want Mtime 1000 less than in %+v", st, err, old)
	}
	at, err := d.Stat("file", false)
	at.Atime = st.Atime // a system may take a look by path for an access
	if err != nil || at != st {
		t.Errorf("by path: got %+v, %v; want %+v", at, err, st)
	}
	if err := f.SetTimes(Times{Set: AtimeGiven | AtimeNow}); err != syscall.EINVAL {
		t.Errorf("set times: got %v, want %v", err, syscall.EINVAL)
	}
	if err := f.SetTimes(Times{Set: AtimeNow | MtimeNow}); err != nil {
		t.Error(err)
	}
	if st, _ := f.Stat(); st.Mtime < old.Mtime-1e9 {
		t.Errorf("got %+v, want a time after %+v", st, old)
	}
}

func TestRegularFileIsReady(t *testing.T) {
	d := openRoot(t, t.TempDir(), ReadWrite, false)
	f := openFile(t, d, "file", readWrite)
	const both = network.Readable | network.Writable
	if got, err := f.Poll(both); got != both || err != nil {
		t.Errorf("poll: got %v, %v; want %v", got, err, both)
	}
	if got, err := f.Poll(network.Writable); got != network.Writable || err != nil {
		t.Errorf("poll: got %v, %v; want %v", got, err, network.Writable)
	}
	if r := f.Readiness(); r.Control != nil || r.Notify != nil {
		t.Errorf("got %+v, want the zero Readiness for a regular file", r)
	}
}

// Reads and closes race with each other and with the reuse of the descriptor's number. No read may
// get the data of another file.
func TestCloseWhileReading(t *testing.T) {
	dir := t.TempDir()
	testutil.MakeTree(t, dir, "mine = mmmmmmmm", "other = oooooooo")
	d := openRoot(t, dir, ReadWrite, false)
	for range 300 {
		f, _, err := d.Open("mine", OpenOptions{Read: true})
		if err != nil {
			t.Fatal(err)
		}
		start := make(chan struct{})
		var all sync.WaitGroup
		for range 4 {
			all.Go(func() {
				<-start
				buf := make([]byte, 8)
				for {
					n, err := f.Preadv([][]byte{buf}, 0)
					if err == fs.ErrClosed {
						return
					}
					if n != 8 || err != nil || !bytes.Equal(buf, []byte("mmmmmmmm")) {
						t.Errorf("read: got %v, %v, %q; want \"mmmmmmmm\"", n, err, buf)
						return
					}
				}
			})
		}
		closed := make(chan error, 2)
		for range 2 {
			all.Go(func() {
				<-start
				closed <- f.Close()
				o, _, err := d.Open("other", OpenOptions{Read: true})
				if err != nil {
					t.Error(err)
					return
				}
				o.Close()
			})
		}
		close(start)
		all.Wait()
		if one, two := <-closed, <-closed; (one == nil) == (two == nil) {
			t.Fatalf("close: got %v and %v, want one error", one, two)
		}
	}
}

func TestCallsOnClosedFile(t *testing.T) {
	d := openRoot(t, t.TempDir(), ReadWrite, false)
	f := openFile(t, d, "file", readWrite)
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
	for name, err := range map[string]error{
		"read":      errOf(f.Readv(bufs("x"))),
		"write":     errOf(f.Writev(bufs("x"))),
		"pread":     errOf(f.Preadv(bufs("x"), 0)),
		"pwrite":    errOf(f.Pwritev(bufs("x"), 0)),
		"seek":      errOf(f.Seek(0, 0)),
		"stat":      errOf(f.Stat()),
		"size":      f.SetSize(0),
		"times":     f.SetTimes(Times{}),
		"sync":      f.Sync(),
		"datasync":  f.Datasync(),
		"allocate":  f.Allocate(0, 1),
		"advise":    f.Advise(0, 0, 0),
		"flags":     f.SetFlags(0),
		"poll":      errOf(f.Poll(network.Readable)),
		"available": errOf(f.Available()),
		"close":     f.Close(),
	} {
		if err != fs.ErrClosed {
			t.Errorf("%s: got %v, want %v", name, err, fs.ErrClosed)
		}
	}
}

func TestFileCallsDoNotAllocate(t *testing.T) {
	d := openRoot(t, t.TempDir(), ReadWrite, false)
	f := openFile(t, d, "file", readWrite)
	eight := make([][]byte, 8)
	for i := range eight {
		eight[i] = make([]byte, 16)
	}
	for name, op := range map[string]func(){
		"write":  func() { f.Writev(eight) },
		"pwrite": func() { f.Pwritev(eight, 0) },
		"read":   func() { f.Readv(eight) },
		"pread":  func() { f.Preadv(eight, 0) },
		"poll":   func() { f.Poll(network.Readable) },
		"seek":   func() { f.Seek(0, io.SeekStart) },
		"stat":   func() { f.Stat() },
		"ready":  func() { f.Readiness() },
	} {
		if n := testing.AllocsPerRun(100, op); n != 0 {
			t.Errorf("%s: got %v allocations, want none", name, n)
		}
	}
}
