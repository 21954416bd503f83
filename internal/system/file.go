package system

import (
	"errors"
	"io"
	"math"
	"syscall"

	"github.com/wasport/wasport/internal/hostfs"
	"github.com/wasport/wasport/internal/wasi"
	"github.com/wasport/wasport/network"
)

// file is the object of an open file, or of a standard stream that is an *os.File.
type file struct {
	hostfs.File

	// quota is the one of the preopened directory; nil = none.
	quota *quota
}

func (f file) filetype() wasi.Filetype         { return wasi.Filetype(f.Type()) }
func (f file) read(bufs [][]byte) (int, error) { return f.Readv(bufs) }
func (f file) flags() wasi.Fdflags             { return wasi.Fdflags(f.Flags() &^ hostfs.Nonblock) }
func (f file) setFlags(w wasi.Fdflags) error   { return f.SetFlags(hostfs.Flags(w)) }

func (f file) write(bufs [][]byte) (int, error) {
	if f.quota == nil {
		return f.Writev(bufs)
	}
	at := func(size uint64) (uint64, error) {
		if f.Flags()&hostfs.Append != 0 {
			return size, nil
		}
		offset, err := f.Seek(0, io.SeekCurrent)
		return uint64(offset), err
	}
	return f.quota.write(f.File, bufs, at, f.Writev)
}

func (f file) pwrite(bufs [][]byte, offset uint64) (int, error) {
	if f.quota == nil {
		return f.Pwritev(bufs, offset)
	}
	at := func(size uint64) (uint64, error) {
		if f.Flags()&hostfs.Append != 0 {
			// Linux appends, other systems write at offset (pwrite(2), BUGS).
			return max(size, offset), nil
		}
		return offset, nil
	}
	return f.quota.write(f.File, bufs, at,
		func(bufs [][]byte) (int, error) { return f.Pwritev(bufs, offset) })
}

func (f file) append(bufs [][]byte) (int, error) {
	if f.quota == nil {
		return f.Appendv(bufs)
	}
	atEnd := func(size uint64) (uint64, error) { return size, nil }
	return f.quota.write(f.File, bufs, atEnd, f.Appendv)
}

func (f file) close() error {
	if f.quota == nil {
		return f.Close()
	}
	return f.quota.closeFile(f.File)
}

func (f file) stat() (wasi.Filestat, error) {
	s, err := f.Stat()
	return filestat(s), err
}

func filestat(s hostfs.Stat) wasi.Filestat {
	return wasi.Filestat{
		Dev: s.Dev, Ino: s.Ino, Type: wasi.Filetype(s.Type), Nlink: s.Nlink, Size: s.Size,
		Atim: s.Atime, Mtim: s.Mtime, Ctim: s.Ctime,
	}
}

// directory is the object of an open directory.
type directory struct {
	hostfs.Dir
	quota *quota // nil = none
}

func newDirectory(d directory, preopen *string, base, inheriting wasi.Rights) *descriptor {
	n := newDescriptor(d, base, inheriting)
	n.preopen = preopen
	return n
}

func (d directory) filetype() wasi.Filetype      { return wasi.FiletypeDirectory }
func (d directory) read([][]byte) (int, error)   { return 0, syscall.EISDIR }
func (d directory) write([][]byte) (int, error)  { return 0, syscall.EISDIR }
func (d directory) flags() wasi.Fdflags          { return 0 }
func (d directory) setFlags(wasi.Fdflags) error  { return nil }
func (d directory) close() error                 { return d.Close() }
func (d directory) Readiness() network.Readiness { return network.Readiness{} }
func (d directory) Available() (int, error)      { return 0, nil }

func (d directory) Poll(want network.Events) (network.Events, error) { return want, nil }

func (d directory) stat() (wasi.Filestat, error) {
	s, err := d.Stat(".", true)
	return filestat(s), err
}

// pathError translates the error of a path that leaves its directory: ENOTCAPABLE, as in WASI
// preview 1.
func pathError(err error) error {
	if errors.Is(err, hostfs.ErrEscapes) {
		return wasi.ENOTCAPABLE
	}
	return err
}

// fileAt returns the descriptor fd as a file if it has all rights in want. A socket is ENOTCAPABLE,
// since it lacks these rights; a directory is EBADF, any other object ESPIPE.
func (g *Guest) fileAt(fd int32, want wasi.Rights) (file, error) {
	d, err := g.lookupWith(fd, want)
	if err != nil {
		return file{}, err
	}
	switch o := d.object.(type) {
	case file:
		return o, nil
	case directory:
		return file{}, syscall.EBADF
	}
	return file{}, syscall.ESPIPE
}

// Pread and Pwrite read and write at an offset, as preadv(2) and pwritev(2) do. An object without a
// position is ESPIPE.
func (t *Thread) Pread(fd int32, bufs [][]byte, offset uint64) (int, error) {
	if d, err := t.table.lookup(fd); err == nil {
		if _, ok := d.asSocket(); ok {
			return 0, syscall.ESPIPE
		}
	}
	f, err := t.fileAt(fd, wasi.RightFdRead)
	if err != nil {
		return 0, err
	}
	return t.inChunks(bufs, func(bufs [][]byte, done int) (int, error) {
		return f.Preadv(bufs, offset+uint64(done))
	})
}

func (t *Thread) Pwrite(fd int32, bufs [][]byte, offset uint64) (int, error) {
	t.endSendRun()
	f, err := t.fileAt(fd, wasi.RightFdWrite)
	if err != nil {
		return 0, err
	}
	return t.inChunks(bufs, func(bufs [][]byte, done int) (int, error) {
		return f.pwrite(bufs, offset+uint64(done))
	})
}

// Append writes at the end of a file, as pwritev2(2) does with RWF_APPEND.
func (t *Thread) Append(fd int32, bufs [][]byte) (int, error) {
	t.endSendRun()
	f, err := t.fileAt(fd, wasi.RightFdWrite)
	if err != nil {
		return 0, err
	}
	return t.inChunks(bufs, func(bufs [][]byte, _ int) (int, error) { return f.append(bufs) })
}

// Seek changes a file's position and returns the new one. A call that only asks for the position
// needs the right to tell, not the one to seek.
func (g *Guest) Seek(fd int32, offset int64, whence int) (int64, error) {
	want := wasi.RightFdSeek
	if offset == 0 && whence == wasi.WhenceCur {
		want = wasi.RightFdTell
	}
	f, err := g.fileAt(fd, want)
	if err == wasi.ENOTCAPABLE {
		f, err = g.fileAt(fd, wasi.RightFdSeek) // which includes the right to tell
	}
	if err != nil {
		return 0, err
	}
	return f.Seek(offset, whence)
}

func (d *descriptor) isFileOrDir() bool {
	switch d.object.(type) {
	case file, directory:
		return true
	}
	return false
}

// Advise, Allocate, Datasync, Sync, SetSize and SetTimes implement fd_advise, fd_allocate,
// fd_datasync, fd_sync, fd_filestat_set_size and fd_filestat_set_times of WASI preview 1.
func (g *Guest) Advise(fd int32, offset, length uint64, advice uint32) error {
	if advice > uint32(hostfs.NoReuse) {
		return syscall.EINVAL
	}
	f, err := g.fileAt(fd, wasi.RightFdAdvise)
	if err != nil {
		return err
	}
	return f.Advise(offset, length, hostfs.Advice(advice))
}

func (g *Guest) Allocate(fd int32, offset, length uint64) error {
	f, err := g.fileAt(fd, wasi.RightFdAllocate)
	if err != nil {
		return err
	}
	if f.quota == nil || length == 0 {
		return f.Allocate(offset, length)
	}
	return f.quota.resize(f.File, offset, length,
		func() error { return f.Allocate(offset, length) })
}

func (g *Guest) Datasync(fd int32) error {
	f, err := g.fileAt(fd, wasi.RightFdDatasync)
	if err != nil {
		return err
	}
	return f.Datasync()
}

func (g *Guest) Sync(fd int32) error {
	d, err := g.lookupWith(fd, wasi.RightFdSync)
	if err != nil {
		return err
	}
	switch o := d.object.(type) {
	case file:
		return o.Sync()
	case directory:
		return o.Sync()
	}
	return syscall.EINVAL
}

// SetSize is EINVAL for an object that has no size, whatever its rights (POSIX, ftruncate).
func (g *Guest) SetSize(fd int32, size uint64) error {
	if d, err := g.table.lookup(fd); err == nil && !d.isFileOrDir() {
		return syscall.EINVAL
	}
	f, err := g.fileAt(fd, wasi.RightFdFilestatSetSize)
	if err != nil {
		return err
	}
	if size > math.MaxInt64 {
		return syscall.EFBIG
	}
	if f.quota == nil {
		return f.SetSize(size)
	}
	return f.quota.setSize(f.File, size)
}

func (g *Guest) SetTimes(fd int32, at hostfs.Times) error {
	d, err := g.lookupWith(fd, wasi.RightFdFilestatSetTimes)
	if err != nil {
		return err
	}
	switch o := d.object.(type) {
	case file:
		return o.SetTimes(at)
	case directory:
		return o.SetTimes(".", true, at)
	}
	return syscall.EINVAL
}
