//go:build unix

package hostfs

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// Whatever the path, and whatever a symbolic link says: what is opened is inside, and nothing
// outside changes.
func FuzzPaths(f *testing.F) {
	for _, path := range append(append([]string{}, escapingPaths...), beneathRoot...) {
		f.Add(path, "file")
		f.Add("fuzzed/"+path, "dir/sub")
		f.Add("fuzzed", path)
		f.Add("dir/../fuzzed/x", path)
	}
	f.Add(strings.Repeat("dir/../", 500)+"file", "")
	f.Add("\x00", "a\x00b")
	base, in := makeEscapes(f)
	outside := func(t *testing.T) string {
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
	f.Fuzz(func(t *testing.T, path, target string) {
		before := outside(t)
		for _, walk := range []bool{false, true} {
			d := openRoot(t, in, ReadWrite, walk)
			linked := d.Symlink(target, "fuzzed") == nil
			for _, o := range []OpenOptions{
				{Read: true, Follow: true},
				{Read: true},
				{Read: true, Follow: true, Directory: true},
			} {
				file, sub, err := d.Open(path, o)
				if err != nil {
					var errno syscall.Errno
					if !errors.As(err, &errno) && err != ErrEscapes {
						t.Errorf("%q: %v is no error of this package", path, err)
					}
					continue
				}
				if file != nil {
					buf := make([]byte, 16)
					n, err := file.Readv([][]byte{buf})
					if err != nil || string(buf[:n]) != "inside" && n != 0 {
						t.Errorf("%q: read %q, %v", path, buf[:max(n, 0)], err)
					}
					file.Close()
				}
				if sub != nil {
					// The root's neighbours show that it is the directory above.
					err := sub.ReadDir(0, func(e Entry) bool {
						if name := string(e.Name); name == "outdir" || name == "proc" ||
							name == "victim" {
							t.Errorf("%q opens a directory with %q", path, name)
						}
						return true
					})
					if err != nil {
						t.Errorf("%q: %v", path, err)
					}
					sub.Close()
				}
			}
			d.Stat(path, true)
			d.Readlink(path, make([]byte, 8))
			if d.Mkdir(path) == nil {
				if err := d.Rmdir(path); err != nil && !errors.Is(err, fs.ErrInvalid) {
					t.Errorf("%q: made and not removed: %v", path, err)
				}
			}
			if linked {
				if err := d.Unlink("fuzzed"); err != nil {
					t.Error(err)
				}
			}
			d.Close()
		}
		if after := outside(t); after != before {
			t.Errorf("%q changed what is outside from %q to %q", path, before, after)
		}
	})
}
