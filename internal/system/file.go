package system

import (
	"errors"
	"math"
	"os"
	"syscall"

	"github.com/wasport/wasport/internal/hostfs"
	"github.com/wasport/wasport/internal/wasi"
	"github.com/wasport/wasport/network"
)

// file is what a descriptor of an open file refers to, or of a standard stream that the host lends.
type file struct{ *hostfs.File }

func newStdio(f *os.File, rights wasi.Rights) (*descriptor, error) {
	h, err := hostfs.FromOS(f)
	if err != nil {
		return nil, err
	}
	if h.Type() == hostfs.CharDevice && !h.Terminal() {
		rights |= wasi.RightFdTell // else C libraries would take /dev/null for a terminal
	}
	return newDescriptor(file{h}, rights, 0), nil
}

func (f file) filetype() wasi.Filetype          { return filetype(f.Type()) }
func (f file) read(bufs [][]byte) (int, error)  { return f.Readv(bufs) }
func (f file) write(bufs [][]byte) (int, error) { return f.Writev(bufs) }
func (f file) flags() wasi.Fdflags              { return wasi.Fdflags(f.Flags() &^ hostfs.Nonblock) }
func (f file) setFlags(w wasi.Fdflags) error    { return f.SetFlags(hostfs.Flags(w)) }
func (f file) close() error                     { return f.Close() }

func (f file) stat() (wasi.Filestat, error) {
	s, err := f.Stat()
	return filestat(s), err
}

func filetype(t hostfs.FileType) wasi.Filetype {
	if t == hostfs.Pipe {
		return wasi.FiletypeUnknown
	}
	return wasi.Filetype(t)
}

func filestat(s hostfs.Stat) wasi.Filestat {
	return wasi.Filestat{
		Dev: s.Dev, Ino: s.Ino, Type: filetype(s.Type), Nlink: s.Nlink, Size: s.Size,
		Atim: s.Atime, Mtim: s.Mtime, Ctim: s.Ctime,
	}
}

// directory is what a descriptor of a directory refers to.
type directory struct{ *hostfs.Dir }

func newDirectory(d *hostfs.Dir, preopen *string, base, inheriting wasi.Rights) *descriptor {
	n := newDescriptor(directory{d}, base, inheriting)
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

// path translates what hostfs says of a path that leads outside.
func pathError(err error) error {
	if errors.Is(err, hostfs.ErrEscapes) {
		return wasi.ENOTCAPABLE
	}
	return err
}

// fileAt finds a descriptor that is a file and has the rights wanted. On a socket these calls say ENOTCAPABLE, since it has no such
// right; on a directory EISDIR where it would be read or written, EBADF where that makes no sense.
func (g *Guest) fileAt(fd int32, want wasi.Rights) (file, error) {
	d, err := g.with(fd, want)
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

// Pread and Pwrite read and write at an offset. ESPIPE where there are no positions.
func (t *Thread) Pread(fd int32, bufs [][]byte, offset uint64) (int, error) {
	if d, err := t.table.at(fd); err == nil {
		if _, ok := d.asSocket(); ok {
			return 0, syscall.ESPIPE
		}
	}
	f, err := t.fileAt(fd, wasi.RightFdRead)
	if err != nil {
		return 0, err
	}
	return f.Preadv(bufs, offset)
}

func (t *Thread) Pwrite(fd int32, bufs [][]byte, offset uint64) (int, error) {
	f, err := t.fileAt(fd, wasi.RightFdWrite)
	if err != nil {
		return 0, err
	}
	return f.Pwritev(bufs, offset)
}

// Seek changes a file's position and returns it. Asking where it is needs less of a right than changing it.
func (g *Guest) Seek(fd int32, offset int64, whence int) (int64, error) {
	want := wasi.RightFdSeek
	if offset == 0 && whence == wasi.WhenceCur {
		want = wasi.RightFdTell
	}
	f, err := g.fileAt(fd, want)
	if err == wasi.ENOTCAPABLE {
		f, err = g.fileAt(fd, wasi.RightFdSeek) // which implies the other
	}
	if err != nil {
		return 0, err
	}
	return f.Seek(offset, whence)
}

// Advise, Allocate, Datasync, Sync, SetSize and SetTimes do to a file what the functions of the same names of preview 1 say.
func (g *Guest) Advise(fd int32, offset, length uint64, advice uint8) error {
	if advice > uint8(hostfs.NoReuse) {
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
	return f.Allocate(offset, length)
}

func (g *Guest) Datasync(fd int32) error {
	f, err := g.fileAt(fd, wasi.RightFdDatasync)
	if err != nil {
		return err
	}
	return f.Datasync()
}

func (g *Guest) Sync(fd int32) error {
	d, err := g.with(fd, wasi.RightFdSync)
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

func (g *Guest) SetSize(fd int32, size uint64) error {
	f, err := g.fileAt(fd, wasi.RightFdFilestatSetSize)
	if err != nil {
		return err
	}
	if size > math.MaxInt64 {
		return syscall.EFBIG
	}
	return f.SetSize(size)
}

func (g *Guest) SetTimes(fd int32, at hostfs.Times) error {
	d, err := g.with(fd, wasi.RightFdFilestatSetTimes)
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
