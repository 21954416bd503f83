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
	return &direntLister{}
}

// direntLister reads a directory with getdents64(2). Its cookies are the d_off values of the
// kernel. After a change of the directory, most file systems still find the same place by an old
// cookie. With another file system, a listing from an old cookie can skip or repeat entries.
type direntLister struct {
	// mu protects the fields below, and the position of the descriptor.
	mu  sync.Mutex
	buf []byte
	// unread is the part of buf that is not yet delivered.
	unread []byte
	// cookie is that of the first entry in unread.
	cookie uint64
}

const direntBufSize = 8 << 10

func (l *direntLister) list(dirfd int, cookie uint64, yield func(Entry) bool) error {
	if cookie > math.MaxInt64 {
		return unix.EINVAL
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	// A call that continues the last one does not seek. That is cheaper, and it is exact even on
	// file systems with cookies that only count entries.
	if cookie != l.cookie || cookie == 0 {
		if _, err := unix.Seek(dirfd, int64(cookie), io.SeekStart); err != nil {
			return err
		}
		l.unread, l.cookie = nil, cookie
	}
	for {
		if len(l.unread) == 0 {
			if l.buf == nil {
				l.buf = make([]byte, direntBufSize)
			}
			n, err := retry(func() (int, error) { return unix.Getdents(dirfd, l.buf) })
			if err != nil {
				return err
			}
			if n == 0 {
				l.buf, l.unread = nil, nil
				return nil
			}
			l.unread = l.buf[:n]
		}
		e, size, err := l.decodeFirst(dirfd)
		if err != nil {
			return err
		}
		if e.Ino != 0 && !yield(e) {
			return nil
		}
		l.unread, l.cookie = l.unread[size:], e.Next
	}
}

// decodeFirst decodes a struct linux_dirent64 (getdents(2)): ino 8 bytes, offset 8, length 2, type
// 1, then the name and its NUL.
func (l *direntLister) decodeFirst(dirfd int) (e Entry, size int, err error) {
	const head = 19
	if len(l.unread) > head {
		size = int(binary.NativeEndian.Uint16(l.unread[16:]))
	}
	if size <= head || size > len(l.unread) {
		return Entry{}, 0, unix.EIO
	}
	name := l.unread[head:size]
	if end := bytes.IndexByte(name, 0); end >= 0 {
		name = name[:end]
	}
	e = Entry{
		Ino:  binary.NativeEndian.Uint64(l.unread),
		Next: binary.NativeEndian.Uint64(l.unread[8:]),
		Name: name,
	}
	switch l.unread[18] {
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
	// This file system does not store types in its directories (DT_UNKNOWN, getdents(2)).
	default:
		if st, err := (place{fd: dirfd, name: string(name)}).stat(); err == nil {
			e.Type = st.Type
		}
	}
	return e, size, nil
}
