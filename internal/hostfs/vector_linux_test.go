package hostfs

import (
	"os"
	"path/filepath"
	"testing"

	"golang.org/x/sys/unix"
)

// TestPositionsWithoutPreadv compares preadv(2) and pwritev(2) with the calls that take their place
// where a system lacks them.
func TestPositionsWithoutPreadv(t *testing.T) {
	type transfer func(int, [][]byte, int64) (int, error)
	for name, c := range map[string]struct{ read, write transfer }{
		"vectors": {preadv, pwritev}, "each": {preadEach, pwriteEach},
	} {
		t.Run(name, func(t *testing.T) {
			f, err := os.Create(filepath.Join(t.TempDir(), "file"))
			if err != nil {
				t.Fatal(err)
			}
			defer f.Close()
			fd := int(f.Fd())
			bufs := [][]byte{[]byte("ab"), nil, []byte("cde")}
			if n, err := c.write(fd, bufs, 3); n != 5 || err != nil {
				t.Errorf("write: got %d, %v; want 5", n, err)
			}
			got := [][]byte{make([]byte, 4), {}, make([]byte, 9)}
			n, err := c.read(fd, got, 1)
			if n != 7 || err != nil || string(got[0])+string(got[2][:3]) != "\x00\x00abcde" {
				t.Errorf("read: got %d, %v, %q; want 7 bytes", n, err, got)
			}
			if n, err := c.read(fd, got, 8); n != 0 || err != nil {
				t.Errorf("read at the end: got %d, %v; want 0", n, err)
			}
			if _, err := c.read(fd, got, -1); err != unix.EINVAL {
				t.Errorf("a negative offset: got %v, want EINVAL", err)
			}
		})
	}
}
