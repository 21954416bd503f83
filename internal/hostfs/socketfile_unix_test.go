//go:build unix

package hostfs

import (
	"errors"
	"path/filepath"
	"syscall"
	"testing"
	"testing/fstest"

	"golang.org/x/sys/unix"

	"github.com/wasport/wasport/internal/testutil"
)

// readBeside reads the file of a path through the directory that WithParent opens.
func readBeside(d Dir, path string, create bool) (text string, err error) {
	err = WithParent(d, path, create, func(dir uintptr, name string) error {
		fd, err := unix.Openat(int(dir), name, unix.O_RDONLY|unix.O_NOFOLLOW|unix.O_CLOEXEC, 0)
		if err != nil {
			return err
		}
		defer unix.Close(fd)
		b := make([]byte, 20)
		n, err := unix.Read(fd, b)
		text = string(b[:max(n, 0)])
		return err
	})
	return text, err
}

func TestWithParent(t *testing.T) {
	base := t.TempDir()
	testutil.MakeTree(t, base, "in/", "in/sub/", "in/sub/file = inside", "in/file = inside",
		"file = outside", "out/", "out/file = outside", "in/up -> ..", "in/out -> ../out",
		"in/same -> sub", "in/link -> file")
	d := openRoot(t, filepath.Join(base, "in"), ReadWrite, false)
	readOnly := openRoot(t, filepath.Join(base, "in"), ReadOnly, false)
	for _, row := range []struct {
		path string
		want error
	}{
		{"file", nil}, {"sub/file", nil},
		{"up/file", syscall.ELOOP}, {"out/file", syscall.ELOOP}, {"same/file", syscall.ELOOP},
		{"link", syscall.ELOOP}, {"sub/../file", syscall.EINVAL}, {"../file", syscall.EINVAL},
		{"./file", syscall.EINVAL}, {"sub//file", syscall.EINVAL}, {"sub/", syscall.EINVAL},
		{"/file", ErrEscapes}, {"", syscall.ENOENT}, {"fi\x00le", syscall.EINVAL},
		{"file/x", syscall.ENOTDIR}, {"none/x", syscall.ENOENT}, {"none", syscall.ENOENT},
	} {
		for name, d := range map[string]Dir{"read-write": d, "read-only": readOnly} {
			text, err := readBeside(d, row.path, false)
			if !errors.Is(err, row.want) || err == nil && text != "inside" {
				t.Errorf("%s %q: got %q, %v, want %v", name, row.path, text, err, row.want)
			}
		}
	}
	if _, err := readBeside(readOnly, "file", true); err != syscall.EROFS {
		t.Errorf("a new file in a read-only directory: got %v, want %v", err, syscall.EROFS)
	}
	virtual, err := OpenFS(fstest.MapFS{"file": {}})
	if err != nil {
		t.Fatal(err)
	}
	defer virtual.Close()
	if _, err := readBeside(virtual, "file", false); err != syscall.ECONNREFUSED {
		t.Errorf("a directory of an fs.FS: got %v, want %v", err, syscall.ECONNREFUSED)
	}
	if err := d.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := readBeside(d, "file", false); err == nil {
		t.Errorf("a closed directory: got no error, want one")
	}
}
