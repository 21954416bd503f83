package hostfs

import (
	"errors"

	"golang.org/x/sys/unix"
)

const (
	searchFlag = unix.O_PATH
	largeFile  = unix.O_LARGEFILE
)

// errMustWalk tells that the kernel could not decide whether a path escapes. The caller walks it.
var errMustWalk = errors.New("renamed meanwhile")

// openBeneath opens a path with one system call (openat2(2), RESOLVE_BENEATH). The call fails with
// EAGAIN if a name is renamed while the kernel follows "..". Another process can cause that at
// will, so the number of attempts is bounded.
func openBeneath(dir int, path string, flags int, mode uint32) (int, error) {
	how := unix.OpenHow{
		Flags:   uint64(flags),
		Mode:    uint64(mode),
		Resolve: unix.RESOLVE_BENEATH | unix.RESOLVE_NO_MAGICLINKS,
	}
	for range 16 {
		fd, err := retry(func() (int, error) { return unix.Openat2(dir, path, &how) })
		switch err {
		case unix.EAGAIN:
			continue
		case unix.EXDEV:
			return -1, ErrEscapes
		}
		return fd, err
	}
	return -1, errMustWalk
}

// mustWalk reports whether openat2(2) is missing: before Linux 5.6, and where a seccomp filter or
// an emulated kernel refuses it.
func mustWalk(dir int) bool {
	fd, err := openBeneath(dir, ".", unix.O_PATH|unix.O_DIRECTORY|unix.O_CLOEXEC, 0)
	if err != nil {
		return true
	}
	unix.Close(fd)
	return false
}
