package hostfs

import (
	"errors"

	"golang.org/x/sys/unix"
)

const (
	searchFlag = unix.O_PATH
	largeFile  = unix.O_LARGEFILE
)

// errUnsure says that the kernel could not tell whether a path escapes, and that the path must be
// walked.
var errUnsure = errors.New("renamed meanwhile")

// openBeneath opens a path with one system call. Names that are renamed while the kernel looks at
// ".." make it say EAGAIN; so may others be doing on purpose.
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
	return -1, errUnsure
}

// mustWalk reports whether openat2 is missing: before Linux 5.6, and where a filter of system calls
// or a library in the kernel's place refuses it.
func mustWalk(dir int) bool {
	fd, err := openBeneath(dir, ".", unix.O_PATH|unix.O_DIRECTORY|unix.O_CLOEXEC, 0)
	if err != nil {
		return true
	}
	unix.Close(fd)
	return false
}
