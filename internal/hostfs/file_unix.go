//go:build unix

package hostfs

import (
	"math"
	"sync"
	"sync/atomic"

	"golang.org/x/sys/unix"

	"github.com/wasport/wasport/network"
)

// A File is an open file that is not a directory opened beneath a Dir. No operation blocks, except
// for the time that a disk takes: where there is nothing to read or no room to write now, it is
// EAGAIN, whatever the flags say.
type File struct {
	handle
	typ      FileType
	stream   bool // a pipe, terminal or socket: something that could make a reader wait
	shared   bool // others have the same open file, so its modes are not ours to change
	readOnly bool

	setting    sync.Mutex    // held while flags change
	flags      atomic.Uint32 // Flags
	kernelSync Flags         // those of Dsync and Sync that the kernel sees to

	blocking  blocking
	readiness func() network.Readiness
}

func newFile(fd int, typ FileType, flags Flags) *File {
	f := &File{handle: handle{fd: fd}, typ: typ}
	f.flags.Store(uint32(flags))
	f.stream = typ == Pipe || typ == CharDevice || typ == SocketStream || typ == SocketDatagram
	f.readiness = sync.OnceValue(func() (r network.Readiness) {
		if f.stream && (f.typ != CharDevice || f.pollable()) {
			r.Control = f.control
		}
		return r
	})
	return f
}

// Type is the kind of the file.
func (f *File) Type() FileType {
	return f.typ
}

// Readv reads into bufs, in order, from the current position. 0 bytes into a buffer that is not
// empty are the end.
func (f *File) Readv(bufs [][]byte) (int, error) {
	if err := f.acquire(); err != nil {
		return 0, err
	}
	defer f.release()
	if f.stream {
		return f.tryReadv(bufs)
	}
	return readv(f.fd, bufs)
}

// Writev writes bufs, in order, at the current position, or at the end with Append. It may write
// less than all.
func (f *File) Writev(bufs [][]byte) (int, error) {
	if err := f.acquire(); err != nil {
		return 0, err
	}
	defer f.release()
	if f.stream {
		return f.tryWritev(bufs)
	}
	n, err := writev(f.fd, bufs)
	return f.afterWrite(n, err)
}

// Preadv reads into bufs from an offset and leaves the current position alone. ESPIPE where there
// are no positions.
func (f *File) Preadv(bufs [][]byte, offset uint64) (int, error) {
	if err := f.acquire(); err != nil {
		return 0, err
	}
	defer f.release()
	if offset > math.MaxInt64 {
		return 0, unix.EINVAL
	}
	return preadv(f.fd, bufs, int64(offset))
}

// Pwritev writes bufs at an offset and leaves the current position alone. With Append, Linux writes
// at the end all the same.
func (f *File) Pwritev(bufs [][]byte, offset uint64) (int, error) {
	if err := f.acquire(); err != nil {
		return 0, err
	}
	defer f.release()
	if offset > math.MaxInt64 {
		return 0, unix.EINVAL
	}
	n, err := pwritev(f.fd, bufs, int64(offset))
	return f.afterWrite(n, err)
}

// afterWrite does what flags set since the file was opened ask for: the kernel takes them only
// then.
func (f *File) afterWrite(n int, err error) (int, error) {
	if n <= 0 || err != nil {
		return n, err
	}
	switch todo := f.Flags() &^ f.kernelSync; {
	case todo&Sync != 0:
		err = retryErr(func() error { return unix.Fsync(f.fd) })
	case todo&Dsync != 0 && f.kernelSync&Sync == 0:
		err = retryErr(func() error { return datasync(f.fd) })
	}
	return n, err
}

// Seek changes the current position and returns it; whence is io.SeekStart, io.SeekCurrent or
// io.SeekEnd. ESPIPE where there are no positions.
func (f *File) Seek(offset int64, whence int) (int64, error) {
	if err := f.acquire(); err != nil {
		return 0, err
	}
	defer f.release()
	if whence < 0 || whence > 2 { // Linux knows more of them
		return 0, unix.EINVAL
	}
	return unix.Seek(f.fd, offset, whence)
}

// Stat tells what is known of the file.
func (f *File) Stat() (Stat, error) {
	if err := f.acquire(); err != nil {
		return Stat{}, err
	}
	defer f.release()
	var st unix.Stat_t
	if err := retryErr(func() error { return unix.Fstat(f.fd, &st) }); err != nil {
		return Stat{}, err
	}
	s := statOf(&st)
	s.Type = f.typ
	return s, nil
}

// SetSize cuts the file or fills it up with zeroes.
func (f *File) SetSize(size uint64) error {
	if err := f.acquire(); err != nil {
		return err
	}
	defer f.release()
	if f.readOnly {
		return unix.EROFS
	}
	if size > math.MaxInt64 {
		return unix.EFBIG
	}
	return retryErr(func() error { return unix.Ftruncate(f.fd, int64(size)) })
}

// SetTimes changes the times of the file.
func (f *File) SetTimes(t Times) error {
	if err := t.valid(); err != nil {
		return err
	}
	ts, err := timespecs(t)
	if err != nil {
		return err
	}
	if err := f.acquire(); err != nil {
		return err
	}
	defer f.release()
	if f.readOnly {
		return unix.EROFS
	}
	return retryErr(func() error { return setTimes(f.fd, &ts) })
}

// Sync waits until the file is on the disk.
func (f *File) Sync() error {
	if err := f.acquire(); err != nil {
		return err
	}
	defer f.release()
	return retryErr(func() error { return unix.Fsync(f.fd) })
}

// Datasync waits until the file's data are on the disk.
func (f *File) Datasync() error {
	if err := f.acquire(); err != nil {
		return err
	}
	defer f.release()
	return retryErr(func() error { return datasync(f.fd) })
}

// Allocate makes the file at least offset+length bytes long and, where the host can, reserves the
// space.
func (f *File) Allocate(offset, length uint64) error {
	if err := f.acquire(); err != nil {
		return err
	}
	defer f.release()
	switch {
	case f.readOnly:
		return unix.EROFS
	case length == 0:
		return unix.EINVAL
	case offset > math.MaxInt64 || length > math.MaxInt64-offset:
		return unix.EFBIG
	}
	return allocate(f.fd, int64(offset), int64(length))
}

// Advise tells the host how a part of the file is going to be used; length 0 reaches to its end.
// Hosts may ignore it.
func (f *File) Advise(offset, length uint64, a Advice) error {
	if err := f.acquire(); err != nil {
		return err
	}
	defer f.release()
	switch {
	case f.stream:
		return unix.ESPIPE
	case a > NoReuse || offset > math.MaxInt64 || length > math.MaxInt64:
		return unix.EINVAL
	}
	return advise(f.fd, int64(offset), int64(length), a)
}

// Flags are the flags that the file was opened with or that were set last.
func (f *File) Flags() Flags {
	return Flags(f.flags.Load())
}

// SetFlags sets all flags. Append cannot be changed on an open file that the process has inherited:
// ENOTSUP.
func (f *File) SetFlags(flags Flags) error {
	if flags&^allFlags != 0 {
		return unix.EINVAL
	}
	if err := f.acquire(); err != nil {
		return err
	}
	defer f.release()
	f.setting.Lock()
	defer f.setting.Unlock()
	if (flags^f.Flags())&Append != 0 {
		if f.shared {
			return unix.ENOTSUP
		}
		modes, err := unix.FcntlInt(uintptr(f.fd), unix.F_GETFL, 0)
		if err != nil {
			return err
		}
		modes &^= unix.O_APPEND
		if flags&Append != 0 {
			modes |= unix.O_APPEND
		}
		if _, err := unix.FcntlInt(uintptr(f.fd), unix.F_SETFL, modes); err != nil {
			return err
		}
	}
	f.flags.Store(uint32(flags))
	return nil
}

// growFile makes a file at least size bytes long.
func growFile(fd int, size int64) error {
	var st unix.Stat_t
	if err := unix.Fstat(fd, &st); err != nil || st.Size >= size {
		return err
	}
	return retryErr(func() error { return unix.Ftruncate(fd, size) })
}
