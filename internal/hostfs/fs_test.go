package hostfs

import (
	"archive/zip"
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"testing/fstest"
	"time"

	"github.com/wasport/wasport/internal/needs"
	"github.com/wasport/wasport/internal/testutil"
	"github.com/wasport/wasport/network"
)

func openFS(t testing.TB, fsys fs.FS) Dir {
	t.Helper()
	d, err := OpenFS(fsys)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { d.Close() })
	return d
}

// TestPathsOfFS has the rows for directories of the host. A directory of an fs.FS answers each like
// a read-only directory of the host.
func TestPathsOfFS(t *testing.T) {
	eachPathOperation(t, func(t *testing.T, c pathOperation) {
		dir := makePaths(t)
		want := c.do(openRoot(t, dir, ReadOnly, false))
		if err := c.do(openFS(t, os.DirFS(dir))); err != want {
			t.Errorf("got %v, want %v", err, want)
		}
	})
}

// TestEscapingPathsOfFS opens an os.DirFS, which itself follows symbolic links out of its
// directory.
func TestEscapingPathsOfFS(t *testing.T) { needs.Links(t, checkEscapingOfFS) }

func checkEscapingOfFS(t *testing.T) {
	_, in := testutil.MakeEscapes(t)
	d := openFS(t, os.DirFS(in))
	for _, p := range testutil.EscapingPaths {
		for name, err := range map[string]error{
			"open":     tryOpen(d, p, OpenOptions{Follow: true}),
			"stat":     errOf(d.Stat(p, true)),
			"readlink": errOf(d.Readlink(p+"/x", make([]byte, 8))),
		} {
			if err != ErrEscapes {
				t.Errorf("%s %q: got %v, want %v", name, p, err, ErrEscapes)
			}
		}
	}
	for _, p := range slices.Concat(testutil.BeneathRoot, testutil.BeneathRootByLinks) {
		if got, err := readFile(d, p); got != "inside" {
			t.Errorf("%q: got %q, %v, want \"inside\"", p, got, err)
		}
	}
	_, sub, err := d.Open("dir/sub", OpenOptions{Directory: true})
	if err != nil {
		t.Fatal(err)
	}
	defer sub.Close()
	if err := tryOpen(sub, "../../file", OpenOptions{}); err != ErrEscapes {
		t.Errorf("from a directory in it: got %v, want %v", err, ErrEscapes)
	}
}

// testFiles is a tree without symbolic links. Its methods Open alone are those of an fs.FS.
var testFiles = fstest.MapFS{
	"dir/file": {Data: []byte("0123456789"), ModTime: time.Unix(5, 6), Mode: 0o400},
	"dir/none": {},
}

// onlyOpen hides all methods of an fs.FS but Open.
type onlyOpen struct{ fs.FS }

func TestFileOfFS(t *testing.T) {
	for name, fsys := range map[string]fs.FS{"map": testFiles, "only Open": onlyOpen{testFiles},
		"only Read and Seek": seekingFS{testFiles}} {
		t.Run(name, func(t *testing.T) {
			d := openFS(t, fsys)
			f := openFile(t, d, "dir/file", OpenOptions{Read: true, Flags: Append})
			one, two := make([]byte, 4), make([]byte, 20)
			if n, err := f.Readv([][]byte{nil, one, two[:2]}); n != 6 || err != nil ||
				string(one)+string(two[:2]) != "012345" {
				t.Errorf("read: got %d, %v, %q, %q, want 6 bytes", n, err, one, two[:2])
			}
			if n, err := f.Available(); n != 4 || err != nil {
				t.Errorf("available: got %d, %v, want 4", n, err)
			}
			if n, err := f.Preadv([][]byte{one, two}, 1); n != 9 || err != nil ||
				string(one)+string(two[:5]) != "123456789" {
				t.Errorf("read at an offset: got %d, %v, %q, %q, want 9 bytes", n, err, one, two)
			}
			if n, err := f.Readv([][]byte{two}); n != 4 || err != nil || string(two[:4]) != "6789" {
				t.Errorf("read: got %d, %v, %q, want the last 4 bytes", n, err, two[:4])
			}
			if n, err := f.Readv([][]byte{two}); n != 0 || err != nil {
				t.Errorf("read at the end: got %d, %v, want 0", n, err)
			}
			for _, c := range []struct {
				offset int64
				whence int
				want   int64
				err    error
			}{
				{-3, io.SeekEnd, 7, nil}, {2, io.SeekCurrent, 9, nil},
				{100, io.SeekStart, 100, nil},
				{-101, io.SeekCurrent, 0, syscall.EINVAL}, {-1, io.SeekStart, 0, syscall.EINVAL},
				{1<<63 - 1, io.SeekCurrent, 0, syscall.EOVERFLOW}, {0, 3, 0, syscall.EINVAL},
				{0, -1, 0, syscall.EINVAL}, {1<<63 - 1, io.SeekStart, 1<<63 - 1, nil},
				{8, io.SeekStart, 8, nil},
			} {
				if at, err := f.Seek(c.offset, c.whence); at != c.want || err != c.err {
					t.Errorf("seek %d %d: got %d, %v, want %d, %v", c.offset, c.whence, at, err,
						c.want, c.err)
				}
			}
			if n, err := f.Preadv([][]byte{one}, 1<<63-1); n != 0 || err != nil {
				t.Errorf("read at the last offset: got %d, %v, want 0", n, err)
			}
			if n, err := f.Readv([][]byte{two}); n != 2 || err != nil || string(two[:2]) != "89" {
				t.Errorf("read after a seek: got %d, %v, %q, want 2 bytes", n, err, two[:2])
			}
			st, err := f.Stat()
			byPath, err2 := d.Stat("dir/file", false)
			want := Stat{Dev: st.Dev, Ino: st.Ino, Type: RegularFile, Nlink: 1, Size: 10, Disk: 10,
				Atime: 5e9 + 6, Mtime: 5e9 + 6, Ctime: 5e9 + 6}
			if st != want || byPath != want || st.Ino == 0 || err != nil || err2 != nil {
				t.Errorf("stat: got %+v, %v and %+v, %v, want %+v", st, err, byPath, err2, want)
			}
			other, err := d.Stat("dir/none", false)
			if err != nil || other.Ino == st.Ino || other.Dev != st.Dev || other.Mtime != 0 {
				t.Errorf("stat of another file: got %+v, %v, want another inode", other, err)
			}
			if got, err := f.Poll(network.Readable | network.Writable); got != network.Readable|
				network.Writable || err != nil {
				t.Errorf("poll: got %v, %v, want ready", got, err)
			}
			if f.Flags() != Append || f.SetFlags(Sync) != nil || f.Flags() != Sync ||
				f.SetFlags(1<<9) != syscall.EINVAL || f.Type() != RegularFile || f.Terminal() {
				t.Errorf("got flags %v and type %v, want %v and a regular file", f.Flags(),
					f.Type(),
					Sync)
			}
		})
	}
}

// TestChangesOfFileOfFS compares the errors of changes with those of a read-only directory.
func TestChangesOfFileOfFS(t *testing.T) {
	dir := t.TempDir()
	testutil.MakeTree(t, dir, "file = hello")
	host := openFile(t, openRoot(t, dir, ReadOnly, false), "file", OpenOptions{Read: true})
	f := openFile(t, openFS(t, os.DirFS(dir)), "file", OpenOptions{Read: true})
	b := [][]byte{[]byte("x")}
	calls := map[string]func(f File) error{
		"write":          func(f File) error { return errOf(f.Writev(b)) },
		"pwrite":         func(f File) error { return errOf(f.Pwritev(b, 0)) },
		"append":         func(f File) error { return errOf(f.Appendv(b)) },
		"truncate":       func(f File) error { return f.SetSize(0) },
		"allocate":       func(f File) error { return f.Allocate(0, 10) },
		"allocate none":  func(f File) error { return f.Allocate(0, 0) },
		"set times":      func(f File) error { return f.SetTimes(Times{Set: MtimeNow}) },
		"set no times":   func(f File) error { return f.SetTimes(Times{Set: 16}) },
		"sync":           func(f File) error { return f.Sync() },
		"datasync":       func(f File) error { return f.Datasync() },
		"advise":         func(f File) error { return f.Advise(0, 0, WillNeed) },
		"advise wrongly": func(f File) error { return f.Advise(0, 0, 9) },
		"read too far":   func(f File) error { return errOf(f.Preadv(b, 1<<63)) },
	}
	for name, call := range calls {
		if got, want := call(f), call(host); got != want {
			t.Errorf("%s: got %v, want %v", name, got, want)
		}
	}
	f.Close()
	host.Close()
	for name, call := range calls {
		if strings.Contains(name, "sync") || strings.Contains(name, "advise") {
			continue // they do nothing
		}
		if got := call(f); !errors.Is(got, call(host)) {
			t.Errorf("%s after close: got %v, want %v", name, got, call(host))
		}
	}
}

// TestZip reads from a zip.Reader, the files of which have neither ReadAt nor Seek.
func TestZip(t *testing.T) {
	var archive bytes.Buffer
	w := zip.NewWriter(&archive)
	content := strings.Repeat("hello, zip. ", 20_000)
	f, err := w.Create("dir/file")
	if err == nil {
		_, err = io.WriteString(f, content)
	}
	if err == nil {
		err = w.Close()
	}
	if err != nil {
		t.Fatal(err)
	}
	r, err := zip.NewReader(bytes.NewReader(archive.Bytes()), int64(archive.Len()))
	if err != nil {
		t.Fatal(err)
	}
	d := openFS(t, r)
	if got := names(list(t, d, 0, 10)); !slices.Equal(got, []string{".", "..", "dir"}) {
		t.Errorf("got entries %q, want dir", got)
	}
	file := openFile(t, d, "dir/file", OpenOptions{Read: true})
	if at, err := file.Seek(0, io.SeekCurrent); at != 0 || err != nil {
		t.Errorf("position: got %d, %v, want 0", at, err)
	}
	var got []byte
	for b := make([]byte, 100_000); ; {
		n, err := file.Readv([][]byte{b})
		if err != nil {
			t.Fatal(err)
		}
		if n == 0 {
			break
		}
		got = append(got, b[:n]...)
	}
	if string(got) != content {
		t.Errorf("got %d bytes, want the %d of the file", len(got), len(content))
	}
	if _, err := file.Seek(0, io.SeekStart); err != syscall.ESPIPE {
		t.Errorf("seek: got %v, want %v", err, syscall.ESPIPE)
	}
	if _, err := file.Preadv(bufs("x"), 0); err != syscall.ESPIPE {
		t.Errorf("read at an offset: got %v, want %v", err, syscall.ESPIPE)
	}
}

// seekingFS has files with Read and Seek, and without ReadAt.
type seekingFS struct{ fs.FS }

func (s seekingFS) Open(name string) (fs.File, error) {
	f, err := s.FS.Open(name)
	if _, isDir := f.(fs.ReadDirFile); isDir || err != nil {
		return f, err
	}
	return struct {
		fs.File
		io.Seeker
	}{f, f.(io.Seeker)}, nil
}

// hugeFS has one directory with many entries, which it makes when it is asked.
type hugeFS struct {
	fstest.MapFS
	entries int
	// most is the largest number of entries that were asked for at once.
	most *int
}

type hugeDir struct {
	fs.File
	fsys hugeFS
	next *int
}

func (h hugeFS) Open(name string) (fs.File, error) {
	f, err := h.MapFS.Open(name)
	if name == "." {
		return hugeDir{f, h, new(int)}, err
	}
	return f, err
}

func (d hugeDir) ReadDir(n int) (list []fs.DirEntry, err error) {
	*d.fsys.most = max(*d.fsys.most, n)
	if n <= 0 {
		return nil, errors.New("all at once")
	}
	for ; len(list) < n && *d.next < d.fsys.entries; *d.next++ {
		info, _ := fs.Stat(fstest.MapFS{fmt.Sprint(*d.next): {}}, fmt.Sprint(*d.next))
		list = append(list, fs.FileInfoToDirEntry(info))
	}
	if len(list) == 0 {
		err = io.EOF
	}
	return list, err
}

// TestHugeDirectoryOfFS lists 20,000 entries in pieces, of which few are in memory at a time.
func TestHugeDirectoryOfFS(t *testing.T) {
	h := hugeFS{MapFS: fstest.MapFS{}, entries: 20_000, most: new(int)}
	d := openFS(t, h)
	var got int
	var cookie uint64
	for {
		some := list(t, d, cookie, 777)
		if len(some) == 0 {
			break
		}
		for i, e := range some {
			if n := got + i - dotEntries; n >= 0 && e.name != fmt.Sprint(n) {
				t.Fatalf("entry %d: got %q", n, e.name)
			}
		}
		got, cookie = got+len(some), some[len(some)-1].next
	}
	if want := h.entries + dotEntries; got != want || *h.most > 1000 {
		t.Errorf("got %d entries, %d at once, want %d, few at once", got, *h.most, want)
	}
	if again := list(t, d, 10_000, 1); len(again) != 1 || again[0].name != "9998" {
		t.Errorf("from a cookie in the middle: got %v, want 9998", again)
	}
}

func TestReadDirOfFS(t *testing.T) { needs.Links(t, checkReadDirOfFS) }

func checkReadDirOfFS(t *testing.T) {
	dir := t.TempDir()
	testutil.MakeTree(t, dir, "file", "sub/", "link -> none", "sub/x", "sub/y")
	for name, fsys := range map[string]fs.FS{"os": os.DirFS(dir), "unlistable files": unlistable{
		os.DirFS(dir).(fs.ReadDirFS)}} {
		t.Run(name, func(t *testing.T) {
			d := openFS(t, fsys)
			all := list(t, d, 0, 10)
			want := map[string]FileType{".": Directory, "..": Directory, "file": RegularFile,
				"sub": Directory, "link": Symlink}
			if len(all) != len(want) {
				t.Errorf("got %v, want %d entries", all, len(want))
			}
			for i, e := range all {
				if st, err := d.Stat(path.Join(".", e.name), false); e.name != ".." &&
					(e.typ != want[e.name] || e.ino != st.Ino || err != nil) {
					t.Errorf("got %+v, %+v, %v, want type %d and one inode", e, st, err,
						want[e.name])
				}
				for range 2 {
					if rest := list(t, d, e.next, 10); !slices.Equal(rest, all[i+1:]) {
						t.Errorf("after %q: got %v, want %v", e.name, rest, all[i+1:])
					}
				}
			}
			for _, cookie := range []uint64{100, 1 << 63, 1<<64 - 1} {
				err := d.ReadDir(cookie, func(Entry) bool { return true })
				if err != syscall.EINVAL {
					t.Errorf("cookie %#x: got %v, want %v", cookie, err, syscall.EINVAL)
				}
			}
			testutil.MakeTree(t, dir, "new")
			if got := names(list(t, d, 0, 10)); !slices.Contains(got, "new") {
				t.Errorf("a new listing: got %q, want new among them", got)
			}
			os.Remove(dir + "/new")
		})
	}
}

// unlistable has directories that only ReadDir of the fs.FS lists.
type unlistable struct{ fs.ReadDirFS }

func (u unlistable) Open(name string) (fs.File, error) {
	f, err := u.ReadDirFS.Open(name)
	return struct{ fs.File }{f}, err
}

func (u unlistable) Lstat(name string) (fs.FileInfo, error) { return fs.Lstat(u.ReadDirFS, name) }
func (u unlistable) ReadLink(name string) (string,
	error) {
	return fs.ReadLink(u.ReadDirFS, name)
}

// brokenFS has one file and one directory with results of its own.
type brokenFS struct {
	fstest.MapFS
	err     error
	read    func([]byte) (int, error)
	entries []fs.DirEntry
	nilInfo bool
}

type brokenFile struct {
	fs.File
	fsys brokenFS
}

func (b brokenFS) Open(name string) (fs.File, error) {
	if b.err != nil && name != "." {
		return nil, b.err
	}
	f, err := b.MapFS.Open(name)
	return brokenFile{f, b}, err
}

func (b brokenFS) Lstat(name string) (fs.FileInfo, error) {
	if b.nilInfo && name != "." {
		return nil, nil
	}
	return b.MapFS.Lstat(name)
}

func (b brokenFile) Read(p []byte) (int, error)              { return b.fsys.read(p) }
func (b brokenFile) ReadDir(int) ([]fs.DirEntry, error)      { return b.fsys.entries, io.EOF }
func (b brokenFile) Seek(offset int64, _ int) (int64, error) { return offset + 1, nil }

// TestErrorsOfFS maps errors to errnos, none of which makes a guest wait.
func TestErrorsOfFS(t *testing.T) {
	for _, c := range []struct {
		err  error
		want syscall.Errno
	}{
		{fs.ErrNotExist, syscall.ENOENT}, {&fs.PathError{Err: syscall.ENOENT}, syscall.ENOENT},
		{fs.ErrPermission, syscall.EACCES}, {syscall.EPERM, syscall.EACCES},
		{fs.ErrInvalid, syscall.EINVAL},
		{syscall.ELOOP, syscall.ELOOP}, {syscall.EMFILE, syscall.EMFILE},
		{syscall.EAGAIN, syscall.EIO},
		{syscall.EINTR, syscall.EIO}, {syscall.Errno(0), syscall.EIO},
		{errors.New("boom"), syscall.EIO},
		{fs.ErrClosed, syscall.EIO}, {io.EOF, syscall.EIO}, {os.ErrDeadlineExceeded, syscall.EIO},
	} {
		t.Run(c.err.Error(), func(t *testing.T) {
			files := fstest.MapFS{"file": {Data: []byte("hello")}}
			d := openFS(t, brokenFS{MapFS: files, err: c.err})
			if err := tryOpen(d, "file", OpenOptions{}); err != c.want {
				t.Errorf("open: got %v, want %v", err, c.want)
			}
			d = openFS(t, brokenFS{MapFS: files,
				read: func([]byte) (int, error) { return 0, c.err }})
			want := error(c.want)
			if c.err == io.EOF {
				want = nil
			}
			if _, err := openFile(t, d, "file", OpenOptions{}).Readv(bufs("x")); err != want {
				t.Errorf("read: got %v, want %v", err, want)
			}
		})
	}
}

func TestBrokenFS(t *testing.T) {
	files := fstest.MapFS{"file": {Data: []byte("hello")}, "x": {}}
	d := openFS(t, brokenFS{MapFS: files, nilInfo: true})
	if err := tryOpen(d, "file", OpenOptions{}); err != syscall.EIO {
		t.Errorf("no properties: got %v, want %v", err, syscall.EIO)
	}
	d = openFS(t, brokenFS{MapFS: files})
	f := openFile(t, d, "file", OpenOptions{})
	if _, err := f.Preadv(bufs("x"), 2); err != syscall.EIO {
		t.Errorf("a seek to elsewhere: got %v, want %v", err, syscall.EIO)
	}
	d = openFS(t, brokenFS{MapFS: files, read: func([]byte) (int, error) { return 0, nil }})
	if _, err := openFile(t, d, "file", OpenOptions{}).Readv(bufs("x")); err != syscall.EIO {
		t.Errorf("a reader that makes no progress: got %v, want %v", err, syscall.EIO)
	}
	info, err := fs.Stat(files, "x")
	if err != nil {
		t.Fatal(err)
	}
	var entries []fs.DirEntry
	for _, name := range []string{"good", "", ".", "..", "a/b", "../x", "\xff", "a\x00b",
		strings.Repeat("x", 256), "fine"} {
		entries = append(entries, namedEntry{fs.FileInfoToDirEntry(info), name})
	}
	d = openFS(t, brokenFS{MapFS: files, entries: entries})
	if got := names(list(t, d, 0, 20)); !slices.Equal(got, []string{".", "..", "fine", "good"}) {
		t.Errorf("got entries %q, want those that can be opened", got)
	}
	if _, err := OpenFS(fstest.MapFS{".": {Mode: 0o600}}); err != syscall.ENOTDIR {
		t.Errorf("a root that is a file: got %v, want %v", err, syscall.ENOTDIR)
	}
	special := fstest.MapFS{"pipe": {Mode: fs.ModeNamedPipe}, "disk": {Mode: fs.ModeDevice},
		"tty": {Mode: fs.ModeDevice | fs.ModeCharDevice}, "socket": {Mode: fs.ModeSocket}}
	for name := range special {
		if err := tryOpen(openFS(t, special), name, OpenOptions{}); err != syscall.ENXIO {
			t.Errorf("%s: got %v, want %v", name, err, syscall.ENXIO)
		}
	}
}

type namedEntry struct {
	fs.DirEntry
	name string
}

func (n namedEntry) Name() string { return n.name }

// TestCloseDuringReadOfFS closes a file while it is read. Close does not wait for the read, and the
// read closes the file of the fs.FS.
func TestCloseDuringReadOfFS(t *testing.T) {
	entered, release, closed := make(chan struct{}), make(chan struct{}), make(chan struct{})
	files := fstest.MapFS{"file": {Data: []byte("hello")}}
	d := openFS(t, closingFS{brokenFS{MapFS: files, read: func(b []byte) (int, error) {
		close(entered)
		<-release
		return len(b), nil
	}}, closed})
	f := openFile(t, d, "file", OpenOptions{})
	var wg sync.WaitGroup
	wg.Go(func() {
		if n, err := f.Readv(bufs("x")); n != 1 || err != nil {
			t.Errorf("got %d, %v, want 1", n, err)
		}
	})
	<-entered
	if err := f.Close(); err != nil {
		t.Error(err)
	}
	if _, err := f.Readv(bufs("x")); err != fs.ErrClosed {
		t.Errorf("read after close: got %v, want %v", err, fs.ErrClosed)
	}
	select {
	case <-closed:
		t.Error("got the file closed during a read")
	default:
	}
	close(release)
	wg.Wait()
	<-closed
}

// closingFS closes a channel when its file is closed.
type closingFS struct {
	brokenFS
	closed chan struct{}
}

func (c closingFS) Open(name string) (fs.File, error) {
	f, err := c.brokenFS.Open(name)
	return closingFile{f.(brokenFile), c.closed}, err
}

type closingFile struct {
	brokenFile
	closed chan struct{}
}

func (c closingFile) Close() error {
	close(c.closed)
	return nil
}
