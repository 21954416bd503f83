package hostfs

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"

	"github.com/wasport/wasport/internal/testutil"
)

// FuzzPaths opens fuzzed paths and symbolic links. Every opened file is beneath the root, and
// nothing outside of it changes.
func FuzzPaths(f *testing.F) {
	for _, path := range slices.Concat(testutil.EscapingPaths, testutil.BeneathRoot,
		testutil.BeneathRootByLinks) {
		f.Add(path, "file")
		f.Add("fuzzed/"+path, "dir/sub")
		f.Add("fuzzed", path)
		f.Add("dir/../fuzzed/x", path)
	}
	f.Add(strings.Repeat("dir/../", 500)+"file", "")
	f.Add("\x00", "a\x00b")
	for _, path := range windowsPaths {
		f.Add(path, path)
	}
	base, in := testutil.MakeEscapes(f)
	f.Fuzz(func(t *testing.T, path, target string) {
		before := describeOutside(t, base)
		for _, walk := range []bool{false, true} {
			d := openRoot(t, in, ReadWrite, walk)
			linked := d.Symlink(target, "fuzzed") == nil
			for _, o := range []OpenOptions{
				{Read: true, Follow: true},
				{Read: true},
				{Read: true, Follow: true, Directory: true},
			} {
				openFuzzed(t, d, path, o)
			}
			d.Stat(path, true)
			d.Readlink(path, make([]byte, 8))
			if d.Mkdir(path) == nil {
				if err := d.Rmdir(path); err != nil && !errors.Is(err, fs.ErrInvalid) {
					t.Errorf("rmdir of a new directory %q: got %v, want no error", path, err)
				}
			}
			if linked {
				if err := d.Unlink("fuzzed"); err != nil {
					t.Error(err)
				}
			}
			d.Close()
		}
		openFuzzedFS(t, in, path, target)
		if after := describeOutside(t, base); after != before {
			t.Errorf("%q: got outside of the root %q, want %q", path, after, before)
		}
	})
}

// openFuzzedFS opens the path in the root as an fs.FS.
func openFuzzedFS(t *testing.T, in, path, target string) {
	link := filepath.Join(in, "fuzzed")
	if os.Symlink(target, link) == nil {
		defer os.Remove(link)
	}
	d, err := OpenFS(os.DirFS(in))
	if err != nil {
		t.Fatal(err)
	}
	defer d.Close()
	for _, o := range []OpenOptions{{Read: true, Follow: true}, {Read: true}} {
		openFuzzed(t, d, path, o)
	}
	d.Stat(path, true)
	d.Readlink(path, make([]byte, 8))
	if err := d.Mkdir(path); err != syscall.EROFS {
		t.Errorf("mkdir %q: got %v, want %v", path, err, syscall.EROFS)
	}
}

// describeOutside returns the names and contents outside of the root.
func describeOutside(t *testing.T, base string) string {
	var s strings.Builder
	for _, name := range []string{"secret", "outdir/victim"} {
		b, err := os.ReadFile(filepath.Join(base, name))
		if err != nil {
			t.Fatal(err)
		}
		s.Write(b)
	}
	for _, dir := range []string{".", "outdir"} {
		entries, err := os.ReadDir(filepath.Join(base, dir))
		if err != nil {
			t.Fatal(err)
		}
		for _, e := range entries {
			s.WriteString(" " + e.Name())
		}
	}
	return s.String()
}

// openFuzzed opens a path and compares what it reads with the tree of makeEscapes.
func openFuzzed(t *testing.T, d Dir, path string, o OpenOptions) {
	file, sub, err := d.Open(path, o)
	if err != nil {
		var errno syscall.Errno
		if !errors.As(err, &errno) && err != ErrEscapes {
			t.Errorf("%q: got %v, want an errno or %v", path, err, ErrEscapes)
		}
		return
	}
	if file != nil {
		defer file.Close()
		buf := make([]byte, 16)
		n, err := file.Readv([][]byte{buf})
		if err != nil || string(buf[:n]) != "inside" && n != 0 {
			t.Errorf("%q: got %q, %v; want \"inside\"", path, buf[:max(n, 0)], err)
		}
	}
	if sub != nil {
		defer sub.Close()
		// These names are in directories above the root.
		err := sub.ReadDir(0, func(e Entry) bool {
			if name := string(e.Name); name == "outdir" || name == "proc" || name == "victim" {
				t.Errorf("%q: got a directory with %q, want one beneath the root", path, name)
			}
			return true
		})
		if err != nil {
			t.Errorf("%q: got %v, want a listing", path, err)
		}
	}
}
