package hostfs

import (
	"io"
	"io/fs"
	"math"
	"sync"
	"sync/atomic"
	"syscall"

	"github.com/wasport/wasport/internal/outside"
	"github.com/wasport/wasport/network"
)

// fsFile is an open file of an fs.FS. Every change of it is EBADF or EROFS. A file that is neither
// an io.ReaderAt nor an io.Seeker can only be read from its beginning to its end.
type fsFile struct {
	uses
	tree  *fsTree
	name  string
	file  fs.File
	at    io.ReaderAt // or nil
	seek  io.Seeker   // or nil
	flags atomic.Uint32

	// mu protects the fields below. It is held while file reads, unless by at.
	mu sync.Mutex
	// pos is the current position, and filePos that of file.
	pos, filePos int64
}

// fsReadSize is the size of a read. The embedder's code never gets memory of a guest, which other
// threads of the guest could change under it.
const fsReadSize = 64 << 10

var fsBufs = sync.Pool{New: func() any { return new([fsReadSize]byte) }}

// open opens a regular file.
func (t *fsTree) open(name string, flags Flags) (*fsFile, error) {
	file, err := t.fsys.Open(name)
	if err != nil {
		return nil, fsError(err)
	}
	f := &fsFile{tree: t, name: name, file: file}
	f.at, _ = file.(io.ReaderAt)
	f.seek, _ = file.(io.Seeker)
	f.flags.Store(uint32(flags))
	if s, err := f.Stat(); err != nil || s.Type != RegularFile {
		file.Close()
		return nil, syscall.EIO // it was replaced meanwhile
	}
	return f, nil
}

func (f *fsFile) release() {
	if f.end() {
		f.file.Close()
	}
}

// Close closes the file. Calls under way complete.
func (f *fsFile) Close() error {
	last, err := f.close()
	if last {
		err = fsError(f.file.Close())
	}
	return err
}

func (*fsFile) Type() FileType { return RegularFile }
func (*fsFile) Terminal() bool { return false }

func (f *fsFile) Stat() (Stat, error) {
	if err := f.acquire(); err != nil {
		return Stat{}, err
	}
	defer f.release()
	info, err := f.file.Stat()
	if err == nil && info == nil {
		err = syscall.EIO
	}
	if err != nil {
		return Stat{}, fsError(err)
	}
	return f.tree.stat(f.name, info), nil
}

func (f *fsFile) Readv(bufs [][]byte) (int, error) {
	if err := f.acquire(); err != nil {
		return 0, err
	}
	defer f.release()
	f.mu.Lock()
	defer f.mu.Unlock()
	n, err := f.readAt(bufs, f.pos)
	f.pos += int64(n)
	return n, err
}

func (f *fsFile) Preadv(bufs [][]byte, offset uint64) (int, error) {
	if err := f.acquire(); err != nil {
		return 0, err
	}
	defer f.release()
	if offset > math.MaxInt64 {
		return 0, syscall.EINVAL
	}
	if f.at == nil {
		f.mu.Lock()
		defer f.mu.Unlock()
	}
	return f.readAt(bufs, int64(offset))
}

// readAt reads into bufs until a read is short. An error after some bytes is left to the next call.
// mu is held unless the file is an io.ReaderAt.
func (f *fsFile) readAt(bufs [][]byte, offset int64) (total int, err error) {
	buf := fsBufs.Get().(*[fsReadSize]byte)
	defer fsBufs.Put(buf)
	for _, b := range bufs {
		for len(b) > 0 {
			piece := buf[:min(len(b), fsReadSize, int(min(math.MaxInt64-offset, fsReadSize)))]
			n, err := 0, error(io.EOF)
			if len(piece) > 0 {
				n, err = f.readPiece(piece, offset)
			}
			copy(b, piece[:n])
			b, offset, total = b[n:], offset+int64(n), total+n
			switch {
			case err == io.EOF || total > 0 && (err != nil || n < len(piece)):
				return total, nil
			case err != nil:
				return 0, fsError(err)
			}
		}
	}
	return total, nil
}

// readPiece makes one read of the file. It returns ESPIPE if the file cannot go to the offset.
func (f *fsFile) readPiece(b []byte, offset int64) (int, error) {
	if f.at != nil {
		return outside.ReadAt(f.at, b, offset)
	}
	if offset != f.filePos {
		if f.seek == nil {
			return 0, syscall.ESPIPE
		}
		at, err := f.seek.Seek(offset, io.SeekStart)
		if err == nil && at != offset {
			err = syscall.EIO
		}
		if err != nil {
			return 0, err
		}
		f.filePos = offset
	}
	n, err := outside.Read(f.file, b)
	f.filePos += int64(n)
	return n, err
}

func (f *fsFile) Seek(offset int64, whence int) (int64, error) {
	if err := f.acquire(); err != nil {
		return 0, err
	}
	defer f.release()
	f.mu.Lock()
	defer f.mu.Unlock()
	var from int64
	switch whence {
	case io.SeekStart:
	case io.SeekCurrent:
		from = f.pos
	case io.SeekEnd:
		s, err := f.Stat()
		if err != nil {
			return 0, err
		}
		from = int64(min(s.Size, math.MaxInt64))
	default:
		return 0, syscall.EINVAL
	}
	switch to := from + offset; {
	case offset > 0 && to < from:
		return 0, syscall.EOVERFLOW
	case to < 0:
		return 0, syscall.EINVAL
	case to != f.pos && f.at == nil && f.seek == nil:
		return 0, syscall.ESPIPE
	default:
		f.pos = to
		return to, nil
	}
}

// Available returns the number of bytes after the current position.
func (f *fsFile) Available() (int, error) {
	s, err := f.Stat()
	if err != nil {
		return 0, err
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	return int(min(s.Size-min(uint64(f.pos), s.Size), math.MaxInt)), nil
}

// changed returns the error of a change, or fs.ErrClosed.
func (f *fsFile) changed(err syscall.Errno) error {
	if err := f.acquire(); err != nil {
		return err
	}
	f.release()
	return err
}

func (f *fsFile) Writev([][]byte) (int, error)          { return 0, f.changed(syscall.EBADF) }
func (f *fsFile) Pwritev([][]byte, uint64) (int, error) { return 0, f.changed(syscall.EBADF) }
func (f *fsFile) Appendv([][]byte) (int, error)         { return 0, f.changed(syscall.EBADF) }
func (f *fsFile) SetSize(uint64) error                  { return f.changed(syscall.EROFS) }
func (f *fsFile) Allocate(uint64, uint64) error         { return f.changed(syscall.EROFS) }
func (f *fsFile) Sync() error                           { return nil }
func (f *fsFile) Datasync() error                       { return nil }

func (f *fsFile) SetTimes(t Times) error {
	if err := t.valid(); err != nil {
		return err
	}
	return f.changed(syscall.EROFS)
}

func (f *fsFile) Advise(offset, length uint64, a Advice) error {
	if a > NoReuse || offset > math.MaxInt64 || length > math.MaxInt64 {
		return syscall.EINVAL
	}
	return nil
}

func (f *fsFile) Flags() Flags { return Flags(f.flags.Load()) }

func (f *fsFile) SetFlags(flags Flags) error {
	if flags&^allFlags != 0 {
		return syscall.EINVAL
	}
	f.flags.Store(uint32(flags))
	return nil
}

func (*fsFile) Poll(want network.Events) (network.Events, error) {
	return want & (network.Readable | network.Writable), nil
}

func (*fsFile) Readiness() network.Readiness { return network.Readiness{} }
