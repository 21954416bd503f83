package hostfs

import (
	"io/fs"
	"testing"
)

// eachResolver runs a test once: os.Root resolves all paths.
func eachResolver(t *testing.T, test func(t *testing.T, walk bool)) {
	test(t, false)
}

func openRoot(t testing.TB, path string, access Access, _ bool) *osDir {
	t.Helper()
	d, err := openOSDir(path, access)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := d.Close(); err != nil && err != fs.ErrClosed {
			t.Errorf("close: got %v, want no error or %v", err, fs.ErrClosed)
		}
	})
	return d
}

// eachLister runs a test once: there is one lister.
func eachLister(t *testing.T, test func(t *testing.T, open func(path string) *osDir)) {
	test(t, func(path string) *osDir { return openRoot(t, path, ReadWrite, false) })
}

// makeFIFO makes nothing: pipes of Windows are in no directory.
func makeFIFO(*testing.T, string) bool { return false }

// openTwo opens the directories a and b beneath a root: between two roots, all is EXDEV.
func openTwo(t *testing.T, root *osDir, _ string) (a, b Dir) {
	t.Helper()
	for name, d := range map[string]*Dir{"a": &a, "b": &b} {
		_, sub, err := root.Open(name, OpenOptions{Directory: true})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { sub.Close() })
		*d = sub
	}
	return a, b
}
