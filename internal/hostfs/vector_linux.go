package hostfs

import (
	"sync/atomic"

	"golang.org/x/sys/unix"
)

// nowait reads and writes files that are, or may be, in blocking mode without blocking. The kernel
// can do so for pipes, sockets and some devices (preadv2(2), RWF_NOWAIT).
type nowait struct {
	// unsupported tells that the kernel has refused the flag for this file.
	unsupported atomic.Bool
}

// readv reports ok = false if the kernel cannot read this file without the risk to block.
func (w *nowait) readv(fd int, bufs [][]byte) (n int, ok bool, err error) {
	if w.unsupported.Load() {
		return 0, false, nil
	}
	n, err = retry(func() (int, error) {
		return unix.Preadv2(fd, capIovecs(bufs), -1, unix.RWF_NOWAIT)
	})
	return n, w.supported(err), err
}

// writev reports ok = false if the kernel cannot write this file without the risk to block.
func (w *nowait) writev(fd int, bufs [][]byte) (n int, ok bool, err error) {
	if w.unsupported.Load() {
		return 0, false, nil
	}
	n, err = retry(func() (int, error) {
		return unix.Pwritev2(fd, capIovecs(bufs), -1, unix.RWF_NOWAIT)
	})
	return n, w.supported(err), err
}

// supported reports whether an error is one of the file, and not a refusal of the flag.
func (w *nowait) supported(err error) bool {
	switch err {
	case unix.EOPNOTSUPP, unix.ENOSYS, unix.EINVAL, unix.EPERM, unix.ESPIPE:
		w.unsupported.Store(true)
		return false
	}
	return true
}

func readv(fd int, bufs [][]byte) (int, error) {
	return retry(func() (int, error) { return unix.Readv(fd, capIovecs(bufs)) })
}

func writev(fd int, bufs [][]byte) (int, error) {
	return retry(func() (int, error) { return unix.Writev(fd, capIovecs(bufs)) })
}

// preadv reads one buffer after the other where the system lacks preadv(2), as Gramine does.
func preadv(fd int, bufs [][]byte, offset int64) (int, error) {
	n, err := retry(func() (int, error) { return unix.Preadv(fd, capIovecs(bufs), offset) })
	if err == unix.ENOSYS {
		return preadEach(fd, bufs, offset)
	}
	return n, err
}

// pwritev writes one buffer after the other where the system lacks pwritev(2).
func pwritev(fd int, bufs [][]byte, offset int64) (int, error) {
	n, err := retry(func() (int, error) { return unix.Pwritev(fd, capIovecs(bufs), offset) })
	if err == unix.ENOSYS {
		return pwriteEach(fd, bufs, offset)
	}
	return n, err
}

// appendv writes at the end of the file, wherever that is by now (pwritev2(2), RWF_APPEND). Some
// file systems refuse the flag.
func (f *osFile) appendv(bufs [][]byte) (int, error) {
	n, err := retry(func() (int, error) {
		return unix.Pwritev2(f.fd, capIovecs(bufs), -1, unix.RWF_APPEND)
	})
	if err == unix.EOPNOTSUPP || err == unix.ENOSYS {
		return f.seekAppendv(bufs)
	}
	return n, err
}

// capIovecs returns as many buffers as one call takes (UIO_MAXIOV, readv(2)). The call then
// transfers fewer bytes than it was given.
func capIovecs(bufs [][]byte) [][]byte {
	return bufs[:min(len(bufs), 1024)]
}
