package abi_test

import (
	"os"
	"testing"

	"github.com/wasport/wasport/internal/hostfs"
	"github.com/wasport/wasport/internal/system"
	"github.com/wasport/wasport/internal/wasi"
)

// Rights with which Go's package syscall opens files (fs_wasip1.go). Go writes to a file only with
// the right to set the size of a path, and asks for the right to set a file's size in all modes.
const (
	goReads  = uint64((wasi.RightsFile | wasi.RightsDirectory) &^ goWrites)
	goWrites = wasi.RightFdDatasync | wasi.RightFdWrite | wasi.RightFdAllocate |
		wasi.RightPathFilestatSetSize
)

// openWith calls path_open and returns the descriptor.
func (c *caller) openWith(in uint64, name string, oflags uint16, base uint64) (uint64, wasi.Errno) {
	c.t.Helper()
	c.putPath(path, name)
	e := c.call("path_open", in, 0, path, uint64(len(name)), uint64(oflags), base, 0, 0, out)
	return c.u32(out), e
}

// TestRightsOfFileFromDirectory opens files through a directory that was opened without the right
// to write: the preopened directory decides.
func TestRightsOfFileFromDirectory(t *testing.T) {
	const trunc = wasi.OflagCreat | wasi.OflagTrunc
	for _, test := range []struct {
		name     string
		access   hostfs.Access
		opened   uint64 // rights with which sub was opened
		oflags   uint16
		base     uint64
		want     wasi.Errno
		canRead  bool
		canWrite bool
	}{
		{"go reads", hostfs.ReadWrite, goReads, 0, goReads, wasi.Success, true, false},
		{"go creates", hostfs.ReadWrite, goReads, trunc, uint64(wasi.RightsFile), wasi.Success,
			true, true},
		{"write alone", hostfs.ReadWrite, 0, trunc, uint64(wasi.RightFdWrite), wasi.Success, false,
			true},
		{"no rights", hostfs.ReadWrite, 0, 0, 0, wasi.Success, false, false},
		{"read-only, go reads", hostfs.ReadOnly, goReads, 0, goReads, wasi.Success, true, false},
		{"read-only, writing", hostfs.ReadOnly, goReads, 0, uint64(wasi.RightFdWrite), wasi.EROFS,
			false, false},
		{"read-only, creating", hostfs.ReadOnly, goReads, trunc, 0, wasi.EROFS, false, false},
	} {
		t.Run(test.name, func(t *testing.T) {
			c := newFilesCaller(t, test.access)
			sub, e := c.openWith(dir, "sub", wasi.OflagDirectory, test.opened)
			if e != wasi.Success {
				t.Fatalf("opening the directory: got %v, want success", e)
			}
			if got := uint64(c.fdstat(sub).Base); got&^test.opened != 0 {
				t.Errorf("got rights %#x, want only some of %#x", got, test.opened)
			}
			fd, e := c.openWith(sub, "f", test.oflags, test.base)
			if e != test.want {
				t.Fatalf("got %v, want %v", e, test.want)
			}
			if e != wasi.Success {
				return
			}
			for call, can := range map[string]bool{"fd_write": test.canWrite,
				"fd_read": test.canRead} {
				if e := c.call(call, fd, iov, 1, out); (e == wasi.Success) != can {
					t.Errorf("%s: got %v, want success %v", call, e, can)
				}
			}
			if e := c.call("fd_filestat_set_size", fd, 3); (e == wasi.Success) != test.canWrite {
				t.Errorf("fd_filestat_set_size: got %v, want success %v", e, test.canWrite)
			}
			c.must("fd_seek", fd, 0, wasi.WhenceSet, out)
		})
	}
}

// TestChangeOfReadOnlyFile makes every call that changes a file, on a file of a read-only
// directory.
func TestChangeOfReadOnlyFile(t *testing.T) {
	c := newFilesCaller(t, hostfs.ReadOnly)
	fd, e := c.openWith(dir, "sub/f", 0, goReads)
	if e != wasi.Success {
		t.Fatalf("path_open: got %v, want success", e)
	}
	for _, test := range []struct {
		call string
		args []uint64
		want wasi.Errno
	}{
		{"fd_write", []uint64{fd, iov, 1, out}, wasi.ENOTCAPABLE},
		{"fd_pwrite", []uint64{fd, iov, 1, 0, out}, wasi.ENOTCAPABLE},
		{"fd_filestat_set_size", []uint64{fd, 0}, wasi.EROFS},
		{"fd_allocate", []uint64{fd, 0, 100}, wasi.EROFS},
		{"fd_filestat_set_times", []uint64{fd, 1e9, 2e9, wasi.FstflagAtim | wasi.FstflagMtim},
			wasi.EROFS},
	} {
		if got := c.call(test.call, test.args...); got != test.want {
			t.Errorf("%s: got %v, want %v", test.call, got, test.want)
		}
	}
}

// TestRightsGivenUpByDirectory checks that neither the directory nor files opened through it have
// the rights that it gave up.
func TestRightsGivenUpByDirectory(t *testing.T) {
	c := newFilesCaller(t, hostfs.ReadWrite)
	kept := uint64(wasi.RightPathOpen)
	c.must("fd_fdstat_set_rights", dir, kept, uint64(wasi.RightFdRead|wasi.RightPathOpen))
	c.putPath(path, "new")
	if e := c.call("path_create_directory", dir, path, 3); e != wasi.ENOTCAPABLE {
		t.Errorf("path_create_directory: got %v, want %v", e, wasi.ENOTCAPABLE)
	}
	if _, e := c.openWith(dir, "sub/f", wasi.OflagTrunc,
		uint64(wasi.RightFdWrite)); e != wasi.ENOTCAPABLE {
		t.Errorf("path_open to truncate: got %v, want %v", e, wasi.ENOTCAPABLE)
	}
	sub, e := c.openWith(dir, "sub", wasi.OflagDirectory, goReads)
	if e != wasi.Success {
		t.Fatalf("path_open: got %v, want success", e)
	}
	c.putPath(path, "f")
	if e := c.call("path_unlink_file", sub, path, 1); e != wasi.ENOTCAPABLE {
		t.Errorf("path_unlink_file: got %v, want %v", e, wasi.ENOTCAPABLE)
	}
	fd, e := c.openWith(sub, "f", 0, uint64(wasi.RightFdRead|wasi.RightFdWrite))
	if e != wasi.Success {
		t.Fatalf("path_open: got %v, want success", e)
	}
	c.must("fd_read", fd, iov, 1, out)
	for _, call := range []string{"fd_write", "fd_fdstat_set_rights"} {
		args := []uint64{fd, iov, 1, out}
		if call == "fd_fdstat_set_rights" {
			args = []uint64{fd, uint64(wasi.RightFdWrite), 0}
		}
		if e := c.call(call, args...); e != wasi.ENOTCAPABLE {
			t.Errorf("%s: got %v, want %v", call, e, wasi.ENOTCAPABLE)
		}
	}
}

// newFilesCaller makes a guest with a directory that contains sub/f.
func newFilesCaller(t *testing.T, access hostfs.Access) *caller {
	t.Helper()
	host := t.TempDir()
	err := os.Mkdir(host+"/sub", 0o700)
	if err == nil {
		err = os.WriteFile(host+"/sub/f", []byte("contents"), 0o600)
	}
	if err != nil {
		t.Fatal(err)
	}
	root, err := hostfs.OpenRoot(host, access)
	if err != nil {
		t.Fatal(err)
	}
	return newCaller(t, system.Config{Preopens: []system.Preopen{{Dir: root,
		Name: "/"}}}).withBuffer()
}
