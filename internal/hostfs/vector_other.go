//go:build unix && !linux

package hostfs

import "golang.org/x/sys/unix"

// blocking files cannot be read or written here as if they were not: they are asked first whether
// they are ready.
type blocking struct{}

func (blocking) readv(int, [][]byte) (n int, err error, ok bool) {
	return 0, nil, false
}

func (blocking) writev(int, [][]byte) (n int, err error, ok bool) {
	return 0, nil, false
}

func readv(fd int, bufs [][]byte) (int, error) {
	return each(bufs, func(b []byte, _ int) (int, error) { return unix.Read(fd, b) })
}

func writev(fd int, bufs [][]byte) (int, error) {
	return each(bufs, func(b []byte, _ int) (int, error) { return unix.Write(fd, b) })
}

func preadv(fd int, bufs [][]byte, offset int64) (int, error) {
	return each(bufs, func(b []byte, done int) (int,
		error) {
		return unix.Pread(fd, b, offset+int64(done))
	})
}

func pwritev(fd int, bufs [][]byte, offset int64) (int, error) {
	return each(bufs, func(b []byte, done int) (int,
		error) {
		return unix.Pwrite(fd, b, offset+int64(done))
	})
}

// each transfers one buffer after the other, for not all of these systems let Go call their
// vectored calls. What is done is not forgotten when a later buffer fails: it will fail again. A
// list of empty buffers still makes one call, for its errors.
func each(bufs [][]byte, transfer func(b []byte, done int) (int, error)) (done int, err error) {
	if len(firstBuffer(bufs)) == 0 {
		return retry(func() (int, error) { return transfer(nil, 0) })
	}
	for _, b := range bufs {
		if len(b) == 0 {
			continue
		}
		n, err := retry(func() (int, error) { return transfer(b, done) })
		if err != nil && done == 0 {
			return 0, err
		}
		done += max(n, 0)
		if n < len(b) {
			break
		}
	}
	return done, nil
}
