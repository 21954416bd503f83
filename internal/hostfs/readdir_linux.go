package hostfs

import (
	"bytes"
	"encoding/binary"
	"io"
	"math"
	"sync"

	"golang.org/x/sys/unix"
)

func newLister() lister {
	return &dents{}
}

// dents reads a directory as the kernel tells it: with the kernel's own cookies, which hold as long
// as the file system keeps them, whatever is added and removed.
type dents struct {
	mu     sync.Mutex
	buf    []byte
	rest   []byte // the part of buf that is still to be delivered
	cookie uint64 // of the first entry in rest
}

const dentsSize = 8 << 10

func (l *dents) list(dirfd int, cookie uint64, yield func(Entry) bool) error {
	if cookie > math.MaxInt64 {
		return unix.EINVAL
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	// Reading on where the last call ended needs no seek: it is cheaper, and exact even on file
	// systems whose cookies are mere counts of entries.
	if cookie != l.cookie || cookie == 0 {
		if _, err := unix.Seek(dirfd, int64(cookie), io.SeekStart); err != nil {
			return err
		}
		l.rest, l.cookie = nil, cookie
	}
	for {
		if len(l.rest) == 0 {
			if l.buf == nil {
				l.buf = make([]byte, dentsSize)
			}
			n, err := retry(func() (int, error) { return unix.Getdents(dirfd, l.buf) })
			if err != nil {
				return err
			}
			if n == 0 {
				l.buf, l.rest = nil, nil
				return nil
			}
			l.rest = l.buf[:n]
		}
		e, size, err := l.first(dirfd)
		if err != nil {
			return err
		}
		if e.Ino != 0 && !yield(e) {
			return nil
		}
		l.rest, l.cookie = l.rest[size:], e.Next
	}
}

// first decodes a struct linux_dirent64: ino 8 bytes, offset 8, length 2, type 1, then the name
// with its NUL.
func (l *dents) first(dirfd int) (e Entry, size int, err error) {
	const head = 19
	if len(l.rest) > head {
		size = int(binary.NativeEndian.Uint16(l.rest[16:]))
	}
	if size <= head || size > len(l.rest) {
		return Entry{}, 0, unix.EIO
	}
	name := l.rest[head:size]
	if end := bytes.IndexByte(name, 0); end >= 0 {
		name = name[:end]
	}
	e = Entry{
		Ino:  binary.NativeEndian.Uint64(l.rest),
		Next: binary.NativeEndian.Uint64(l.rest[8:]),
		Name: name,
	}
	switch l.rest[18] {
	case unix.DT_BLK:
		e.Type = BlockDevice
	case unix.DT_CHR:
		e.Type = CharDevice
	case unix.DT_DIR:
		e.Type = Directory
	case unix.DT_REG:
		e.Type = RegularFile
	case unix.DT_SOCK:
		e.Type = SocketStream
	case unix.DT_LNK:
		e.Type = Symlink
	case unix.DT_FIFO:
		e.Type = Pipe
	default: // a file system that keeps no types in its directories
		if st, err := (place{fd: dirfd, name: string(name)}).stat(); err == nil {
			e.Type = st.Type
		}
	}
	return e, size, nil
}
