//go:build unix && !linux

package hostfs

import "golang.org/x/sys/unix"

// nowait does nothing: these systems cannot read or write a file in blocking mode without blocking.
// So each attempt is preceded by poll(2).
type nowait struct{}

func (nowait) readv(int, [][]byte) (n int, ok bool, err error) { return 0, false, nil }

func (nowait) writev(int, [][]byte) (n int, ok bool, err error) { return 0, false, nil }

func readv(fd int, bufs [][]byte) (int, error) {
	return transferEach(bufs, func(b []byte, _ int) (int, error) { return unix.Read(fd, b) })
}

func writev(fd int, bufs [][]byte) (int, error) {
	return transferEach(bufs, func(b []byte, _ int) (int, error) { return unix.Write(fd, b) })
}

func preadv(fd int, bufs [][]byte, offset int64) (int, error) {
	return preadEach(fd, bufs, offset)
}

func pwritev(fd int, bufs [][]byte, offset int64) (int, error) {
	return pwriteEach(fd, bufs, offset)
}

func (f *osFile) appendv(bufs [][]byte) (int, error) { return f.seekAppendv(bufs) }
