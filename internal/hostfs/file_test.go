//go:build unix

package hostfs

import (
	"bytes"
	"io"
	"io/fs"
	"sync"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/wasport/wasport/network"
)

func openFile(t testing.TB, d *Dir, path string, o OpenOptions) *File {
	t.Helper()
	f, sub, err := d.Open(path, o)
	if err != nil {
		t.Fatal(err)
	}
	if sub != nil {
		t.Fatalf("%q is a directory", path)
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

func TestReadAndWrite(t *testing.T) {
	d := openRoot(t, t.TempDir(), ReadWrite, false)
	f := openFile(t, d, "file", readWrite)
	if n, err := f.Writev(bufs("0123", "", "456", "789")); n != 10 || err != nil {
		t.Fatal(n, err)
	}
	if n, err := f.Pwritev(bufs("ab", "c"), 3); n != 3 || err != nil {
		t.Fatal(n, err)
	}
	if pos, err := f.Seek(0, io.SeekCurrent); pos != 10 || err != nil {
		t.Fatal(pos, err)
	}
	one, two := make([]byte, 4), make([]byte, 20)
	if n, err := f.Preadv([][]byte{one, two}, 1); n != 9 || err != nil || string(one) != "12ab" ||
		string(two[:5]) != "c6789" {
		t.Fatal(n, err, string(one), string(two))
	}
	if n, err := f.Readv([][]byte{one}); n != 0 || err != nil {
		t.Fatal(n, err)
	}
	if pos, err := f.Seek(-2, io.SeekEnd); pos != 8 || err != nil {
		t.Fatal(pos, err)
	}
	if n, err := f.Available(); n != 2 || err != nil {
		t.Fatal(n, err)
	}
	if n, err := f.Readv([][]byte{nil, one[:1], two}); n != 2 || err != nil || one[0] != '8' ||
		two[0] != '9' {
		t.Fatal(n, err, one, two)
	}
	if pos, err := f.Seek(1000, io.SeekCurrent); pos != 1010 || err != nil {
		t.Fatal(pos, err)
	}
	if n, err := f.Available(); n != 0 || err != nil {
		t.Fatal(n, err)
	}
	for _, c := range []struct {
		offset int64
		whence int
	}{{-2000, io.SeekCurrent}, {-1, io.SeekStart}, {0, 3}, {0, 4}, {0, -1}, {1<<63 - 1,
		io.SeekCurrent}} {
		if _, err := f.Seek(c.offset, c.whence); err != unix.EINVAL && err != unix.EOVERFLOW {
			t.Error(c, err)
		}
	}
	if _, err := f.Preadv(bufs("x"), 1<<63); err != unix.EINVAL {
		t.Error(err)
	}
	if _, err := f.Pwritev(bufs("x"), 1<<64-1); err != unix.EINVAL {
		t.Error(err)
	}
	// More buffers than the host takes at once are used as far as they are.
	many := make([][]byte, 5000)
	for i := range many {
		many[i] = []byte{1}
	}
	if n, err := f.Writev(many); n < 1000 || n > 5000 || err != nil {
		t.Error(n, err)
	}
	if n, err := f.Readv(nil); n != 0 || err != nil {
		t.Error(n, err)
	}
}

func TestAccessModes(t *testing.T) {
	d := openRoot(t, t.TempDir(), ReadWrite, false)
	w := openFile(t, d, "file", OpenOptions{Write: true, Create: true})
	if _, err := w.Readv(bufs("x")); err != unix.EBADF {
		t.Error(err)
	}
	if _, err := w.Preadv(bufs("x"), 0); err != unix.EBADF {
		t.Error(err)
	}
	for _, o := range []OpenOptions{{Read: true}, {}} {
		r := openFile(t, d, "file", o)
		if _, err := r.Writev(bufs("x")); err != unix.EBADF {
			t.Error(err)
		}
		if _, err := r.Pwritev(bufs("x"), 0); err != unix.EBADF {
			t.Error(err)
		}
		if err := r.SetSize(3); err != unix.EINVAL && err != unix.EBADF {
			t.Error(err)
		}
		if n, err := r.Readv([][]byte{make([]byte, 1)}); n != 0 || err != nil {
			t.Error(n, err)
		}
	}
	// What one writes, another reads at once; and a file can be truncated without the intention to
	// write.
	r := openFile(t, d, "file", OpenOptions{Read: true})
	if n, err := w.Writev(bufs("abc")); n != 3 || err != nil {
		t.Error(n, err)
	}
	got := make([]byte, 5)
	if n, err := r.Readv([][]byte{got}); n != 3 || err != nil {
		t.Error(n, err)
	}
	if err := openAndClose(d, "file", OpenOptions{Truncate: true}); err != nil {
		t.Error(err)
	}
	if st, err := r.Stat(); st.Size != 0 || err != nil {
		t.Errorf("%+v %v", st, err)
	}
}

func TestFlags(t *testing.T) {
	d := openRoot(t, t.TempDir(), ReadWrite, false)
	o := readWrite
	o.Flags = Append | Sync
	f := openFile(t, d, "file", o)
	if f.Flags() != Append|Sync {
		t.Error(f.Flags())
	}
	write := func(s string, wantSize uint64) {
		t.Helper()
		if _, err := f.Seek(0, io.SeekStart); err != nil {
			t.Error(err)
		}
		if n, err := f.Writev(bufs(s)); n != len(s) || err != nil {
			t.Error(n, err)
		}
		if st, err := f.Stat(); st.Size != wantSize || err != nil {
			t.Errorf("%+v %v", st, err)
		}
	}
	write("one", 3)
	write("two", 6)
	if pos, err := f.Seek(0, io.SeekCurrent); pos != 6 || err != nil {
		t.Error(pos, err)
	}
	for _, flags := range []Flags{0, Nonblock, Dsync, Sync | Rsync} {
		if err := f.SetFlags(flags); err != nil || f.Flags() != flags {
			t.Error(err, f.Flags())
		}
		write("xyz", 6)
	}
	if err := f.SetFlags(Append); err != nil {
		t.Error(err)
	}
	write("end", 9)
	if err := f.SetFlags(1 << 5); err != unix.EINVAL || f.Flags() != Append {
		t.Error(err, f.Flags())
	}
	got := make([]byte, 20)
	if n, err := f.Preadv([][]byte{got}, 0); string(got[:n]) != "xyztwoend" || err != nil {
		t.Errorf("%q %v", got[:n], err)
	}
	for _, flags := range []Flags{Dsync, Rsync, Dsync | Rsync, Nonblock | Append} {
		o.Flags = flags
		if f := openFile(t, d, "file", o); f.Flags() != flags {
			t.Error(f.Flags(), flags)
		}
	}
}

func TestSizeAndTimes(t *testing.T) {
	d := openRoot(t, t.TempDir(), ReadWrite, false)
	f := openFile(t, d, "file", readWrite)
	size := func(want uint64) {
		t.Helper()
		if st, err := f.Stat(); st.Size != want || err != nil {
			t.Errorf("%+v %v, want size %d", st, err, want)
		}
	}
	for _, c := range []struct {
		do   func() error
		want error
		size uint64
	}{
		{func() error { return f.SetSize(100) }, nil, 100},
		{func() error { return f.SetSize(10) }, nil, 10},
		{func() error { return f.SetSize(1 << 63) }, unix.EFBIG, 10},
		{func() error { return f.Allocate(0, 100) }, nil, 100},
		{func() error { return f.Allocate(10, 10) }, nil, 100},
		{func() error { return f.Allocate(90, 20) }, nil, 110},
		{func() error { return f.Allocate(0, 0) }, unix.EINVAL, 110},
		{func() error { return f.Allocate(1<<63, 1) }, unix.EFBIG, 110},
		{func() error { return f.Allocate(1, 1<<63-1) }, unix.EFBIG, 110},
		{func() error { return f.Allocate(1<<64-1, 1<<64-1) }, unix.EFBIG, 110},
		{func() error { return f.Advise(10, 50, Normal) }, nil, 110},
		{func() error { return f.Advise(0, 0, DontNeed) }, nil, 110},
		{func() error { return f.Advise(0, 0, NoReuse) }, nil, 110},
		{func() error { return f.Advise(0, 0, NoReuse+1) }, unix.EINVAL, 110},
		{func() error { return f.Advise(1<<63, 0, Random) }, unix.EINVAL, 110},
		{f.Sync, nil, 110},
		{f.Datasync, nil, 110},
	} {
		if err := c.do(); err != c.want {
			t.Errorf("%v, want %v", err, c.want)
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
		t.Errorf("%+v %v, was %+v", st, err, old)
	}
	if at, err := d.Stat("file", false); err != nil || at != st {
		t.Errorf("%+v %v, open %+v", at, err, st)
	}
	if err := f.SetTimes(Times{Set: AtimeGiven | AtimeNow}); err != unix.EINVAL {
		t.Error(err)
	}
	if err := f.SetTimes(Times{Set: AtimeNow | MtimeNow}); err != nil {
		t.Error(err)
	}
	if st, _ := f.Stat(); st.Mtime < old.Mtime-1e9 {
		t.Errorf("%+v, was %+v", st, old)
	}
}

func TestRegularFileIsReady(t *testing.T) {
	d := openRoot(t, t.TempDir(), ReadWrite, false)
	f := openFile(t, d, "file", readWrite)
	const both = network.Readable | network.Writable
	if got, err := f.Poll(both); got != both || err != nil {
		t.Error(got, err)
	}
	if got, err := f.Poll(network.Writable); got != network.Writable || err != nil {
		t.Error(got, err)
	}
	if r := f.Readiness(); r.Control != nil || r.Notify != nil {
		t.Error("a regular file need not be waited for")
	}
}

func TestFIFO(t *testing.T) {
	dir := t.TempDir()
	if err := unix.Mkfifo(dir+"/fifo", 0o666); err != nil {
		t.Fatal(err)
	}
	eachResolver(t, func(t *testing.T, walk bool) {
		d := openRoot(t, dir, ReadWrite, walk)
		if _, _, err := d.Open("fifo", OpenOptions{Write: true}); err != unix.ENXIO {
			t.Error(err)
		}
		r := openFile(t, d, "fifo", OpenOptions{Read: true})
		w := openFile(t, d, "fifo", OpenOptions{Write: true})
		checkPipe(t, r, w)
	})
}

// checkPipe tests both ends of an empty pipe, and closes them.
func checkPipe(t *testing.T, r, w *File) {
	t.Helper()
	buf := make([]byte, 1<<16)
	if r.Type() != Pipe {
		t.Error(r.Type())
	}
	if st, err := w.Stat(); st.Type != Pipe || err != nil {
		t.Errorf("%+v %v", st, err)
	}
	if n, err := r.Readv([][]byte{buf}); n > 0 || err != unix.EAGAIN {
		t.Error(n, err)
	}
	if got, err := r.Poll(network.Readable); got != 0 || err != nil {
		t.Error(got, err)
	}
	if got, err := w.Poll(network.Writable); got != network.Writable || err != nil {
		t.Error(got, err)
	}
	if n, err := w.Writev(bufs("", "hello")); n != 5 || err != nil {
		t.Error(n, err)
	}
	if got, err := r.Poll(network.Readable | network.Writable); got != network.Readable ||
		err != nil {
		t.Error(got, err)
	}
	if n, err := r.Available(); n != 5 || err != nil {
		t.Error(n, err)
	}
	if n, err := r.Readv([][]byte{nil, buf}); n != 5 || err != nil || string(buf[:5]) != "hello" {
		t.Error(n, err)
	}
	if _, err := r.Seek(0, io.SeekCurrent); err != unix.ESPIPE {
		t.Error(err)
	}
	if _, err := r.Preadv([][]byte{buf}, 0); err != unix.ESPIPE {
		t.Error(err)
	}
	if err := r.Advise(0, 0, Normal); err != unix.ESPIPE {
		t.Error(err)
	}
	ready := r.Readiness()
	if ready.Control == nil || ready.Control(func(uintptr) {}) != nil {
		t.Error("a pipe is waited for by its descriptor")
	}

	// Fill it up; then it is EAGAIN, and everything comes out in order.
	var written, read int
	data := make([]byte, 10000)
	for {
		for i := range data {
			data[i] = byte((written + i) * 7 >> 3)
		}
		n, err := w.Writev([][]byte{data[:1], data[1:5000], data[5000:]})
		if err == unix.EAGAIN {
			break
		}
		if n <= 0 || err != nil || written > 1<<24 {
			t.Fatal(n, err)
		}
		written += n
	}
	if got, err := w.Poll(network.Writable); got != 0 || err != nil {
		t.Error(got, err)
	}
	for read < written {
		n, err := r.Readv([][]byte{buf[:777], buf[777:]})
		if n <= 0 || err != nil {
			t.Fatal(n, err)
		}
		for i := range n {
			if buf[i] != byte((read+i)*7>>3) {
				t.Fatal("garbled at", read+i)
			}
		}
		read += n
	}
	if n, err := r.Readv([][]byte{buf}); n > 0 || err != unix.EAGAIN {
		t.Error(n, err)
	}

	if err := w.Close(); err != nil {
		t.Error(err)
	}
	if got, err := r.Poll(network.Readable); got != network.Readable|network.Hangup || err != nil {
		t.Error(got, err)
	}
	if n, err := r.Readv([][]byte{buf}); n != 0 || err != nil {
		t.Error(n, err)
	}
	if err := r.Close(); err != nil {
		t.Error(err)
	}
	if ready.Control(func(uintptr) { t.Error("called") }) != fs.ErrClosed {
		t.Error("closed")
	}
}

// Reads and closes race with each other and with the reuse of the descriptor's number: nobody may
// read what is another file's.
func TestCloseWhileReading(t *testing.T) {
	dir := t.TempDir()
	makeTree(t, dir, "mine = mmmmmmmm", "other = oooooooo")
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
						t.Error(n, err, string(buf))
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
			t.Fatal(one, two)
		}
	}
}

func TestClosedFile(t *testing.T) {
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
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestNoAllocation(t *testing.T) {
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
			t.Errorf("%s allocates %v times", name, n)
		}
	}
}
