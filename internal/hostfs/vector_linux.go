package hostfs

import (
	"sync/atomic"

	"golang.org/x/sys/unix"
)

// blocking reads and writes files that are, or may be, in blocking mode as if they were not. The
// kernel can do that for pipes, sockets and some devices.
type blocking struct {
	cannot atomic.Bool
}

// readv reports ok = false where the kernel cannot read this file without perhaps blocking.
func (b *blocking) readv(fd int, bufs [][]byte) (n int, err error, ok bool) {
	if b.cannot.Load() {
		return 0, nil, false
	}
	n, err = retry(func() (int,
		error) {
		return unix.Preadv2(fd, limit(bufs), -1, unix.RWF_NOWAIT)
	})
	return n, err, b.could(err)
}

func (b *blocking) writev(fd int, bufs [][]byte) (n int, err error, ok bool) {
	if b.cannot.Load() {
		return 0, nil, false
	}
	n, err = retry(func() (int,
		error) {
		return unix.Pwritev2(fd, limit(bufs), -1, unix.RWF_NOWAIT)
	})
	return n, err, b.could(err)
}

func (b *blocking) could(err error) bool {
	switch err {
	case unix.EOPNOTSUPP, unix.ENOSYS, unix.EINVAL, unix.EPERM, unix.ESPIPE:
		b.cannot.Store(true)
		return false
	}
	return true
}

func readv(fd int, bufs [][]byte) (int, error) {
	return retry(func() (int, error) { return unix.Readv(fd, limit(bufs)) })
}

func writev(fd int, bufs [][]byte) (int, error) {
	return retry(func() (int, error) { return unix.Writev(fd, limit(bufs)) })
}

func preadv(fd int, bufs [][]byte, offset int64) (int, error) {
	return retry(func() (int, error) { return unix.Preadv(fd, limit(bufs), offset) })
}

func pwritev(fd int, bufs [][]byte, offset int64) (int, error) {
	return retry(func() (int, error) { return unix.Pwritev(fd, limit(bufs), offset) })
}

// limit keeps to the number of buffers that one call takes (UIO_MAXIOV). The result is a short
// count.
func limit(bufs [][]byte) [][]byte {
	return bufs[:min(len(bufs), 1024)]
}
