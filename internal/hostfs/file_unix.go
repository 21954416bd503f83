//go:build unix

package hostfs

import (
	"io"
	"math"
	"sync"
	"sync/atomic"

	"golang.org/x/sys/unix"

	"github.com/wasport/wasport/network"
)

// An osFile is an open file that is not a directory opened beneath a Dir. Operations do not block,
// except while a disk works. If there are no data or no room, they return EAGAIN, with Nonblock or
// without.
type osFile struct {
	handle
	typ FileType
	// stream tells that the file is a pipe, terminal or socket, where a read or write could block.
	stream bool
	// shared tells that other processes have the same open file, so that its modes must not change.
	shared   bool
	readOnly bool

	// flagsMu protects changes of flags, and of the position by Appendv. Reads need no lock.
	flagsMu sync.Mutex
	// flags holds a value of type Flags.
	flags atomic.Uint32
	// kernelSync holds those of Dsync and Sync that the descriptor was opened with.
	kernelSync Flags

	nowait    nowait
	readiness func() network.Readiness
}

func newFile(fd int, typ FileType, flags Flags) *osFile {
	f := &osFile{handle: handle{fd: fd}, typ: typ}
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

// Type returns the type of the file.
func (f *osFile) Type() FileType {
	return f.typ
}

// Readv reads into bufs, in order, from the current position. 0 bytes into a buffer that is not
// empty are the end of the file.
func (f *osFile) Readv(bufs [][]byte) (int, error) {
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
// fewer bytes than bufs hold.
func (f *osFile) Writev(bufs [][]byte) (int, error) {
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

// Preadv reads into bufs from an offset and does not change the current position. It returns ESPIPE
// for a file without positions.
func (f *osFile) Preadv(bufs [][]byte, offset uint64) (int, error) {
	if err := f.acquire(); err != nil {
		return 0, err
	}
	defer f.release()
	if offset > math.MaxInt64 {
		return 0, unix.EINVAL
	}
	return preadv(f.fd, bufs, int64(offset))
}

// Pwritev writes bufs at an offset and does not change the current position. With Append, Linux
// writes at the end of the file all the same (pwrite(2), bugs).
func (f *osFile) Pwritev(bufs [][]byte, offset uint64) (int, error) {
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

// Appendv writes bufs at the end of the file, also without Append. It may change the current
// position.
func (f *osFile) Appendv(bufs [][]byte) (int, error) {
	if err := f.acquire(); err != nil {
		return 0, err
	}
	defer f.release()
	if f.stream {
		return f.tryWritev(bufs)
	}
	n, err := f.appendv(bufs)
	return f.afterWrite(n, err)
}

// seekAppendv writes where the end of the file was when it looked.
func (f *osFile) seekAppendv(bufs [][]byte) (int, error) {
	f.flagsMu.Lock() // another append must not move the position in between
	defer f.flagsMu.Unlock()
	if _, err := unix.Seek(f.fd, 0, io.SeekEnd); err != nil {
		return 0, err
	}
	return writev(f.fd, bufs)
}

// afterWrite synchronizes as Dsync and Sync require, if they were set after the file was opened:
// fcntl(2) cannot set O_DSYNC and O_SYNC.
func (f *osFile) afterWrite(n int, err error) (int, error) {
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

// Seek sets the current position and returns it. whence is io.SeekStart, io.SeekCurrent or
// io.SeekEnd. It returns ESPIPE for a file without positions.
func (f *osFile) Seek(offset int64, whence int) (int64, error) {
	if err := f.acquire(); err != nil {
		return 0, err
	}
	defer f.release()
	// Linux has further values, such as SEEK_DATA (lseek(2)).
	if whence < 0 || whence > 2 {
		return 0, unix.EINVAL
	}
	return unix.Seek(f.fd, offset, whence)
}

// Stat returns the properties of the file.
func (f *osFile) Stat() (Stat, error) {
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

// SetSize truncates the file, or extends it with zeroes.
func (f *osFile) SetSize(size uint64) error {
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

// SetTimes sets the times of the file.
func (f *osFile) SetTimes(t Times) error {
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

// Sync returns when the file is on the disk (fsync(2)).
func (f *osFile) Sync() error {
	if err := f.acquire(); err != nil {
		return err
	}
	defer f.release()
	return retryErr(func() error { return unix.Fsync(f.fd) })
}

// Datasync returns when the data of the file are on the disk (fdatasync(2)).
func (f *osFile) Datasync() error {
	if err := f.acquire(); err != nil {
		return err
	}
	defer f.release()
	return retryErr(func() error { return datasync(f.fd) })
}

// Allocate makes the file at least offset+length bytes long and, if the host can, reserves the
// space (posix_fallocate(3)).
func (f *osFile) Allocate(offset, length uint64) error {
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

// Advise tells the host the expected use of a part of the file (posix_fadvise(2)). Length 0 is the
// part up to the end. Hosts may ignore it.
func (f *osFile) Advise(offset, length uint64, a Advice) error {
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

// Flags returns the flags that were set last, or else those of Open.
func (f *osFile) Flags() Flags {
	return Flags(f.flags.Load())
}

// SetFlags sets all flags. It returns ENOTSUP for a change of Append if the process has inherited
// the file.
func (f *osFile) SetFlags(flags Flags) error {
	if flags&^allFlags != 0 {
		return unix.EINVAL
	}
	if err := f.acquire(); err != nil {
		return err
	}
	defer f.release()
	f.flagsMu.Lock()
	defer f.flagsMu.Unlock()
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
