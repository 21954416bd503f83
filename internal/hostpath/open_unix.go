//go:build unix

package hostpath

import (
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"

	"golang.org/x/sys/unix"
)

// isDescriptor reports whether a path is a name of one of this process's descriptors, which are
// symbolic links of the kernel (proc_pid_fd(5)). Shells pass such names for >(command).
func isDescriptor(path string) bool {
	number, ok := strings.CutPrefix(path, "/dev/fd/")
	if !ok {
		number, ok = strings.CutPrefix(path, "/proc/self/fd/")
	}
	return ok && number != "" && strings.Trim(number, "0123456789") == ""
}

// Open opens a file as os.OpenFile does, but refuses a symbolic link, which could lead elsewhere
// the next time. It does not reopen a descriptor that is to be written, but duplicates it.
func Open(path string, flag int, perm fs.FileMode) (*os.File, error) {
	switch {
	case !isDescriptor(path):
	case flag&os.O_WRONLY != 0:
		return dupInherited(path)
	default:
		return os.OpenFile(path, flag, perm)
	}
	f, err := os.OpenFile(path, flag|syscall.O_NOFOLLOW, perm)
	// FreeBSD returns EMLINK and NetBSD EFTYPE instead of ELOOP (open(2)).
	if info, e := os.Lstat(path); err != nil && e == nil && info.Mode()&fs.ModeSymlink != 0 {
		return nil, errLink
	}
	return f, err
}

// dupInherited duplicates a descriptor that this process has inherited. If it were opened again,
// the file would have an offset of its own, and would be truncated or overwritten although the
// shell said ">>" (proc_pid_fd(5)). It returns EBADF for a descriptor that this process has opened
// itself: all of those are closed on exec.
func dupInherited(path string) (*os.File, error) {
	n, err := strconv.ParseUint(path[strings.LastIndexByte(path, '/')+1:], 10, 31)
	if err != nil {
		return nil, syscall.EBADF
	}
	onExec, err := unix.FcntlInt(uintptr(n), unix.F_GETFD, 0)
	if err != nil {
		return nil, err
	}
	mode, err := unix.FcntlInt(uintptr(n), unix.F_GETFL, 0)
	if err != nil {
		return nil, err
	}
	if onExec&unix.FD_CLOEXEC != 0 || mode&unix.O_ACCMODE == unix.O_RDONLY {
		return nil, syscall.EBADF
	}
	fd, err := unix.FcntlInt(uintptr(n), unix.F_DUPFD_CLOEXEC, 0)
	if err != nil {
		return nil, err
	}
	return os.NewFile(uintptr(fd), path), nil
}

// absolute makes a path absolute. It keeps "..", which may follow a symbolic link.
func absolute(path string) (string, error) {
	if filepath.IsAbs(path) {
		return path, nil
	}
	wd, err := os.Getwd()
	return wd + "/" + path, err
}

// linkCount returns the number of names of a file.
func linkCount(_ string, info fs.FileInfo) uint64 {
	if st, ok := info.Sys().(*syscall.Stat_t); ok {
		return uint64(st.Nlink)
	}
	return 1
}
