package hostfs

import (
	"encoding/binary"
	"errors"
	"os"
	"path/filepath"
	"testing"
	"unicode/utf16"

	"golang.org/x/sys/windows"

	"github.com/wasport/wasport/internal/needs"
	"github.com/wasport/wasport/internal/testutil"
)

// makeJunction makes a directory a mount point that leads to another path: a REPARSE_DATA_BUFFER of
// ntifs.h with the tag IO_REPARSE_TAG_MOUNT_POINT.
func makeJunction(t *testing.T, link, target string) {
	t.Helper()
	if err := os.Mkdir(link, 0o777); err != nil {
		t.Fatal(err)
	}
	name, err := windows.UTF16PtrFromString(link)
	if err != nil {
		t.Fatal(err)
	}
	h, err := windows.CreateFile(name, windows.GENERIC_WRITE, 0, nil, windows.OPEN_EXISTING,
		windows.FILE_FLAG_OPEN_REPARSE_POINT|windows.FILE_FLAG_BACKUP_SEMANTICS, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer windows.CloseHandle(h)
	b := mountPoint(target)
	var n uint32
	if err := windows.DeviceIoControl(h, windows.FSCTL_SET_REPARSE_POINT, &b[0], uint32(len(b)),
		nil, 0, &n, nil); err != nil {
		t.Fatalf("make a junction: got %v, want no error", err)
	}
}

// mountPoint has two names of the target, each with a NUL: that of the object manager, and the one
// to print.
func mountPoint(target string) []byte {
	object, shown := utf16.Encode([]rune(`\??\`+target)), utf16.Encode([]rune(target))
	order := binary.LittleEndian
	var names []byte
	for _, name := range [][]uint16{object, shown} {
		for _, unit := range append(name, 0) {
			names = order.AppendUint16(names, unit)
		}
	}
	b := order.AppendUint32(nil, windows.IO_REPARSE_TAG_MOUNT_POINT)
	for _, v := range []int{8 + len(names), 0, 0, 2 * len(object), 2*len(object) + 2,
		2 * len(shown)} {
		b = order.AppendUint16(b, uint16(v))
	}
	return append(b, names...)
}

// TestJunctions tries every operation through junctions, which lead to absolute paths, even those
// that lead back into the root.
func TestJunctions(t *testing.T) {
	t.Run("junctions", func(t *testing.T) {
		needs.NotWine(t)
		base, in := testutil.MakeEscapes(t)
		makeJunction(t, filepath.Join(in, "j-out"), base)
		makeJunction(t, filepath.Join(in, "j-in"), in)
		makeJunction(t, filepath.Join(in, "dir", "j-dir"), filepath.Join(base, "outdir"))
		d := openRoot(t, in, ReadWrite, false)
		before := describeTree(t, base)
		for _, path := range []string{"j-out/in", "j-out/outdir", "j-in/dir", "j-in/j-out/in",
			"dir/j-dir/.", "dir/j-dir/..", "j-out/in/dir/../..", "dir/sub/../j-dir/../in"} {
			for name, err := range escapeAttempts(d, path) {
				if err == nil {
					t.Errorf("%s %q: got no error, want one", name, path)
				}
			}
		}
		if after := describeTree(t, base); after != before {
			t.Errorf("got the tree\n%s\nwant it unchanged\n%s", after, before)
		}
	})
}

// TestPathsWhileJunctionReplacesDir exchanges a directory with a junction that leads out.
func TestPathsWhileJunctionReplacesDir(t *testing.T) {
	t.Run("junctions", func(t *testing.T) {
		needs.NotWine(t)
		base := t.TempDir()
		in := filepath.Join(base, "in")
		testutil.MakeTree(t, base, "in/", "outdir/", "outdir/secret = outside")
		testutil.MakeTree(t, in, "d/", "d/secret = inside")
		makeJunction(t, filepath.Join(in, "j"), filepath.Join(base, "outdir"))
		d := openRoot(t, in, ReadWrite, false)
		// A rename fails while a file in the directory is open, so each is repeated.
		move := func(from, to string) error {
			var err error
			for range 10_000 {
				if err = os.Rename(filepath.Join(in, from), filepath.Join(in, to)); err == nil {
					return nil
				}
			}
			return err
		}
		raceWith(t, func() error {
			return errors.Join(move("d", "away"), move("j", "d"), move("d", "j"),
				move("away", "d"))
		}, func() (good int) {
			for range 200 {
				switch got, err := readFile(d, "d/secret"); {
				case err == nil && got != "inside":
					t.Errorf("got %q, want \"inside\"", got)
				case err == nil:
					good++
				}
				tryOpen(d, "d/new", OpenOptions{Write: true, Create: true})
			}
			return good
		})
		if list, err := os.ReadDir(filepath.Join(base, "outdir")); len(list) != 1 || err != nil {
			t.Errorf("got %v, %v outside of the root; want one file", list, err)
		}
	})
}
