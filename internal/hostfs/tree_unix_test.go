//go:build unix

package hostfs

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/wasport/wasport/internal/testutil"
)

// eachResolver runs a test with paths resolved by the kernel, where it can, and by walking.
func eachResolver(t *testing.T, test func(t *testing.T, walk bool)) {
	d, err := openOSDir(t.TempDir(), ReadOnly)
	if err != nil {
		t.Fatal(err)
	}
	defer d.Close()
	if !d.walk {
		t.Run("kernel", func(t *testing.T) { test(t, false) })
	}
	t.Run("walk", func(t *testing.T) { test(t, true) })
}

func openRoot(t testing.TB, path string, access Access, walk bool) *osDir {
	t.Helper()
	d, err := openOSDir(path, access)
	if err != nil {
		t.Fatal(err)
	}
	d.walk = d.walk || walk
	t.Cleanup(func() {
		if err := d.Close(); err != nil && err != fs.ErrClosed {
			t.Errorf("close: got %v, want no error or %v", err, fs.ErrClosed)
		}
	})
	return d
}

// eachLister runs a test with the lister of this system and with the portable one.
func eachLister(t *testing.T, test func(t *testing.T, open func(path string) *osDir)) {
	t.Run("system", func(t *testing.T) {
		test(t, func(path string) *osDir { return openRoot(t, path, ReadWrite, false) })
	})
	t.Run("snapshot", func(t *testing.T) {
		test(t, func(path string) *osDir {
			d := openRoot(t, path, ReadWrite, false)
			d.entries = &snapshot{}
			return d
		})
	})
}

// makeFIFO makes a FIFO, where there are such.
func makeFIFO(t *testing.T, name string) bool {
	t.Helper()
	if err := unix.Mkfifo(name, 0o666); err != nil {
		t.Fatal(err)
	}
	return true
}

// openTwo opens the directories a and b of a root, each as a root.
func openTwo(t *testing.T, root *osDir, dir string) (a, b Dir) {
	t.Helper()
	return openRoot(t, filepath.Join(dir, "a"), ReadWrite, root.walk),
		openRoot(t, filepath.Join(dir, "b"), ReadWrite, root.walk)
}

// TestReadDirOfRemovedDirectory lists a directory that another process has removed. Windows removes
// no directory that is open.
func TestReadDirOfRemovedDirectory(t *testing.T) {
	eachLister(t, func(t *testing.T, open func(string) *osDir) {
		dir := t.TempDir()
		testutil.MakeTree(t, dir, "file")
		d := open(dir)
		if err := os.RemoveAll(dir); err != nil {
			t.Fatal(err)
		}
		var n int
		if err := d.ReadDir(0, func(Entry) bool { n++; return true }); n > 2 || err != nil &&
			!errors.Is(err, syscall.ENOENT) {
			t.Errorf("removed directory: got %d entries, %v; want at most 2", n, err)
		}
	})
}
