//go:build unix

package hostfs

import (
	"math"

	"golang.org/x/sys/unix"
)

// maxTransfer is how many bytes one call moves. macOS refuses more than INT_MAX with EINVAL
// (read(2) and write(2) of macOS), and Linux moves no more than this (write(2), notes).
const maxTransfer = math.MaxInt32 &^ 0xFFF

func preadEach(fd int, bufs [][]byte, offset int64) (int, error) {
	return transferEach(bufs, func(b []byte, done int) (int, error) {
		return unix.Pread(fd, b, offset+int64(done))
	})
}

func pwriteEach(fd int, bufs [][]byte, offset int64) (int, error) {
	return transferEach(bufs, func(b []byte, done int) (int, error) {
		return unix.Pwrite(fd, b, offset+int64(done))
	})
}

// transferEach transfers one buffer after the other: golang.org/x/sys does not have readv(2) and
// its kin for all systems, and not every kernel has them. An error after the first buffer is
// dropped, and the bytes until then are reported; the next call gets the error again. A buffer that
// is larger than one call ends the transfer. A list of empty buffers still makes one call, for its
// errors.
func transferEach(bufs [][]byte, transfer func(b []byte, done int) (int, error)) (done int,
	err error) {
	if len(firstBuffer(bufs)) == 0 {
		return retry(func() (int, error) { return transfer(nil, 0) })
	}
	for _, b := range bufs {
		if len(b) == 0 {
			continue
		}
		n, err := retry(func() (int, error) { return transfer(b[:min(len(b), maxTransfer)], done) })
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
