package system

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"syscall"
	"testing"

	"github.com/wasport/wasport/internal/hostfs"
	"github.com/wasport/wasport/internal/needs"
	"github.com/wasport/wasport/internal/sched"
	"github.com/wasport/wasport/internal/wasi"
)

func openRoot(t *testing.T, path string) hostfs.Dir {
	t.Helper()
	d, err := hostfs.OpenRoot(path, hostfs.ReadWrite)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

func openFD(g *Guest, name string, oflags uint16, flags wasi.Fdflags) (int32, error) {
	return g.OpenAt(3, name, OpenArgs{
		Oflags: oflags, Flags: flags, Base: wasi.RightFdRead | wasi.RightFdWrite,
		Inheriting: wasi.RightsAll,
	})
}

func create(t *testing.T, g *Guest, name string) int32 {
	t.Helper()
	fd, err := openFD(g, name, wasi.OflagCreat, 0)
	if err != nil {
		t.Fatal(err)
	}
	return fd
}

// quotaTest has a guest with a directory that may grow by 1 MiB. It contains a file of 64 KiB and a
// file of 16 MiB that is one hole.
type quotaTest struct {
	*testing.T
	g  *Guest
	th *Thread
}

const testQuota = 1 << 20

func (q quotaTest) used() int { return int(q.quota().used) }

func (q quotaTest) quota() *quota {
	d, err := q.g.table.lookup(3)
	if err != nil {
		q.Fatal(err)
	}
	return d.object.(directory).quota
}

func (q quotaTest) open(name string, oflags uint16) int32 {
	q.Helper()
	fd, err := openFD(q.g, name, oflags, 0)
	if err != nil {
		q.Fatal(err)
	}
	return fd
}

func (q quotaTest) write(fd int32, n int) (int, error) {
	return q.th.Write(fd, [][]byte{make([]byte, n)})
}

func (q quotaTest) wants(did string, err, want error) {
	q.Helper()
	if err != want {
		q.Errorf("%s: got %v, want %v", did, err, want)
	}
}

func TestQuotaOfDirectory(t *testing.T) {
	const e = entrySize
	testQuotas(t, []quotaRow{
		{"write", func(q quotaTest) {
			fd := q.open("new", wasi.OflagCreat)
			n, err := q.write(fd, 2*testQuota)
			if n != testQuota-e || err != nil {
				q.Errorf("got %d, %v, want a short write of %d", n, err, testQuota-e)
			}
			_, err = q.write(fd, 1)
			q.wants("write more", err, syscall.ENOSPC)
			_, err = q.th.Pwrite(fd, [][]byte{make([]byte, 100)}, 0)
			q.wants("write over what is there", err, nil)
			_, err = q.write(fd, 0)
			q.wants("write nothing", err, nil)
		}, testQuota},
		{"write beyond the end", func(q quotaTest) {
			fd := q.open("new", wasi.OflagCreat)
			_, err := q.th.Pwrite(fd, [][]byte{{1}}, testQuota)
			q.wants("far", err, syscall.ENOSPC)
			_, err = q.th.Pwrite(fd, [][]byte{{1}}, 9999)
			q.wants("near", err, nil)
			_, err = q.g.Seek(fd, 1<<40, io.SeekStart)
			q.wants("seek", err, nil)
			_, err = q.write(fd, 1)
			q.wants("write there", err, syscall.ENOSPC)
		}, e + 10000},
		{"append", func(q quotaTest) {
			fd, err := openFD(q.g, "old", 0, wasi.FdflagAppend)
			q.wants("open", err, nil)
			_, err = q.write(fd, 1000)
			q.wants("write", err, nil)
			_, err = q.th.Pwrite(fd, [][]byte{make([]byte, 1000)}, 0)
			q.wants("write at the beginning, or the end", err, nil)
			_, err = q.write(fd, testQuota)
			q.wants("write more", err, nil) // a short write
		}, testQuota},
		{"set size", func(q quotaTest) {
			fd := q.open("new", wasi.OflagCreat)
			q.wants("beyond", q.g.SetSize(fd, testQuota), syscall.ENOSPC)
			q.wants("far beyond", q.g.SetSize(fd, 1<<62), syscall.ENOSPC)
			q.wants("within", q.g.SetSize(fd, 1000), nil)
		}, e + 1000},
		{"allocate", func(q quotaTest) {
			fd := q.open("new", wasi.OflagCreat)
			q.wants("beyond", q.g.Allocate(fd, 0, testQuota), syscall.ENOSPC)
			q.wants("far", q.g.Allocate(fd, 1<<40, 1), syscall.ENOSPC)
			q.wants("within", q.g.Allocate(fd, 0, 8192), nil)
			q.wants("again", q.g.Allocate(fd, 0, 8192), nil)
			q.wants("nothing", q.g.Allocate(fd, 0, 0), syscall.EINVAL)
		}, e + 8192},
		{"names", func(q quotaTest) {
			q.wants("mkdir", q.g.Mkdir(3, "dir"), nil)
			q.wants("link", q.g.Link(3, "old", false, 3, "link"), nil)
			if err := q.g.Mkdir(3, "dir"); err != syscall.EEXIST {
				q.Errorf("mkdir again: got %v, want EEXIST", err)
			}
			q.wants("rmdir", q.g.Rmdir(3, "dir"), nil)
		}, e},
		{"symbolic links", func(q quotaTest) {
			needs.NotWine(q.T)
			q.wants("symlink", q.g.Symlink("old", 3, "symlink"), nil)
		}, e},
		{"many names", func(q quotaTest) {
			for i := range testQuota / e {
				q.wants("create", q.g.CloseFD(q.open(fmt.Sprint(i), wasi.OflagCreat)), nil)
			}
			_, err := openFD(q.g, "more", wasi.OflagCreat, 0)
			q.wants("create more", err, syscall.ENOSPC)
			q.wants("mkdir", q.g.Mkdir(3, "dir"), syscall.ENOSPC)
			q.wants("symlink", q.g.Symlink("old", 3, "symlink"), syscall.ENOSPC)
			q.wants("link", q.g.Link(3, "old", false, 3, "link"), syscall.ENOSPC)
			q.wants("open what is there", q.g.CloseFD(q.open("0", wasi.OflagCreat)), nil)
		}, testQuota},
		{"unlink", func(q quotaTest) {
			for range 3 {
				fd := q.open("new", wasi.OflagCreat)
				_, err := q.write(fd, testQuota/2)
				q.wants("write", err, nil)
				q.wants("unlink", q.g.Unlink(3, "new"), nil)
				if got := q.used(); got != testQuota/2 {
					q.Errorf("got %d used by an open file without a name, want %d", got,
						testQuota/2)
				}
				q.wants("close", q.g.CloseFD(fd), nil)
			}
		}, 0},
		{"truncate", func(q quotaTest) {
			for range 3 {
				fd := q.open("new", wasi.OflagCreat|wasi.OflagTrunc)
				_, err := q.write(fd, testQuota/2)
				q.wants("write", err, nil)
				q.wants("close", q.g.CloseFD(fd), nil)
			}
			q.wants("cut", q.g.SetSize(q.open("new", 0), 8192), nil)
		}, e + 8192},
		{"replace", func(q quotaTest) {
			for range 3 {
				fd := q.open("temporary", wasi.OflagCreat)
				_, err := q.write(fd, testQuota/4)
				q.wants("write", err, nil)
				q.wants("close", q.g.CloseFD(fd), nil)
				q.wants("rename", q.g.Rename(3, "temporary", 3, "new"), nil)
			}
		}, e + testQuota/4},
		{"rename to itself", func(q quotaTest) {
			q.wants("link", q.g.Link(3, "old", false, 3, "link"), nil)
			for range 10 {
				// No change: both names are the same file (rename(2)).
				q.wants("rename", q.g.Rename(3, "link", 3, "old"), nil)
				q.wants("rename", q.g.Rename(3, "old", 3, "old"), nil)
			}
		}, e},
		{"below a directory", func(q quotaTest) {
			q.wants("mkdir", q.g.Mkdir(3, "dir"), nil)
			dir, err := q.g.OpenAt(3, "dir",
				OpenArgs{Oflags: wasi.OflagDirectory, Inheriting: wasi.RightsAll})
			q.wants("open", err, nil)
			fd, err := q.g.OpenAt(dir, "new",
				OpenArgs{Oflags: wasi.OflagCreat, Base: wasi.RightFdWrite})
			q.wants("create", err, nil)
			_, err = q.write(fd, 2*testQuota)
			q.wants("write", err, nil)
		}, testQuota},
	})
}

// A quotaRow is what a guest does in the directory of a quotaTest, and how much of the quota it has
// used then.
type quotaRow struct {
	name string
	do   func(q quotaTest)
	used int
}

func testQuotas(t *testing.T, rows []quotaRow) {
	for _, tt := range rows {
		t.Run(tt.name, func(t *testing.T) {
			dir := t.TempDir()
			if err := os.WriteFile(filepath.Join(dir, "old"), make([]byte, 64<<10),
				0o600); err != nil {
				t.Fatal(err)
			}
			f, err := os.Create(filepath.Join(dir, "holes"))
			if err != nil {
				t.Fatal(err)
			}
			if err := errors.Join(f.Truncate(16<<20), f.Close()); err != nil {
				t.Fatal(err)
			}
			g := newTestGuest(t, Preopen{Dir: openRoot(t, dir), Name: "/", Quota: testQuota})
			q := quotaTest{t, g, g.NewThread(sched.New())}
			defer q.th.Close()
			tt.do(q)
			if got := q.used(); got != tt.used {
				t.Errorf("got %d bytes used, want %d", got, tt.used)
			}
		})
	}
}

// TestQuotasWithRenameAndLinkBetweenThem moves and links a file between directories of different
// quotas: one would pay for it, and the other would get the refund.
func TestQuotasWithRenameAndLinkBetweenThem(t *testing.T) {
	for _, row := range []struct {
		name         string
		quota, other uint64
		want         error
	}{
		{"two quotas", testQuota, testQuota, syscall.EXDEV},
		{"from no quota into one", 0, testQuota, syscall.EXDEV},
		{"from a quota into none", testQuota, 0, syscall.EXDEV},
		{"no quotas", 0, 0, betweenRoots},
	} {
		t.Run(row.name, func(t *testing.T) {
			from, to := t.TempDir(), t.TempDir()
			if err := os.WriteFile(filepath.Join(from, "file"), []byte("text"), 0o600); err != nil {
				t.Fatal(err)
			}
			g := newTestGuest(t,
				Preopen{Dir: openRoot(t, from), Name: "/from", Quota: row.quota},
				Preopen{Dir: openRoot(t, to), Name: "/to", Quota: row.other})
			if err := g.Link(3, "file", false, 4, "linked"); !errors.Is(err, row.want) {
				t.Errorf("link: got %v, want %v", err, row.want)
			}
			if err := g.Rename(3, "file", 4, "moved"); !errors.Is(err, row.want) {
				t.Errorf("rename: got %v, want %v", err, row.want)
			}
		})
	}
}
