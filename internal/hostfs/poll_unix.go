//go:build unix

package hostfs

import (
	"io"
	"math"

	"golang.org/x/sys/unix"

	"github.com/wasport/wasport/network"
)

var _ network.Pollable = (*osFile)(nil)

// Poll implements network.Pollable. A regular file is always ready.
func (f *osFile) Poll(want network.Events) (network.Events, error) {
	if err := f.acquire(); err != nil {
		return 0, err
	}
	defer f.release()
	const both = network.Readable | network.Writable
	if !f.stream {
		return want & both, nil
	}
	return f.poll(want & both)
}

func (f *osFile) poll(want network.Events) (got network.Events, err error) {
	var fds [1]unix.PollFd
	fds[0].Fd = int32(f.fd)
	if want&network.Readable != 0 {
		fds[0].Events |= unix.POLLIN
	}
	if want&network.Writable != 0 {
		fds[0].Events |= unix.POLLOUT
	}
	if _, err := retry(func() (int, error) { return unix.Poll(fds[:], 0) }); err != nil {
		return 0, err
	}
	is := fds[0].Revents
	if is&unix.POLLNVAL != 0 {
		return 0, unix.EBADF
	}
	// After POLLHUP a read does not block: it gets the rest of the data and then the end. After
	// POLLERR neither direction blocks (poll(2)).
	if is&(unix.POLLIN|unix.POLLHUP|unix.POLLERR) != 0 {
		got |= network.Readable
	}
	if is&(unix.POLLOUT|unix.POLLERR) != 0 {
		got |= network.Writable
	}
	got &= want
	if is&unix.POLLHUP != 0 {
		got |= network.Hangup
	}
	if is&unix.POLLERR != 0 {
		got |= network.Failed
	}
	return got, nil
}

// Readiness implements network.Pollable. It is zero for a file that is always ready.
func (f *osFile) Readiness() network.Readiness {
	return f.readiness()
}

// pollable reports whether Go's poller or epoll can wait for the file. If it cannot find out, it
// reports true: at worst a later wait fails.
func (f *osFile) pollable() bool {
	if f.acquire() != nil {
		return true
	}
	defer f.release()
	return pollable(f.fd)
}

// Available implements network.Pollable. It returns the number of bytes that can be read without
// blocking, or 0 if it is not known.
func (f *osFile) Available() (int, error) {
	if err := f.acquire(); err != nil {
		return 0, err
	}
	defer f.release()
	switch {
	case f.stream:
		n, err := unix.IoctlGetInt(f.fd, fionread)
		if err != nil {
			// The device does not support FIONREAD.
			return 0, nil
		}
		return n, nil
	case f.typ != RegularFile:
		return 0, nil
	}
	var st unix.Stat_t
	if err := unix.Fstat(f.fd, &st); err != nil {
		return 0, err
	}
	pos, err := unix.Seek(f.fd, 0, io.SeekCurrent)
	if err != nil {
		return 0, err
	}
	return int(min(max(st.Size-pos, 0), math.MaxInt)), nil
}
