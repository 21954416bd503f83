package hostfs

import (
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"golang.org/x/sys/windows"

	"github.com/wasport/wasport/internal/testutil"
)

// TestNamesOfWindows tries paths that Windows takes for something else than a file's name. No
// operation takes one.
func TestNamesOfWindows(t *testing.T) {
	base, in := testutil.MakeEscapes(t)
	d := openRoot(t, in, ReadWrite, false)
	before := describeTree(t, base)
	create := OpenOptions{Write: true, Create: true}
	for _, path := range windowsPaths {
		want := error(syscall.EINVAL)
		if strings.HasPrefix(path, "/") || strings.HasPrefix(path, "../") {
			want = ErrEscapes
		}
		for name, err := range map[string]error{
			"open":      tryOpen(d, path, OpenOptions{Follow: true}),
			"directory": tryOpen(d, path, OpenOptions{Directory: true}),
			"create":    slashOr(want, path, tryOpen(d, path, create)),
			"stat":      errOf(d.Stat(path, true)),
			"times":     d.SetTimes(path, true, Times{Mtime: 1, Set: MtimeGiven}),
			"readlink":  errOf(d.Readlink(path, make([]byte, 8))),
			"mkdir":     d.Mkdir(path),
			"rmdir":     d.Rmdir(path),
			"unlink":    d.Unlink(path),
			"from":      Rename(d, path, d, "got"),
			"to":        Rename(d, "own", d, path),
			"link from": Link(d, path, false, d, "got"),
			"link to":   Link(d, "own", false, d, path),
			"symlink":   d.Symlink("file", path),
		} {
			if err != want {
				t.Errorf("%s %q: got %v, want %v", name, path, err, want)
			}
		}
	}
	if after := describeTree(t, base); after != before {
		t.Errorf("got the tree\n%s\nwant it unchanged\n%s", after, before)
	}
}

// slashOr accepts EISDIR for a path with a slash at its end, where no file is created.
func slashOr(want error, path string, err error) error {
	if err == syscall.EISDIR && hasTrailingSlash(path) {
		return want
	}
	return err
}

// TestTargetsOfWindows makes symbolic links whose targets only Windows resolves.
func TestTargetsOfWindows(t *testing.T) {
	d := openRoot(t, t.TempDir(), ReadWrite, false)
	for _, target := range windowsPaths {
		if !strings.ContainsAny(target, `\:`) {
			continue
		}
		if err := d.Symlink(target, "link"); err != syscall.EINVAL && err != ErrEscapes {
			t.Errorf("%q: got %v, want %v or %v", target, err, syscall.EINVAL, ErrEscapes)
		}
	}
}

func TestNamesInOtherCase(t *testing.T) {
	_, in := testutil.MakeEscapes(t)
	d := openRoot(t, in, ReadWrite, false)
	for _, path := range []string{"FILE", "Dir/../File", "DIR/SUB/../../fIlE"} {
		if got, err := readFile(d, path); got != "inside" {
			t.Errorf("%q: got %q, %v; want \"inside\"", path, got, err)
		}
	}
	if err := tryOpen(d, "FILE",
		OpenOptions{Create: true, Exclusive: true}); err != syscall.EEXIST {
		t.Errorf("create: got %v, want %v", err, syscall.EEXIST)
	}
	if err := Rename(d, "file", d, "FILE"); err != nil {
		t.Errorf("rename: got %v, want no error", err)
	}
	if err := tryOpen(d, "../IN/file", OpenOptions{}); err != ErrEscapes {
		t.Errorf("open: got %v, want %v", err, ErrEscapes)
	}
}

// TestShortNames opens files by the second name that Windows gives them (8.3).
func TestShortNames(t *testing.T) {
	base := t.TempDir()
	testutil.MakeTree(t, base, "the root/", "the root/a long name.text = inside",
		"outside of it = outside")
	d := openRoot(t, filepath.Join(base, "the root"), ReadWrite, false)
	short := func(path string) string {
		name, err := windows.UTF16PtrFromString(filepath.Join(base, path))
		if err != nil {
			t.Fatal(err)
		}
		buf := make([]uint16, windows.MAX_LONG_PATH)
		if _, err := windows.GetShortPathName(name, &buf[0], uint32(len(buf))); err != nil {
			t.Fatal(err)
		}
		return filepath.Base(windows.UTF16ToString(buf))
	}
	inside := short("the root/a long name.text")
	if got, err := readFile(d, inside); got != "inside" {
		t.Errorf("%q: got %q, %v; want \"inside\"", inside, got, err)
	}
	for _, path := range []string{"../" + short("outside of it"),
		"../" + short("the root") + "/" + inside} {
		if err := tryOpen(d, path, OpenOptions{}); err != ErrEscapes {
			t.Errorf("%q: got %v, want %v", path, err, ErrEscapes)
		}
	}
}
