package hostfs

import (
	"errors"
	"path/filepath"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/wasport/wasport/internal/testutil"
)

func exchange(a, b string) func() error {
	return func() error {
		return unix.Renameat2(unix.AT_FDCWD, a, unix.AT_FDCWD, b, unix.RENAME_EXCHANGE)
	}
}

const raceRounds = 2000

// A directory is exchanged with a symbolic link that leads out, over and over.
func TestPathsWhileSymlinkReplacesDir(t *testing.T) {
	eachResolver(t, func(t *testing.T, walk bool) {
		base := t.TempDir()
		in := filepath.Join(base, "in")
		testutil.MakeTree(t, base, "in/", "secret = outside", "sub/", "sub/secret = outside")
		testutil.MakeTree(t, in, "secret = inside", "d/", "d/secret = inside", "d/sub/",
			"d/sub/secret = inside",
			"l -> ..", "f = inside", "fl -> ../secret")
		before := describeTree(t, filepath.Join(base, "sub"))
		d := openRoot(t, in, ReadWrite, walk)
		raceWith(t, func() error {
			return errors.Join(exchange(in+"/d", in+"/l")(), exchange(in+"/f", in+"/fl")())
		}, func() (good int) {
			for i := range raceRounds {
				for _, path := range []string{"d/secret", "d/sub/secret", "d/sub/../secret", "f"} {
					got, err := readFile(d, path)
					if err == nil && got != "inside" {
						t.Errorf("%q: got %q, want \"inside\"", path, got)
					}
					if err == nil {
						good++
					}
				}
				switch i % 4 {
				case 0:
					d.Mkdir("d/sub/made")
					d.Rmdir("d/sub/made")
				case 1:
					d.SetTimes("d/sub", true, Times{Mtime: 1, Set: MtimeGiven})
				case 2:
					tryOpen(d, "d/sub/new",
						OpenOptions{Create: true, Write: true, Follow: true})
				case 3:
					d.Unlink("d/sub/new")
				}
			}
			return good
		})
		if after := describeTree(t, filepath.Join(base, "sub")); after != before {
			t.Errorf("got outside\n%s\nwant it unchanged\n%s", after, before)
		}
	})
}

// A directory is moved out of the root and back while paths go up from within it.
func TestPathsWhileDirMovesOut(t *testing.T) {
	eachResolver(t, func(t *testing.T, walk bool) {
		base := t.TempDir()
		in := filepath.Join(base, "in")
		testutil.MakeTree(t, base, "in/", "secret = outside", "x/", "x/secret = outside", "x/y/",
			"x/y/secret = outside")
		testutil.MakeTree(t, in, "secret = inside", "a/", "a/secret = inside", "a/b/",
			"a/b/secret = inside", "a/b/c/",
			"a/b/c/secret = inside", "up -> a/b/c/../../..")
		d := openRoot(t, in, ReadWrite, walk)
		_, sub, err := d.Open("a/b", OpenOptions{Directory: true})
		if err != nil {
			t.Fatal(err)
		}
		defer sub.Close()
		raceWith(t, func() error {
			return errors.Join(
				unix.Rename(in+"/a/b", base+"/x/y/b"),
				unix.Rename(base+"/x/y/b", in+"/a/b"))
		}, func() (good int) {
			for range raceRounds {
				for _, path := range []string{
					"a/b/../secret", "a/b/../../secret", "a/b/c/../../secret",
					"a/b/c/../../../secret", "up/secret",
				} {
					got, err := readFile(d, path)
					if err == nil && got != "inside" {
						t.Errorf("%q: got %q, want \"inside\"", path, got)
					}
					if err == nil {
						good++
					}
				}
				for _, path := range []string{"../secret", "c/../../secret", "../../secret"} {
					if got, err := readFile(sub, path); err == nil {
						t.Errorf("%q: got %q, want %v", path, got, ErrEscapes)
					}
				}
				if got, err := readFile(sub, "c/../secret"); got != "inside" {
					t.Errorf("got %q, %v; want \"inside\"", got, err)
				}
			}
			return good
		})
	})
}

// A directory is exchanged with a link that leads out while WithParent goes through it.
func TestParentWhileSymlinkReplacesDir(t *testing.T) {
	base := t.TempDir()
	testutil.MakeTree(t, base, "out/", "out/f = outside", "in/", "in/d/", "in/d/f = inside",
		"in/l -> ../out")
	d := openRoot(t, filepath.Join(base, "in"), ReadWrite, false)
	raceWith(t, exchange(base+"/in/d", base+"/in/l"), func() (good int) {
		for range raceRounds {
			if got, err := readBeside(d, "d/f", false); err == nil {
				good++
				if got != "inside" {
					t.Errorf("got %q, want \"inside\"", got)
				}
			}
		}
		return good
	})
}
