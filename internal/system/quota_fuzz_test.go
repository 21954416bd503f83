//go:build unix

package system

import (
	"encoding/binary"
	"fmt"
	"io/fs"
	"path/filepath"
	"syscall"
	"testing"

	"github.com/wasport/wasport/internal/sched"
	"github.com/wasport/wasport/internal/wasi"
)

// FuzzQuota makes arbitrary calls on a directory with a quota, through several open files and
// names, and compares the quota with the disk.
func FuzzQuota(f *testing.F) {
	f.Add([]byte("\x00\x00\xff\xff\xff\x01\x00\xff\xff\xff" +
		"\x02\x01\xff\xff\x00\x05\x00\x00\x00\x00"))
	f.Add([]byte("\x03\x00\x00\x00\x10\x06\x01\x00\x00\x00" +
		"\x01\x01\x00\xf0\x00\x05\x01\x00\x00\x00\x04\x01\xff\xff\x00"))
	f.Fuzz(func(t *testing.T, ops []byte) {
		dir := t.TempDir()
		g := newTestGuest(t, Preopen{Dir: openRoot(t, dir), Name: "/", Quota: testQuota})
		th := g.NewThread(sched.New())
		defer th.Close()
		before := disk(t, dir)
		var files [4]int32
		for ; len(ops) >= 5; ops = ops[5:] {
			i := ops[1] % 4
			name, other := string('a'+rune(i)), string('a'+rune(ops[1]>>2%4))
			n := uint64(binary.BigEndian.Uint16(ops[2:])) << (ops[4] % 48)
			fd := files[i]
			switch ops[0] % 10 {
			case 0:
				g.CloseFD(fd)
				files[i], _ = openFD(g, name, wasi.OflagCreat|uint16(ops[4]&1)*wasi.OflagTrunc,
					wasi.Fdflags(ops[4]>>1&1))
			case 1:
				th.Write(fd, [][]byte{make([]byte, n%(1<<20))})
			case 2:
				th.Pwrite(fd, [][]byte{make([]byte, n%(1<<18))}, n)
			case 3:
				g.SetSize(fd, n)
			case 4:
				g.Allocate(fd, n>>8, n)
			case 5:
				g.Unlink(3, name)
			case 6:
				g.Rename(3, name, 3, other)
			case 7:
				g.Link(3, name, false, 3, other)
			case 8:
				g.Mkdir(3, "dir"+name)
			case 9:
				g.Rmdir(3, "dir"+name)
			}
		}
		if got := disk(t, dir) - before; got > testQuota {
			t.Errorf("got %d bytes more on the disk, want at most %d", got, testQuota)
		}
	})
}

// disk returns the size of all files beneath a directory.
func disk(t *testing.T, dir string) (sum int64) {
	t.Helper()
	seen := make(map[uint64]bool)
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || path == dir {
			return err
		}
		info, err := d.Info()
		if err != nil {
			return err
		}
		st, ok := info.Sys().(*syscall.Stat_t)
		if !ok {
			return fmt.Errorf("%s: no stat", path)
		}
		if !seen[st.Ino] {
			seen[st.Ino] = true
			sum += st.Blocks * 512
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return sum
}
