package hostfs

import (
	"errors"
	"io"
	"io/fs"
	"math"
	"os"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"golang.org/x/sys/windows"

	"github.com/wasport/wasport/network"
)

// An osFile is an open file of a disk, or NUL.
type osFile struct {
	uses
	file     *os.File
	typ      FileType
	flags    atomic.Uint32
	readOnly bool
	// appendMu is held while Append seeks to the end and writes there.
	appendMu sync.Mutex
}

var _ network.Pollable = (*osFile)(nil)

func newFile(file *os.File, flags Flags) *osFile {
	f := &osFile{file: file, typ: RegularFile}
	f.flags.Store(uint32(flags))
	return f
}

// Terminal returns false: a console is a Stream.
func (f *osFile) Terminal() bool { return false }

// Close closes the file. Calls under way complete. It returns fs.ErrClosed if it was called before.
func (f *osFile) Close() error {
	last, err := f.close()
	if last {
		err = posix(f.file.Close())
	}
	return err
}

func (f *osFile) release() {
	if f.end() {
		f.file.Close()
	}
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
	return transferEach(bufs, func(b []byte, _ int) (int, error) { return f.file.Read(b) })
}

// Writev writes bufs, in order, at the current position, or at the end with Append.
func (f *osFile) Writev(bufs [][]byte) (int, error) {
	return f.write(bufs, f.Flags()&Append != 0)
}

// Appendv writes bufs at the end of the file, also without Append. It may change the current
// position.
func (f *osFile) Appendv(bufs [][]byte) (int, error) { return f.write(bufs, true) }

func (f *osFile) write(bufs [][]byte, atEnd bool) (int, error) {
	if err := f.acquire(); err != nil {
		return 0, err
	}
	defer f.release()
	f.appendMu.Lock()
	defer f.appendMu.Unlock()
	if atEnd {
		if _, err := f.file.Seek(0, io.SeekEnd); err != nil {
			return 0, posix(err)
		}
	}
	n, err := transferEach(bufs, func(b []byte, _ int) (int, error) { return f.file.Write(b) })
	return f.afterWrite(n, err)
}

// Preadv reads into bufs from an offset and does not change the current position.
func (f *osFile) Preadv(bufs [][]byte, offset uint64) (int, error) {
	if err := f.acquire(); err != nil {
		return 0, err
	}
	defer f.release()
	if offset > math.MaxInt64 {
		return 0, syscall.EINVAL
	}
	return transferEach(bufs, func(b []byte, done int) (int, error) {
		return f.file.ReadAt(b, int64(offset)+int64(done))
	})
}

// Pwritev writes bufs at an offset and does not change the current position.
func (f *osFile) Pwritev(bufs [][]byte, offset uint64) (int, error) {
	if err := f.acquire(); err != nil {
		return 0, err
	}
	defer f.release()
	if offset > math.MaxInt64 {
		return 0, syscall.EINVAL
	}
	n, err := transferEach(bufs, func(b []byte, done int) (int, error) {
		return f.file.WriteAt(b, int64(offset)+int64(done))
	})
	return f.afterWrite(n, err)
}

func (f *osFile) afterWrite(n int, err error) (int, error) {
	if n > 0 && err == nil && f.Flags()&(Dsync|Sync) != 0 {
		err = posix(f.file.Sync())
	}
	return n, err
}

// transferEach transfers one buffer after the other, until one is not filled. An error after the
// first buffer is dropped, and the bytes until then are reported.
func transferEach(bufs [][]byte, transfer func(b []byte, done int) (int, error)) (done int,
	err error) {
	for _, b := range bufs {
		if len(b) == 0 {
			continue
		}
		n, err := transfer(b, done)
		done += max(n, 0)
		if err != nil && !errors.Is(err, io.EOF) && done == 0 {
			if errors.Is(err, windows.ERROR_ACCESS_DENIED) {
				return 0, syscall.EBADF // the handle was not opened for this
			}
			return 0, posix(err)
		}
		if n < len(b) {
			break
		}
	}
	return done, nil
}

// Seek sets the current position and returns it. whence is io.SeekStart, io.SeekCurrent or
// io.SeekEnd.
func (f *osFile) Seek(offset int64, whence int) (int64, error) {
	if err := f.acquire(); err != nil {
		return 0, err
	}
	defer f.release()
	if whence < 0 || whence > 2 {
		return 0, syscall.EINVAL
	}
	pos, err := f.file.Seek(offset, whence)
	return pos, posix(err)
}

// Stat returns the properties of the file.
func (f *osFile) Stat() (Stat, error) {
	if err := f.acquire(); err != nil {
		return Stat{}, err
	}
	defer f.release()
	var info windows.ByHandleFileInformation
	if f.typ != RegularFile {
		return Stat{Type: f.typ, Nlink: 1}, nil
	}
	if err := windows.GetFileInformationByHandle(windows.Handle(f.file.Fd()), &info); err != nil {
		return Stat{}, posix(err)
	}
	size := uint64(info.FileSizeHigh)<<32 | uint64(info.FileSizeLow)
	return Stat{
		Type: f.typ, Size: size, Disk: size,
		Dev:   uint64(info.VolumeSerialNumber),
		Ino:   uint64(info.FileIndexHigh)<<32 | uint64(info.FileIndexLow),
		Nlink: uint64(info.NumberOfLinks),
		Atime: uint64(max(info.LastAccessTime.Nanoseconds(), 0)),
		Mtime: uint64(max(info.LastWriteTime.Nanoseconds(), 0)),
		Ctime: uint64(max(info.LastWriteTime.Nanoseconds(), 0)),
	}, nil
}

// statOf returns the properties that are known by the path.
func statOf(info os.FileInfo) Stat {
	st := Stat{Nlink: 1, Size: uint64(info.Size()), Disk: uint64(info.Size())}
	switch mode := info.Mode(); {
	case mode.IsRegular():
		st.Type = RegularFile
	case mode.IsDir():
		st.Type = Directory
	case mode&fs.ModeSymlink != 0:
		st.Type = Symlink
	case mode&fs.ModeNamedPipe != 0:
		st.Type = Pipe
	case mode&fs.ModeCharDevice != 0:
		st.Type = CharDevice
	}
	st.Mtime = uint64(max(info.ModTime().UnixNano(), 0))
	st.Atime, st.Ctime = st.Mtime, st.Mtime
	if data, ok := info.Sys().(*syscall.Win32FileAttributeData); ok {
		st.Atime = uint64(max(data.LastAccessTime.Nanoseconds(), 0))
	}
	return st
}

// addFileID adds the properties that are known only of an open file.
func addFileID(file *os.File, st *Stat) {
	conn, err := file.SyscallConn()
	if err != nil {
		return
	}
	conn.Control(func(h uintptr) {
		var info windows.ByHandleFileInformation
		if windows.GetFileInformationByHandle(windows.Handle(h), &info) == nil {
			st.Dev = uint64(info.VolumeSerialNumber)
			st.Ino = uint64(info.FileIndexHigh)<<32 | uint64(info.FileIndexLow)
			st.Nlink = uint64(info.NumberOfLinks)
		}
	})
}

// SetSize truncates the file, or extends it with zeroes.
func (f *osFile) SetSize(size uint64) error {
	if err := f.acquire(); err != nil {
		return err
	}
	defer f.release()
	switch {
	case f.readOnly:
		return syscall.EROFS
	case size > math.MaxInt64:
		return syscall.EFBIG
	}
	return posix(f.file.Truncate(int64(size)))
}

// SetTimes sets the times of the file.
func (f *osFile) SetTimes(t Times) error {
	if err := t.valid(); err != nil {
		return err
	}
	if err := f.acquire(); err != nil {
		return err
	}
	defer f.release()
	if f.readOnly {
		return syscall.EROFS
	}
	now := time.Now()
	var ft [2]*windows.Filetime
	for i, at := range [...]time.Time{
		newTime(t.Atime, t.Set&AtimeGiven != 0, t.Set&AtimeNow != 0, now),
		newTime(t.Mtime, t.Set&MtimeGiven != 0, t.Set&MtimeNow != 0, now),
	} {
		if !at.IsZero() {
			v := windows.NsecToFiletime(at.UnixNano())
			ft[i] = &v
		}
	}
	conn, err := f.file.SyscallConn()
	if err != nil {
		return posix(err)
	}
	var setErr error
	if err := conn.Control(func(h uintptr) {
		setErr = windows.SetFileTime(windows.Handle(h), nil, ft[0], ft[1])
	}); err != nil {
		return posix(err)
	}
	return posix(setErr)
}

// Sync returns when the file is on the disk.
func (f *osFile) Sync() error {
	if err := f.acquire(); err != nil {
		return err
	}
	defer f.release()
	err := f.file.Sync()
	if errors.Is(err, windows.ERROR_ACCESS_DENIED) {
		return nil // nothing was written by a handle that may not write (FlushFileBuffers)
	}
	return posix(err)
}

// Datasync is the same as Sync.
func (f *osFile) Datasync() error {
	return f.Sync()
}

// Allocate makes the file at least offset+length bytes long.
func (f *osFile) Allocate(offset, length uint64) error {
	if err := f.acquire(); err != nil {
		return err
	}
	defer f.release()
	switch {
	case f.readOnly:
		return syscall.EROFS
	case length == 0:
		return syscall.EINVAL
	case offset > math.MaxInt64 || length > math.MaxInt64-offset:
		return syscall.EFBIG
	}
	info, err := f.file.Stat()
	if err != nil {
		return posix(err)
	}
	if size := int64(offset + length); info.Size() < size {
		return posix(f.file.Truncate(size))
	}
	return nil
}

// Advise checks its arguments and does nothing else.
func (f *osFile) Advise(offset, length uint64, a Advice) error {
	if err := f.acquire(); err != nil {
		return err
	}
	defer f.release()
	if a > NoReuse || offset > math.MaxInt64 || length > math.MaxInt64 {
		return syscall.EINVAL
	}
	return nil
}

// Flags returns the flags that were set last, or else those of Open.
func (f *osFile) Flags() Flags {
	return Flags(f.flags.Load())
}

// SetFlags sets all flags.
func (f *osFile) SetFlags(flags Flags) error {
	if err := f.acquire(); err != nil {
		return err
	}
	defer f.release()
	if flags&^allFlags != 0 {
		return syscall.EINVAL
	}
	f.flags.Store(uint32(flags))
	return nil
}

// Poll returns all wanted events: these files are always ready.
func (f *osFile) Poll(want network.Events) (network.Events, error) {
	if err := f.acquire(); err != nil {
		return 0, err
	}
	defer f.release()
	return want & (network.Readable | network.Writable), nil
}

// Readiness returns the zero value: these files are always ready.
func (f *osFile) Readiness() network.Readiness {
	return network.Readiness{}
}

// Available returns the number of bytes from the current position to the end.
func (f *osFile) Available() (int, error) {
	if err := f.acquire(); err != nil {
		return 0, err
	}
	defer f.release()
	info, err := f.file.Stat()
	if err != nil {
		return 0, posix(err)
	}
	pos, err := f.file.Seek(0, io.SeekCurrent)
	if err != nil {
		return 0, posix(err)
	}
	return int(max(info.Size()-pos, 0)), nil
}
