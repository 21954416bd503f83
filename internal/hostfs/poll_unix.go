//go:build unix

package hostfs

import (
	"io"

	"golang.org/x/sys/unix"

	"github.com/wasport/wasport/network"
)

var _ network.Pollable = (*File)(nil)

// Poll reports which of the wanted events hold now, and Hangup and Failed. A regular file is always
// ready.
func (f *File) Poll(want network.Events) (network.Events, error) {
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

func (f *File) poll(want network.Events) (got network.Events, err error) {
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
	// At a hangup, a read is not going to block: it gets the rest and then the end. After an error
	// nothing blocks.
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

// Readiness says how to wait for the file: not at all, if it is always ready.
func (f *File) Readiness() network.Readiness {
	return f.readiness()
}

// pollable assumes so if it cannot find out: the worst is that waiting fails later.
func (f *File) pollable() bool {
	if f.acquire() != nil {
		return true
	}
	defer f.release()
	return pollable(f.fd)
}

// Available is the number of bytes that can be read now without blocking; 0 if that is not known.
func (f *File) Available() (int, error) {
	if err := f.acquire(); err != nil {
		return 0, err
	}
	defer f.release()
	switch {
	case f.stream:
		n, err := unix.IoctlGetInt(f.fd, fionread)
		if err != nil {
			return 0, nil // a device that cannot tell
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
	return int(max(st.Size-pos, 0)), nil
}
