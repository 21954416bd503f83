package hostfs

import (
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/wasport/wasport/internal/needs"
	"github.com/wasport/wasport/internal/testutil"
)

// pathOperation is a row of pathOperations: an operation and its error.
type pathOperation struct {
	name string
	do   func(d Dir) error
	want error
}

// pathOperations has a row for each kind of name, trailing slash and symbolic link, with the errno
// of POSIX and of the test suite of WASI. They are for the tree of makePaths.
func pathOperations() []pathOperation {
	const ok = syscall.Errno(0)
	open := func(path string, o OpenOptions) func(d Dir) error {
		return func(d Dir) error { return tryOpen(d, path, o) }
	}
	rename := func(from, to string) func(d Dir) error {
		return func(d Dir) error { return Rename(d, from, d, to) }
	}
	link := func(from string, follow bool, to string) func(d Dir) error {
		return func(d Dir) error { return Link(d, from, follow, d, to) }
	}
	symlink := func(path string) func(d Dir) error {
		return func(d Dir) error { return d.Symlink("source", path) }
	}
	stat := func(path string, follow bool) func(d Dir) error {
		return func(d Dir) error { return errOf(d.Stat(path, follow)) }
	}
	times := func(path string, follow bool) func(d Dir) error {
		return func(d Dir) error { return d.SetTimes(path, follow, Times{Set: MtimeNow}) }
	}
	mkdir := func(path string) func(d Dir) error {
		return func(d Dir) error { return d.Mkdir(path) }
	}
	rmdir := func(path string) func(d Dir) error {
		return func(d Dir) error { return d.Rmdir(path) }
	}
	unlink := func(path string) func(d Dir) error {
		return func(d Dir) error { return d.Unlink(path) }
	}
	readlink := func(path string) func(d Dir) error {
		return func(d Dir) error { return errOf(d.Readlink(path, make([]byte, 10))) }
	}
	create := OpenOptions{Create: true}
	follow := OpenOptions{Follow: true}
	directory := OpenOptions{Directory: true}
	return []pathOperation{
		{"open a file", open("file", OpenOptions{}), ok},
		{"open a file/", open("file/", OpenOptions{}), syscall.ENOTDIR},
		{"open a file///", open("file///", OpenOptions{}), syscall.ENOTDIR},
		{"open a file beneath a file", open("file/x", OpenOptions{}), syscall.ENOTDIR},
		{"open .. of a file", open("file/../file", OpenOptions{}), syscall.ENOTDIR},
		{"open a directory", open("dir", OpenOptions{}), ok},
		{"open a directory/", open("dir/", OpenOptions{}), ok},
		{"open a directory///", open("dir///", OpenOptions{}), ok},
		{"open a directory for writing", open("dir", OpenOptions{Write: true}), syscall.EISDIR},
		{"open a directory for reading and writing",
			open(".", OpenOptions{Read: true, Write: true, Directory: true}), syscall.EISDIR},
		{"open a directory to truncate it",
			open("dir", OpenOptions{Truncate: true}), syscall.EISDIR},
		{"open the directory itself", open(".", OpenOptions{Read: true, Flags: Nonblock}), ok},
		{"open the directory itself as such", open(".", directory), ok},
		{"open the directory itself/", open("./", directory), ok},
		{"open with dots", open("dir/.//full/../../dir/full/../full///./file", OpenOptions{}), ok},
		{"open a file as a directory", open("file", directory), syscall.ENOTDIR},
		{"open a link to a file as a directory",
			open("tofile", OpenOptions{Directory: true, Follow: true}), syscall.ENOTDIR},
		{"open a link to a directory as such",
			open("todir", OpenOptions{Directory: true, Follow: true}), ok},
		{"open a link to a directory as such, nofollow", open("todir", directory), syscall.ENOTDIR},
		{"open a link to a directory, nofollow", open("todir", OpenOptions{}), syscall.ELOOP},
		{"open a link to a directory/, nofollow", open("todir/", OpenOptions{}), ok},
		{"open a link to a file, nofollow", open("tofile", OpenOptions{}), syscall.ELOOP},
		{"open a link to a file", open("tofile", follow), ok},
		{"open a dangling link, nofollow", open("dangling", OpenOptions{}), syscall.ELOOP},
		{"open a dangling link as a directory, nofollow", open("dangling", directory),
			syscall.ENOTDIR},
		{"open a dangling link", open("dangling", follow), syscall.ENOENT},
		{"open a loop, nofollow", open("loop", OpenOptions{}), syscall.ELOOP},
		{"open nothing", open("none", OpenOptions{}), syscall.ENOENT},
		{"open nothing as a directory", open("none", directory), syscall.ENOENT},
		{"open an empty path", open("", OpenOptions{}), syscall.ENOENT},
		{"open a NUL at the end", open("file\x00", OpenOptions{}), syscall.EINVAL},
		{"open a NUL in the middle", open("file\x00x", OpenOptions{}), syscall.EINVAL},
		{"open a name that is too long", open(strings.Repeat("x", 256), OpenOptions{}),
			syscall.ENAMETOOLONG},
		{"open a path that is too long", open(strings.Repeat("./", 2048)+"file", OpenOptions{}),
			syscall.ENAMETOOLONG},
		{"open a long path", open(strings.Repeat("./", 2045)+"file", OpenOptions{}), ok},
		{"open with an unknown flag", open("file", OpenOptions{Flags: 1 << 9}), syscall.EINVAL},

		{"create", open("none", create), ok},
		{"create/", open("none/", create), syscall.EISDIR},
		{"create a file that exists/", open("file/", create), syscall.EISDIR},
		{"create beneath nothing", open("none/x", create), syscall.ENOENT},
		{"create what exists", open("file", create), ok},
		{"create what exists, exclusively",
			open("file", OpenOptions{Create: true, Exclusive: true}), syscall.EEXIST},
		{"create a directory that exists, exclusively",
			open("dir", OpenOptions{Create: true, Exclusive: true}), syscall.EEXIST},
		{"create a link that exists, exclusively",
			open("dangling", OpenOptions{Create: true, Exclusive: true, Follow: true}),
			syscall.EEXIST},
		{"create through a dangling link",
			open("dangling", OpenOptions{Create: true, Follow: true}), ok},
		{"create through a dangling link, nofollow", open("dangling", create), syscall.ELOOP},
		{"create a directory", open("none", OpenOptions{Create: true, Directory: true}),
			syscall.EINVAL},
		{"create where a directory is", open("dir", OpenOptions{Create: true, Write: true}),
			syscall.EISDIR},
		{"create with a name that is not UTF-8", open("\xff\xfe", create), ok},

		{"mkdir", mkdir("none"), ok},
		{"mkdir/", mkdir("none/"), ok},
		{"mkdir///", mkdir("none///"), ok},
		{"mkdir where a file is", mkdir("file"), syscall.EEXIST},
		{"mkdir where a directory is", mkdir("dir"), syscall.EEXIST},
		{"mkdir where a dangling link is", mkdir("dangling"), syscall.EEXIST},
		{"mkdir where a dangling link is/", mkdir("dangling/"), syscall.EEXIST},
		{"mkdir .", mkdir("."), syscall.EEXIST},
		{"mkdir dir/..", mkdir("dir/.."), syscall.EEXIST},
		{"mkdir beneath nothing", mkdir("none/x"), syscall.ENOENT},
		{"mkdir with an empty path", mkdir(""), syscall.ENOENT},
		{"mkdir with a NUL", mkdir("x\x00"), syscall.EINVAL},

		{"rmdir", rmdir("empty"), ok},
		{"rmdir/", rmdir("empty/"), ok},
		{"rmdir what is not empty", rmdir("dir"), syscall.ENOTEMPTY},
		{"rmdir a file", rmdir("file"), syscall.ENOTDIR},
		{"rmdir a file/", rmdir("file/"), syscall.ENOTDIR},
		{"rmdir a link to a directory", rmdir("toempty"), syscall.ENOTDIR},
		{"rmdir a link to a directory/", rmdir("toempty/"), syscall.ENOTDIR},
		{"rmdir nothing", rmdir("none"), syscall.ENOENT},
		{"rmdir .", rmdir("."), syscall.EINVAL},

		{"unlink", unlink("file"), ok},
		{"unlink a file/", unlink("file/"), syscall.ENOTDIR},
		{"unlink a directory", unlink("empty"), syscall.EISDIR},
		{"unlink a directory/", unlink("empty/"), syscall.EISDIR},
		{"unlink a link to a directory", unlink("todir"), ok},
		{"unlink a link to a directory/", unlink("todir/"), syscall.ENOTDIR},
		{"unlink a dangling link", unlink("dangling"), ok},
		{"unlink a loop", unlink("loop"), ok},
		{"unlink nothing", unlink("none"), syscall.ENOENT},
		{"unlink nothing/", unlink("none/"), syscall.ENOENT},
		{"unlink .", unlink("."), syscall.EISDIR},
		{"unlink dir/..", unlink("dir/.."), syscall.EISDIR},

		{"rename a file", rename("file", "none"), ok},
		{"rename a file over a file", rename("file", "file2"), ok},
		{"rename a file over a directory", rename("file", "empty"), syscall.EISDIR},
		{"rename a file to none/", rename("file", "none/"), syscall.ENOTDIR},
		{"rename a file/", rename("file/", "none"), syscall.ENOTDIR},
		{"rename a directory", rename("dir", "none"), ok},
		{"rename a directory/", rename("dir/", "none"), ok},
		{"rename a directory to none/", rename("dir", "none/"), ok},
		{"rename a directory/ to none/", rename("dir/", "none/"), ok},
		{"rename a directory over an empty one", rename("dir", "empty"), ok},
		{"rename a directory over one that is not", rename("empty", "dir"), syscall.ENOTEMPTY},
		{"rename a directory over a file", rename("empty", "file"), syscall.ENOTDIR},
		{"rename a directory into itself", rename("dir", "dir/full/x"), syscall.EINVAL},
		{"rename a directory over a link/", rename("empty", "todir/"), syscall.ENOTDIR},
		{"rename a link", rename("dangling", "none"), ok},
		{"rename a link/", rename("todir/", "none"), syscall.ENOTDIR},
		{"rename nothing", rename("none", "x"), syscall.ENOENT},
		{"rename to nowhere", rename("file", "none/x"), syscall.ENOENT},
		{"rename to an empty path", rename("file", ""), syscall.ENOENT},
		{"rename the directory itself", rename(".", "x"), syscall.EBUSY},

		{"link", link("file", false, "none"), ok},
		{"link to none/", link("file", false, "none/"), syscall.ENOENT},
		{"link to a file", link("file", false, "file2"), syscall.EEXIST},
		{"link to a file/", link("file", false, "file2/"), syscall.ENOTDIR},
		{"link to itself", link("file", false, "file"), syscall.EEXIST},
		{"link to a directory", link("file", false, "empty"), syscall.EEXIST},
		{"link to a directory/", link("file", false, "empty/"), syscall.EEXIST},
		{"link to a dangling link", link("file", false, "dangling"), syscall.EEXIST},
		{"link a directory", link("empty", false, "none"), syscall.EPERM},
		{"link a directory/", link("empty/", false, "none"), syscall.EPERM},
		{"link a file/", link("file/", false, "none"), syscall.ENOTDIR},
		{"link nothing", link("none", false, "x"), syscall.ENOENT},
		{"link what a dangling link is for", link("dangling", true, "x"), syscall.ENOENT},
		{"link what a link is for", link("tofile", true, "x"), ok},

		{"symlink", symlink("none"), ok},
		{"symlink/", symlink("none/"), syscall.ENOENT},
		{"symlink where a directory is", symlink("empty"), syscall.EEXIST},
		{"symlink where a directory is/", symlink("empty/"), syscall.EEXIST},
		{"symlink where a file is", symlink("file"), syscall.EEXIST},
		{"symlink where a file is/", symlink("file/"), syscall.ENOTDIR},
		{"symlink to nothing", func(d Dir) error { return d.Symlink("", "none") }, syscall.ENOENT},
		{"symlink with a NUL", func(d Dir) error { return d.Symlink("x\x00", "none") },
			syscall.EINVAL},

		{"readlink a file", readlink("file"), syscall.EINVAL},
		{"readlink a directory", readlink("dir"), syscall.EINVAL},
		{"readlink a link to a directory/", readlink("todir/"), syscall.EINVAL},
		{"readlink a link to a file/", readlink("tofile/"), syscall.ENOTDIR},
		{"readlink nothing", readlink("none"), syscall.ENOENT},
		{"readlink a dangling link", readlink("dangling"), ok},

		{"stat .", stat(".", false), ok},
		{"stat a file/", stat("file/", false), syscall.ENOTDIR},
		{"stat a link to a file/", stat("tofile/", false), syscall.ENOTDIR},
		{"stat a link to a directory/", stat("todir/", false), ok},
		{"stat a dangling link", stat("dangling", true), syscall.ENOENT},
		{"stat a dangling link, nofollow", stat("dangling", false), ok},
		{"stat a dangling link/, nofollow", stat("dangling/", false), syscall.ENOENT},
		{"stat an empty path", stat("", false), syscall.ENOENT},

		{"set times", times("file", false), ok},
		{"set times of .", times(".", false), ok},
		{"set times of a file/", times("file/", false), syscall.ENOTDIR},
		{"set times of a dangling link", times("dangling", true), syscall.ENOENT},
		{"set times of a dangling link, nofollow", times("dangling", false), ok},
		{"set a time twice", func(d Dir) error {
			return d.SetTimes("file", false, Times{Set: MtimeGiven | MtimeNow})
		}, syscall.EINVAL},
		{"set the other time twice", func(d Dir) error {
			return d.SetTimes("file", false, Times{Set: AtimeGiven | AtimeNow})
		}, syscall.EINVAL},
		{"set a time that is none",
			func(d Dir) error { return d.SetTimes("file", false, Times{Set: 16}) }, syscall.EINVAL},
	}
}

func makePaths(t *testing.T) string {
	dir := t.TempDir()
	testutil.MakeTree(t, dir, "file = x", "file2", "dir/", "dir/full/", "dir/full/file", "empty/",
		"tofile -> file", "todir -> dir", "toempty -> empty", "dangling -> target", "loop -> loop")
	return dir
}

// needsLinks matches the names of rows with symbolic links.
var needsLinks = regexp.MustCompile(`a (dangling )?link\b|a loop|symlink|of a link|link is`)

// eachPathOperation runs a test with each row of pathOperations.
func eachPathOperation(t *testing.T, test func(t *testing.T, c pathOperation)) {
	var linked []pathOperation
	for _, c := range pathOperations() {
		if needsLinks.MatchString(c.name) {
			linked = append(linked, c)
			continue
		}
		t.Run(c.name, func(t *testing.T) { test(t, c) })
	}
	needs.Links(t, func(t *testing.T) {
		for _, c := range linked {
			t.Run(c.name, func(t *testing.T) { test(t, c) })
		}
	})
}

func TestPathsByOperation(t *testing.T) {
	eachPathOperation(t, func(t *testing.T, c pathOperation) {
		eachResolver(t, func(t *testing.T, walk bool) {
			d := openRoot(t, makePaths(t), ReadWrite, walk)
			want := c.want
			if want == syscall.Errno(0) {
				want = nil
			}
			if err := c.do(d); err != want {
				t.Errorf("got %v, want %v", err, want)
			}
		})
	})
}

func TestRenameAndLinkBetweenDirs(t *testing.T) {
	eachResolver(t, func(t *testing.T, walk bool) {
		dir := t.TempDir()
		testutil.MakeTree(t, dir, "a/", "a/file = a", "b/", "b/sub/")
		from, to := openTwo(t, openRoot(t, dir, ReadWrite, walk), dir)
		_, sub, err := to.Open("sub", OpenOptions{Directory: true})
		if err != nil {
			t.Fatal(err)
		}
		defer sub.Close()
		if err := Link(from, "file", false, sub, "linked"); err != nil {
			t.Error(err)
		}
		if err := Rename(from, "file", sub, "renamed"); err != nil {
			t.Error(err)
		}
		one, err1 := from.Stat("file", false)
		two, err2 := to.Stat("sub/linked", false)
		three, err3 := to.Stat("sub/renamed", false)
		if err1 != syscall.ENOENT || err2 != nil || err3 != nil || two != three || two.Nlink != 2 {
			t.Errorf("got %+v, %v; %+v, %v; %+v, %v; want ENOENT and two links of one file",
				one, err1, two, err2, three, err3)
		}
	})
}

func TestReadlinkIntoShortBuffer(t *testing.T) { needs.Links(t, checkReadlink) }

func checkReadlink(t *testing.T) {
	dir := t.TempDir()
	testutil.MakeTree(t, dir, "link -> target")
	d := openRoot(t, dir, ReadOnly, false)
	for _, c := range []struct {
		size int
		want string
	}{{10, "target"}, {6, "target"}, {4, "targ"}, {0, ""}} {
		buf := make([]byte, c.size)
		n, err := d.Readlink("link", buf)
		if err != nil || string(buf[:n]) != c.want {
			t.Errorf("into %d bytes: got %q, %v; want %q", c.size, buf[:n], err, c.want)
		}
	}
	if _, err := d.Readlink("none", nil); err != syscall.ENOENT {
		t.Errorf("readlink: got %v, want %v", err, syscall.ENOENT)
	}
}

func TestStatAfterSetTimes(t *testing.T) { needs.Links(t, checkTimes) }

func checkTimes(t *testing.T) {
	eachResolver(t, func(t *testing.T, walk bool) {
		dir := t.TempDir()
		testutil.MakeTree(t, dir, "file = abc", "link -> file", "sub/")
		d := openRoot(t, dir, ReadWrite, walk)
		info, err := os.Stat(filepath.Join(dir, "file"))
		if err != nil {
			t.Fatal(err)
		}
		file, err := d.Stat("file", false)
		if err != nil {
			t.Fatal(err)
		}
		if file.Type != RegularFile || file.Size != 3 || file.Nlink != 1 || file.Ino == 0 ||
			file.Mtime != uint64(info.ModTime().UnixNano()) {
			t.Errorf("file: got %+v, want the values of %v", file, info)
		}
		link, err := d.Stat("link", false)
		if err != nil || link.Type != Symlink || link.Size != 4 || link.Ino == file.Ino {
			t.Errorf("link: got %+v, %v; want a symbolic link of 4 bytes", link, err)
		}
		if st, err := d.Stat("link", true); err != nil || st != file {
			t.Errorf("link, followed: got %+v, %v; want %+v", st, err, file)
		}
		if st, err := d.Stat("sub", false); err != nil || st.Type != Directory {
			t.Errorf("sub: got %+v, %v; want a directory", st, err)
		}

		// Times of the link, then of the file through it; one time is set and the other left.
		if err := d.SetTimes("link", false,
			Times{Mtime: link.Mtime - 200, Set: MtimeGiven}); err != nil {
			t.Fatal(err)
		}
		if err := d.SetTimes("link", true,
			Times{Atime: 1_500_000_000_123_456_789, Set: AtimeGiven}); err != nil {
			t.Fatal(err)
		}
		l, _ := d.Stat("link", false)
		f, _ := d.Stat("file", false)
		if l.Mtime != link.Mtime-200 || f.Mtime != file.Mtime ||
			f.Atime != 1_500_000_000_123_456_789 {
			t.Errorf("got link %+v and file %+v, want one time of each set", l, f)
		}
		before := time.Now().Add(-time.Second).UnixNano()
		if err := d.SetTimes("file", true,
			Times{Mtime: 5, Set: AtimeNow | MtimeGiven}); err != nil {
			t.Fatal(err)
		}
		if f, _ := d.Stat("file", false); f.Mtime != 5 || int64(f.Atime) < before {
			t.Errorf("got %+v, want Mtime 5 and Atime now", f)
		}
		// The largest time need not fit into the file system. The call must not panic.
		_ = d.SetTimes("file", true,
			Times{Mtime: 1<<64 - 1, Atime: 1 << 63, Set: AtimeGiven | MtimeGiven})
	})
}

func TestChangesInReadOnlyDir(t *testing.T) {
	eachResolver(t, func(t *testing.T, walk bool) {
		base := t.TempDir()
		dir := filepath.Join(base, "ro")
		testutil.MakeTree(t, base, "ro/", "rw/", "rw/mine")
		testutil.MakeTree(t, dir, "file = inside", "sub/", "sub/file = inside", "sub/dir/",
			"link -> file")
		root := openRoot(t, dir, ReadOnly, walk)
		rw := openRoot(t, filepath.Join(base, "rw"), ReadWrite, walk)
		before := describeTree(t, base)
		_, sub, err := root.Open("sub", OpenOptions{Directory: true})
		if err != nil {
			t.Fatal(err)
		}
		defer sub.Close()
		_, again, err := sub.Open(".", OpenOptions{})
		if err != nil {
			t.Fatal(err)
		}
		defer again.Close()
		now := Times{Set: AtimeNow | MtimeNow}
		for i, d := range []Dir{root, sub, again} {
			f, _, err := d.Open("file", OpenOptions{Read: true})
			if err != nil {
				t.Fatal(err)
			}
			defer f.Close()
			for name, err := range map[string]error{
				"write":         tryOpen(d, "file", OpenOptions{Write: true}),
				"read, write":   tryOpen(d, "file", OpenOptions{Read: true, Write: true}),
				"truncate":      tryOpen(d, "file", OpenOptions{Truncate: true}),
				"create":        tryOpen(d, "new", OpenOptions{Create: true}),
				"create again":  tryOpen(d, "file", OpenOptions{Create: true}),
				"exclusive":     tryOpen(d, "new", OpenOptions{Create: true, Exclusive: true}),
				"mkdir":         d.Mkdir("new"),
				"rmdir":         d.Rmdir("dir"),
				"unlink":        d.Unlink("file"),
				"symlink":       d.Symlink("x", "new"),
				"rename":        Rename(d, "file", d, "new"),
				"rename out":    Rename(d, "file", rw, "new"),
				"rename in":     Rename(rw, "mine", d, "new"),
				"link":          Link(d, "file", false, d, "new"),
				"link out":      Link(d, "file", false, rw, "new"),
				"link in":       Link(rw, "mine", false, d, "new"),
				"times":         d.SetTimes("file", true, now),
				"times of .":    d.SetTimes(".", true, now),
				"file times":    f.SetTimes(now),
				"file size":     f.SetSize(1),
				"file allocate": f.Allocate(0, 100),
			} {
				if err != syscall.EROFS {
					t.Errorf("%d: %s: got %v, want %v", i, name, err, syscall.EROFS)
				}
			}
			if err := tryOpen(d, "file",
				OpenOptions{Create: true, Exclusive: true}); err != syscall.EEXIST {
				t.Errorf("open: got %v, want %v", err, syscall.EEXIST)
			}
			if err := tryOpen(d, "none", OpenOptions{Write: true}); err != syscall.ENOENT {
				t.Errorf("open: got %v, want %v", err, syscall.ENOENT)
			}
			if err := tryOpen(d, ".", OpenOptions{Write: true}); err != syscall.EISDIR {
				t.Errorf("open: got %v, want %v", err, syscall.EISDIR)
			}
			if _, err := f.Writev([][]byte{[]byte("x")}); err != syscall.EBADF {
				t.Errorf("write: got %v, want %v", err, syscall.EBADF)
			}
			if got, err := readFile(d, "file"); got != "inside" {
				t.Errorf("read: got %q, %v; want \"inside\"", got, err)
			}
		}
		if after := describeTree(t, base); after != before {
			t.Errorf("got the tree\n%s\nwant it unchanged\n%s", after, before)
		}
	})
}

func TestClosedDir(t *testing.T) {
	d, err := OpenRoot(t.TempDir(), ReadWrite)
	if err != nil {
		t.Fatal(err)
	}
	if err := d.Close(); err != nil {
		t.Fatal(err)
	}
	for name, err := range map[string]error{
		"open":      tryOpen(d, "x", OpenOptions{}),
		"mkdir":     d.Mkdir("x"),
		"rename":    Rename(d, "x", d, "y"),
		"link":      Link(d, "x", false, d, "y"),
		"readlink":  errOf(d.Readlink("x", nil)),
		"stat":      errOf(d.Stat("x", false)),
		"set times": d.SetTimes("x", false, Times{}),
		"sync":      d.Sync(),
		"read":      d.ReadDir(0, func(Entry) bool { return true }),
		"close":     d.Close(),
	} {
		if err != fs.ErrClosed {
			t.Errorf("%s: got %v, want %v", name, err, fs.ErrClosed)
		}
	}
}

func TestOpenRootErrors(t *testing.T) {
	dir := t.TempDir()
	testutil.MakeTree(t, dir, "file")
	if _, err := OpenRoot(filepath.Join(dir, "file"), ReadOnly); err != syscall.ENOTDIR {
		t.Errorf("open root: got %v, want %v", err, syscall.ENOTDIR)
	}
	if _, err := OpenRoot(filepath.Join(dir, "none"), ReadOnly); err != syscall.ENOENT {
		t.Errorf("open root: got %v, want %v", err, syscall.ENOENT)
	}
}
